//! Where an emitted mechanism finds what its code reads.
//!
//! `_n` is a value at the start of the lagged step, remembered in `was`; `_n1`
//! is the present value. NEURON's variables are read through POINTERs, ions
//! too: USEION would change their style where the mechanism is inserted.

use std::collections::BTreeSet;

use super::guard::Guard;
use super::pointer_names::{old_name, pointed_source, saw_name};
use crate::emit::manifest::PointerManifest;
use crate::graph::Input;
use crate::step::{Linearised, Quantity, StateKind, When};

/// The size of a segment, where `area` and `diam` can't be had: see [`crate::step::Region::has_size`].
pub const AREA: &str = "area_now";
/// The emitted name of the diameter, and the model's.
pub(super) const DIAMETER: (&str, &str) = ("diam_now", "diam");

/// Something whose value at the start of a step must be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Memory {
    /// The emitted name of the present value.
    present: String,
    guard: Guard,
}

pub struct Sources<'a> {
    pub(super) linearised: &'a Linearised,
    pub pointers: Vec<PointerManifest>,
    /// Where each of them is set.
    guards: Vec<Guard>,
    memory: Vec<Memory>,
    /// POINTERs that may see variables, if any may: what states saw through them is kept.
    pub(super) saw: Option<Vec<(usize, String)>>,
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
            saw: variables.then(Vec::new),
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
                match (when, &mut self.saw) {
                    (When::Before, _) => self.remember(present, Guard::Mechanism(*mechanism)),
                    (When::After, Some(saw)) => saw.push((*mechanism, name.clone())),
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
    pub(super) fn owner(&self, mechanism: usize, name: &str) -> Guard {
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
            lines.push(memory.guard.around(&self.linearised.region, line));
        }
        lines.extend(self.keep_seen(1));
        lines
    }

    /// Statements that keep what states see through POINTERs, before the step (1) or after it (0).
    pub fn keep_seen(&self, old: u8) -> Vec<String> {
        let mut lines = Vec::new();
        for (mechanism, name) in self.saw.iter().flatten() {
            let saw = saw_name(self.linearised, *mechanism, name);
            let setting = old_name(self.linearised, *mechanism, name);
            let line = format!("IF ({setting} == {old}) {{ {saw} = {} }}", self.linearised.names.of(*mechanism, name));
            lines.push(Guard::Mechanism(*mechanism).around(&self.linearised.region, line));
        }
        lines
    }

    /// The variables that keep what states saw.
    pub fn seen(&self) -> impl Iterator<Item = String> + '_ {
        self.saw.iter().flatten().map(|(mechanism, name)| saw_name(self.linearised, *mechanism, name))
    }

    /// NEURON's present value of a state, if it shows it.
    pub fn shown(&self, kind: &StateKind) -> Option<String> {
        match kind {
            StateKind::Variable(mechanism, name) => self.known_variable(*mechanism, name),
            StateKind::Ion(_) => None,
        }
    }

    pub(super) fn known_variable(&self, mechanism: usize, name: &str) -> Option<String> {
        let kind = StateKind::Variable(mechanism, name.to_owned());
        let is_own = self.linearised.states.iter().any(|state| state.kind == kind && state.own.is_some());
        if is_own {
            return Some(own_element(self.linearised, &kind));
        }
        let pointer = self.linearised.names.of(mechanism, name).to_owned();
        self.pointers.iter().any(|known| known.name == pointer).then_some(pointer)
    }

    /// Where a value that is remembered is there.
    pub fn guarded_present(&self, present: &str, line: String) -> String {
        match self.memory.iter().find(|memory| memory.present == present) {
            Some(memory) => memory.guard.around(&self.linearised.region, line),
            None => line,
        }
    }

    /// A statement for each POINTER into the model that is one of these, where it must be set.
    pub fn each_pointer(&self, is_one: impl Fn(&str) -> bool, statement: impl Fn(&str) -> String) -> Vec<String> {
        let pointers = self.pointers.iter().zip(&self.guards).filter(|(pointer, _)| is_one(&pointer.name));
        pointers.map(|(pointer, guard)| guard.around(&self.linearised.region, statement(&pointer.name))).collect()
    }

    /// C statements for each POINTER into the model that is one of these, where it must be set.
    pub fn pointers_in_c(&self, is_one: impl Fn(&str) -> bool, statement: impl Fn(&str) -> String) -> Vec<String> {
        let pointers = self.pointers.iter().zip(&self.guards).filter(|(pointer, _)| is_one(&pointer.name));
        let in_c = |(pointer, guard): (&PointerManifest, &Guard)| match guard.switch(&self.linearised.region) {
            Some(switch) => format!("if ({switch}) {{ {} }}", statement(&pointer.name)),
            None => statement(&pointer.name),
        };
        pointers.map(in_c).collect()
    }
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
