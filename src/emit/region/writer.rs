//! What emitted code calls the parts of one region's step, and what the manifest says of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{arrays, checks, event_time, events, steady};
use crate::emit::Feature;
use crate::emit::forward::pointer_gradient::PointerGradient;
use crate::emit::manifest::{IonManifest, ParameterManifest, RegionManifest, StateManifest, StreamManifest};
use crate::emit::text::sources::Sources;
use crate::graph::{Id, Input};
use crate::model::{BeforeAfter, Ion, Kind};
use crate::step::{ImplicitSolve, Linearised, Quantity, Region, State, StateKind};

pub(in crate::emit) struct Writer<'a> {
    pub linearised: &'a Linearised,
    pub directions: usize,
    pub sources: Sources<'a>,
    pub step_inputs: BTreeSet<Input>,
    pub start_inputs: BTreeSet<Input>,
    pub event_inputs: BTreeSet<Input>,
    pub step_roots: Vec<Id>,
    pub start_roots: Vec<Id>,
    pub event_roots: Vec<Id>,
    pub array_terms: Vec<Id>,
    /// The gradient array of each state, `D_hh_m`.
    pub gradients: Vec<String>,
    /// For each parameter the array that says how much each direction changes it, `w_gnabar_hh`.
    pub seeds: Vec<String>,
    pub pointer_gradients: Vec<PointerGradient>,
    /// POINTERs may see variables.
    pub variables: bool,
    /// Coefficients that may be infinite.
    pub infinite: BTreeSet<Id>,
}

/// A `FUNCTION_TABLE` of the model.
#[derive(Clone, Debug, Serialize)]
pub(in crate::emit) struct FunctionTable {
    /// By which emitted code means it.
    pub number: usize,
    /// What scripts call it.
    pub function: String,
}

impl<'a> Writer<'a> {
    pub fn new(linearised: &'a Linearised, directions: usize, feature: Feature) -> Self {
        let variables = feature == Feature::PointedVariables;
        let mut step_roots = vec![linearised.conductance];
        step_roots.extend(linearised.source.coefficients());
        step_roots.extend(&linearised.failed);
        step_roots.extend(linearised.receive.iter().flat_map(|receive| receive.currents.iter().flatten()));
        step_roots.extend(checks::roots(linearised));
        step_roots.extend(linearised.implicit_solves.iter().flat_map(ImplicitSolve::coefficients));
        let mut start_roots = linearised.failed_start.clone();
        start_roots.extend(linearised.start_implicit_solves.iter().flat_map(ImplicitSolve::coefficients));
        for state in &linearised.states {
            step_roots.extend(state.row.coefficients());
            start_roots.extend(state.start.coefficients());
            if let Some((after, start)) = state.own {
                step_roots.extend(after);
                start_roots.push(start);
            }
        }
        let array_terms = arrays::terms(linearised);
        let array_inputs = linearised.graph.reachable_inputs(&array_terms, false);
        let step_inputs = linearised.graph.reachable_inputs(&step_roots, false);
        let start_inputs = linearised.graph.reachable_inputs(&start_roots, false);
        let mut all: BTreeSet<Input> = step_inputs.union(&start_inputs).copied().collect();
        let mut event_roots = linearised.receive.as_ref().map(events::roots).unwrap_or_default();
        let timed_roots = linearised.receive.as_ref().map(event_time::roots).unwrap_or_default();
        let mut event_inputs = linearised.graph.reachable_inputs(&event_roots, false);
        event_inputs.extend(linearised.graph.reachable_inputs(&timed_roots, false));
        event_roots.extend(timed_roots);
        let sent = linearised.receive.as_ref().map(events::start_roots).unwrap_or_default();
        event_inputs.extend(linearised.graph.reachable_inputs(&sent, false));
        let watched = linearised.receive.as_ref().map(events::watched).unwrap_or_default();
        event_inputs.extend(linearised.graph.reachable_inputs(&watched, false));
        event_inputs.extend(events::changed_inputs(linearised));
        all.extend(&array_inputs);
        event_inputs.extend(array_inputs);
        all.extend(&event_inputs);
        if feature != Feature::Online {
            all.extend(steady::inputs(linearised));
        }
        let gradients = linearised.states.iter().map(|state| gradient_name(linearised, &state.kind));
        let mut names = linearised.names.clone();
        let parameters = linearised.parameters.iter();
        let seeds = parameters.map(|parameter| names.new_name(&format!("w_{}", parameter.public)));
        let infinite = linearised.graph.infinite(step_roots.iter().chain(&start_roots).copied());
        Self {
            linearised,
            directions,
            sources: Sources::new(linearised, &all, variables),
            step_inputs,
            start_inputs,
            event_inputs,
            step_roots,
            start_roots,
            event_roots,
            array_terms,
            gradients: gradients.collect(),
            seeds: seeds.collect(),
            pointer_gradients: PointerGradient::of(linearised, variables),
            variables,
            infinite,
        }
    }

    pub(in crate::emit) fn switches(&self) -> Vec<String> {
        if self.linearised.region.switched { self.mechanism_names() } else { Vec::new() }
    }

    pub(in crate::emit) fn mechanism_names(&self) -> Vec<String> {
        self.linearised.region.mechanisms.iter().map(|mechanism| mechanism.name.clone()).collect()
    }

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
}

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

/// The concentrations that each mechanism sets which sets some.
fn writers(region: &Region) -> BTreeMap<String, Vec<String>> {
    let pools = region.mechanisms.iter().filter(|mechanism| mechanism.writes_concentration());
    let written = |ion: &Ion| {
        [ion.inside(), ion.outside()].into_iter().filter(|name| ion.write.contains(name)).collect::<Vec<_>>()
    };
    pools.map(|pool| (pool.name.clone(), pool.ions.iter().flat_map(written).collect())).collect()
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
        starts: ion
            .written
            .iter()
            .map(|name| (name.clone(), ion.start(name)))
            .filter(|(_, setting)| is_read(setting))
            .collect(),
    })
    .collect()
}

fn gradient_name(linearised: &Linearised, kind: &StateKind) -> String {
    match kind {
        StateKind::Ion(name) => format!("D_{name}"),
        StateKind::Variable(mechanism, name) => {
            format!("D_{}", linearised.names.of(*mechanism, name))
        }
    }
}
