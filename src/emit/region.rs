//! The gradient mechanism of one region.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::Environment;
use serde::Serialize;

use super::arrays::{self, Through};
use super::checks;
use super::code::Code;
use super::declarations::{settings, units, Setting};
use super::manifest::{
    FarManifest, IonManifest, ParameterManifest, PointerManifest, ProceduresManifest, RegionManifest,
    StateManifest, StreamManifest,
};
use super::events::{self, Events};
use super::fade::{self, Fade};
use super::far::{self, Far};
use super::pointed::PointedVariables;
use super::procedures::Procedure;
use super::sources::Sources;
use super::steady::{self, Steady};
use super::{lines, moved, EmitError, Feature, File, UNNAMED};
use crate::graph::{Id, Input};
use crate::model::{Hook, Ion, Kind};
use crate::step::{Linearised, Quantity, Region, Stage, State, StateKind};

/// The conductance that holds a gradient cable still in its first step, S/cm2 or uS.
const HOLD: &str = "1e12";

#[derive(Serialize)]
struct Context {
    name: String,
    kind: &'static str,
    region: String,
    mechanisms: Vec<String>,
    directions: usize,
    last: usize,
    current_unit: &'static str,
    conductance_unit: &'static str,
    hold: &'static str,
    range: Vec<String>,
    pointers: Vec<String>,
    pointer_notes: Vec<PointerManifest>,
    ion_notes: Vec<IonManifest>,
    /// The mechanisms whose presence must be told.
    switches: Vec<String>,
    /// What the names of the mechanisms of gradient cables end with.
    cable: String,
    far_notes: Vec<FarManifest>,
    parameter_notes: Vec<ParameterManifest>,
    state_notes: Vec<StateManifest>,
    units: Vec<String>,
    settings: Vec<Setting>,
    assigned: Vec<String>,
    now: Vec<(String, String)>,
    streams: Vec<StreamManifest>,
    function_tables: Vec<FunctionTable>,
    events: Option<Events>,
    first: Procedure,
    linearise: Procedure,
    next_states: Procedure,
    read_cables: Vec<String>,
    /// The gradients of voltages that POINTERs see, for direction k.
    far: Vec<String>,
    /// The same before the loop over the directions, where they are of variables.
    far_begin: Vec<String>,
    /// Where POINTERs may see variables.
    pointed: Option<PointedVariables>,
    /// Of a point process with arrays that events write.
    through: Option<Through>,
    remember: Vec<String>,
    /// What `linearise` remembers by itself, where it runs.
    remember_ends: Vec<String>,
    /// A step needs the gradients of the voltage here.
    needs_cables: bool,
    /// Something happens at the end of a step.
    ends_steps: bool,
    /// Statements that compare present and remembered values of the states.
    unchanged: Vec<String>,
    unchanged_start: Vec<String>,
    /// Statements that look whether all is set that must be.
    look_wired: Vec<String>,
    has_celsius: bool,
    /// Where gradients act on the run.
    online: Option<Fade>,
    /// Where they do not.
    steady: Option<Steady>,
    functions: Vec<&'static str>,
}

pub(super) fn render(
    environment: &Environment,
    linearised: &Linearised,
    directions: usize,
    feature: Feature,
) -> Result<(File, RegionManifest), EmitError> {
    let writer = Writer::new(linearised, directions, feature);
    let online = (feature == Feature::Online).then(|| writer.fade());
    let context = writer.context(online);
    let text = environment
        .get_template("region.mod")?
        .render(minijinja::value::Value::from_serialize(&context))?;
    let suffix = context.name.clone();
    let file = format!("{suffix}.mod");
    let manifest = writer.manifest(context, suffix, file.clone());
    Ok((File { name: file, text }, manifest))
}

