//! The gradients of what POINTERs see: of a voltage in another place, or, where POINTERs may see variables,
//! of that variable, as its row keeps it.
//!
//! Currents see a variable as it is before the step, as its events left it. States see it as it
//! then is, or, if it is advanced before them, as it is after the step. Which of the two is a
//! setting, as it may differ between the places of a region. Who advances states from one that
//! is advanced in the same step must wait for its gradient: see `late` in the template.

use super::pointer_names::{old_name, pointed_source, to};
use crate::emit::manifest::{PointerGradientManifest, PointerVariableManifest};
use crate::graph::{Id, Input};
use crate::step::{Linearised, Pointed, Quantity, When};

/// Which POINTERs gradients go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointers {
    ToVoltages,
    /// POINTERs to other variables too.
    ToVariables,
}

/// The gradient of what one POINTER sees: what emitted code calls it.
pub struct PointerGradient {
    /// RANGE array: the gradient at the start of the step.
    pub gradient: String,
    /// RANGE array: at its end.
    pub new: String,
    /// RANGE setting, where it may see a variable: states are advanced from the value at the start of the step.
    pub old: Option<String>,
    /// What must not be 0 for it to look.
    pub switch: Option<String>,
}

impl PointerGradient {
    /// The gradients of all POINTERs of a region; `variables`: they may see variables.
    pub fn of(linearised: &Linearised, variables: bool) -> Vec<Self> {
        let mut names = linearised.names.clone();
        let pointer = |pointed: &Pointed| {
            let pointer = linearised.names.of(pointed.mechanism, &pointed.name);
            Self {
                gradient: format!("D_{pointer}"),
                new: names.new_name(&format!("far_{pointer}_new")),
                old: variables.then(|| old_name(linearised, pointed.mechanism, &pointed.name)),
                switch: linearised
                    .region
                    .switched
                    .then(|| format!("has_{}", linearised.region.mechanisms[pointed.mechanism].name)),
            }
        };
        linearised.pointed.iter().map(pointer).collect()
    }

    pub fn guarded(&self, line: String) -> String {
        match &self.switch {
            Some(switch) => format!("IF ({switch} != 0) {{ {line} }}"),
            None => line,
        }
    }

    /// The POINTERs to the gradient at the end of a step and, where it may be that of a variable, at its start.
    pub fn pointers(&self) -> Vec<String> {
        let before = self.old.as_ref().map(|_| to(&self.gradient));
        [to(&self.new)].into_iter().chain(before).collect()
    }
}

/// The POINTERs (`gap.vgap`) through which one of these values was made.
pub fn seen_by(linearised: &Linearised, values: impl Iterator<Item = Id>, when: When) -> Vec<String> {
    if linearised.pointed.is_empty() {
        return Vec::new();
    }
    let values: Vec<_> = values.collect();
    let reached = linearised.graph.reachable_inputs(&values, true);
    let through = |input: &Input| match linearised.quantities.get(input) {
        Some(Quantity::Pointed(mechanism, name, at)) if *at == when => {
            Some(pointed_source(linearised, *mechanism, name))
        }
        _ => None,
    };
    reached.iter().filter_map(through).collect()
}

/// What the manifest says of them.
pub fn manifests(linearised: &Linearised, gradients: &[PointerGradient]) -> Vec<PointerGradientManifest> {
    let pairs = linearised.pointed.iter().zip(gradients);
    let states = seen_by(linearised, linearised.states.iter().map(|state| state.after), When::After);
    let starts = seen_by(linearised, linearised.states.iter().map(|state| state.initial), When::Before);
    let source = |pointed: &Pointed| pointed_source(linearised, pointed.mechanism, &pointed.name);
    pairs
        .map(|(pointed, pointer)| PointerGradientManifest {
            mechanism: linearised.region.mechanisms[pointed.mechanism].name.clone(),
            name: pointed.name.clone(),
            gradient: to(&pointer.new),
            rest: pointer.new.clone(),
            variable: pointer.old.as_ref().map(|old| PointerVariableManifest {
                before: to(&pointer.gradient),
                start: pointer.gradient.clone(),
                old: old.clone(),
                reaches_states: states.contains(&source(pointed)),
                reaches_start: starts.contains(&source(pointed)),
                seen_by_before_after: !linearised.region.mechanisms[pointed.mechanism].before_after.is_empty(),
            }),
        })
        .collect()
}
