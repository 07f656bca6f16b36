//! `NET_RECEIVE` as traced, before it is known which variables matter.

use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Id, Input};
use crate::model::{Mechanism, Role};
use crate::step::event::sent::Sent;
use crate::step::{Quantity, Refused, Step};
use crate::syntax::ast::{ExprKind, Statement, StatementKind};
use crate::syntax::visit::statements;
use crate::trace::{Store, Values};

/// What the block makes of every value.
#[derive(Clone, Debug, Default)]
pub(in crate::step) struct TracedEvent {
    pub(super) arguments: Vec<(String, Input)>,
    pub values: Values,
    pub(super) start_arguments: Values,
    pub(super) sent: Vec<Sent>,
    /// For each event that is sent: values that its condition reads, as they are then.
    pub(super) seen: Vec<Vec<(String, Id)>>,
    /// The voltage before and after.
    pub(super) voltage: Option<[Id; 2]>,
    pub stores: Vec<Store>,
}

impl TracedEvent {
    pub fn inputs(&self) -> Vec<Input> {
        self.arguments.iter().map(|(_, input)| *input).collect()
    }

    /// What the rest of the event, and later ones, are made of besides the states.
    pub fn needs(&self) -> Vec<Id> {
        let arguments = self.arguments.iter().map(|(name, _)| self.values[&argument_key(name)]);
        arguments.chain(self.effects()).collect()
    }

    /// What the weights begin with.
    pub fn starts(&self) -> Vec<Id> {
        self.start_arguments.values().copied().collect()
    }

    /// Whether it does more than changing variables and weights.
    pub fn acts_on_more(&self) -> bool {
        !self.sent.is_empty() || !self.stores.is_empty() || self.voltage.is_some() || !self.seen.is_empty()
    }

    /// What it does besides changing variables and weights.
    pub(super) fn effects(&self) -> Vec<Id> {
        let sent = self.sent.iter().flat_map(|sent| sent.arguments.iter().chain([&sent.on]).copied());
        let seen = self.seen.iter().flatten().map(|(_, id)| *id);
        let stores = self.stores.iter().flat_map(|store| [store.index, store.value]);
        let voltage = self.voltage.map(|[_, after]| after);
        sent.chain(seen).chain(stores).chain(voltage).collect()
    }
}