pub(super) struct Writer<'a> {
    pub linearised: &'a Linearised,
    pub directions: usize,
    /// Gradients act on the run, which may be long: what is not needed in each step is left out.
    pub is_online: bool,
    pub sources: Sources<'a>,
    pub step_inputs: BTreeSet<Input>,
    pub start_inputs: BTreeSet<Input>,
    pub event_inputs: BTreeSet<Input>,
    step_roots: Vec<Id>,
    start_roots: Vec<Id>,
    event_roots: Vec<Id>,
    pub array_terms: Vec<Id>,
    /// The gradient array of each state, `D_hh_m`.
    pub gradients: Vec<String>,
    /// For each parameter the array that says how much each direction changes it, `w_gnabar_hh`.
    pub seeds: Vec<String>,
    pub far: Vec<Far>,
    /// POINTERs may see variables.
    pub variables: bool,
    /// Coefficients that may be infinite.
    pub infinite: BTreeSet<Id>,
}

/// A `FUNCTION_TABLE` of the model.
#[derive(Clone, Debug, Serialize)]
struct FunctionTable {
    /// By which emitted code means it.
    number: usize,
    /// What scripts call it.
    function: String,
}

impl<'a> Writer<'a> {
    pub fn new(linearised: &'a Linearised, directions: usize, feature: Feature) -> Self {
        let variables = feature == Feature::PointedVariables;
        let mut step_roots = vec![linearised.conductance];
        step_roots.extend(linearised.source.coefficients());
        step_roots.extend(&linearised.failed);
        step_roots.extend(linearised.receive.iter().flat_map(|receive| receive.currents.iter().flatten()));
        step_roots.extend(checks::roots(linearised));
        step_roots.extend(linearised.stages.iter().flat_map(Stage::coefficients));
        let mut start_roots = linearised.failed_start.clone();
        start_roots.extend(linearised.start_stages.iter().flat_map(Stage::coefficients));
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
        let moved_roots = linearised.receive.as_ref().map(moved::roots).unwrap_or_default();
        let mut event_inputs = linearised.graph.reachable_inputs(&event_roots, false);
        event_inputs.extend(linearised.graph.reachable_inputs(&moved_roots, false));
        event_roots.extend(moved_roots);
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
        let infinite = linearised
            .graph
            .infinite(step_roots.iter().chain(&start_roots).copied());
        Self {
            linearised,
            directions,
            is_online: feature == Feature::Online,
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
            far: Far::of(linearised, directions, variables),
            variables,
            infinite,
        }
    }

