//! What the manifests of both modes say of a region.

use std::collections::BTreeSet;

use crate::emit::manifest::{Electrode, IonManifest};
use crate::graph::Id;
use crate::model::{BeforeAfter, Ion};
use crate::step::{LinearForm, Linearised, Quantity, Receive, Region};

/// States whose gradient is one step ahead of what NEURON shows.
pub(in crate::emit) fn set_at_begin(linearised: &Linearised) -> Vec<String> {
    let states = linearised.states.iter().filter(|state| linearised.set_at_begin.contains(&state.kind));
    states.map(|state| state.public.clone()).collect()
}

/// Code that was left out: the mechanism, and why.
pub(in crate::emit) fn unfollowed(linearised: &Linearised) -> Vec<String> {
    linearised.unfollowed.iter().map(|(name, diagnostic)| format!("{name}: {}", diagnostic.message)).collect()
}

/// Whether code besides the step reads the voltage at a moment when events of others may have set it.
pub(in crate::emit) fn sees_jumps(linearised: &Linearised) -> bool {
    let reads = linearised.receive.as_ref().is_some_and(|receive| {
        let changes = receive.states.iter().chain(&receive.weights);
        changes.into_iter().any(|change| change.row.reads_voltage())
    });
    let before_after = linearised.region.mechanisms.iter().flat_map(|mechanism| &mechanism.before_after);
    reads || before_after.into_iter().any(|(moment, _)| *moment == BeforeAfter::BeforeBreakpoint)
}

/// The ions that some mechanism uses in a certain way.
pub(in crate::emit) fn ions_where(region: &Region, uses: impl Fn(&Ion) -> bool) -> Vec<String> {
    let ions = region.mechanisms.iter().flat_map(|mechanism| &mechanism.ions);
    let names: BTreeSet<String> = ions.filter(|ion| uses(ion)).map(|ion| ion.name.clone()).collect();
    names.into_iter().collect()
}

/// What the manifest says of a region's ions.
pub(in crate::emit) fn ion_manifests(linearised: &Linearised) -> Vec<IonManifest> {
    let ions = linearised.ions.iter().filter(|ion| !ion.concentrations.is_empty());
    let starts: Vec<Id> = linearised.states.iter().map(|state| state.initial).collect();
    let read = linearised.graph.reachable_inputs(&starts, true);
    let is_read = |setting: &str| {
        read.iter()
            .any(|input| matches!(linearised.quantities.get(input), Some(Quantity::Setting(name)) if name == setting))
    };
    let reads = |name: &String| {
        let ions = linearised.region.mechanisms.iter().flat_map(|mechanism| &mechanism.ions);
        ions.into_iter().any(|ion| ion.read.contains(name))
    };
    ions.map(|ion| IonManifest {
        ion: ion.ion.name.clone(),
        nernst: ion.nernst(),
        nernst_init: ion.nernst_init(),
        conc_init: ion.conc_init(),
        valence: ion.valence(),
        written: ion.written.clone(),
        reads_concentration: reads(&ion.ion.inside()) || reads(&ion.ion.outside()),
        reads_reversal: reads(&ion.ion.reversal()),
        reversal_at_start: is_read(&ion.nernst_init()),
        sets_reversal: ion.sets_reversal,
        starts: ion
            .carried()
            .map(|name| (name.clone(), ion.start(&name)))
            .filter(|(_, setting)| is_read(setting))
            .collect(),
    })
    .collect()
}

/// What the region's `ELECTRODE_CURRENT` depends on, if it has one.
pub(in crate::emit) fn electrode(linearised: &Linearised) -> Option<Electrode> {
    let currents = linearised.region.mechanisms.iter().flat_map(|mechanism| &mechanism.currents);
    if !currents.into_iter().any(|current| current.electrode) {
        return None;
    }
    let is_free_of_voltage = linearised.graph.is_zero(linearised.conductance);
    Some(if is_free_of_voltage && linearised.source.reads_parameters_only() {
        if linearised.source.iter().next().is_none() { Electrode::Given } else { Electrode::Parameters }
    } else {
        Electrode::Model
    })
}

/// Parameters that change when events come that it sends to itself, where that matters.
pub(in crate::emit) fn timed_by(linearised: &Linearised) -> Vec<String> {
    let read = linearised.receive.iter().flat_map(Receive::late).flat_map(LinearForm::parameters);
    let names: BTreeSet<&String> = read.map(|index| &linearised.parameters[index].public).collect();
    names.into_iter().cloned().collect()
}
