//! What is remembered of each event.
//!
//! Events come when they come, so they have a *log* beside the frames. An entry is
//!
//! ```text
//! the entry before it, the step that follows it, its place, its NetCon, values
//! ```
//!
//! as it was before the event. Entries are named by where they begin in the log, whose
//! first numbers are its length and the last entry; 0 is none. A `NetCon` is named by
//! where its weights begin among those of all `NetCons`; -1 is none. Where all is
//! gathered, the values end with those that a step has left of the states that events
//! change.

use super::roots::event_map;
use crate::graph::Input;
use crate::step::{Linearised, Quantity, Receive, StateKind};

/// Numbers before the values.
pub(super) const HEAD: usize = 4;

/// The values of an entry, and where the recorder has them.
pub(super) struct Record {
    pub values: Vec<Input>,
}

impl Record {
    pub fn new(linearised: &Linearised, receive: &Receive) -> Self {
        let roots = event_map(receive);
        let inputs = linearised.graph.reachable_inputs(&roots, false);
        let changes = |input: &Input| {
            matches!(
                linearised.quantities[input],
                Quantity::Voltage(_)
                    | Quantity::Time
                    | Quantity::Variable(..)
                    | Quantity::Ion(..)
                    | Quantity::Argument(_)
                    | Quantity::UseTable(_)
                    | Quantity::InitialConcentration(_)
            )
        };
        Self { values: inputs.into_iter().filter(changes).collect() }
    }

    pub fn size(&self) -> usize {
        HEAD + self.values.len()
    }
}

/// The states of which a recorder has its own copies: those that events change, and
/// those that only INITIAL sets and that NEURON does not show.
pub(super) fn copied(linearised: &Linearised) -> Vec<usize> {
    let Some(receive) = &linearised.receive else { return Vec::new() };
    let is_copied = |index: &usize| {
        receive.states.iter().any(|change| change.target == *index)
            || matches!(linearised.states[*index].own, Some((None, _)))
    };
    (0..linearised.states.len()).filter(is_copied).collect()
}

/// The copies by index of the state, and what NEURON shows of them.
pub(super) fn shown(linearised: &Linearised) -> impl Iterator<Item = (usize, String)> + '_ {
    copied(linearised).into_iter().filter_map(|index| {
        let state = &linearised.states[index];
        let StateKind::Variable(mechanism, name) = &state.kind else { return None };
        state.own.is_none().then(|| (index, linearised.names.of(*mechanism, name).to_owned()))
    })
}
