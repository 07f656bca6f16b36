//! Gradients that act on the run: what parameters did long ago counts less and less.
//!
//! Before each step all gradients are multiplied by `exp(-leak*dt)`. The equations are linear, so
//! that is the exact derivative of the run in a parameter whose change has grown by that factor
//! every step up to the present one.

use serde::Serialize;

use super::region::{cable_pointer, Setting, Writer};
use super::EmitError;
use crate::model::Kind;

#[derive(Serialize)]
pub(super) struct Fade {
    /// Arrays over the directions, scaled together.
    groups: Vec<String>,
    /// Statements that give the cables what is left: their `v` is kept by nothing else.
    cables: Vec<String>,
}

/// RANGE parameters.
pub(super) fn settings() -> [Setting; 2] {
    ["leak", "clip"].map(|name| Setting { name: name.to_owned(), default: "0".to_owned() })
}

impl Writer<'_> {
    pub fn fade(&self) -> Result<Fade, EmitError> {
        let linearised = self.linearised;
        let names: Vec<&str> = linearised.region.mechanisms.iter().map(|mechanism| mechanism.name.as_str()).collect();
        let refuse = |why| Err(EmitError::Online(names.join(", "), why));
        if linearised.arrays.iter().any(|array| array.is_active) {
            return refuse("events write an array that a gradient goes through");
        }
        if !self.far.is_empty() {
            return refuse("a POINTER sees the voltage of another place");
        }
        let mut groups = vec!["W_new".to_owned()];
        groups.extend(self.gradients.iter().cloned());
        let cables = match linearised.region.kind() {
            Kind::Density => (0..self.directions).map(|k| format!("{} = W_new[{k}]", cable_pointer(k))).collect(),
            // The mechanism in the segment does it.
            Kind::Point => Vec::new(),
        };
        Ok(Fade { groups, cables })
    }
}
