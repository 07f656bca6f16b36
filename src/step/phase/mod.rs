//! The phases of one step, in NEURON's order.

pub mod before_after;
pub mod current;
pub mod initial;
pub mod state;
