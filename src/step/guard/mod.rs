//! What makes a run or a mechanism one that is not differentiated exactly.

pub mod previous_run;
pub mod refusals;
pub mod shared_variables;
pub mod special_values;
pub mod state_check;
pub mod table_dependencies;
pub mod unread;
