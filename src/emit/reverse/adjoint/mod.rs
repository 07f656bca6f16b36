//! The adjoint of a region: the mechanism that goes through its record backwards.

pub mod arrays;
pub mod prepare;
pub mod render;
pub mod transpose;
mod undo;
pub mod waiting;
