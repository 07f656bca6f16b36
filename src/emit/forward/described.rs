//! What the manifest of forward mode says of a region.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::emit::manifest::{EventTimeManifest, ParameterManifest, RegionManifest, StateManifest, StreamManifest};
use crate::emit::region::description::{ion_manifests, ions_where, sees_jumps, set_at_begin, timed_by, unfollowed};
use crate::emit::region::writer::Writer;
use crate::model::{Ion, Kind, Mechanism};
use crate::step::{Region, Sent, State, StateKind};

/// A `FUNCTION_TABLE` of the model.
#[derive(Clone, Debug, Serialize)]
pub(in crate::emit) struct FunctionTable {
    /// By which emitted code means it.
    pub number: usize,
    /// What scripts call it.
    pub function: String,
}

impl Writer<'_> {
    pub(in crate::emit) fn parameters(&self) -> Vec<ParameterManifest> {
        let parameters = self.linearised.parameters.iter().enumerate();
        parameters
            .map(|(index, parameter)| ParameterManifest {
                name: parameter.public.clone(),
                seed: self.seeds[index].clone(),
                scope: parameter.scope,
            })
            .collect()
    }

    pub(in crate::emit) fn function_tables(&self) -> Vec<FunctionTable> {
        let mut found = Vec::new();
        for mechanism in &self.linearised.region.mechanisms {
            let names = mechanism.function_tables.iter().map(|name| format!("{name}_{}", mechanism.name));
            found.extend(
                names.enumerate().map(|(index, function)| FunctionTable {
                    number: mechanism.first_function_table + index,
                    function,
                }),
            );
        }
        found
    }

    /// The streams of random numbers that something depends on.
    pub(in crate::emit) fn streams(&self) -> Vec<StreamManifest> {
        let linearised = self.linearised;
        let mut names = linearised.names.clone();
        let own = linearised.states.iter().filter(|state| state.own.is_some());
        own.enumerate()
            .filter_map(|(index, state)| {
                let number = linearised.region.stream(&state.kind)?;
                let StateKind::Variable(mechanism, name) = &state.kind else { return None };
                let mechanism = &linearised.region.mechanisms[*mechanism];
                Some(StreamManifest {
                    name: names.new_name(&format!("stream_{}_{name}", mechanism.name)),
                    start: names.new_name(&format!("place_{}_{name}", mechanism.name)),
                    mechanism: mechanism.name.clone(),
                    source: name.clone(),
                    own: "own",
                    index,
                    number,
                })
            })
            .collect()
    }

    pub(in crate::emit) fn states(&self) -> Vec<StateManifest> {
        let is_shown = |(state, _): &(&State, &String)| self.linearised.region.stream(&state.kind).is_none();
        let states = self.linearised.states.iter().zip(&self.gradients).filter(is_shown);
        states
            .map(|(state, gradient)| StateManifest {
                name: state.public.clone(),
                gradient: gradient.clone(),
                seen: self.variables.then(|| self.seen_state(state, gradient)),
            })
            .collect()
    }

    /// What the manifest says of a region whatever is emitted for it.
    pub(in crate::emit) fn described(&self, suffix: String, file: String) -> RegionManifest {
        let region = &self.linearised.region;
        RegionManifest {
            name: region.name.clone(),
            suffix,
            file,
            kind: if region.kind() == Kind::Density { "density" } else { "point" },
            mechanisms: Vec::new(),
            electrode: region.mechanisms.iter().any(Mechanism::has_electrode),
            constructs: BTreeSet::new(),
            switches: self.switches().iter().map(|name| format!("has_{name}")).collect(),
            pointers: Vec::new(),
            pointer_gradients: Vec::new(),
            parameters: Vec::new(),
            states: Vec::new(),
            ions: ion_manifests(self.linearised),
            currents_read: ions_where(region, |ion| ion.read.contains(&ion.current())),
            currents_written: ions_where(region, |ion| ion.write.contains(&ion.current())),
            corrected: self.linearised.corrected.iter().filter_map(|kind| self.sources.shown(kind)).collect(),
            streams: Vec::new(),
            function_tables: Vec::new(),
            weights: None,
            voltage: None,
            inert: self.linearised.is_inert(),
            sets_voltage: false,
            event_time: self.event_time_manifest(),
            sees_jumps: sees_jumps(self.linearised),
            writers: writers(region),
            constants: self.linearised.constants.clone(),
            stale_tables: self.linearised.stale.clone(),
            special_values: self.linearised.special_values.clone(),
            stepwise: self.linearised.stepwise(),
            shared_tables: self.linearised.shared.clone(),
            unfollowed: unfollowed(self.linearised),
            set_at_begin: set_at_begin(self.linearised),
        }
    }

    fn event_time_manifest(&self) -> EventTimeManifest {
        let receive = self.linearised.receive.as_ref();
        let timed = receive.and_then(|receive| receive.timed.as_ref());
        EventTimeManifest {
            is: timed.is_some_and(Result::is_ok),
            reason: timed.and_then(|timed| timed.as_ref().err().cloned()),
            watches: receive.is_some_and(|receive| receive.sent.iter().any(Sent::is_watch)),
            timed_by: timed_by(self.linearised),
        }
    }
}

/// The concentrations that each mechanism sets which sets some.
fn writers(region: &Region) -> BTreeMap<String, Vec<String>> {
    let pools = region.mechanisms.iter().filter(|mechanism| mechanism.writes_concentration());
    let written = |ion: &Ion| {
        [ion.inside(), ion.outside()].into_iter().filter(|name| ion.write.contains(name)).collect::<Vec<_>>()
    };
    pools.map(|pool| (pool.name.clone(), pool.ions.iter().flat_map(written).collect())).collect()
}
