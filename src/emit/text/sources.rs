//! Where an emitted mechanism finds what its code reads.
//!
//! `_n` is a value at the start of the lagged step, remembered in `was`; `_n1`
//! is the present value. NEURON's variables are read through POINTERs, ions
//! too: USEION would change their style where the mechanism is inserted.

use std::collections::{BTreeMap, BTreeSet};

use crate::emit::forward::pointer_gradient::{old_name, saw_name};
use crate::emit::manifest::PointerManifest;
use crate::graph::Input;
use crate::step::{Linearised, Quantity, StateKind, When};

/// A companion's own value of the voltage, where its events set it.
pub const KEPT: &str = "v_kept";

/// The size of a segment, where `area` and `diam` can't be had: see [`crate::step::Region::has_size`].
pub const AREA: &str = "area_now";
const DIAMETER: (&str, &str) = ("diam_now", "diam");

/// What must be there for a statement to run: where it is not, a POINTER may be unset.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Guard {
    None,
    Mechanism(usize),
    /// A mechanism that uses the ion of this variable.
    Ion(String),
}

/// Something whose value at the start of a step must be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Memory {
    /// The emitted name of the present value.
    present: String,
    guard: Guard,
}

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

pub struct Sources<'a> {
    linearised: &'a Linearised,
    pub pointers: Vec<PointerManifest>,
    /// Where each of them is set.
    guards: Vec<Guard>,
    memory: Vec<Memory>,
    /// POINTERs that may see variables: their values as states saw them are kept.
    kept: Option<Vec<(usize, String)>>,
}

impl<'a> Sources<'a> {
    /// Collects what the given inputs need; `variables`: POINTERs may see variables.
    pub fn new(linearised: &'a Linearised, inputs: &BTreeSet<Input>, variables: bool) -> Self {
        let voltage = Memory { present: "v_now".to_owned(), guard: Guard::None };
        let mut sources = Self {
            linearised,
            pointers: Vec::new(),
            guards: Vec::new(),
            memory: vec![voltage],
            kept: variables.then(Vec::new),
        };
        for input in inputs {
            sources.add(*input);
        }
        sources
    }

    /// A value that only rows need: a POINTER into the segment.
    pub fn also(&mut self, name: &str, source: &str) {
        self.point(name.to_owned(), source.to_owned(), "segment", Guard::None);
    }

    fn add(&mut self, input: Input) {
        let linearised = self.linearised;
        match &linearised.quantities[&input] {
            Quantity::Variable(mechanism, name, when) => {
                let Some(present) = self.present_variable(*mechanism, name) else { return };
                if *when == When::Before {
                    self.remember(present, self.owner(*mechanism, name));
                }
            }
            Quantity::Pointed(mechanism, name, when) => {
                let present = linearised.names.of(*mechanism, name).to_owned();
                self.point(
                    present.clone(),
                    pointed_source(linearised, *mechanism, name),
                    "pointed",
                    Guard::Mechanism(*mechanism),
                );
                match (when, &mut self.kept) {
                    (When::Before, _) => self.remember(present, Guard::Mechanism(*mechanism)),
                    (When::After, Some(kept)) => kept.push((*mechanism, name.clone())),
                    _ => {}
                }
            }
            Quantity::Ion(name, when) => {
                let present = format!("{name}_now");
                self.point(present.clone(), name.clone(), "segment", Guard::Ion(name.clone()));
                if *when == When::Before {
                    self.remember(present, Guard::Ion(name.clone()));
                }
            }
            Quantity::Time => self.remember("t".to_owned(), Guard::None),
            Quantity::Diameter if !self.linearised.region.has_size() => self.also(DIAMETER.0, DIAMETER.1),
            Quantity::UseTable(mechanism) => {
                let name = &linearised.region.mechanisms[*mechanism].name;
                let pointer = format!("{name}_usetable");
                self.point(pointer, format!("usetable_{name}"), "global", Guard::Mechanism(*mechanism));
            }
            Quantity::InitialConcentration(name) => {
                self.point(name.clone(), name.clone(), "global", Guard::None);
            }
            _ => {}
        }
    }

