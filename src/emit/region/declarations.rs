//! What a gradient mechanism declares: its settings, its ASSIGNED variables.

use std::collections::BTreeSet;

use serde::Serialize;

use super::writer::Writer;
use crate::graph::Input;
use crate::step::{Linearised, Quantity};

#[derive(Serialize)]
pub(in crate::emit) struct Setting {
    pub name: String,
    pub default: String,
    /// A setting without a value of its own: a mechanism that was not told does nothing but say so.
    pub untold: bool,
}

impl Setting {
    pub fn new(name: impl Into<String>, default: impl Into<String>) -> Self {
        Self { name: name.into(), default: default.into(), untold: false }
    }

    pub fn untold(name: impl Into<String>) -> Self {
        Self { name: name.into(), default: "-1".to_owned(), untold: true }
    }
}

impl Writer<'_> {
    pub(in crate::emit) fn reads(&self, quantity: &Quantity) -> bool {
        self.inputs().any(|known| self.linearised.quantities[&known] == *quantity)
    }

    pub(in crate::emit) fn inputs(&self) -> impl Iterator<Item = Input> + '_ {
        let all = self.step_inputs.iter().chain(&self.start_inputs).chain(&self.event_inputs);
        all.copied().collect::<BTreeSet<_>>().into_iter()
    }
}

/// 0/1 switches and charges: RANGE parameters that who wires must set.
pub(in crate::emit) fn settings(linearised: &Linearised) -> Vec<Setting> {
    let mut settings = Vec::new();
    for mechanism in linearised.region.mechanisms.iter().filter(|_| linearised.region.switched) {
        settings.push(Setting::untold(format!("has_{}", mechanism.name)));
    }
    for ion in linearised.ions.iter().filter(|ion| !ion.concentrations.is_empty()) {
        let valence = ion.ion.valence.unwrap_or(match ion.ion.name.as_str() {
            "ca" => 2.0,
            _ => 1.0,
        });
        let names = [ion.nernst(), ion.nernst_init(), ion.conc_init()];
        settings.extend(names.map(Setting::untold));
        settings.push(Setting::new(ion.valence(), format!("{valence}")));
        let starts = ion.carried().map(|name| ion.start(&name));
        settings.extend(starts.map(Setting::untold));
    }
    settings
}

/// The UNITS factors among some inputs.
pub(in crate::emit) fn units(linearised: &Linearised, inputs: impl Iterator<Item = Input>) -> Vec<String> {
    let factors = inputs.filter_map(|input| match &linearised.quantities[&input] {
        Quantity::Factor(mechanism, name) => {
            let text = linearised.region.mechanisms[*mechanism].units.get(name)?;
            Some(format!("{} = {text}", linearised.graph.input_name(input)))
        }
        _ => None,
    });
    factors.collect()
}

/// The names of the settings.
pub(in crate::emit) fn setting_names(linearised: &Linearised) -> Vec<String> {
    names_of(&settings(linearised))
}

pub(in crate::emit) fn names_of(settings: &[Setting]) -> Vec<String> {
    settings.iter().map(|setting| setting.name.clone()).collect()
}
