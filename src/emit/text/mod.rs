//! NMODL and C as text, for any emitted mechanism.

pub mod c;
pub mod code;
pub mod expression;
pub mod fault;
pub mod fingerprint;
pub mod lines;
pub mod repeat;
pub mod template;
