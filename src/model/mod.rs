//! A mechanism with its names resolved and its declarations checked.
//!
//! [`check()`] turns a syntax tree into a [`Mechanism`] or says what is wrong;
//! what NEURON accepts but gradmod can't differentiate is refused here when a
//! declaration tells it, and later, in `trace`, when code that runs tells it.

mod bystander;
mod c_expressions;
mod c_statements;
mod check;
mod deeds;
mod describe;
mod external;
mod kept_slope;
pub mod mechanism;
pub mod shadow;
mod transferred;
mod verbatim;

pub use bystander::{Bystander, bystander};
pub use check::{LONGEST, check, check_all};
pub use describe::describe;
pub use external::{declared_name, set_of_others, shared_parameters, unowned};
pub use kept_slope::{is_kept_slope, kept_slope, kept_slope_is_set, skipped};
pub use mechanism::{BeforeAfter, Current, Ion, Kind, Mechanism, NetReceive, Role, SEEN_VOLTAGE, Variable, Visibility};
pub use transferred::Transferred;
