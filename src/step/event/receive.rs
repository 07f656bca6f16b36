//! `NET_RECEIVE`: what an event does, as a map of the states and of the weights.
//!
//! At a fixed time of delivery `x+ = R(x-, V, p, w)` has the exact derivative
//! `Dx+ = dR/dx Dx- + dR/dV W + dR/dp Dp + dR/dw Dw`. A point process and each of
//! its `NetCons` keep their part of it; see `emit::events` for when it is applied.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Id, Input};
use crate::model::{Mechanism, Role};
use crate::step::linear_map::linear_form::{FormInputs, LinearForm, Source};
use crate::step::{ArrayStore, Quantity, Refused, Step, TimedEvent, When};
use crate::syntax::ast::{ExprKind, Statement, StatementKind};
use crate::trace::{Effect, EffectKind, Store, Trace, Values};

/// What a variable becomes.
#[derive(Clone, Debug)]
pub struct Change {
    /// Index into [`super::Linearised::states`], or of an argument.
    pub target: usize,
    pub value: Id,
    pub row: LinearForm,
}

/// A self-event that is sent along, or watched for.
#[derive(Clone, Debug)]
pub struct Sent {
    pub kind: EffectKind,
    /// Not 0 if it is sent.
    pub on: Id,
    pub arguments: Vec<Id>,
    /// Of a WATCH: the states that its condition reads and the event has changed by then.
    pub seen: Vec<(usize, Id)>,
    /// The flag, if it is a number.
    pub flag: Option<f64>,
    /// Of a self-event, where times have derivatives: that of how long it takes, of `net_move` of its time.
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

#[derive(Clone, Debug)]
pub struct Receive {
    /// The emitted names of the arguments, which are a `NetCon`'s weights.
    pub arguments: Vec<String>,
    pub states: Vec<Change>,
    pub weights: Vec<Change>,
    /// What the voltage becomes, if it is set.
    pub voltage: Option<(Id, LinearForm)>,
    pub sent: Vec<Sent>,
    /// Elements of arrays that are set, in order.
    pub stores: Vec<ArrayStore>,
    /// INITIAL inside the block: the weights at the start.
    pub start_weights: Vec<Change>,
    /// Self-events that INITIAL sends.
    pub start_sent: Vec<Sent>,
    /// Not 0 where what events of one kind at the same time do depends on their order.
    pub ordered: Id,
    /// Currents of the step, NEURON's and ours: an event that did not come here
    /// may show in nothing else.
    pub currents: Vec<[Id; 2]>,
    /// Where its time has a derivative: what that takes, or why it can't be followed.
    pub timed: Option<Result<TimedEvent, String>>,
}

impl Receive {
    /// How the times of self-events depend on everything.
    pub fn late(&self) -> impl Iterator<Item = &LinearForm> {
        self.sent.iter().chain(&self.start_sent).filter_map(|sent| sent.late.as_ref())
    }

    fn rows_mut(&mut self) -> impl Iterator<Item = &mut LinearForm> {
        let voltage = self.voltage.iter_mut().map(|(_, row)| row);
        let stores = self.stores.iter_mut().map(|store| &mut store.row);
        self.states.iter_mut().chain(&mut self.weights).map(|change| &mut change.row).chain(voltage).chain(stores)
    }

    /// Whether anything that an event does depends on its time.
    pub(in crate::step) fn reads_time(&self) -> bool {
        let changes = self.states.iter().chain(&self.weights).map(|change| &change.row);
        let voltage = self.voltage.iter().map(|(_, row)| row);
        let stores = self.stores.iter().map(|store| &store.row);
        changes.chain(voltage).chain(stores).chain(self.late()).any(|row| row.get(Source::Time).is_some())
    }

