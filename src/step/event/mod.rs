//! Events: what they do, when they come, in which order.

pub mod event_time;
pub mod hidden_reads;
pub mod order;
pub mod receive;
pub mod sent;
pub mod traced_event;
