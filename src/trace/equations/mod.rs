//! Blocks of equations: LINEAR, KINETIC, DERIVATIVE by cnexp.

pub mod kinetic;
pub mod linear;
pub mod linear_ode;
pub mod reaction;
pub mod scheme;
pub mod term;
