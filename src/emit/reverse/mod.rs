//! Reverse mode: recorders for the model's segments, and what runs the recorded steps backwards, both from the one
//! linearised step.

mod adjoint;
mod events;
mod frame;
mod invariant;
mod manifest;
mod prepare;
mod record;
mod recorder;
mod refuse;
mod transpose;
mod undo;

use std::collections::BTreeSet;

use serde_json::json;

use super::error::EmitError;
use super::file::{File, UNNAMED, name_by_content};
use super::receipt::Reversible;
use crate::emit::region::declarations::{settings, units};
use crate::emit::region::roots::changed_inputs;
use crate::emit::reverse::frame::{Frame, Moment, Reader};
use crate::emit::text::c::local;
use crate::emit::text::code::Code;
use crate::emit::text::{fingerprint, lines, template};
use crate::graph::{Id, Input};
use crate::model::Kind;
use crate::step::{ImplicitSolve, LinearForm, Linearised, Quantity};
pub use manifest::{ReverseManifest, ReverseRegion};
pub(super) use refuse::refuse_reverse;

/// Files that are the same for all models: compiled once, loaded once.
const SHARED: [&str; 3] = ["recorder_node.mod", "gather.mod", "descent.mod"];
/// The includes of these.
const INTERFACES: [&str; 3] = ["instances.mod", "gather_interface.mod", "descent_interface.mod"];
/// Every so many steps each fixed value is looked at again.
const GLANCES: usize = 16;

/// What may be left of the membrane equation of a step, relative to the size of its terms. Rounding leaves up to about
/// 3e-12, from slopes that NEURON takes over 0.001 mV, and elsewhere 1e-15.
const TOLERANCE: &str = "1e-9";
/// By how much two steps may differ, relative to dt: rounding of t.
const GRID: &str = "1e-6";

const CELSIUS: &str = "celsius (degC)";

/// What the code of one phase reads and computes.
struct Phase {
    roots: Vec<Id>,
    inputs: BTreeSet<Input>,
}

impl Phase {
    fn new(linearised: &Linearised, roots: Vec<Id>) -> Self {
        let inputs = linearised.graph.reachable_inputs(&roots, false);
        Self { roots, inputs }
    }

    fn code<'a>(&self, linearised: &'a Linearised) -> Code<'a> {
        Code::new(&linearised.graph, &self.roots)
    }
}

/// One region, ready to be written.
struct Reversed<'a> {
    linearised: &'a Linearised,
    /// Somewhere in the model events set the voltage.
    jumps: bool,
    frame: Frame<'a>,
    /// Values of the step that do not change along the run.
    kept: Vec<Id>,
    step: Phase,
    start: Phase,
    own_step: Phase,
    own_start: Phase,
    /// The map that an event is, and INITIAL inside `NET_RECEIVE`.
    event: Phase,
    start_weights: Phase,
    /// What the recorder computes at events.
    at_event: Phase,
}

impl<'a> Reversed<'a> {
    fn new(linearised: &'a Linearised, jumps: bool) -> Self {
        let mut step = vec![linearised.conductance];
        step.extend(linearised.source.coefficients());
        let rows = |row: fn(&'a crate::step::State) -> &'a LinearForm| {
            linearised.states.iter().flat_map(move |state| row(state).coefficients())
        };
        step.extend(rows(|state| &state.row));
        step.extend(linearised.implicit_solves.iter().flat_map(ImplicitSolve::coefficients));
        step.extend(&linearised.failed);
        step.extend([linearised.current, linearised.current_size]);
        step.extend(crate::emit::region::roots::checks(linearised));
        step.extend(record::telling_currents(linearised).iter().flatten());
        let own = || linearised.states.iter().filter_map(|state| state.own);
        let step = Phase::new(linearised, step);
        let mut start: Vec<Id> = rows(|state| &state.start).collect();
        start.extend(linearised.start_implicit_solves.iter().flat_map(ImplicitSolve::coefficients));
        start.extend(&linearised.failed_start);
        let start = Phase::new(linearised, start);
        let own_step = Phase::new(linearised, own().filter_map(|(after, _)| after).collect());
        let own_start = Phase::new(linearised, own().map(|(_, start)| start).collect());
        let receive = linearised.receive.as_ref();
        let event = receive.map(record::all_coefficients);
        let event = Phase::new(linearised, event.unwrap_or_default());
        let start_weights = receive.map(|receive| record::coefficients(&receive.start_weights));
        let start_weights = Phase::new(linearised, start_weights.unwrap_or_default());
        let together = |phases: &[&Phase]| phases.iter().flat_map(|phase| phase.inputs.iter().copied()).collect();
        let at_event = Phase::new(linearised, receive.map(events::all_roots).unwrap_or_default());
        let mut of_events: BTreeSet<Input> = together(&[&event, &at_event]);
        of_events.extend(changed_inputs(linearised));
        let frame = Frame::new(
            linearised,
            jumps,
            &together(&[&step, &own_step]),
            &together(&[&start, &own_start, &start_weights]),
            &of_events,
        );
        let is_fixed =
            |input: Input| linearised.quantities.get(&input).is_some_and(|quantity| frame.is_fixed(quantity));
        let kept = invariant::invariants(&linearised.graph, &step.roots, is_fixed);
        Self { linearised, jumps, frame, kept, step, start, own_step, own_start, event, start_weights, at_event }
    }

    fn kind(&self) -> &'static str {
        match self.linearised.region.kind() {
            Kind::Density => "SUFFIX",
            Kind::Point => "POINT_PROCESS",
        }
    }

