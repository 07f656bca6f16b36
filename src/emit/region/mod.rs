//! The parts of one region's step that the mechanisms of both modes share.

pub mod arrays;
pub mod checks;
pub mod declarations;
pub mod description;
pub mod event_time;
pub mod events;
pub mod function_tables;
pub mod guard;
pub mod implicit_solve;
pub mod load;
pub mod pointer_gradient;
pub mod pointer_names;
pub mod roots;
pub mod sources;
pub mod steady;
pub mod streams;
pub mod terms;
pub mod writer;
