//! POINTERs that see the voltage of another place, as gap junctions have, or a variable.
//!
//! Such a voltage is one more `v`: the currents see it as it is before the solve,
//! the states as it is after. NEURON's slope `d` is in the mechanism's own `v` only.
//! A variable is the same here; which moment the states see is decided where it runs.

use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Id, Input};
use crate::model::Role;
use crate::step::{Quantity, Receive, Refused, Step, When};
use crate::trace::Values;

/// A POINTER that the step reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointed {
    pub mechanism: usize,
    pub name: String,
}

impl Step<'_> {
    pub(in crate::step) fn pointed(&mut self, mechanism: usize, name: &str, when: When) -> Input {
        let suffix = if when == When::Before { "n" } else { "n1" };
        let emitted = format!("{}_{suffix}", self.names.of(mechanism, name));
        self.input(Quantity::Pointed(mechanism, name.to_owned(), when), emitted)
    }

    /// What the POINTERs of a mechanism see at the start or at the end of the step.
    pub(in crate::step) fn see(&mut self, mechanism: usize, values: &mut Values, when: When) {
        let region = self.region;
        for variable in region.mechanisms[mechanism].variables.values() {
            if variable.role == Role::Pointed {
                let input = self.pointed(mechanism, &variable.name, when);
                values.insert(variable.name.clone(), self.graph.read(input));
            }
        }
    }

    /// The POINTERs that some values depend on, each with its inputs before and after the step.
    pub(in crate::step) fn pointed_by(&mut self, roots: &[Id]) -> Vec<([Input; 2], Pointed)> {
        let reached = self.graph.reachable_inputs(roots, true);
        let region = self.region;
        let mut found = Vec::new();
        for (mechanism, description) in region.mechanisms.iter().enumerate() {
            for variable in description.variables.values().filter(|variable| variable.role == Role::Pointed) {
                let inputs = [When::Before, When::After].map(|when| self.pointed(mechanism, &variable.name, when));
                if inputs.iter().any(|input| reached.contains(input)) {
                    found.push((inputs, Pointed { mechanism, name: variable.name.clone() }));
                }
            }
        }
        found
    }

    /// An event would need the gradient of that voltage when it comes, between two steps.
    pub(in crate::step) fn refuse_pointed(&self, receive: &Receive) -> Result<(), Refused> {
        let changes = receive.states.iter().chain(&receive.weights).chain(&receive.start_weights);
        let sent = receive.sent.iter().chain(&receive.start_sent);
        let mut roots: Vec<Id> = changes.map(|change| change.value).collect();
        roots.extend(sent.flat_map(|sent| sent.arguments.iter().chain([&sent.on]).copied()));
        roots.extend(receive.stores.iter().flat_map(|store| [store.on, store.index, store.value]));
        let reached = self.graph.reachable_inputs(&roots, true);
        let Some(name) = reached.iter().find_map(|input| match self.quantities.get(input) {
            Some(Quantity::Pointed(_, name, _)) => Some(name),
            _ => None,
        }) else {
            return Ok(());
        };
        let mechanism = &self.region.mechanisms[0];
        let span = mechanism.receive.as_ref().map_or(mechanism.span, |receive| receive.span);
        let message = format!("`{name}`: an event that reads a POINTER is not differentiated");
        let diagnostic = Diagnostic::refusal(Code::Pointer, span, message).label("in this NET_RECEIVE");
        Err(Refused { mechanism: 0, diagnostic })
    }
}