    fn context(&self, online: Option<Fade>) -> Context {
        let linearised = self.linearised;
        let is_density = linearised.region.kind() == Kind::Density;
        let step = Code::new(&linearised.graph, &self.step_roots);
        let start = Code::new(&linearised.graph, &self.start_roots);
        let mut functions = step.functions(&self.step_roots);
        functions.extend(start.functions(&self.start_roots));
        functions.extend(step.functions(&self.event_roots));
        functions.extend(step.functions(&self.array_terms));
        let events = self.events();
        let (linearise, next_states) = self.linearise(&step);
        let mut settings = settings(self.linearised);
        if online.is_some() {
            settings.extend(fade::settings());
        }
        let pointed = self.variables.then(|| self.pointed_variables(events.as_ref()));
        settings.extend(pointed.iter().flat_map(PointedVariables::settings));
        let now: Vec<(String, String)> =
            self.sources.now.iter().map(|now| (now.name.clone(), now.source.clone())).collect();
        let mut range: Vec<String> =
            ["d", "S", "fault", "jumps", "v_solved", "W_start"].map(str::to_owned).to_vec();
        range.extend(settings.iter().map(|setting| setting.name.clone()));
        range.extend(now.iter().map(|(name, _)| name.clone()));
        range.extend(self.gradients.iter().cloned());
        range.extend(self.seeds.iter().cloned());
        range.extend(self.far.iter().flat_map(|far| [far.gradient.clone(), far.new.clone()]));
        range.extend(pointed.iter().flat_map(|pointed| pointed.arrays.clone()));
        let streams = self.streams();
        let steady = self.steady();
        if steady.is_some() {
            range.extend(["changed", "changed_t"].map(str::to_owned));
        }
        if !streams.is_empty() {
            range.push("own".to_owned());
            range.extend(streams.iter().map(|stream| stream.start.clone()));
        }
        let mut pointers: Vec<String> = (0..self.directions).map(cable_pointer).collect();
        pointers.extend(self.sources.pointers.iter().map(|pointer| pointer.name.clone()));
        pointers.extend(self.far.iter().flat_map(Far::pointers).cloned());
        Context {
            name: format!("gm_{}_{UNNAMED}", linearised.region.name),
            kind: if is_density { "SUFFIX" } else { "POINT_PROCESS" },
            region: linearised.region.name.clone(),
            mechanisms: self.mechanism_names(),
            directions: self.directions,
            last: self.directions - 1,
            current_unit: if is_density { "mA/cm2" } else { "nA" },
            conductance_unit: if is_density { "S/cm2" } else { "uS" },
            hold: HOLD,
            range: lines::list("RANGE", &range),
            pointers: lines::list("POINTER", &pointers),
            pointer_notes: self.sources.pointers.clone(),
            ion_notes: ion_manifests(linearised),
            switches: self.switches(),
            cable: super::cable_fingerprint(),
            far_notes: far::manifests(self.linearised, &self.far),
            parameter_notes: self.parameters(),
            state_notes: self.states(),
            units: units(self.linearised, self.inputs()),
            settings,
            assigned: self.assigned(events.as_ref(), &streams, pointed.as_ref()),
            streams,
            function_tables: self.function_tables(),
            now,
            events,
            first: self.first(&start),
            linearise,
            next_states,
            read_cables: (0..self.directions)
                .map(|k| format!("W_new[{k}] = {}", cable_pointer(k)))
                .chain(self.far.iter().flat_map(Far::read))
                .collect(),
            far: self.far.iter().filter_map(Far::step).collect(),
            far_begin: self.far.iter().flat_map(Far::begin).collect(),
            pointed,
            through: self.through_arrays(),
            remember: [self.sources.remember_statements(&self.known_ends()), self.remember_arrays()].concat(),
            remember_ends: self.sources.remember_only(&self.known_ends()),
            needs_cables: self.needs_cables(),
            ends_steps: self.ends_steps(),
            unchanged: self.unchanged(),
            unchanged_start: self.unchanged_start(),
            look_wired: self.look_wired(),
            has_celsius: self.reads(&Quantity::Celsius),
            online,
            steady,
            functions: functions.into_iter().collect(),
        }
    }

    fn switches(&self) -> Vec<String> {
        if self.linearised.region.switched { self.mechanism_names() } else { Vec::new() }
    }

    fn mechanism_names(&self) -> Vec<String> {
        self.linearised.region.mechanisms.iter().map(|mechanism| mechanism.name.clone()).collect()
    }

    fn parameters(&self) -> Vec<ParameterManifest> {
        let parameters = self.linearised.parameters.iter().enumerate();
        parameters
            .map(|(index, parameter)| ParameterManifest {
                name: parameter.public.clone(),
                seed: self.seeds[index].clone(),
                scope: parameter.scope,
            })
            .collect()
    }

    fn function_tables(&self) -> Vec<FunctionTable> {
        let mut found = Vec::new();
        for mechanism in &self.linearised.region.mechanisms {
            let names = mechanism.function_tables.iter().map(|name| format!("{name}_{}", mechanism.name));
            found.extend(names.enumerate().map(|(index, function)| FunctionTable {
                number: mechanism.first_function_table + index,
                function,
            }));
        }
        found
    }

