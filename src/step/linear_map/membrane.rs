//! The membrane equation of one step, at every node:
//!
//! ```text
//! (c/dt + d + A) dV = -I - A V                                  NEURON
//! (c/dt + d + A) W' = (c/dt) W - S                              its gradient; S: `Linearised::source`
//! (c/dt + d + A) y  = adjoint of W',   adjoint of W += (c/dt) y,   adjoint of S -= y        the transpose
//! ```
//!
//! With `secondorder` NEURON solves `(2c/dt + d + A) h = -I - A V` and takes `V + 2 h` for the new voltage:
//!
//! ```text
//! (2c/dt + d + A) (W + Dh) = (2c/dt) W - S,   W' = 2 (W + Dh) - W          S with `h` for `dV`
//! (2c/dt + d + A) y = 2 adjoint of W',   adjoint of W += (2c/dt) y - adjoint of W',   adjoint of S -= y
//! ```
//!
//! The matrix is symmetric once each row counts as often as its branch does. Currents of density mechanisms are in
//! mA/cm2, those of point processes and axial currents in nA; `c` is `cm`, in uF/cm2. What converts between them is
//! here: emitted code and the manifest of reverse mode have it from these constants.

/// mA/cm2 that charge 1 uF/cm2 by 1 mV/ms.
pub const CAPACITIVE: f64 = 1e-3;
/// nA that 1 mA/cm2 makes of 1 um2.
pub const AREA: f64 = 1e-2;