    /// How the adjoint reads a frame.
    fn reader(&self) -> Reader {
        if self.frame.is_gathered() { Reader::Columns } else { Reader::Places }
    }

    /// Where a number of a frame, other than the voltage, is among those of its place.
    fn place(&self, index: usize) -> usize {
        if self.frame.is_gathered() { frame::column(index) } else { index }
    }

    fn mechanisms(&self) -> Vec<String> {
        self.linearised.region.mechanisms.iter().map(|mechanism| mechanism.name.clone()).collect()
    }

    /// What NEURON knows by itself and the code of some phases reads.
    fn builtins(&self, phases: &[&Phase]) -> Vec<String> {
        let known =
            [(Quantity::Celsius, CELSIUS), (Quantity::Area, "area (micron2)"), (Quantity::Diameter, "diam (micron)")];
        let reads = |quantity: &Quantity| {
            phases.iter().any(|phase| phase.inputs.iter().any(|input| self.linearised.quantities[input] == *quantity))
        };
        known.iter().filter(|(quantity, _)| reads(quantity)).map(|(_, name)| (*name).to_owned()).collect()
    }

    /// Whether anything depends on the temperature.
    fn reads_celsius(&self) -> bool {
        let inputs = self.step.inputs.iter().chain(&self.start.inputs);
        inputs.into_iter().any(|input| self.linearised.quantities[input] == Quantity::Celsius)
    }

    fn units(&self, phases: &[&Phase]) -> Vec<String> {
        let inputs = phases.iter().flat_map(|phase| phase.inputs.iter().copied());
        let inputs: BTreeSet<Input> = inputs.collect();
        units(self.linearised, inputs.into_iter())
    }
}

fn setting_names(linearised: &Linearised) -> Vec<String> {
    settings(linearised).into_iter().map(|setting| setting.name).collect()
}

/// The names that [`Frame::load`] finds, and statements that set them.
fn loads(frame: &Frame, inputs: &BTreeSet<Input>, moment: Moment) -> (Vec<String>, Vec<String>) {
    let found = frame.load(inputs, moment, Reader::Recorder);
    found.into_iter().map(|(name, value)| (name.clone(), format!("{} = {value};", local(&name)))).unzip()
}

/// LOCAL names of a phase: what it loads, and what its code computes.
fn locals(loaded: Vec<String>, code: &Code) -> Vec<String> {
    let names: Vec<String> = loaded.into_iter().chain(code.locals()).collect();
    if names.is_empty() { Vec::new() } else { vec![format!("LOCAL {}", lines::one_list(&names))] }
}

/// C statements in a frame's memory.
fn verbatim(pointers: &[&str], statements: Vec<String>) -> Vec<String> {
    let mut text = vec!["VERBATIM".to_owned()];
    text.extend(pointers.iter().map(|line| format!("    {line}")));
    text.extend(statements.into_iter().map(|line| format!("    {line}")));
    text.push("ENDVERBATIM".to_owned());
    text
}

/// All files for reverse mode, and the manifest that tells what is where.
pub fn emit_reverse(regions: &[Reversible]) -> Result<(Vec<File>, ReverseManifest), EmitError> {
    let mut files = Vec::new();
    let mut manifests = Vec::new();
    let regions: Vec<&Linearised> = regions.iter().map(AsRef::as_ref).collect();
    let jumps = regions.iter().any(|linearised| sets_voltage(linearised));
    for linearised in regions {
        if linearised.region.switched {
            return Err(EmitError::Switched);
        }
        let reversed = Reversed::new(linearised, jumps);
        let recorder = recorder::render(&reversed)?;
        let adjoint = adjoint::render(&reversed)?;
        manifests.push(ReverseRegion::new(&reversed, &recorder, &adjoint));
        files.extend([recorder, adjoint]);
    }
    let hash = name_by_content(&mut files);
    let texts = SHARED.iter().chain(&INTERFACES).map(|template| template::source(template));
    let manifest = ReverseManifest::new(manifests, &hash, &fingerprint::of(texts));
    let names = [&manifest.recorder_node, &manifest.gather, &manifest.descent];
    for (template, name) in SHARED.iter().zip(names) {
        let context = json!({"name": name, "tolerance": TOLERANCE, "grid": GRID, "glances": GLANCES});
        files.push(File { name: format!("{name}.mod"), text: template::render(template, context)? });
    }
    Ok((files, manifest))
}

/// Whether its events set the voltage.
fn sets_voltage(linearised: &Linearised) -> bool {
    linearised.receive.as_ref().is_some_and(|receive| receive.voltage.is_some())
}

/// The name of a region's file before its hash is known.
fn unnamed(part: &str, linearised: &Linearised) -> String {
    format!("gm_{part}_{}_{UNNAMED}", linearised.region.name)
}
