//! Blocks of equations: LINEAR, KINETIC, DERIVATIVE by cnexp.

pub mod linear;
pub mod linear_ode;
pub mod scheme;
