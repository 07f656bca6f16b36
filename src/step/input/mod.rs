//! What a step reads, and which of it a gradient can be taken in.

pub mod array;
pub mod declared;
pub mod external;
pub mod ion;
pub mod names;
pub mod parameter;
pub mod pointer;
pub mod quantity;
