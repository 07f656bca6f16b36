//! A mechanism with its names resolved and its declarations checked.
//!
//! [`check()`] turns a syntax tree into a [`Mechanism`] or says what is wrong;
//! what NEURON accepts but gradmod can't differentiate is refused here when a
//! declaration tells it, and later, in `trace`, when code that runs tells it.

mod bystander;
mod check;
mod describe;
mod external;
pub mod mechanism;
mod pointer;
mod refuse;
pub mod shadow;
mod size;
mod solved;
mod threadsafe;
mod units;
mod verbatim;

pub use bystander::{Bystander, bystander};
pub use check::{LONGEST, check, check_all};
pub use describe::describe;
pub use external::{declared_name, set_of_others, shared_parameters, unowned};
pub use mechanism::{BeforeAfter, Current, Ion, Kind, Mechanism, NetReceive, Role, SEEN_VOLTAGE, Variable, Visibility};
