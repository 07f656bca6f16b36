//! Where an emitted mechanism finds what its code reads.
//!
//! `_n` is a value at the start of the lagged step, remembered in `was`; `_n1`
//! is the present value. NEURON's variables are read through POINTERs, ions
//! through USEION.

use std::collections::BTreeSet;

use super::manifest::{NowManifest, PointerManifest};
use crate::graph::Input;
use crate::model::{Kind, Visibility};
use crate::step::{emitted_name, Linearised, Quantity, StateKind, When};

/// Something whose value at the start of a step must be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Memory {
    /// The emitted name of the present value.
    present: String,
    /// The mechanism whose switch guards it.
    mechanism: Option<usize>,
}

pub struct Sources<'a> {
    linearised: &'a Linearised,
    pub pointers: Vec<PointerManifest>,
    /// Which mechanism each pointer belongs to.
    owners: Vec<Option<usize>>,
    pub now: Vec<NowManifest>,
    memory: Vec<Memory>,
}

impl<'a> Sources<'a> {
    /// Collects what the given inputs need.
    pub fn new(linearised: &'a Linearised, inputs: &BTreeSet<Input>) -> Self {
        let voltage = Memory { present: "v_now".to_owned(), mechanism: None };
        let now = NowManifest { name: "v_now".to_owned(), source: "v".to_owned() };
        let mut sources = Self {
            linearised,
            pointers: Vec::new(),
            owners: Vec::new(),
            now: vec![now],
            memory: vec![voltage],
        };
        for input in inputs {
            sources.add(*input);
        }
        sources
    }

    fn add(&mut self, input: Input) {
        let linearised = self.linearised;
        match &linearised.quantities[&input] {
            Quantity::Variable(mechanism, name, when) => {
                let Some(present) = self.present_variable(*mechanism, name) else { return };
                if *when == When::Before {
                    self.remember(present, Some(*mechanism));
                }
            }
            Quantity::Ion(name, when) => {
                let present = format!("{name}_now");
                if !self.now.iter().any(|now| now.name == present) {
                    self.now.push(NowManifest { name: present.clone(), source: name.clone() });
                }
                if *when == When::Before {
                    self.remember(present, None);
                }
            }
            Quantity::Time => self.remember("t".to_owned(), None),
            Quantity::UseTable(mechanism) => {
                let name = &linearised.region.mechanisms[*mechanism].name;
                let pointer = format!("{name}_usetable");
                self.point(pointer, format!("usetable_{name}"), "global", Some(*mechanism));
            }
            Quantity::InitialConcentration(name) => {
                self.point(name.clone(), name.clone(), "global", None);
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
        let (plain, index) = name.split_once('[').map_or((name, None), |(a, b)| (a, Some(b)));
        let variable = description.variable(plain)?;
        let public = match (description.kind, index) {
            (Kind::Density, None) => format!("{plain}_{}", description.name),
            (Kind::Density, Some(index)) => format!("{plain}_{}[{index}", description.name),
            (Kind::Point, _) => name.to_owned(),
        };
        let scope = match variable.visibility {
            Visibility::Range => "range",
            Visibility::Global => "global",
            _ => return None,
        };
        let source = match (scope, description.kind) {
            ("global", Kind::Point) => format!("{name}_{}", description.name),
            _ => public,
        };
        let pointer = emitted_name(description, name);
        self.point(pointer.clone(), source, scope, Some(mechanism));
        Some(pointer)
    }

    fn point(&mut self, name: String, source: String, scope: &'static str, owner: Option<usize>) {
        if !self.pointers.iter().any(|pointer| pointer.name == name) {
            self.pointers.push(PointerManifest { name, source, scope });
            self.owners.push(owner);
        }
    }

    fn remember(&mut self, present: String, mechanism: Option<usize>) {
        let memory = Memory { present, mechanism };
        if !self.memory.contains(&memory) {
            self.memory.push(memory);
        }
    }

    pub fn memory_size(&self) -> usize {
        self.memory.len()
    }

    /// Statements that remember the present for the next step.
    pub fn remember_statements(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (index, memory) in self.memory.iter().enumerate() {
            let line = format!("was[{index}] = {}", memory.present);
            lines.extend(self.guarded(memory.mechanism, line));
        }
        lines
    }

    /// LOCAL names and statements that load some inputs; at the very start,
    /// what was before is what is now.
    pub fn load(&self, inputs: &BTreeSet<Input>, at_start: bool) -> (Vec<String>, Vec<String>) {
        let (mut names, mut lines) = (Vec::new(), Vec::new());
        for input in inputs {
            let quantity = &self.linearised.quantities[input];
            let Some((value, owner)) = self.source(quantity, at_start) else { continue };
            let name = self.linearised.graph.input_name(*input).to_owned();
            lines.extend(self.guarded(owner, format!("{name} = {value}")));
            if let Quantity::Ion(ion, When::Before) = quantity {
                lines.extend(self.nernst_value(&name, ion, at_start));
            }
            names.push(name);
        }
        (names, lines)
    }

    /// A reversal potential that NEURON computes is still that of the lagged step.
    fn nernst_value(&self, name: &str, variable: &str, at_start: bool) -> Option<String> {
        let ion = self.linearised.ions.iter().find(|ion| ion.ion.reversal() == variable)?;
        (!at_start)
            .then(|| format!("IF ({} != 0) {{ {name} = {variable}_now }}", ion.nernst()))
    }

    /// The text that has the value of a quantity, and the mechanism that must be on.
    fn source(&self, quantity: &Quantity, at_start: bool) -> Option<(String, Option<usize>)> {
        let before = |present: &str| {
            if at_start {
                return present.to_owned();
            }
            let index = self.memory.iter().position(|memory| memory.present == present);
            index.map_or_else(|| present.to_owned(), |index| format!("was[{index}]"))
        };
        Some(match quantity {
            Quantity::Voltage(When::Before) => (before("v_now"), None),
            Quantity::Voltage(When::After) => ("v_now".to_owned(), None),
            Quantity::Rise if at_start => ("0".to_owned(), None),
            Quantity::Rise => (format!("v_now - {}", before("v_now")), None),
            Quantity::Time => (before("t"), None),
            Quantity::Variable(mechanism, name, when) => {
                let present = self.known_variable(*mechanism, name);
                let value = match (when, present) {
                    (_, None) => "0".to_owned(),
                    (When::Before, Some(present)) => before(&present),
                    (When::After, Some(present)) => present,
                };
                (value, Some(*mechanism))
            }
            Quantity::Ion(name, When::Before) => (before(&format!("{name}_now")), None),
            Quantity::Ion(name, When::After) => (format!("{name}_now"), None),
            // Read by their own names.
            _ => return None,
        })
    }

    fn known_variable(&self, mechanism: usize, name: &str) -> Option<String> {
        let kind = StateKind::Variable(mechanism, name.to_owned());
        let is_own =
            self.linearised.states.iter().any(|state| state.kind == kind && state.own.is_some());
        if is_own {
            return Some(own_element(self.linearised, &kind));
        }
        let pointer = emitted_name(&self.linearised.region.mechanisms[mechanism], name);
        self.pointers.iter().any(|known| known.name == pointer).then_some(pointer)
    }

    /// A statement that must not run where its mechanism is off: a POINTER may be unset.
    fn guarded(&self, mechanism: Option<usize>, line: String) -> Vec<String> {
        match mechanism {
            Some(index) if self.linearised.region.switched => {
                let name = &self.linearised.region.mechanisms[index].name;
                vec![format!("IF (has_{name} != 0) {{ {line} }}")]
            }
            _ => vec![line],
        }
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
