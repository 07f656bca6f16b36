//! The row mechanism of one region.

use serde::Serialize;

use super::block::Block;
use super::in_c::Arrays;
use super::leak;
use super::looks::Looks;
use super::pointer_variable::PointedVariables;
use super::received::Received;
use super::step_code::{Procedure, Stored};
use crate::emit::error::EmitError;
use crate::emit::file::{File, unnamed};
use crate::emit::manifest::{
    IonManifest, ParameterManifest, PointerGradientManifest, PointerManifest, RegionManifest, StateManifest,
    StreamManifest,
};
use crate::emit::medium::Medium;
use crate::emit::receipt::constructs::constructs;
use crate::emit::region::arrays::Through;
use crate::emit::region::declarations::{Setting, settings, units};
use crate::emit::region::description::ion_manifests;
use crate::emit::region::function_tables::{FunctionTable, function_tables};
use crate::emit::region::pointer_gradient::{PointerGradient, Pointers, manifests};
use crate::emit::region::pointer_names::to;
use crate::emit::region::steady::Steady;
use crate::emit::region::writer::Writer;
use crate::emit::text::code::Code;
use crate::emit::text::{lines, template};
use crate::model::{Kind, Mechanism};
use crate::step::{Linearised, TimeScheme};

/// The membrane capacitance of the segment: who holds `W` needs it.
const CAPACITANCE: (&str, &str) = ("cm_now", "cm");

#[derive(Serialize)]
struct Context {
    name: String,
    kind: &'static str,
    is_density: bool,
    secondorder: u8,
    half_step: bool,
    region: String,
    mechanisms: Vec<String>,
    directions: usize,
    last: usize,
    range: Vec<String>,
    pointers: Vec<String>,
    pointer_notes: Vec<PointerManifest>,
    ion_notes: Vec<IonManifest>,
    /// The mechanisms whose presence must be told.
    switches: Vec<String>,
    pointer_gradient_notes: Vec<PointerGradientManifest>,
    parameter_notes: Vec<ParameterManifest>,
    state_notes: Vec<StateManifest>,
    units: Vec<String>,
    settings: Vec<Setting>,
    assigned: Vec<String>,
    streams: Vec<StreamManifest>,
    function_tables: Vec<FunctionTable>,
    events: Option<Received>,
    first: Procedure,
    /// The coefficients of a step: of several places at once if it can be, else of one.
    block: Option<Block>,
    linearise: Option<Procedure>,
    through: Option<Through>,
    #[serde(flatten)]
    looks: Looks,
    /// C, for direction `k`: `S`, and the states after the step.
    source_arrays: Vec<String>,
    source: Vec<String>,
    /// How many layers are around nodes; then also what NEURON takes for `dI/dV`, and whether an electrode is inside.
    layers: usize,
    conductance: Option<String>,
    electrode: bool,
    update_arrays: Vec<String>,
    update_locals: String,
    update: Vec<String>,
    remember: Vec<String>,
    functions: Vec<&'static str>,
    /// Not where gradients act on the run, which then changes what directions change.
    steady: Option<Steady>,
    /// Where POINTERs may see variables.
    pointed: Option<PointedVariables>,
    /// Arrays that fade together, where gradients act on the run.
    fading: Option<Vec<String>>,
}

pub(in crate::emit) fn render(
    linearised: &Linearised,
    directions: usize,
    pointers: Pointers,
    is_online: bool,
    medium: Medium,
) -> Result<(File, RegionManifest), EmitError> {
    let mut writer = Writer::new(linearised, directions, pointers, is_online);
    if linearised.region.kind() == Kind::Density {
        writer.sources.also(CAPACITANCE.0, CAPACITANCE.1);
    }
    let context = writer.row(medium);
    let text = template::render("row.mod", &context)?;
    let suffix = context.name.clone();
    let file = format!("{suffix}.mod");
    let weights = context.events.as_ref().map(|events| events.weights);
    let voltage = context.events.as_ref().and_then(Received::voltage_pointer);
    let sets_voltage = context.events.as_ref().is_some_and(|events| events.voltage.is_some());
    let described = writer.described(suffix, file.clone());
    let manifest = RegionManifest {
        pointers: context.pointer_notes,
        pointer_gradients: context.pointer_gradient_notes,
        parameters: context.parameter_notes,
        states: context.state_notes,
        streams: context.streams,
        function_tables: context.function_tables.into_iter().map(|table| table.function).collect(),
        weights,
        voltage,
        sets_voltage,
        mechanisms: context.mechanisms,
        constructs: constructs(linearised).into_iter().map(|found| found.construct).collect(),
        corrected: described.corrected.iter().map(|name| to(name)).collect(),
        ..described
    };
    Ok((File { name: file, text }, manifest))
}