impl Step<'_> {
    /// Traces the block of a point process that has one, from the values before a step; `started`: after INITIAL.
    pub(in crate::step) fn received(
        &mut self,
        declared: &Values,
        started: &Values,
    ) -> Result<Option<TracedEvent>, Refused> {
        let region = self.region;
        let Some(mechanism) = region.mechanisms.first() else { return Ok(None) };
        let Some(receive) = &mechanism.receive else { return Ok(None) };
        let refused = |diagnostic: Box<Diagnostic>| Refused { mechanism: 0, diagnostic: *diagnostic };
        let mut before = declared.clone();
        self.show_ions(mechanism, &mut before);
        let v = self.graph.read(self.v_before);
        before.insert("v".to_owned(), v);
        before.insert("t".to_owned(), self.t);
        let flag = self.read(Quantity::Argument("flag".to_owned()), "flag");
        let mut traced = TracedEvent::default();
        let mut frame = Values::from([("flag".to_owned(), flag)]);
        for name in &receive.arguments {
            let emitted = self.names.new_name(&format!("arg_{name}"));
            let input = self.input(Quantity::Argument(name.clone()), emitted);
            traced.arguments.push((name.clone(), input));
            frame.insert(name.clone(), self.graph.read(input));
        }
        let (start, body): (Vec<Statement>, Vec<Statement>) =
            receive.body.iter().cloned().partition(|statement| matches!(statement.kind, StatementKind::Initial(_)));
        let mut trace = self.trace(mechanism, before.clone(), None);
        trace.effects = Some(Vec::new());
        trace.stores = Some(Vec::new());
        trace.watched = Some(before.clone());
        trace.follows_all = true;
        let after = trace.with_arguments(frame.clone(), &body).map_err(refused)?;
        let effects = trace.effects.take().unwrap_or_default();
        traced.stores = trace.stores.take().unwrap_or_default();
        let values = trace.values;
        let voltage = [v, values["v"]];
        if voltage[0] != voltage[1] {
            if !sets_voltage(&body) {
                return Err(self.refuse_procedure());
            }
            traced.voltage = Some(voltage);
        }
        let acts =
            effects.iter().filter(|effect| effect.watch.is_none()).flat_map(|effect| effect.arguments.iter().copied());
        let stores = traced.stores.iter().flat_map(|store| [store.index, store.value]);
        let changed = values.iter().filter(|(name, value)| before.get(*name) != Some(value)).map(|(_, value)| *value);
        let acts: Vec<Id> = changed.chain(after.values().copied()).chain(acts).chain(stores).collect();
        self.refuse_unlooked(mechanism, &body, &acts)?;
        let mut trace = self.trace(mechanism, before.clone(), None);
        trace.follows_all = true;
        trace.may_draw = false;
        let mut start_arguments = trace.with_arguments(frame.clone(), &start).map_err(refused)?;
        let mut trace = self.trace(mechanism, started.clone(), None);
        trace.follows_all = true;
        trace.may_draw = false;
        trace.with_arguments(frame, &start).map_err(refused)?;
        let set: Vec<_> = trace
            .values
            .into_iter()
            .filter_map(|(name, value)| started.get(&name).map(|left| (name, *left, value)))
            .filter(|(_, left, value)| left != value)
            .collect();
        for (name, left, value) in set {
            if !self.is_start_flat(mechanism, &name, declared.get(&name) == Some(&left), left, value) {
                return Err(refuse_started(mechanism, &start, &name));
            }
        }
        if start.is_empty() {
            // NEURON then clears all but the first weight.
            let zero = self.graph.number(0.0);
            let others = receive.arguments.iter().skip(1);
            start_arguments.extend(others.map(|name| (name.clone(), zero)));
        }
        for effect in effects {
            let mut seen = Vec::new();
            if let Some((_, then)) = &effect.watch {
                let read = self.graph.reachable_inputs(&effect.arguments, false);
                let zero = self.graph.number(0.0);
                for (name, value) in then.iter().filter(|(name, value)| before.get(*name) != Some(value)) {
                    let input = before.get(name).and_then(|id| self.graph.as_input(*id));
                    if name != "v" && input.is_some_and(|input| read.contains(&input)) {
                        seen.push((name.clone(), self.graph.only_in(effect.scope, *value, zero)));
                    }
                }
            }
            traced.seen.push(seen);
            traced.sent.push(self.sent(effect));
        }
        traced.values = values;
        self.share_event(&before, &mut traced.values);
        traced.values.extend(after.into_iter().map(|(name, value)| (argument_key(&name), value)));
        traced.start_arguments = start_arguments;
        Ok(Some(traced))
    }

    /// Whether a variable has no gradient when a run starts, with a `NetCon` or without one: INITIAL leaves it alone
    /// (`is_untouched`) or sets it to a number, and so does INITIAL of `NET_RECEIVE`.
    fn is_start_flat(&self, mechanism: &Mechanism, name: &str, is_untouched: bool, left: Id, set: Id) -> bool {
        let of_time = |id: Id| {
            let time = self.graph.reachable_inputs(&[self.t], true);
            self.graph.reachable_inputs(&[id], true).is_subset(&time)
        };
        let is_assigned = mechanism.variable(name).is_some_and(|variable| variable.role == Role::Assigned);
        is_assigned && of_time(set) && (is_untouched || of_time(left))
    }

    /// NEURON takes v from the node and puts it back if the block itself has it.
    fn refuse_procedure(&self) -> Refused {
        let mechanism = &self.region.mechanisms[0];
        let span = mechanism.receive.as_ref().map_or(mechanism.span, |receive| receive.span);
        let message =
            "a PROCEDURE that NET_RECEIVE calls sets `v`: whether the membrane potential changes is not followed";
        let diagnostic = Diagnostic::refusal(Code::EventVoltage, span, message)
            .label("in this NET_RECEIVE")
            .help("set v in NET_RECEIVE itself");
        Refused { mechanism: 0, diagnostic }
    }
}

/// NEURON runs INITIAL of the block after INITIAL, and once for each `NetCon`: what it sets besides the weights belongs to
/// all of them.
fn refuse_started(mechanism: &Mechanism, start: &[Statement], name: &str) -> Refused {
    let span = start.first().map_or(mechanism.span, |statement| statement.span);
    let message = format!("INITIAL in NET_RECEIVE sets `{name}`, which is no argument of the block");
    let diagnostic = Diagnostic::refusal(Code::EventStart, span, message)
        .label("NEURON runs this after INITIAL, once for each NetCon, and not at all without one")
        .help(format!("set `{name}` in INITIAL; keep what belongs to a NetCon in an argument"));
    Refused { mechanism: 0, diagnostic }
}

/// Whether code sets v itself.
fn sets_voltage(code: &[Statement]) -> bool {
    statements(code).any(|statement| match &statement.kind {
        StatementKind::Assign(place, _) => place.name.text == "v",
        StatementKind::Expression(expr) => match &expr.kind {
            ExprKind::Call(name, arguments) if name.text == "state_discontinuity" => {
                matches!(arguments.first().map(|first| &first.kind), Some(ExprKind::Name(name)) if name == "v")
            }
            _ => false,
        },
        _ => false,
    })
}

/// Arguments and variables may have the same name.
pub(in crate::step) fn argument_key(name: &str) -> String {
    format!("~argument {name}")
}