    /// Counts all times as fixed.
    pub(in crate::step) fn forget_times(&mut self) {
        for row in self.rows_mut() {
            row.set(Source::Time, None);
        }
        for sent in self.sent.iter_mut().chain(&mut self.start_sent) {
            sent.late = None;
        }
    }
}

/// The block as traced, before it is known which variables matter.
#[derive(Clone, Debug, Default)]
pub(in crate::step) struct Traced {
    arguments: Vec<(String, Input)>,
    pub values: Values,
    start_arguments: Values,
    sent: Vec<Sent>,
    /// For each of them: values that its condition reads, as they are then.
    seen: Vec<Vec<(String, Id)>>,
    /// The voltage before and after.
    voltage: Option<[Id; 2]>,
    pub stores: Vec<Store>,
}

impl Traced {
    pub fn inputs(&self) -> Vec<Input> {
        self.arguments.iter().map(|(_, input)| *input).collect()
    }

    /// What the rest of the event, and later ones, are made of besides the states.
    pub fn needs(&self) -> Vec<Id> {
        let arguments = self.arguments.iter().map(|(name, _)| self.values[&argument_key(name)]);
        arguments.chain(self.effects()).collect()
    }

    /// What it does besides changing variables and weights.
    fn effects(&self) -> Vec<Id> {
        let sent = self.sent.iter().flat_map(|sent| sent.arguments.iter().chain([&sent.on]).copied());
        let seen = self.seen.iter().flatten().map(|(_, id)| *id);
        let stores = self.stores.iter().flat_map(|store| [store.index, store.value]);
        let voltage = self.voltage.map(|[_, after]| after);
        sent.chain(seen).chain(stores).chain(voltage).collect()
    }
}

impl Step<'_> {
    /// The currents that NEURON shows, after the current phase. A STATE is checked as such.
    pub(in crate::step) fn shown_currents(&mut self) -> Vec<[Id; 2]> {
        let region = self.region;
        let Some(mechanism) = region.mechanisms.first().filter(|first| first.receive.is_some()) else {
            return Vec::new();
        };
        let mut shown = Vec::new();
        for current in &mechanism.currents {
            let is_state = mechanism.variable(&current.name).is_some_and(|known| known.role == Role::State);
            if !is_state && mechanism.shown_as(&current.name).is_some() {
                let neurons = self.variable(0, &current.name, When::After);
                shown.push([self.graph.read(neurons), self.values[0][&current.name]]);
            }
        }
        shown
    }

