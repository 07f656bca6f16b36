//! `NET_RECEIVE`: what an event does, as a map of the states and of the weights.
//!
//! At a fixed time of delivery `x+ = R(x-, V, p, w)` has the exact derivative
//! `Dx+ = dR/dx Dx- + dR/dV W + dR/dp Dp + dR/dw Dw`. A point process and each of
//! its `NetCons` keep their part of it; see `emit::events` for when it is applied.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Id, Input};
use crate::model::Role;
use crate::step::event::sent::Sent;
use crate::step::event::traced_event::{TracedEvent, argument_key};
use crate::step::linear_map::linear_form::{FormInputs, LinearForm, Source};
use crate::step::{ArrayStore, Quantity, Refused, Step, TimedEvent, When};

/// What a variable becomes.
#[derive(Clone, Debug)]
pub struct Change {
    /// Index into [`crate::step::Linearised::states`], or of an argument.
    pub target: usize,
    pub value: Id,
    pub row: LinearForm,
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

    /// The derivative of the block; `changed` are the states with their values after it.
    pub(in crate::step) fn receive(
        &mut self,
        traced: &TracedEvent,
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

    /// The arguments whose values before an event matter, to it or to later ones.
    fn arguments_read(&self, traced: &TracedEvent, changed: &[(usize, Id)]) -> BTreeSet<Input> {
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
}