impl Writer<'_> {
    fn row(&self, medium: Medium) -> Context {
        let linearised = self.linearised;
        let is_density = linearised.region.kind() == Kind::Density;
        let arrays = Arrays::new(self);
        let step = Code::new(&linearised.graph, &self.step_roots);
        let start = Code::new(&linearised.graph, &self.start_roots);
        let mut functions = start.functions(&self.start_roots);
        functions.extend(step.functions(&self.event_roots));
        functions.extend(step.functions(&self.array_terms));
        let events = self.received(&arrays);
        let mut settings = settings(linearised);
        if self.is_online {
            settings.extend(leak::settings());
        }
        let streams = self.streams();
        let mut stored = Stored::new(&linearised.graph);
        let (source_arrays, source) = self.source(&arrays, &mut stored);
        let conductance = (medium != Medium::Ground).then(|| stored.factor(linearised.conductance));
        let (update_arrays, update, update_locals) = self.update(&arrays, &mut stored);
        let block = self.block(&stored.ids);
        let linearise = block.is_none().then(|| self.coefficients(&step, &stored));
        if linearise.is_some() {
            functions.extend(step.functions(&self.step_roots));
        }
        let steady = if self.is_online { None } else { self.steady() };
        let pointed = self.variables.then(|| self.pointed_variables());
        settings.extend(pointed.iter().flat_map(PointedVariables::settings));
        let range = self.range(&settings, &streams, pointed.as_ref(), steady.is_some());
        let pointers: Vec<String> = self
            .sources
            .pointers
            .iter()
            .map(|pointer| to(&pointer.name))
            .chain(self.pointer_gradients.iter().flat_map(PointerGradient::pointers))
            .chain(events.iter().filter_map(Received::voltage_pointer))
            .collect();
        let pointer_notes = self.sources.pointers.iter();
        Context {
            name: unnamed(&linearised.region.name),
            kind: if is_density { "SUFFIX" } else { "POINT_PROCESS" },
            is_density,
            secondorder: linearised.region.scheme.secondorder(),
            half_step: linearised.region.scheme != TimeScheme::Implicit,
            region: linearised.region.name.clone(),
            mechanisms: self.mechanism_names(),
            directions: self.directions,
            last: self.directions - 1,
            range: lines::list("RANGE", &range),
            pointers: lines::list("POINTER", &pointers),
            pointer_notes: pointer_notes
                .map(|pointer| PointerManifest { name: to(&pointer.name), ..pointer.clone() })
                .collect(),
            ion_notes: ion_manifests(linearised),
            switches: self.switches(),
            pointer_gradient_notes: manifests(linearised, &self.pointer_gradients),
            parameter_notes: self.parameters(),
            state_notes: self.states(),
            units: units(linearised, self.inputs()),
            assigned: [
                self.row_variables(&stored, events.as_ref(), &streams),
                pointed
                    .as_ref()
                    .map_or_else(Vec::new, |pointed| pointed.assigned(self.directions, self.sources.seen())),
            ]
            .concat(),
            settings,
            streams,
            function_tables: function_tables(self.linearised),
            first: self.row_start(&start),
            block,
            linearise,
            through: self.through_arrays(),
            looks: self.looks(events.as_ref()),
            source_arrays,
            source,
            layers: medium.layers(),
            conductance,
            electrode: medium != Medium::Ground
                && !is_density
                && linearised.region.mechanisms.iter().any(Mechanism::has_electrode),
            update_arrays,
            update_locals,
            update,
            remember: [self.sources.remember_statements(), self.remember_arrays()].concat(),
            functions: functions.into_iter().collect(),
            steady,
            pointed,
            fading: self.is_online.then(|| self.fading()),
            events,
        }
    }
}
