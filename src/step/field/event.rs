//! `NET_RECEIVE` that changes states, and nothing else, as a map at a fixed time.

use super::{Equation, refused};
use crate::graph::Id;
use crate::step::event::traced_event::{TracedEvent, argument_key};
use crate::step::linear_map::linear_form::FormInputs;
use crate::step::phase::initial::Start;
use crate::step::{Change, Quantity, Receive, Refused, Step};

impl Step<'_> {
    /// What `NET_RECEIVE` makes of everything.
    pub(super) fn received_event(&mut self, start: &Start) -> Result<Option<TracedEvent>, Refused> {
        let region = self.region;
        let Some(mechanism) = region.mechanisms.first() else { return Ok(None) };
        let Some(receive) = &mechanism.receive else { return Ok(None) };
        let declared = self.values[0].clone();
        let Some(event) = self.received(&declared, &start.values[0])? else { return Ok(None) };
        let is_changed = |name: &String| {
            let input = self.inputs.get(&Quantity::Argument(name.clone())).copied();
            input.is_none() || self.graph.as_input(event.values[&argument_key(name)]) != input
        };
        let what = if !start.sent.is_empty() || event.acts_on_more() {
            "NET_RECEIVE or INITIAL that sends an event, watches, sets `v` or writes an array"
        } else if receive.arguments.iter().any(is_changed) {
            "NET_RECEIVE that changes a weight"
        } else {
            return Ok(Some(event));
        };
        Err(refused(0, receive.span, what))
    }

    /// The states that an event changes, with what they become.
    pub(super) fn changes(&mut self, equations: &[Equation], received: Option<&TracedEvent>) -> Vec<(usize, Id)> {
        let Some(received) = received else { return Vec::new() };
        let mut changes = Vec::new();
        for (target, equation) in equations.iter().enumerate() {
            let before = self.graph.read(equation.input);
            let after = received.values.get(equation.kind.name()).copied();
            changes.extend(after.filter(|after| *after != before).map(|after| (target, after)));
        }
        changes
    }

    pub(super) fn receive_of(&mut self, changes: &[(usize, Id)], inputs: &FormInputs) -> Receive {
        let states = changes.iter().map(|(target, value)| {
            let row = self.form(*value, inputs);
            Change { target: *target, value: *value, row }
        });
        let states = states.collect();
        let names = inputs.arguments.iter().map(|input| self.graph.input_name(*input).to_owned());
        Receive {
            arguments: names.collect(),
            states,
            weights: Vec::new(),
            voltage: None,
            sent: Vec::new(),
            stores: Vec::new(),
            start_weights: Vec::new(),
            start_sent: Vec::new(),
            ordered: self.graph.number(0.0),
            currents: Vec::new(),
            timed: None,
        }
    }
}
