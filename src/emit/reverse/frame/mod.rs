//! The frames of a run: what has a place in them, and where code finds it.

pub mod fixed;
pub mod layout;
pub mod load;
pub mod reader;
