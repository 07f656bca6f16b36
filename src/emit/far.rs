//! The gradients of what POINTERs see: `v` of a gradient cable in another place, or, where POINTERs
//! may see variables, the gradient that the mechanism of that variable keeps.
//!
//! Currents see a variable as it is before the step, as its events left it. States see it as it
//! then is, or, if it is advanced before them, as it is after the step. Which of the two is a
//! setting, as it may differ between the places of a region. Who advances states from one that
//! is advanced in the same step must wait for its gradient: see `late` in the template.

use super::manifest::{FarManifest, FarVariable};
use super::sources::{pointed_source, unset};
use crate::graph::{Id, Input};
use crate::step::{Linearised, Pointed, Quantity, When};

/// What emitted code calls one of them.
pub struct Far {
    /// RANGE array: the gradient at the start of the step.
    pub gradient: String,
    /// RANGE array: at its end.
    pub new: String,
    /// For each direction the POINTER to the gradient cable.
    pub cables: Vec<String>,
    /// Where it may see a variable.
    variable: Option<Variable>,
    /// What must not be 0 for them to be set.
    switch: Option<String>,
}

/// What is needed besides where a POINTER may see a variable.
struct Variable {
    /// For each direction the POINTER to the gradient at the start of the step.
    before: Vec<String>,
    /// RANGE setting: states are advanced from the value at the start of the step.
    old: String,
}

impl Far {
    /// All of a region; `variables`: they may see variables.
    pub fn of(linearised: &Linearised, directions: usize, variables: bool) -> Vec<Self> {
        let mut names = linearised.names.clone();
        let pointed = linearised.pointed.iter();
        pointed
            .map(|pointed| {
                let pointer = linearised.names.of(pointed.mechanism, &pointed.name);
                Self {
                    gradient: format!("D_{pointer}"),
                    new: names.new_name(&format!("far_{pointer}_new")),
                    switch: linearised.region.switched.then(|| {
                        format!("has_{}", linearised.region.mechanisms[pointed.mechanism].name)
                    }),
                    cables: (0..directions).map(|k| names.new_name(&format!("far_{pointer}_W{k}"))).collect(),
                    variable: variables.then(|| Variable {
                        before: (0..directions).map(|k| names.new_name(&format!("far_{pointer}_D{k}"))).collect(),
                        old: old_name(linearised, pointed.mechanism, &pointed.name),
                    }),
                }
            })
            .collect()
    }

    /// Statements that look at the cables, or at the gradients of variables.
    pub fn read(&self) -> Vec<String> {
        self.look(&self.new, &self.cables)
    }

    /// Statements that begin the next step: where variables may be seen, before the loop over the directions.
    pub fn begin(&self) -> Vec<String> {
        self.variable.as_ref().map_or_else(Vec::new, |variable| self.look(&self.gradient, &variable.before))
    }

    fn look(&self, array: &str, pointers: &[String]) -> Vec<String> {
        let lines = pointers.iter().enumerate();
        lines.map(|(k, pointer)| self.guarded(format!("{array}[{k}] = {pointer}"))).collect()
    }

    fn guarded(&self, line: String) -> String {
        match &self.switch {
            Some(switch) => format!("IF ({switch} != 0) {{ {line} }}"),
            None => line,
        }
    }

    /// Statements that look whether the POINTERs are set.
    pub fn look_wired(&self) -> Vec<String> {
        self.pointers().map(|pointer| self.guarded(unset(pointer))).collect()
    }

    /// In direction `k`, the end of a step is the start of the next one.
    pub fn step(&self) -> Option<String> {
        self.variable.is_none().then(|| format!("{}[k] = {}[k]", self.gradient, self.new))
    }

    pub fn pointers(&self) -> impl Iterator<Item = &String> {
        self.cables.iter().chain(self.variable.iter().flat_map(|variable| &variable.before))
    }

    pub fn setting(&self) -> Option<&str> {
        self.variable.as_ref().map(|variable| variable.old.as_str())
    }

    pub fn assigned(&self) -> Vec<String> {
        let directions = self.cables.len();
        let arrays = [&self.gradient, &self.new].map(|name| format!("{name}[{directions}]"));
        arrays.into_iter().chain(self.pointers().cloned()).collect()
    }
}

/// The setting that tells what states see through a POINTER.
pub fn old_name(linearised: &Linearised, mechanism: usize, name: &str) -> String {
    linearised.names.clone().new_name(&format!("old_{}", linearised.names.of(mechanism, name)))
}

/// What holds the value that states saw through a POINTER.
pub fn saw_name(linearised: &Linearised, mechanism: usize, name: &str) -> String {
    linearised.names.clone().new_name(&format!("saw_{}", linearised.names.of(mechanism, name)))
}

/// The POINTERs (`gap.vgap`) through which one of these values was made.
pub fn seen_by(linearised: &Linearised, values: impl Iterator<Item = Id>, when: When) -> Vec<String> {
    let values: Vec<_> = values.collect();
    let reached = linearised.graph.reachable_inputs(&values, true);
    let through = |input: &Input| match linearised.quantities.get(input) {
        Some(Quantity::Pointed(mechanism, name, at)) if *at == when => Some(pointed_source(linearised, *mechanism, name)),
        _ => None,
    };
    reached.iter().filter_map(through).collect()
}

/// What the manifest says of them.
pub fn manifests(linearised: &Linearised, far: &[Far]) -> Vec<FarManifest> {
    let pairs = linearised.pointed.iter().zip(far);
    let states = seen_by(linearised, linearised.states.iter().map(|state| state.after), When::After);
    let starts = seen_by(linearised, linearised.states.iter().map(|state| state.initial), When::Before);
    let source = |pointed: &Pointed| pointed_source(linearised, pointed.mechanism, &pointed.name);
    pairs
        .map(|(pointed, far)| FarManifest {
            mechanism: linearised.region.mechanisms[pointed.mechanism].name.clone(),
            name: pointed.name.clone(),
            cables: far.cables.clone(),
            rest: far.new.clone(),
            variable: far.variable.as_ref().map(|variable| FarVariable {
                before: variable.before.clone(),
                gradient: far.gradient.clone(),
                old: variable.old.clone(),
                reaches_states: states.contains(&source(pointed)),
                reaches_start: starts.contains(&source(pointed)),
                hooked: !linearised.region.mechanisms[pointed.mechanism].hooks.is_empty(),
            }),
        })
        .collect()
}
