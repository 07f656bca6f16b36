//! `gradmod.json` of reverse mode.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::adjoint::arrays::active_elements;
use super::adjoint::prepare::prepared_count;
use super::adjoint::transpose::Transposed;
use super::adjoint::waiting::waiting_count;
use super::frame::layout::Slot;
use super::recorder::watched::{settled, watched};
use super::reversed::Reversed;
use super::streams::adjoint_settings;
use crate::emit::file::File;
use crate::emit::manifest::{Electrode, IonManifest, PointerManifest, StreamManifest};
use crate::emit::medium::Medium;
use crate::emit::receipt::constructs::constructs;
use crate::emit::region::description::{
    electrode, ion_manifests, ions_where, sees_jumps, set_at_begin, timed_by, unfollowed,
};
use crate::emit::region::events::sets_voltage;
use crate::emit::region::pointer_names::pointed_source;
use crate::emit::region::streams::streams;
use crate::emit::text::fault::Seen;
use crate::model::Kind;
use crate::step::{SharedTable, SpecialValue, StaleTable, StateKind, TimeScheme, membrane};
use crate::support::Construct;

#[derive(Clone, Debug, Serialize)]
pub struct ReverseManifest {
    /// The version that wrote it.
    pub gradmod: &'static str,
    pub mode: &'static str,
    pub regions: Vec<ReverseRegion>,
    /// Mechanisms that act on no membrane; nothing was emitted for them.
    pub passed_over: Vec<String>,
    /// All mechanisms that can act on no membrane, with the POINTERs that they set.
    pub watchers: BTreeMap<String, Vec<String>>,
    /// `POINT_PROCESS` that records v of a node without membrane.
    pub recorder_node: String,
    /// `POINT_PROCESS` that remembers what recorders tell it of, one on each cell.
    pub gather: String,
    /// What goes through the steps backwards.
    pub descent: String,
    /// `POINT_PROCESS` that records the potentials around a node, if the model has any.
    pub recorder_layers: Option<String>,
    /// What the numbers mean by which recorders tell of changes.
    pub seen: BTreeMap<&'static str, i32>,
    pub membrane: Membrane,
    /// NEURON's `secondorder` in the runs that it is for.
    pub secondorder: u8,
}

/// The units of the membrane equation: see [`membrane`].
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Membrane {
    pub capacitive: f64,
    pub area: f64,
}

