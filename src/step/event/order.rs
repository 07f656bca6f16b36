//! Events at one time: NEURON does not promise in which order they come.

use std::collections::BTreeSet;

use super::receive::Receive;
use crate::graph::{Id, Input, Node};
use crate::step::Step;
use crate::step::linear_map::linear_form::FormInputs;

impl Step<'_> {
    /// Not 0 where two events of one kind at the same time may do something else in the other order.
    pub(in crate::step) fn order_matters(&mut self, receive: &Receive, inputs: &FormInputs) -> Id {
        let states = receive.states.iter().map(|change| (change.value, inputs.states[change.target]));
        // What only moves by itself is there as it is.
        let is_changed = |(value, own): &(Id, Input)| self.graph.as_input(*value) != Some(*own);
        let states: Vec<(Id, Input)> = states.filter(is_changed).collect();
        let mut changed: BTreeSet<Input> = states.iter().map(|(_, own)| *own).collect();
        changed.extend(receive.voltage.iter().map(|_| self.v_before));
        let (zero, one) = (self.graph.number(0.0), self.graph.number(1.0));
        let others = receive.weights.iter().map(|change| change.value);
        let others: Vec<Id> = others.chain(receive.sent.iter().flat_map(crate::step::Sent::roots)).collect();
        if !receive.stores.is_empty() || !others.into_iter().all(|id| self.is_free(id, &changed)) {
            return one;
        }
        let voltage = receive.voltage.iter().map(|(value, _)| (*value, self.v_before));
        let values: Vec<(Id, Input)> = states.into_iter().chain(voltage).collect();
        values.into_iter().fold(zero, |sum, (value, own)| {
            let matters = self.not_added(value, own, &changed);
            self.graph.or(sum, matters)
        })
    }

    /// Not 0 where a value is not that of `own` and something that depends on nothing that events change.
    fn not_added(&mut self, value: Id, own: Input, changed: &BTreeSet<Input>) -> Id {
        let (zero, one) = (self.graph.number(0.0), self.graph.number(1.0));
        match *self.graph.node(value) {
            Node::Input(input) if input == own => zero,
            Node::Add(a, b) if self.is_free(b, changed) => self.not_added(a, own, changed),
            Node::Add(a, b) if self.is_free(a, changed) => self.not_added(b, own, changed),
            Node::Sub(a, b) if self.is_free(b, changed) => self.not_added(a, own, changed),
            Node::Phi(branch, slot) if self.is_free(self.graph.branch(branch).condition, changed) => {
                let (then, otherwise) = self.graph.branch(branch).slots[slot];
                let then = self.not_added(then, own, changed);
                let otherwise = self.not_added(otherwise, own, changed);
                self.graph.join(branch, then, otherwise)
            }
            _ => one,
        }
    }

    fn is_free(&self, id: Id, changed: &BTreeSet<Input>) -> bool {
        self.graph.reachable_inputs(&[id], false).is_disjoint(changed)
    }
}
