//! Events that code sends along, and crossings that it watches for.

use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Id, Input};
use crate::model::Role;
use crate::step::linear_map::linear_form::LinearForm;
use crate::step::{Quantity, Refused, Step, When};
use crate::trace::{Effect, EffectKind};

/// A self-event that is sent along, or watched for.
#[derive(Clone, Debug)]
pub struct Sent {
    pub kind: EffectKind,
    /// Not 0 if it is sent.
    pub on: Id,
    pub arguments: Vec<Id>,
    /// The states that the condition of a WATCH reads and the event has changed by then.
    pub seen: Vec<(usize, Id)>,
    /// The flag, if it is a number.
    pub flag: Option<f64>,
    /// The derivative of how long a self-event takes, or of the time of `net_move`, where times have derivatives.
    pub late: Option<LinearForm>,
}

impl Sent {
    /// What must be computed for it when the event comes; a condition is looked at later.
    pub fn roots(&self) -> Vec<Id> {
        let arguments = if self.is_watch() { &[] } else { self.arguments.as_slice() };
        let seen = self.seen.iter().map(|(_, id)| *id);
        let late = self.late.iter().flat_map(LinearForm::coefficients);
        arguments.iter().copied().chain(seen).chain([self.on]).chain(late).collect()
    }

    /// Both sides of the condition of a WATCH.
    pub fn watched(&self) -> &[Id] {
        if self.is_watch() { &self.arguments[..2] } else { &[] }
    }

    pub fn is_watch(&self) -> bool {
        matches!(self.kind, EffectKind::Watch { .. })
    }
}

impl Step<'_> {
    pub(in crate::step) fn sent(&mut self, effect: Effect) -> Sent {
        let (zero, one) = (self.graph.number(0.0), self.graph.number(1.0));
        let on = self.graph.only_in(effect.scope, one, zero);
        let flag = effect.arguments.get(1).and_then(|flag| self.graph.as_number(*flag));
        // Elsewhere they may be made of what is not computed.
        let arguments = effect.arguments.into_iter();
        let is_watch = effect.watch.is_some();
        // A condition is not computed here.
        let only_there = |id| if is_watch { id } else { self.graph.only_in(effect.scope, id, zero) };
        Sent {
            kind: effect.kind,
            on,
            arguments: arguments.map(only_there).collect(),
            seen: Vec::new(),
            flag,
            late: None,
        }
    }

    /// What self-events of INITIAL depend on must be known before it runs.
    pub(in crate::step) fn refuse_late(&self, sent: &[Sent]) -> Result<(), Refused> {
        let roots: Vec<Id> = sent.iter().flat_map(|sent| sent.arguments.iter().chain([&sent.on])).copied().collect();
        let is_late = |input: &Input| {
            let Some(Quantity::Variable(_, name, When::Before)) = self.quantities.get(input) else {
                return false;
            };
            let variable = self.region.mechanisms[0].variable(name);
            !variable.is_some_and(|variable| variable.role == Role::Parameter)
        };
        if !self.graph.reachable_inputs(&roots, false).iter().any(is_late) {
            return Ok(());
        }
        let span = self.region.mechanisms[0].span;
        let message = "a self-event of INITIAL depends on more than parameters";
        Err(Refused { mechanism: 0, diagnostic: Diagnostic::refusal(Code::InitialEvent, span, message) })
    }
}
