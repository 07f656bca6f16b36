//! The ions of a region: concentrations, reversal potentials, total currents.

use std::collections::BTreeSet;

use crate::graph::{Comparison, Id};
use crate::model::{Ion, Mechanism};
use crate::step::{Quantity, Region, StateKind, Step, When};
use crate::trace::{Values, nernst};

/// An ion as all mechanisms of a region together use it.
#[derive(Clone, Debug)]
pub struct RegionIon {
    pub ion: Ion,
    /// Concentrations that some mechanism sets.
    pub written: Vec<String>,
    /// Some mechanism reads the reversal potential.
    pub reversal: bool,
    /// Some mechanism sets it: it is carried from step to step as a concentration is.
    pub sets_reversal: bool,
    /// Concentrations that matter, read or set.
    pub concentrations: Vec<String>,
}

impl RegionIon {
    /// What some mechanism sets, and the next step finds.
    pub fn carried(&self) -> impl Iterator<Item = String> + '_ {
        self.written.iter().cloned().chain(self.sets_reversal.then(|| self.ion.reversal()))
    }

    /// The name of the setting: the reversal potential follows the concentrations.
    pub fn nernst(&self) -> String {
        format!("nernst_{}", self.ion.name)
    }

    /// The name of the setting: the reversal potential starts from the concentrations.
    pub fn nernst_init(&self) -> String {
        format!("nernst_init_{}", self.ion.name)
    }

    /// The name of the setting: the concentrations start from `cai0_ca_ion`.
    pub fn conc_init(&self) -> String {
        format!("conc_init_{}", self.ion.name)
    }

    /// The name of the setting: what a concentration is before INITIAL.
    pub fn start(&self, concentration: &str) -> String {
        format!("start_{concentration}")
    }

    pub fn valence(&self) -> String {
        format!("valence_{}", self.ion.name)
    }
}

pub(in crate::step) fn region_ions(region: &Region) -> Vec<RegionIon> {
    let mut names: Vec<&str> = Vec::new();
    for ion in region.mechanisms.iter().flat_map(|mechanism| &mechanism.ions) {
        if !names.contains(&ion.name.as_str()) {
            names.push(&ion.name);
        }
    }
    names
        .into_iter()
        .map(|name| {
            let uses: Vec<&Ion> =
                region.mechanisms.iter().flat_map(|mechanism| &mechanism.ions).filter(|ion| ion.name == name).collect();
            let ion = uses[0].clone();
            let valence = uses.iter().find_map(|ion| ion.valence);
            let ion = Ion { valence, ..ion };
            let both = [ion.inside(), ion.outside()];
            let used = |variable: &String| uses.iter().any(|ion| ion.uses(variable));
            let written = |variable: &String| uses.iter().any(|ion| ion.write.contains(variable));
            let reversal = used(&ion.reversal());
            RegionIon {
                written: both.iter().filter(|name| written(name)).cloned().collect(),
                reversal,
                sets_reversal: written(&ion.reversal()),
                concentrations: both.iter().filter(|name| reversal || used(name)).cloned().collect(),
                ion,
            }
        })
        .collect()
}