    /// The emitted name of a variable's present value; `None` if it is always 0.
    fn present_variable(&mut self, mechanism: usize, name: &str) -> Option<String> {
        let linearised = self.linearised;
        let description = &linearised.region.mechanisms[mechanism];
        let kind = StateKind::Variable(mechanism, name.to_owned());
        let own = linearised.states.iter().position(|state| state.kind == kind && state.own.is_some());
        if own.is_some() {
            return Some(own_element(linearised, &kind));
        }
        let (source, scope) = description.shown_as(name)?;
        let pointer = linearised.names.of(mechanism, name).to_owned();
        self.point(pointer.clone(), source, scope, self.owner(mechanism, name));
        Some(pointer)
    }

    /// The mechanism without which nothing reads a variable, if there is one.
    fn owner(&self, mechanism: usize, name: &str) -> Guard {
        if self.linearised.region.is_shared(mechanism, name) { Guard::None } else { Guard::Mechanism(mechanism) }
    }

    fn point(&mut self, name: String, source: String, scope: &'static str, guard: Guard) {
        if !self.pointers.iter().any(|pointer| pointer.name == name) {
            self.pointers.push(PointerManifest { name, source, scope });
            self.guards.push(guard);
        }
    }

    fn remember(&mut self, present: String, guard: Guard) {
        let memory = Memory { present, guard };
        if !self.memory.contains(&memory) {
            self.memory.push(memory);
        }
    }

    pub fn memory_size(&self) -> usize {
        self.memory.len()
    }

    /// The element that remembers what a present value was.
    pub fn remembered(&self, present: &str) -> Option<String> {
        let index = self.memory.iter().position(|memory| memory.present == present);
        index.map(|index| format!("was[{index}]"))
    }

    /// Statements that remember the present for the step that begins.
    pub fn remember_statements(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (index, memory) in self.memory.iter().enumerate() {
            let line = format!("was[{index}] = {}", memory.present);
            lines.push(self.guarded(&memory.guard, line));
        }
        lines.extend(self.keep_seen(1));
        lines
    }

    /// Statements that keep what states see through POINTERs, before the step (1) or after it (0).
    pub fn keep_seen(&self, old: u8) -> Vec<String> {
        let mut lines = Vec::new();
        for (mechanism, name) in self.kept.iter().flatten() {
            let saw = saw_name(self.linearised, *mechanism, name);
            let setting = old_name(self.linearised, *mechanism, name);
            let line = format!("IF ({setting} == {old}) {{ {saw} = {} }}", self.linearised.names.of(*mechanism, name));
            lines.push(self.guarded(&Guard::Mechanism(*mechanism), line));
        }
        lines
    }

