//! The parts of one region's step that the mechanisms of both modes share.

pub mod arrays;
pub mod checks;
pub mod event_time;
pub mod events;
pub mod implicit_solve;
pub mod procedures;
pub mod steady;
pub mod writer;
