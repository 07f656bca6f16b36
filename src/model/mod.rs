//! A mechanism with its names resolved and its declarations checked.
//!
//! [`check`] turns a syntax tree into a [`Mechanism`] or says what is wrong;
//! what NEURON accepts but gradmod can't differentiate is refused here when a
//! declaration tells it, and later, in `trace`, when code that runs tells it.

mod check;
pub mod mechanism;
mod refuse;

pub use check::check;
pub use mechanism::{Current, Ion, Kind, Mechanism, Role, Variable, Visibility};