impl Step<'_> {
    /// The ions' values at the start of a step (and of INITIAL).
    pub(in crate::step) fn declare_ions(&mut self) {
        let mut values = Values::new();
        for ion in self.ions.clone() {
            for name in &ion.concentrations {
                let own = self.ion(name, When::Before);
                let value = if ion.written.contains(name) { own } else { self.or_global(&ion, name, own) };
                values.insert(name.clone(), value);
            }
            let zero = self.graph.number(0.0);
            values.insert(ion.ion.current(), zero);
        }
        self.ion_values = values;
        for ion in self.ions.clone() {
            let value = if ion.sets_reversal {
                let name = ion.ion.reversal();
                Some((name.clone(), self.ion(&name, When::Before)))
            } else {
                self.reversal(&ion, &ion.nernst())
            };
            self.ion_values.extend(value);
        }
    }

    pub(in crate::step) fn ion(&mut self, name: &str, when: When) -> Id {
        let suffix = if when == When::Before { "n" } else { "n1" };
        self.read(Quantity::Ion(name.to_owned(), when), format!("{name}_{suffix}"))
    }

    /// A concentration that starts from its global value where the ion's style says so.
    pub(in crate::step) fn or_global(&mut self, ion: &RegionIon, name: &str, own: Id) -> Id {
        let global = format!("{name}0_{}_ion", ion.ion.name);
        let initial = self.read(Quantity::InitialConcentration(global.clone()), global);
        let value = self.graph.anchor(own, initial);
        self.where_set(&ion.conc_init(), value, own)
    }

    /// What INITIAL finds of a concentration that INITIAL may change: its present
    /// value would be that after all of them.
    pub(in crate::step) fn before_initial(&mut self, ion: &RegionIon, name: &str) -> Id {
        let start = ion.start(name);
        let start = self.read(Quantity::Setting(start.clone()), start);
        // Nothing gives a reversal potential that a mechanism sets another start.
        if name == ion.ion.reversal() { start } else { self.or_global(ion, name, start) }
    }

    /// The reversal potential that INITIAL finds; where it follows a concentration
    /// that INITIAL may change, its present value would be a later one.
    pub(in crate::step) fn initial_reversal(&mut self, ion: &RegionIon) -> Option<(String, Id)> {
        if ion.sets_reversal {
            return None;
        }
        if ion.written.is_empty() {
            return self.reversal(ion, &ion.nernst_init());
        }
        let (name, own, formula) = self.reversal_formula(ion)?;
        Some((name, self.where_set(&ion.nernst_init(), formula, own)))
    }

    /// The reversal potential: NEURON's value, with the derivative of Nernst's
    /// equation where `setting` says that it follows the concentrations.
    pub(in crate::step) fn reversal(&mut self, ion: &RegionIon, setting: &str) -> Option<(String, Id)> {
        let (name, own, formula) = self.reversal_formula(ion)?;
        let value = self.graph.anchor(own, formula);
        Some((name, self.where_set(setting, value, own)))
    }

    /// The reversal potential of an ion that a mechanism reads: its name, NEURON's value and Nernst's equation.
    fn reversal_formula(&mut self, ion: &RegionIon) -> Option<(String, Id, Id)> {
        if !ion.reversal {
            return None;
        }
        let name = ion.ion.reversal();
        let own = self.ion(&name, When::Before);
        let inside = self.ion_values[&ion.ion.inside()];
        let outside = self.ion_values[&ion.ion.outside()];
        let valence = self.read(Quantity::Valence(ion.ion.name.clone()), ion.valence());
        let formula = nernst(&mut self.graph, inside, outside, valence, self.celsius, None);
        Some((name, own, formula))
    }

    fn where_set(&mut self, setting: &str, value: Id, otherwise: Id) -> Id {
        let switch = self.read(Quantity::Setting(setting.to_owned()), setting);
        let zero = self.graph.number(0.0);
        let on = self.graph.compare(Comparison::Ne, switch, zero);
        let branch = self.graph.new_branch(on, None);
        self.graph.join(branch, value, otherwise)
    }

    /// What a mechanism sees of the ions when its code starts.
    pub(in crate::step) fn show_ions(&self, mechanism: &Mechanism, values: &mut Values) {
        for ion in &mechanism.ions {
            for name in ion.read.iter().chain(&ion.write) {
                let is_own_current = *name == ion.current() && !ion.read.contains(name);
                match self.ion_values.get(name) {
                    Some(value) if !is_own_current || !values.contains_key(name) => {
                        values.insert(name.clone(), *value);
                    }
                    _ => {}
                }
            }
        }
    }

    /// Concentrations and reversal potentials that are not what they were before the step.
    pub(in crate::step) fn ions_set(&mut self) -> BTreeSet<StateKind> {
        let mut found = BTreeSet::new();
        for ion in self.ions.clone() {
            for name in ion.carried() {
                let before = self.ion(&name, When::Before);
                if self.ion_values[&name] != before {
                    found.insert(StateKind::Ion(name));
                }
            }
        }
        found
    }

    /// What the ions see of the concentrations and reversal potentials that a mechanism sets when its code ends.
    pub(in crate::step) fn take_ions(&mut self, mechanism: &Mechanism, values: &Values) {
        for ion in &mechanism.ions {
            for name in [ion.inside(), ion.outside(), ion.reversal()] {
                if ion.write.contains(&name) {
                    if let Some(value) = values.get(&name) {
                        self.ion_values.insert(name, *value);
                    }
                }
            }
        }
    }
}
