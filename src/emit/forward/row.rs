//! The row mechanism of one region.

use serde::Serialize;

use super::block::Block;
use super::in_c::Arrays;
use super::looks::Looks;
use super::pointer_variable::PointedVariables;
use super::received::Received;
use super::{leak, pointer_gradient};
use crate::emit::constructs::constructs;
use crate::emit::manifest::{
    IonManifest, ParameterManifest, PointerGradientManifest, PointerManifest, RegionManifest, StateManifest,
    StreamManifest,
};
use crate::emit::region::arrays::Through;
use crate::emit::region::implicit_solve::substitution;
use crate::emit::region::procedures::{Procedure, flag_where, locals_statement};
use crate::emit::region::steady::Steady;
use crate::emit::region::writer::{FunctionTable, Writer, ion_manifests};
use crate::emit::text::code::Code;
use crate::emit::text::declarations::{Setting, settings, units};
use crate::emit::text::sources::{AREA, Phase, own_element, to};
use crate::emit::text::{lines, template};
use crate::emit::{EmitError, Feature, File, UNNAMED};
use crate::graph::{Graph, Id};
use crate::model::Kind;
use crate::step::{Linearised, Quantity};

/// The gradients of the voltage, in the row of the segment.
pub(in crate::emit) const VOLTAGE: &str = "W";

/// The membrane capacitance of the segment: who holds `W` needs it.
const CAPACITANCE: (&str, &str) = ("cm_now", "cm");