    /// Traces the block of a point process that has one, from the values before a step; `started`: after INITIAL.
    pub(in crate::step) fn received(&mut self, declared: &Values, started: &Values) -> Result<Option<Traced>, Refused> {
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
        let mut traced = Traced::default();
        let mut frame = Values::from([("flag".to_owned(), flag)]);
        for name in &receive.arguments {
            let emitted = self.names.new_name(&format!("arg_{name}"));
            let input = self.input(Quantity::Argument(name.clone()), emitted);
            traced.arguments.push((name.clone(), input));
            frame.insert(name.clone(), self.graph.read(input));
        }
        let (start, body): (Vec<Statement>, Vec<Statement>) =
            receive.body.iter().cloned().partition(|statement| matches!(statement.kind, StatementKind::Initial(_)));
        let mut trace = Trace::new(&mut self.graph, mechanism, before.clone(), &self.constants, None);
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
        let mut trace = Trace::new(&mut self.graph, mechanism, before.clone(), &self.constants, None);
        trace.follows_all = true;
        trace.may_draw = false;
        let mut start_arguments = trace.with_arguments(frame.clone(), &start).map_err(refused)?;
        let mut trace = Trace::new(&mut self.graph, mechanism, started.clone(), &self.constants, None);
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

    /// The derivative of the block; `changed` are the states with their values after it.
    pub(in crate::step) fn receive(
        &mut self,
        traced: &Traced,
        changed: &[(usize, Id)],
        inputs: &FormInputs,
        settled: &[bool],
        stores: Vec<ArrayStore>,
        start_sent: Vec<Sent>,
    ) -> Result<Receive, Refused> {
        let ordered = self.graph.number(0.0);
        let mut receive = Receive {
            arguments: Vec::new(),
            states: Vec::new(),
            weights: Vec::new(),
            voltage: traced.voltage.map(|[_, after]| (after, self.form(after, inputs))),
            sent: traced.sent.clone(),
            stores,
            start_weights: Vec::new(),
            start_sent,
            ordered,
            currents: Vec::new(),
            timed: None,
        };
        for (target, value) in changed {
            let row = self.form(*value, inputs);
            receive.states.push(Change { target: *target, value: *value, row });
        }
        let all_sent = receive.sent.iter_mut().chain(&mut receive.start_sent);
        for sent in all_sent.filter(|sent| inputs.time.is_some() && !sent.is_watch()) {
            sent.late = Some(self.form(sent.arguments[0], inputs));
        }
        for (sent, seen) in receive.sent.iter_mut().zip(&traced.seen) {
            for (target, _) in changed {
                let known = self.quantities.get(&inputs.states[*target]);
                let Some(Quantity::Variable(_, name, _)) = known else { continue };
                sent.seen.extend(seen.iter().filter(|(other, _)| other == name).map(|(_, id)| (*target, *id)));
            }
        }
        let read = self.arguments_read(traced, changed);
        for (target, (name, input)) in traced.arguments.iter().enumerate() {
            receive.arguments.push(self.graph.input_name(*input).to_owned());
            let unchanged = self.graph.read(*input);
            let after = traced.values[&argument_key(name)];
            let start = traced.start_arguments.get(name).copied().unwrap_or(unchanged);
            let places = [(after, &mut receive.weights, false), (start, &mut receive.start_weights, true)];
            for (value, changes, is_start) in places {
                // What each event makes anew before it reads it is no memory.
                if value == unchanged || !read.contains(input) {
                    continue;
                }
                let row = self.form(value, inputs);
                // Their gradients are there from the end of INITIAL.
                let is_known = |state: usize| settled[state] && !is_start;
                if row.reads_voltage() || !row.states().all(is_known) {
                    return Err(self.refuse_weight(name));
                }
                changes.push(Change { target, value, row });
            }
        }
        receive.ordered = self.order_matters(&receive, inputs);
        Ok(receive)
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

    /// The arguments whose values before an event matter, to it or to later ones.
    fn arguments_read(&self, traced: &Traced, changed: &[(usize, Id)]) -> BTreeSet<Input> {
        let mut roots: Vec<Id> = changed.iter().map(|(_, value)| *value).collect();
        roots.extend(traced.effects());
        let mut found = BTreeSet::new();
        loop {
            let reached = self.graph.reachable_inputs(&roots, true);
            let new = traced.arguments.iter().filter(|(_, input)| reached.contains(input) && !found.contains(input));
            let new: Vec<_> = new.cloned().collect();
            if new.is_empty() {
                return found;
            }
            for (name, input) in new {
                found.insert(input);
                roots.push(traced.values[&argument_key(&name)]);
            }
        }
    }

    /// A weight changes when the event comes, before the gradient of the states is there.
    fn refuse_weight(&self, name: &str) -> Refused {
        let mechanism = &self.region.mechanisms[0];
        let span = mechanism.receive.as_ref().map_or(mechanism.span, |receive| receive.span);
        let message = format!("the new value of `{name}` depends on the voltage or on a state");
        let diagnostic = Diagnostic::refusal(Code::EventWeight, span, message)
            .label("in this NET_RECEIVE")
            .help("keep it in a STATE of the point process instead of the NetCon");
        Refused { mechanism: 0, diagnostic }
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

/// Whether statements set v themselves.
fn sets_voltage(statements: &[Statement]) -> bool {
    statements.iter().any(|statement| match &statement.kind {
        StatementKind::Assign(place, _) => place.name.text == "v",
        StatementKind::Expression(expr) => match &expr.kind {
            ExprKind::Call(name, arguments) if name.text == "state_discontinuity" => {
                matches!(arguments.first().map(|first| &first.kind), Some(ExprKind::Name(name)) if name == "v")
            }
            _ => false,
        },
        StatementKind::If(branches, otherwise) => {
            branches.iter().map(|(_, body)| body).chain(otherwise).any(|body| sets_voltage(body))
        }
        StatementKind::While(_, body) | StatementKind::From { body, .. } | StatementKind::Group(body) => {
            sets_voltage(body)
        }
        StatementKind::Protect(inner) => sets_voltage(std::slice::from_ref(inner)),
        _ => false,
    })
}

/// Arguments and variables may have the same name.
pub(in crate::step) fn argument_key(name: &str) -> String {
    format!("~argument {name}")
}