    /// The variables that they are kept in.
    pub fn seen(&self) -> impl Iterator<Item = String> + '_ {
        self.kept.iter().flatten().map(|(mechanism, name)| saw_name(self.linearised, *mechanism, name))
    }

    /// LOCAL names and statements that load some inputs.
    pub fn load(&self, inputs: &BTreeSet<Input>, phase: Phase) -> (Vec<String>, Vec<String>) {
        let (mut names, mut lines) = (Vec::new(), Vec::new());
        for input in inputs {
            let quantity = &self.linearised.quantities[input];
            let Some((value, guard)) = self.source(quantity, phase) else { continue };
            let name = self.linearised.graph.input_name(*input).to_owned();
            lines.push(self.guarded(&guard, format!("{name} = {value}")));
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
        let value = match self.switch(&guard) {
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
                let kept = match (phase, when) {
                    (Phase::Event | Phase::Moment, _) => self.copy(&kind),
                    _ => None,
                };
                let present = kept.or_else(|| self.known_variable(*mechanism, name));
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
                    When::After if self.kept.is_some() => saw_name(self.linearised, *mechanism, name),
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

    /// NEURON's present value of a state, if it shows it.
    pub fn shown(&self, kind: &StateKind) -> Option<String> {
        match kind {
            StateKind::Variable(mechanism, name) => self.known_variable(*mechanism, name),
            StateKind::Ion(_) => None,
        }
    }

    fn known_variable(&self, mechanism: usize, name: &str) -> Option<String> {
        let kind = StateKind::Variable(mechanism, name.to_owned());
        let is_own = self.linearised.states.iter().any(|state| state.kind == kind && state.own.is_some());
        if is_own {
            return Some(own_element(self.linearised, &kind));
        }
        let pointer = self.linearised.names.of(mechanism, name).to_owned();
        self.pointers.iter().any(|known| known.name == pointer).then_some(pointer)
    }

    /// A statement that must not run where what it reads is not there.
    fn guarded(&self, guard: &Guard, line: String) -> String {
        match self.switch(guard) {
            Some(switch) => format!("IF ({switch}) {{ {line} }}"),
            None => line,
        }
    }

    /// What must hold for a statement to run.
    fn switch(&self, guard: &Guard) -> Option<String> {
        let mechanisms = &self.linearised.region.mechanisms;
        let uses = |index: &usize| match guard {
            Guard::None => false,
            Guard::Mechanism(mechanism) => index == mechanism,
            Guard::Ion(name) => mechanisms[*index].ions.iter().any(|ion| ion.owns(name)),
        };
        let switches = (0..mechanisms.len()).filter(uses).map(|index| format!("has_{} != 0", mechanisms[index].name));
        let switches: Vec<String> = switches.collect();
        (self.linearised.region.switched && !switches.is_empty()).then(|| switches.join(" || "))
    }

    /// Where a value that is remembered is there.
    pub fn guarded_present(&self, present: &str, line: String) -> String {
        match self.memory.iter().find(|memory| memory.present == present) {
            Some(memory) => self.guarded(&memory.guard, line),
            None => line,
        }
    }

    /// A statement for each POINTER into the model that is one of these, where it must be set.
    pub fn each_pointer(&self, is_one: impl Fn(&str) -> bool, statement: impl Fn(&str) -> String) -> Vec<String> {
        let pointers = self.pointers.iter().zip(&self.guards).filter(|(pointer, _)| is_one(&pointer.name));
        pointers.map(|(pointer, guard)| self.guarded(guard, statement(&pointer.name))).collect()
    }

    /// The same in C.
    pub fn pointers_in_c(&self, is_one: impl Fn(&str) -> bool, statement: impl Fn(&str) -> String) -> Vec<String> {
        let pointers = self.pointers.iter().zip(&self.guards).filter(|(pointer, _)| is_one(&pointer.name));
        let in_c = |(pointer, guard): (&PointerManifest, &Guard)| match self.switch(guard) {
            Some(switch) => format!("if ({switch}) {{ {} }}", statement(&pointer.name)),
            None => statement(&pointer.name),
        };
        pointers.map(in_c).collect()
    }
}

/// The POINTER to a value of the model.
pub(in crate::emit) fn to(name: &str) -> String {
    format!("to_{name}")
}

/// A statement that looks whether a POINTER is set.
pub(in crate::emit) fn unset(pointer: &str) -> String {
    format!("IF (nrn_pointing({pointer}) == 0) {{ wired = 0 }}")
}

/// What the manifest calls a POINTER of the model.
pub fn pointed_source(linearised: &Linearised, mechanism: usize, name: &str) -> String {
    format!("{}.{name}", linearised.region.mechanisms[mechanism].name)
}

/// The element of `own` that holds a value which NEURON does not show.
pub fn own_element(linearised: &Linearised, kind: &StateKind) -> String {
    let index = linearised
        .states
        .iter()
        .filter(|state| state.own.is_some())
        .position(|state| state.kind == *kind)
        .unwrap_or_default();
    format!("own[{index}]")
}
