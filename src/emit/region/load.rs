//! Where the code of an emitted mechanism finds its inputs, by when it runs.

use std::collections::{BTreeMap, BTreeSet};

use super::guard::Guard;
use super::pointer_names::saw_name;
use super::sources::{AREA, DIAMETER, Sources};
use crate::graph::Input;
use crate::step::{Quantity, StateKind, When};

/// A companion's own value of the voltage, where its events set it.
pub const KEPT: &str = "v_kept";

/// When code runs that reads the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// After INITIAL: what was before is what is now.
    Start,
    /// A step later: what was before is remembered.
    Step,
    /// When an event comes: what was before are the companion's own copies.
    Event,
    /// In a PROCEDURE that the event calls.
    Moment,
}

impl Sources<'_> {
    /// LOCAL names and statements that load some inputs.
    pub fn load(&self, inputs: &BTreeSet<Input>, phase: Phase) -> (Vec<String>, Vec<String>) {
        let (mut names, mut lines) = (Vec::new(), Vec::new());
        for input in inputs {
            let quantity = &self.linearised.quantities[input];
            let Some((value, guard)) = self.source(quantity, phase) else { continue };
            let name = self.linearised.graph.input_name(*input).to_owned();
            lines.push(guard.around(&self.linearised.region, format!("{name} = {value}")));
            if let Some((condition, value)) = self.nernst_value(quantity).filter(|_| phase == Phase::Step) {
                lines.push(format!("IF ({condition}) {{ {name} = {value} }}"));
            }
            names.push(name);
        }
        (names, lines)
    }

    /// In C: where an input of a step is found, 0 where it is not.
    pub fn step_value(&self, input: Input) -> String {
        let quantity = &self.linearised.quantities[&input];
        let Some((value, guard)) = self.source(quantity, Phase::Step) else {
            return self.linearised.graph.input_name(input).to_owned();
        };
        let value = match guard.switch(&self.linearised.region) {
            Some(switch) => format!("({switch}) ? {value} : 0."),
            None => value,
        };
        match self.nernst_value(quantity) {
            Some((condition, now)) => format!("({condition}) ? {now} : {value}"),
            None => value,
        }
    }

    /// A reversal potential that NEURON computes is still that of the step before: where it is so, and where that is.
    fn nernst_value(&self, quantity: &Quantity) -> Option<(String, String)> {
        let Quantity::Ion(variable, When::Before) = quantity else { return None };
        let ion = self.linearised.ions.iter().find(|ion| ion.ion.reversal() == *variable)?;
        Some((format!("{} != 0", ion.nernst()), format!("{variable}_now")))
    }

    /// The text that has the value of a quantity, and what must be there.
    fn source(&self, quantity: &Quantity, phase: Phase) -> Option<(String, Guard)> {
        let before = |present: &str| {
            if phase != Phase::Step {
                return present.to_owned();
            }
            self.remembered(present).unwrap_or_else(|| present.to_owned())
        };
        Some(match quantity {
            Quantity::Voltage(When::Before) if phase == Phase::Event => (self.event_voltage().to_owned(), Guard::None),
            Quantity::Voltage(When::Before) if phase == Phase::Moment => ("v_moment".to_owned(), Guard::None),
            Quantity::Voltage(When::Before) => (before("v_now"), Guard::None),
            // Events may have set v since.
            Quantity::Voltage(When::After) => ("v_solved".to_owned(), Guard::None),
            Quantity::Rise if phase != Phase::Step => ("0".to_owned(), Guard::None),
            Quantity::Rise => (format!("v_solved - {}", before("v_now")), Guard::None),
            Quantity::Time => (before("t"), Guard::None),
            Quantity::Variable(mechanism, name, when) => {
                let kind = StateKind::Variable(*mechanism, name.clone());
                let copy = match (phase, when) {
                    (Phase::Event | Phase::Moment, _) => self.copy(&kind),
                    _ => None,
                };
                let present = copy.or_else(|| self.known_variable(*mechanism, name));
                let value = match (when, present) {
                    (_, None) => "0".to_owned(),
                    (When::Before, Some(present)) => before(&present),
                    (When::After, Some(present)) => present,
                };
                (value, self.owner(*mechanism, name))
            }
            Quantity::Pointed(mechanism, name, when) => {
                let present = self.linearised.names.of(*mechanism, name);
                let value = match when {
                    When::Before => before(present),
                    When::After if self.saw.is_some() => saw_name(self.linearised, *mechanism, name),
                    When::After => present.to_owned(),
                };
                (value, Guard::Mechanism(*mechanism))
            }
            Quantity::Area if !self.linearised.region.has_size() => (AREA.to_owned(), Guard::None),
            Quantity::Diameter if !self.linearised.region.has_size() => (DIAMETER.0.to_owned(), Guard::None),
            Quantity::Ion(name, When::Before) => (before(&format!("{name}_now")), Guard::Ion(name.clone())),
            Quantity::Ion(name, When::After) => (format!("{name}_now"), Guard::Ion(name.clone())),
            // Read by their own names.
            _ => return None,
        })
    }

    /// The voltage when an event comes; NEURON's may be that after it.
    fn event_voltage(&self) -> &'static str {
        let receive = self.linearised.receive.as_ref();
        if receive.is_some_and(|receive| receive.voltage.is_some()) { KEPT } else { "v" }
    }

    /// Where the inputs of a condition are found whenever it is looked at.
    pub fn at_event(&self, inputs: &BTreeSet<Input>) -> BTreeMap<Input, String> {
        let source = |input: &Input| self.source(&self.linearised.quantities[input], Phase::Event);
        // A row reads through its POINTERs only where it runs.
        let is_pointer = |value: &str| self.pointers.iter().any(|pointer| pointer.name == value);
        let place = |value: String| if is_pointer(&value) { format!("to_{value}") } else { value };
        inputs.iter().filter_map(|input| Some((*input, place(source(input)?.0)))).collect()
    }

    /// The companion's own value of a variable that events change.
    pub fn copy(&self, kind: &StateKind) -> Option<String> {
        let receive = self.linearised.receive.as_ref()?;
        let changes = |target: usize| {
            let state = &self.linearised.states[target];
            state.kind == *kind && state.own.is_none()
        };
        let index = receive.states.iter().position(|change| changes(change.target))?;
        Some(format!("copy[{index}]"))
    }
}
