//! What a gradient mechanism declares: its settings, its ASSIGNED variables.

use std::collections::BTreeSet;

use serde::Serialize;

use super::events::Events;
use super::far::Far;
use super::manifest::StreamManifest;
use super::pointed::PointedVariables;
use super::region::{cable_pointer, Writer};
use crate::graph::Input;
use crate::step::{Linearised, Quantity};

#[derive(Serialize)]
pub(super) struct Setting {
    pub name: String,
    pub default: String,
    /// It has no value by itself: a mechanism that was not told does nothing but say so.
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
    pub(super) fn assigned(&self, events: Option<&Events>, streams: &[StreamManifest], pointed: Option<&PointedVariables>) -> Vec<String> {
        let k = self.directions;
        let own = self.linearised.states.iter().filter(|state| state.own.is_some()).count();
        let mut names = vec![
            "v (mV)".to_owned(),
            "d".to_owned(),
            format!("S[{k}]"),
            format!("W[{k}]"),
            format!("W_new[{k}]"),
            format!("was[{}]", self.sources.memory_size()),
            format!("c[{}]", self.stored_coefficients().max(1)),
            format!("own[{}]", own.max(1)),
            "fault".to_owned(),
            "wired".to_owned(),
            format!("W_start[{k}]"),
            "fresh".to_owned(),
            "v_solved (mV)".to_owned(),
            "jumps".to_owned(),
            "celsius_start (degC)".to_owned(),
            "step_index".to_owned(),
            "t_start (ms)".to_owned(),
            "dt_start (ms)".to_owned(),
            "dt (ms)".to_owned(),
        ];
        names.extend(events.iter().flat_map(|events| events.assigned.clone()));
        names.extend(pointed.iter().flat_map(|pointed| pointed.assigned(k, self.sources.seen())));
        names.extend(self.array_variables());
        names.extend(streams.iter().map(|stream| stream.start.clone()));
        for gradient in &self.gradients {
            names.push(format!("{gradient}[{k}]"));
        }
        names.extend(self.seeds.iter().map(|seed| format!("{seed}[{k}]")));
        names.extend(self.sources.now.iter().map(|now| now.name.clone()));
        names.extend((0..k).map(cable_pointer));
        names.extend(self.far.iter().flat_map(Far::assigned));
        names.extend(self.sources.pointers.iter().map(|pointer| pointer.name.clone()));
        for (input, name) in [(Quantity::Celsius, "celsius (degC)"), (Quantity::Area, "area (micron2)"), (Quantity::Diameter, "diam (micron)")] {
            if self.reads(&input) {
                names.push(name.to_owned());
            }
        }
        names
    }

    pub(super) fn reads(&self, quantity: &Quantity) -> bool {
        self.inputs().any(|known| self.linearised.quantities[&known] == *quantity)
    }

    pub(super) fn inputs(&self) -> impl Iterator<Item = Input> + '_ {
        let all = self.step_inputs.iter().chain(&self.start_inputs).chain(&self.event_inputs);
        all.copied().collect::<BTreeSet<_>>().into_iter()
    }
}

/// 0/1 switches and charges: RANGE parameters that who wires must set.
pub(super) fn settings(linearised: &Linearised) -> Vec<Setting> {
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
        let starts = ion.written.iter().map(|name| ion.start(name));
        settings.extend(starts.map(Setting::untold));
    }
    settings
}

/// The UNITS factors among some inputs.
pub(super) fn units(linearised: &Linearised, inputs: impl Iterator<Item = Input>) -> Vec<String> {
    let factors = inputs.filter_map(|input| match &linearised.quantities[&input] {
        Quantity::Factor(mechanism, name) => {
            let text = linearised.region.mechanisms[*mechanism].units.get(name)?;
            Some(format!("{} = {text}", linearised.graph.input_name(input)))
        }
        _ => None,
    });
    factors.collect()
}
