//! What the manifest of forward mode says of a region.

use std::collections::{BTreeMap, BTreeSet};

use crate::emit::manifest::{EventTimeManifest, ParameterManifest, RegionManifest, StateManifest, StreamManifest};
use crate::emit::receipt::start::corrected_in_forward_mode;
use crate::emit::region::description::{
    electrode, ion_manifests, ions_where, sees_jumps, set_at_begin, timed_by, unfollowed,
};
use crate::emit::region::streams::streams;
use crate::emit::region::writer::Writer;
use crate::model::{Ion, Kind};
use crate::step::{Region, Sent, State};

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

    pub(in crate::emit) fn streams(&self) -> Vec<StreamManifest> {
        streams(self.linearised)
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
            constructs: BTreeSet::new(),
            switches: self.switches().iter().map(|name| format!("has_{name}")).collect(),
            pointers: Vec::new(),
            pointer_gradients: Vec::new(),
            parameters: Vec::new(),
            states: Vec::new(),
            ions: ion_manifests(self.linearised),
            currents_read: ions_where(region, |ion| ion.read.contains(&ion.current())),
            currents_written: ions_where(region, |ion| ion.write.contains(&ion.current())),
            corrected: corrected_in_forward_mode(self.linearised)
                .iter()
                .filter_map(|kind| self.sources.shown(kind))
                .collect(),
            streams: Vec::new(),
            function_tables: Vec::new(),
            weights: None,
            voltage: None,
            inert: self.linearised.is_inert(),
            electrode: electrode(self.linearised),
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
