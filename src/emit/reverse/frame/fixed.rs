//! What the fixed values of a frame are, and so what a change of one means.

use super::layout::Frame;
use crate::emit::manifest::PointerManifest;
use crate::model::Kind;
use crate::step::{State, StateKind};

/// What does not change along a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixedValue {
    /// A script may set it until the first step; a later change is refused.
    Parameter,
    /// INITIAL has made it: if a script sets it before the first step, what depends on that has no gradient. A later
    /// change is refused.
    Settled,
    /// A script may set it at any time: a change is written into the log, and taken back on the way.
    Logged,
}

impl Frame<'_> {
    /// What the fixed value is that is read through this POINTER.
    pub fn fixed_value(&self, name: &str) -> FixedValue {
        let linearised = self.linearised;
        let is_settled = |state: &State| {
            let StateKind::Variable(mechanism, own) = &state.kind else { return false };
            state.is_settled && linearised.names.of(*mechanism, own) == name
        };
        let of_process = |pointer: &PointerManifest| pointer.name == name && pointer.scope == "range";
        if linearised.states.iter().any(is_settled) {
            FixedValue::Settled
        } else if linearised.region.kind() == Kind::Point && self.pointers.iter().any(of_process) {
            FixedValue::Logged
        } else {
            FixedValue::Parameter
        }
    }
}
