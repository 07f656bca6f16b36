//! The derivative of the step as a linear map, and what of it needs no work.

pub mod implicit_solve;
pub mod inert;
pub mod linear_form;
pub mod linearise;
pub mod linearised;
pub mod membrane;
pub mod prune;
pub mod state_vector;
pub mod stepwise;