#[derive(Serialize)]
struct Context {
    name: String,
    kind: &'static str,
    is_density: bool,
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
    feature: Feature,
) -> Result<(File, RegionManifest), EmitError> {
    let mut writer = Writer::new(linearised, directions, feature);
    if linearised.region.kind() == Kind::Density {
        writer.sources.also(CAPACITANCE.0, CAPACITANCE.1);
    }
    let context = writer.row(feature == Feature::Online);
    let text = template::render("row.mod", &context)?;
    let suffix = context.name.clone();
    let file = format!("{suffix}.mod");
    let weights = context.events.as_ref().map(|events| events.weights);
    let voltage = context.events.as_ref().filter(|events| events.reads_voltage).map(|_| to(VOLTAGE));
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
    fn row(&self, is_online: bool) -> Context {
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
        if is_online {
            settings.extend(leak::settings());
        }
        let streams = self.streams();
        let mut stored = Stored::new(&linearised.graph);
        let (source_arrays, source) = self.source(&arrays, &mut stored);
        let (update_arrays, update, update_locals) = self.update(&arrays, &mut stored);
        let block = self.block(&stored.ids);
        let linearise = block.is_none().then(|| self.coefficients(&step, &stored));
        if linearise.is_some() {
            functions.extend(step.functions(&self.step_roots));
        }
        let steady = if is_online { None } else { self.steady() };
        let pointed = self.variables.then(|| self.pointed_variables());
        settings.extend(pointed.iter().flat_map(PointedVariables::settings));
        let mut range: Vec<String> = ["fault", "jumps", "v_solved", "v_now"].map(str::to_owned).to_vec();
        if is_density {
            range.extend(["W", "W_start"].map(str::to_owned));
        }
        range.extend(settings.iter().map(|setting| setting.name.clone()));
        range.extend(self.gradients.iter().chain(&self.seeds).cloned());
        range.extend(self.pointer_gradients.iter().flat_map(|pointer| [pointer.gradient.clone(), pointer.new.clone()]));
        range.extend(pointed.iter().flat_map(|pointed| pointed.arrays.clone()));
        range.extend(self.sources.pointers.iter().map(|pointer| pointer.name.clone()));
        if steady.is_some() {
            range.extend(["changed", "changed_t"].map(str::to_owned));
        }
        if !streams.is_empty() {
            range.push("own".to_owned());
            range.extend(streams.iter().map(|stream| stream.start.clone()));
        }
        let pointers: Vec<String> = self
            .sources
            .pointers
            .iter()
            .map(|pointer| to(&pointer.name))
            .chain(self.pointer_gradients.iter().flat_map(pointer_gradient::PointerGradient::pointers))
            .chain(events.iter().filter(|events| events.reads_voltage).map(|_| to(VOLTAGE)))
            .collect();
        let pointer_notes = self.sources.pointers.iter();
        Context {
            name: format!("gm_{}_{UNNAMED}", linearised.region.name),
            kind: if is_density { "SUFFIX" } else { "POINT_PROCESS" },
            is_density,
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
            pointer_gradient_notes: pointer_gradient::manifests(linearised, &self.pointer_gradients),
            parameter_notes: self.parameters(),
            state_notes: self.states(),
            units: units(linearised, self.inputs()),
            assigned: [
                self.row_variables(&stored, events.as_ref(), &streams, is_online),
                pointed
                    .as_ref()
                    .map_or_else(Vec::new, |pointed| pointed.assigned(self.directions, self.sources.seen())),
            ]
            .concat(),
            settings,
            streams,
            function_tables: self.function_tables(),
            first: self.row_start(&start),
            block,
            linearise,
            through: self.through_arrays(),
            looks: self.looks(events.as_ref()),
            source_arrays,
            source,
            update_arrays,
            update_locals,
            update,
            remember: [self.sources.remember_statements(), self.remember_arrays()].concat(),
            functions: functions.into_iter().collect(),
            steady,
            pointed,
            fading: is_online.then(|| self.fading()),
            events,
        }
    }

    fn row_variables(
        &self,
        stored: &Stored,
        events: Option<&Received>,
        streams: &[StreamManifest],
        is_online: bool,
    ) -> Vec<String> {
        let k = self.directions;
        let own = self.linearised.states.iter().filter(|state| state.own.is_some()).count();
        let mut names = vec![
            "v (mV)".to_owned(),
            "v_now (mV)".to_owned(),
            "v_solved (mV)".to_owned(),
            format!("W[{k}]"),
            format!("was[{}]", self.sources.memory_size()),
            format!("c[{}]", stored.ids.len().max(1)),
            format!("own[{}]", own.max(1)),
            "fault".to_owned(),
            "wired".to_owned(),
            "begun".to_owned(),
            "jumps".to_owned(),
            "dt (ms)".to_owned(),
        ];
        if self.linearised.region.kind() == Kind::Density {
            names.push(format!("W_start[{k}]"));
        }
        if is_online {
            names.extend(["faded", "keep"].map(str::to_owned));
        }
        if let Some(events) = events {
            names.push(format!("copy[{}]", events.copies.max(1)));
            names.extend(["arrived", "event_time", "event_flag"].map(str::to_owned));
            names.extend(events.voltage.iter().map(|_| "v_kept".to_owned()));
            names.extend(events.assigned.iter().cloned());
            names.extend(events.reads_voltage.then(|| to(VOLTAGE)));
        }
        names.extend(self.array_variables());
        names.extend(streams.iter().map(|stream| stream.start.clone()));
        names.extend(self.gradients.iter().chain(&self.seeds).map(|name| format!("{name}[{k}]")));
        for pointer in &self.sources.pointers {
            names.extend([pointer.name.clone(), to(&pointer.name)]);
        }
        for pointer in &self.pointer_gradients {
            names.extend([&pointer.gradient, &pointer.new].map(|name| format!("{name}[{k}]")));
            names.extend(pointer.pointers());
        }
        let size = if self.linearised.region.has_size() {
            vec![(Quantity::Area, "area (micron2)"), (Quantity::Diameter, "diam (micron)")]
        } else {
            vec![(Quantity::Area, AREA)]
        };
        for (input, name) in [(Quantity::Celsius, "celsius (degC)")].into_iter().chain(size) {
            if self.reads(&input) {
                names.push(name.to_owned());
            }
        }
        names
    }

    fn fading(&self) -> Vec<String> {
        let is_density = self.linearised.region.kind() == Kind::Density;
        let states = self.linearised.states.iter().zip(&self.gradients);
        let moving = states.filter(|(state, _)| !state.is_inactive).map(|(_, gradient)| gradient.clone());
        is_density.then(|| "W".to_owned()).into_iter().chain(moving).collect()
    }

    /// The gradients of the initial states.
    fn row_start(&self, code: &Code) -> Procedure {
        let (mut locals, mut body) = self.sources.load(&self.start_inputs, Phase::Start);
        locals.extend(code.locals());
        body.extend(code.statements());
        body.extend(flag_where(code, &self.linearised.failed_start));
        let mut factor = |id| code.factor(id);
        let (names, mut in_loop) =
            substitution(&self.linearised.start_implicit_solves, &|row, factor| self.terms(row, factor), &mut factor);
        locals.extend(names);
        for (state, gradient) in self.linearised.states.iter().zip(&self.gradients) {
            if let Some((_, start)) = state.own {
                body.push(format!("{} = {}", own_element(self.linearised, &state.kind), code.value(start)));
            }
            in_loop.extend(lines::sum(&format!("{gradient}[k]"), &self.terms(&state.start, &mut factor)));
        }
        Procedure { locals: locals_statement(&locals), code: body, in_loop }
    }

    /// `S` in direction `k`.
    fn source(&self, arrays: &Arrays, stored: &mut Stored) -> (Vec<String>, Vec<String>) {
        let terms = self.terms(&self.linearised.source, &mut |id| stored.factor(id));
        arrays.used(&lines::sum("S", &terms), true)
    }

    /// The gradients of the states after the step, in direction `k`.
    fn update(&self, arrays: &Arrays, stored: &mut Stored) -> (Vec<String>, Vec<String>, String) {
        let linearised = self.linearised;
        let mut factor = |id| stored.factor(id);
        let (mut locals, mut lines_) =
            substitution(&linearised.implicit_solves, &|row, factor| self.terms(row, factor), &mut factor);
        let mut set = Vec::new();
        for (index, (state, gradient)) in linearised.states.iter().zip(&self.gradients).enumerate() {
            if state.is_inactive {
                continue;
            }
            lines_.extend(lines::sum(&format!("y{index}"), &self.terms(&state.row, &mut factor)));
            set.push(format!("{gradient}[k] = y{index}"));
            locals.push(format!("y{index}"));
        }
        lines_.extend(if self.may_be_late() { self.tried_or_set(&set) } else { set });
        let (declared, text) = arrays.used(&lines_, false);
        (declared, text, locals.join(", "))
    }

    /// NMODL: all coefficients of a step.
    fn coefficients(&self, code: &Code, stored: &Stored) -> Procedure {
        let linearised = self.linearised;
        let (mut locals, mut body) = self.sources.load(&self.step_inputs, Phase::Step);
        locals.extend(code.locals());
        body.extend(code.statements());
        body.extend(flag_where(code, &linearised.failed));
        for state in &linearised.states {
            if let Some((Some(after), _)) = state.own {
                body.push(format!("{} = {}", own_element(linearised, &state.kind), code.value(after)));
            }
        }
        body.extend(self.checks(code));
        body.extend(stored.ids.iter().enumerate().map(|(index, id)| format!("c[{index}] = {}", code.value(*id))));
        Procedure { locals: locals_statement(&locals), code: body, in_loop: Vec::new() }
    }
}

/// Coefficients that C takes from `c`.
struct Stored<'a> {
    graph: &'a Graph,
    ids: Vec<Id>,
}

impl<'a> Stored<'a> {
    fn new(graph: &'a Graph) -> Self {
        Self { graph, ids: Vec::new() }
    }

    fn factor(&mut self, id: Id) -> String {
        if let Some(number) = self.graph.as_number(id).filter(|number| number.is_finite()) {
            return if number < 0.0 { format!("({number:?})") } else { format!("{number:?}") };
        }
        let known = self.ids.iter().position(|other| *other == id);
        let index = known.unwrap_or_else(|| {
            self.ids.push(id);
            self.ids.len() - 1
        });
        format!("coef[{index}]")
    }
}
