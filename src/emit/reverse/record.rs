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

use std::collections::{BTreeMap, BTreeSet};

use super::{Reversed, sets_voltage};
use crate::emit::region::events::given;
use crate::emit::region::load::KEPT;
use crate::graph::{Id, Input};
use crate::step::{Change, Linearised, Quantity, Receive, StateKind, When};

/// Numbers before the values.
pub(super) const HEAD: usize = 4;

/// The coefficients of the map that the block is.
pub(super) fn coefficients(changes: &[Change]) -> Vec<Id> {
    changes.iter().flat_map(|change| change.row.coefficients()).collect()
}

/// The same for all that an event changes.
pub(super) fn all_coefficients(receive: &Receive) -> Vec<Id> {
    let mut ids = coefficients(&receive.states);
    ids.extend(coefficients(&receive.weights));
    ids.extend(receive.voltage.iter().flat_map(|(_, row)| row.coefficients()));
    ids
}

/// The values of an entry, and where the recorder has them.
pub(super) struct Record {
    pub values: Vec<Input>,
}

impl Record {
    pub fn new(linearised: &Linearised, receive: &Receive) -> Self {
        let roots = all_coefficients(receive);
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

/// The currents, NEURON's and ours, that tell of an event which did not come to the recorder: needed where its copies do
/// not tell, as they do of states that NEURON shows.
pub(super) fn telling_currents(linearised: &Linearised) -> &[[Id; 2]] {
    let Some(receive) = &linearised.receive else { return &[] };
    let is_hidden = |change: &Change| linearised.states[change.target].own.is_some();
    let is_needed = receive.voltage.is_some() || receive.states.iter().any(is_hidden);
    if is_needed { &receive.currents } else { &[] }
}

/// How the recorder's `NET_RECEIVE` loads what its code reads.
pub(super) struct Loads {
    pub names: Vec<String>,
    pub lines: Vec<String>,
    /// Where each input is found.
    pub sources: BTreeMap<Input, String>,
}

impl Reversed<'_> {
    pub(super) fn is_copied(&self, state: usize) -> bool {
        copied(self.linearised).contains(&state)
    }

    /// `copies`: states are those of the recorder, which has had the same events.
    pub(super) fn load_event(&self, inputs: &BTreeSet<Input>, copies: bool) -> Loads {
        let mut loads = Loads { names: Vec::new(), lines: Vec::new(), sources: BTreeMap::new() };
        for input in inputs {
            let name = self.linearised.graph.input_name(*input).to_owned();
            let value = match &self.linearised.quantities[input] {
                // NEURON's may be that after the event.
                Quantity::Voltage(_) if sets_voltage(self.linearised) => KEPT.to_owned(),
                Quantity::Voltage(_) => "v".to_owned(),
                Quantity::Time => "t".to_owned(),
                Quantity::Rise => "0".to_owned(),
                Quantity::Variable(mechanism, variable, When::Before | When::After) => {
                    self.variable(*mechanism, variable, copies)
                }
                Quantity::Ion(name, _) => format!("{name}_now"),
                Quantity::Argument(_) => match self.argument(&name) {
                    Some(index) => given(index),
                    None => continue,
                },
                // Read by their own names.
                _ => continue,
            };
            loads.lines.push(format!("{name} = {value}"));
            loads.sources.insert(*input, value);
            loads.names.push(name);
        }
        loads
    }

    fn argument(&self, name: &str) -> Option<usize> {
        let receive = self.linearised.receive.as_ref()?;
        receive.arguments.iter().position(|known| known == name)
    }

    fn variable(&self, mechanism: usize, name: &str, copies: bool) -> String {
        let linearised = self.linearised;
        let kind = StateKind::Variable(mechanism, name.to_owned());
        let copy = copied(linearised).iter().position(|index| linearised.states[*index].kind == kind);
        let pointer = linearised.names.of(mechanism, name);
        let is_shown = self.frame.pointers.iter().any(|known| known.name == pointer);
        match copy {
            Some(index) if copies || !is_shown => format!("copy[{index}]"),
            _ if is_shown => pointer.to_owned(),
            _ => "0".to_owned(),
        }
    }

    /// A value of an entry in C, in the recorder's `NET_RECEIVE`.
    pub(super) fn recorded(&self, input: Input) -> String {
        let name = self.linearised.graph.input_name(input);
        match &self.linearised.quantities[&input] {
            Quantity::UseTable(_) | Quantity::InitialConcentration(_) => name.to_owned(),
            // `flag` is an argument too.
            _ => format!("_l{name}"),
        }
    }
}
