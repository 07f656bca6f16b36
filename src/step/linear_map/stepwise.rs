//! Parameters on which the simulation depends in steps only: they choose which code runs, or when, as a time does.

use std::collections::BTreeSet;

use crate::model::Role;
use crate::step::{LinearForm, Linearised, Source, StateKind};

impl Linearised {
    /// The public names of parameters that no current, STATE, weight or time of an event has a derivative in.
    pub fn stepwise(&self) -> Vec<String> {
        let mut smooth = Smooth { states: BTreeSet::new(), parameters: BTreeSet::new() };
        smooth.add(&self.source);
        for row in self.implicit_solves.iter().chain(&self.start_implicit_solves).flat_map(|solve| &solve.rows) {
            smooth.add(&row.row);
        }
        if let Some(receive) = &self.receive {
            let changes = receive.states.iter().chain(&receive.weights).chain(&receive.start_weights);
            changes.for_each(|change| smooth.add(&change.row));
            receive.stores.iter().for_each(|store| smooth.add(&store.row));
            receive.voltage.iter().for_each(|(_, row)| smooth.add(row));
            receive.late().for_each(|row| smooth.add(row));
        }
        for (index, state) in self.states.iter().enumerate() {
            let is_state = match &state.kind {
                StateKind::Variable(mechanism, name) => {
                    let variable = self.region.mechanisms[*mechanism].variable(name);
                    variable.is_some_and(|variable| variable.role == Role::State)
                }
                StateKind::Ion(_) => true,
            };
            if is_state {
                smooth.states.insert(index);
            }
        }
        loop {
            let known = smooth.states.len();
            for index in smooth.states.clone() {
                smooth.add(&self.states[index].row);
                smooth.add(&self.states[index].start);
            }
            if smooth.states.len() == known {
                break;
            }
        }
        let parameters = self.parameters.iter().enumerate();
        let stepwise = parameters.filter(|(index, _)| !smooth.parameters.contains(index));
        stepwise.map(|(_, parameter)| parameter.public.clone()).collect()
    }
}

/// What something that matters has a derivative in.
struct Smooth {
    states: BTreeSet<usize>,
    parameters: BTreeSet<usize>,
}

impl Smooth {
    fn add(&mut self, form: &LinearForm) {
        for (source, _) in form.iter() {
            match source {
                Source::State(index) => _ = self.states.insert(index),
                Source::Parameter(index) => _ = self.parameters.insert(index),
                // What they depend on is looked at where it is made.
                Source::VAfter
                | Source::VBefore
                | Source::PointerAfter(_)
                | Source::PointerBefore(_)
                | Source::Unknown(..)
                | Source::Argument(_)
                | Source::Time
                | Source::Arrays => {}
            }
        }
    }
}
