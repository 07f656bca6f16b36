//! Gradients that act on the run: what parameters did long ago counts less and less.
//!
//! Before each step all gradients are multiplied by `exp(-leak*dt)`. The equations are linear, so
//! that is the exact derivative of the run in a parameter whose change has grown by that factor
//! every step up to the present one.

use crate::emit::region::declarations::Setting;

/// RANGE parameters.
pub(in crate::emit) fn settings() -> [Setting; 2] {
    ["leak", "clip"].map(|name| Setting::new(name, "0"))
}