    /// The streams of random numbers that something depends on.
    fn streams(&self) -> Vec<StreamManifest> {
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

    fn states(&self) -> Vec<StateManifest> {
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

    fn manifest(&self, context: Context, suffix: String, file: String) -> RegionManifest {
        let region = &self.linearised.region;
        RegionManifest {
            name: region.name.clone(),
            suffix,
            file,
            kind: if region.kind() == Kind::Density { "density" } else { "point" },
            mechanisms: context.mechanisms,
            switches: self.switches().iter().map(|name| format!("has_{name}")).collect(),
            pointers: context.pointer_notes,
            cable_pointers: (0..self.directions).map(cable_pointer).collect(),
            far: context.far_notes,
            conductance: "d",
            source: "S",
            parameters: context.parameter_notes,
            states: context.state_notes,
            now: self.sources.now.clone(),
            ions: ion_manifests(self.linearised),
            currents_read: ions_where(region, |ion| ion.read.contains(&ion.current())),
            currents_written: ions_where(region, |ion| ion.write.contains(&ion.current())),
            corrected: self
                .linearised
                .corrected
                .iter()
                .filter_map(|kind| self.sources.shown(kind))
                .collect(),
            streams: context.streams,
            function_tables: context.function_tables.into_iter().map(|table| table.function).collect(),
            weights: context.events.as_ref().map(|events| events.weights),
            sets_voltage: context.events.as_ref().is_some_and(Events::sets_voltage),
            moved: self.moved_manifest(),
            sees_jumps: sees_jumps(self.linearised),
            procedures: ProceduresManifest { advance: "advance", states: "next_states", events: "apply" },
            writers: writers(region),
            constants: self.linearised.constants.clone(),
            stale_tables: self.linearised.stale.clone(),
            isolated: self.linearised.isolated.clone(),
            stepwise: self.linearised.stepwise(),
            shared_tables: self.linearised.shared.clone(),
            unfollowed: unfollowed(self.linearised),
        }
    }
}

/// Code that was left out: the mechanism, and why.
pub(super) fn unfollowed(linearised: &Linearised) -> Vec<String> {
    linearised.unfollowed.iter().map(|(name, diagnostic)| format!("{name}: {}", diagnostic.message)).collect()
}

/// Whether code besides the step reads the voltage at a moment when events of others may have set it.
pub(super) fn sees_jumps(linearised: &Linearised) -> bool {
    let reads = linearised.receive.as_ref().is_some_and(|receive| {
        let changes = receive.states.iter().chain(&receive.weights);
        changes.into_iter().any(|change| change.row.v_before.is_some())
    });
    let hooks = linearised.region.mechanisms.iter().flat_map(|mechanism| &mechanism.hooks);
    reads || hooks.into_iter().any(|(hook, _)| *hook == Hook::BeforeBreakpoint)
}

/// The concentrations that each mechanism sets which sets some.
fn writers(region: &Region) -> BTreeMap<String, Vec<String>> {
    let pools = region.mechanisms.iter().filter(|mechanism| mechanism.writes_concentration());
    let written = |ion: &Ion| [ion.inside(), ion.outside()].into_iter().filter(|name| ion.write.contains(name)).collect::<Vec<_>>();
    pools.map(|pool| (pool.name.clone(), pool.ions.iter().flat_map(written).collect())).collect()
}

/// The ions that some mechanism uses in a certain way.
pub(super) fn ions_where(region: &Region, uses: impl Fn(&Ion) -> bool) -> Vec<String> {
    let ions = region.mechanisms.iter().flat_map(|mechanism| &mechanism.ions);
    let names: BTreeSet<String> = ions.filter(|ion| uses(ion)).map(|ion| ion.name.clone()).collect();
    names.into_iter().collect()
}

/// What the manifest says of a region's ions.
pub(super) fn ion_manifests(linearised: &Linearised) -> Vec<IonManifest> {
    let ions = linearised.ions.iter().filter(|ion| !ion.concentrations.is_empty());
    let starts: Vec<Id> = linearised.states.iter().map(|state| state.initial).collect();
    let read = linearised.graph.reachable_inputs(&starts, true);
    let is_read = |setting: &str| {
        read.iter().any(|input| {
            matches!(linearised.quantities.get(input), Some(Quantity::Setting(name)) if name == setting)
        })
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

pub(super) fn cable_pointer(direction: usize) -> String {
    format!("W{direction}")
}

fn gradient_name(linearised: &Linearised, kind: &StateKind) -> String {
    match kind {
        StateKind::Ion(name) => format!("D_{name}"),
        StateKind::Variable(mechanism, name) => {
            format!("D_{}", linearised.names.of(*mechanism, name))
        }
    }
}