#[derive(Clone, Debug, Serialize)]
#[allow(clippy::struct_excessive_bools)] // each is one fact
pub struct ReverseRegion {
    pub name: String,
    /// `density` or `point`
    pub kind: &'static str,
    pub mechanisms: Vec<String>,
    /// What of [`crate::support`] it contains.
    pub constructs: BTreeSet<Construct>,
    pub recorder: String,
    pub adjoint: String,
    pub pointers: Vec<PointerManifest>,
    /// 0/1 settings and charges, which the adjoint has one of for each place.
    pub settings: Vec<String>,
    /// Its streams of random numbers; the adjoint has their ids and places among the settings.
    pub streams: Vec<StreamManifest>,
    /// How many numbers wait for the voltage's adjoint at each place.
    pub waiting: usize,
    /// How many states events change whose value at the end of a step the log has.
    pub landed: usize,
    /// How many elements of arrays have adjoints at each place.
    pub elements: usize,
    /// How many numbers are computed once for each place.
    pub kept: usize,
    /// The recorder only tells a gatherer where to read.
    pub gathered: bool,
    /// Numbers of a place in a frame with states that nothing but steps changes: which number, which state.
    pub watched: Vec<(usize, usize)>,
    /// Numbers per place in a frame.
    pub moving: usize,
    /// What does not change along a run, in NEURON's words.
    pub fixed: Vec<String>,
    /// Which of it INITIAL has made.
    pub settled: Vec<usize>,
    pub states: Vec<String>,
    /// States that BEFORE BREAKPOINT sets.
    pub set_at_begin: Vec<String>,
    /// The states that each check of a step is about; `broken` of the adjoint counts from 1.
    pub checks: Vec<String>,
    /// Code that was left out.
    pub unfollowed: Vec<String>,
    pub parameters: Vec<ParameterScope>,
    /// Parameters that the states after INITIAL depend on.
    pub at_start: Vec<String>,
    /// `NetCons`' weights begin with what INITIAL of `NET_RECEIVE` makes of them.
    pub sets_weights: bool,
    /// The model's POINTERs to voltages, `gap.vgap`, in the order of the adjoint's `pointer`.
    pub pointer_gradients: Vec<String>,
    pub ions: Vec<IonManifest>,
    /// Ions whose total current a mechanism reads, and those to which one adds.
    pub currents_read: Vec<String>,
    pub currents_written: Vec<String>,
    /// POINTERs to PARAMETERs that INITIAL must not change in a run.
    pub corrected: Vec<String>,
    /// How many weights a `NetCon` to it has, for a point process that takes events.
    /// The recorder's `NetCons` have one more: where these are among those of all.
    pub weights: Option<usize>,
    /// What the current of its electrode depends on.
    pub electrode: Option<Electrode>,
    /// Events set the membrane potential: whatever is at the same node must have `jumps` at 1.
    pub sets_voltage: bool,
    /// Code of the region reads a voltage that such events may have set: the two can't be at one node.
    pub sees_jumps: bool,
    /// While their `usetable` is on, there is no gradient in these variables, and none after a change of them.
    pub stale_tables: Vec<StaleTable>,
    pub special_values: Vec<SpecialValue>,
    /// Parameters that only choose which code runs, or when.
    pub stepwise: Vec<String>,
    /// There is no gradient in these: they change when events come that a point process sends to itself.
    pub timed_by: Vec<String>,
    /// While their `usetable` is on, these variables must have one value everywhere, and there is no gradient in them.
    pub shared_tables: Vec<SharedTable>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ParameterScope {
    pub name: String,
    pub scope: &'static str,
}

impl ReverseManifest {
    pub(super) fn new(regions: Vec<ReverseRegion>, shared: &str, (scheme, medium): (TimeScheme, Medium)) -> Self {
        Self {
            gradmod: env!("CARGO_PKG_VERSION"),
            mode: "reverse",
            regions,
            passed_over: Vec::new(),
            watchers: BTreeMap::new(),
            recorder_node: format!("gm_node_{shared}"),
            gather: format!("gm_gather_{shared}"),
            descent: match medium {
                Medium::Ground => format!("gm_descent_{shared}"),
                Medium::Layers(_) => format!("gm_descent_layers_{shared}"),
            },
            recorder_layers: match medium {
                Medium::Ground => None,
                Medium::Layers(_) => Some(format!("gm_layers_{shared}")),
            },
            seen: Seen::table(),
            membrane: Membrane { capacitive: membrane::CAPACITIVE, area: membrane::AREA },
            secondorder: scheme.secondorder(),
        }
    }
}

fn corrected(reversed: &Reversed) -> Vec<String> {
    let linearised = reversed.linearised;
    let names = crate::emit::receipt::start::corrected(linearised).into_iter().filter_map(|kind| match kind {
        StateKind::Variable(mechanism, name) => Some(linearised.names.of(mechanism, &name).to_owned()),
        StateKind::Ion(_) => None,
    });
    names.filter(|name| reversed.frame.pointers.iter().any(|pointer| pointer.name == *name)).collect()
}

/// The parameters that the states after INITIAL depend on.
fn at_start(reversed: &Reversed) -> Vec<String> {
    let linearised = reversed.linearised;
    let rows = linearised.states.iter().map(|state| &state.start);
    let flow = Transposed::new(linearised, rows, &linearised.start_implicit_solves, &reversed.start.code(linearised));
    let reached = linearised.parameters.iter().zip(&flow.parameters).filter(|(_, terms)| !terms.is_empty());
    reached.map(|(parameter, _)| parameter.public.clone()).collect()
}

impl ReverseRegion {
    pub(super) fn new(reversed: &Reversed, recorder: &File, adjoint: &File) -> Self {
        let linearised = reversed.linearised;
        let source = |slot: &Slot| match slot {
            Slot::Pointer(name) => {
                let pointer = reversed.frame.pointers.iter().find(|pointer| pointer.name == *name);
                pointer.map_or_else(String::new, |pointer| pointer.source.clone())
            }
            Slot::Own(state) => linearised.states[*state].public.clone(),
            Slot::Element(array, index) => format!("{}[{index}]", linearised.arrays[*array].name),
            Slot::Voltage | Slot::Landed(_) => String::new(),
        };
        Self {
            name: linearised.region.name.clone(),
            kind: if linearised.region.kind() == Kind::Density { "density" } else { "point" },
            mechanisms: reversed.mechanisms(),
            constructs: constructs(linearised).into_iter().map(|found| found.construct).collect(),
            recorder: recorder.stem().to_owned(),
            adjoint: adjoint.stem().to_owned(),
            pointers: reversed.frame.pointers.clone(),
            settings: adjoint_settings(linearised),
            streams: streams(linearised),
            landed: reversed.frame.landed.len(),
            waiting: waiting_count(linearised),
            elements: active_elements(linearised),
            kept: prepared_count(reversed),
            gathered: reversed.frame.is_gathered(),
            watched: watched(reversed),
            moving: reversed.frame.moving.len() - usize::from(reversed.frame.is_gathered()),
            fixed: reversed.frame.fixed.iter().map(source).collect(),
            settled: settled(reversed),
            states: linearised.states.iter().map(|state| state.public.clone()).collect(),
            set_at_begin: set_at_begin(linearised),
            checks: linearised.checks.iter().map(|check| check.of.clone()).collect(),
            parameters: linearised
                .parameters
                .iter()
                .map(|parameter| ParameterScope { name: parameter.public.clone(), scope: parameter.scope })
                .collect(),
            at_start: at_start(reversed),
            sets_weights: linearised.receive.as_ref().is_some_and(|receive| !receive.start_weights.is_empty()),
            pointer_gradients: linearised
                .pointed
                .iter()
                .map(|pointer| pointed_source(linearised, pointer.mechanism, &pointer.name))
                .collect(),
            ions: ion_manifests(linearised),
            currents_read: ions_where(&linearised.region, |ion| ion.read.contains(&ion.current())),
            currents_written: ions_where(&linearised.region, |ion| ion.write.contains(&ion.current())),
            unfollowed: unfollowed(linearised),
            corrected: corrected(reversed),
            weights: linearised.receive.as_ref().map(|receive| receive.arguments.len()),
            electrode: electrode(linearised),
            sets_voltage: sets_voltage(linearised),
            sees_jumps: sees_jumps(linearised),
            stale_tables: linearised.stale.clone(),
            special_values: linearised.special_values.clone(),
            stepwise: linearised.stepwise(),
            timed_by: timed_by(linearised),
            shared_tables: linearised.shared.clone(),
        }
    }
}
