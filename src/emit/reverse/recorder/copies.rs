//! The recorder's own copies of the states that events change, and where else its `NET_RECEIVE` finds what it reads.

use std::collections::{BTreeMap, BTreeSet};

use crate::emit::region::events::{given, sets_voltage};
use crate::emit::region::load::KEPT;
use crate::emit::reverse::record::{copied, shown};
use crate::emit::reverse::reversed::Reversed;
use crate::emit::reverse::streams::start_place;
use crate::graph::Input;
use crate::step::{Quantity, StateKind, When};

/// How the recorder's `NET_RECEIVE` loads what its code reads.
pub struct Loads {
    pub names: Vec<String>,
    pub lines: Vec<String>,
    /// Where each input is found.
    pub sources: BTreeMap<Input, String>,
}

impl Reversed<'_> {
    pub fn is_copied(&self, state: usize) -> bool {
        copied(self.linearised).contains(&state)
    }

    /// `copies`: states are those of the recorder, which has had the same events.
    pub fn load_event(&self, inputs: &BTreeSet<Input>, copies: bool) -> Loads {
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
        if let Some([start, _]) = start_place(linearised, &kind).filter(|_| !copies) {
            return start;
        }
        let pointer = linearised.names.of(mechanism, name);
        let is_shown = self.frame.pointers.iter().any(|known| known.name == pointer);
        match copy {
            Some(index) if copies || !is_shown => format!("copy[{index}]"),
            _ if is_shown => pointer.to_owned(),
            _ => "0".to_owned(),
        }
    }

    /// A value of an entry in C, in the recorder's `NET_RECEIVE`.
    pub fn recorded(&self, input: Input) -> String {
        let name = self.linearised.graph.input_name(input);
        match &self.linearised.quantities[&input] {
            Quantity::UseTable(_) | Quantity::InitialConcentration(_) => name.to_owned(),
            // `flag` is an argument too.
            _ => format!("_l{name}"),
        }
    }

    /// The recorder's own value of a state.
    pub fn copy(&self, state: usize) -> String {
        let index = copied(self.linearised).iter().position(|known| *known == state);
        format!("copy[{}]", index.unwrap_or_default())
    }

    /// The copies, and what NEURON shows of them.
    pub fn shown(&self) -> Vec<(String, String)> {
        shown(self.linearised).map(|(index, pointer)| (self.copy(index), pointer)).collect()
    }

    /// The recorder's copy of a state, which is what the step has left of it when the first event comes.
    pub fn landed_copy(&self, name: &str) -> String {
        let found = self.shown().into_iter().find(|(_, shown)| shown == name);
        found.map_or("0.".to_owned(), |(copy, _)| copy)
    }
}
