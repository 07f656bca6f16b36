//! `gradmod.json`: what is where in the emitted mechanisms, for programs.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::step::{SharedTable, SpecialValue, StaleTable};
use crate::support::Construct;

#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    /// The version that wrote it.
    pub gradmod: &'static str,
    pub directions: usize,
    pub regions: Vec<RegionManifest>,
    /// Mechanisms that act on no membrane; nothing was emitted for them.
    pub passed_over: Vec<String>,
    /// All mechanisms that can act on no membrane, with the POINTERs that they set.
    pub watchers: BTreeMap<String, Vec<String>>,
    /// Where the times of events are differentiated.
    pub spikes: Option<SpikesManifest>,
    pub solver: SolverManifest,
}

/// Point processes: the solver, one on each cell; one at the node of each edge whose resistance a direction changes;
/// one at each place without membrane where gradients of the voltage are kept.
#[derive(Clone, Debug, Serialize)]
pub struct SolverManifest {
    pub name: String,
    pub axial: String,
    pub end: String,
    /// What the numbers in `fault` mean, of the solver and of all rows.
    pub faults: BTreeMap<&'static str, u8>,
    /// NEURON's `secondorder` in the runs that it is for.
    pub secondorder: u8,
    /// `POINT_PROCESS` that holds the gradients of the potentials around a node, if the model has any.
    pub layers: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
#[allow(clippy::struct_excessive_bools)] // each is one fact
pub struct RegionManifest {
    pub name: String,
    /// SUFFIX, or the name of the point process.
    pub suffix: String,
    pub file: String,
    /// `density` or `point`
    pub kind: &'static str,
    pub mechanisms: Vec<String>,
    /// What of [`crate::support`] it contains.
    pub constructs: BTreeSet<Construct>,
    /// One per mechanism, if they can be off: RANGE, 0 or 1.
    pub switches: Vec<String>,
    pub pointers: Vec<PointerManifest>,
    /// Voltages elsewhere that the model's POINTERs see.
    pub pointer_gradients: Vec<PointerGradientManifest>,
    pub parameters: Vec<ParameterManifest>,
    pub states: Vec<StateManifest>,
    pub ions: Vec<IonManifest>,
    /// Ions whose total current a mechanism reads, and those to which one adds.
    pub currents_read: Vec<String>,
    pub currents_written: Vec<String>,
    /// POINTERs to PARAMETERs that INITIAL must not change in a run.
    pub corrected: Vec<String>,
    pub streams: Vec<StreamManifest>,
    /// What scripts call the `FUNCTION_TABLE`s of its mechanisms.
    pub function_tables: Vec<String>,
    /// How many weights a `NetCon` to it has, for a point process that takes events.
    /// The companion's `NetCons` have these, then their gradients, direction by direction.
    pub weights: Option<usize>,
    /// The POINTER to the first of the gradients of v in the row of its segment, where its events need them.
    pub voltage: Option<String>,
    /// Where no direction acts on an instance, all its gradients are 0: it needs none of these.
    pub inert: bool,
    /// What the current of its electrode depends on.
    pub electrode: Option<Electrode>,
    /// Events set the membrane potential: whatever is at the same node must have `jumps` at 1.
    pub sets_voltage: bool,
    pub event_time: EventTimeManifest,
    /// Code of the region reads a voltage that such events may have set: the two can't be at one node.
    pub sees_jumps: bool,
    /// Mechanisms that write concentrations, and so run before the others, each with these.
    pub writers: BTreeMap<String, Vec<String>>,
    /// Visible variables that no code changes.
    pub constants: Vec<String>,
    /// While their `usetable` is on, there is no gradient in these variables, and none after a change of them.
    pub stale_tables: Vec<StaleTable>,
    pub special_values: Vec<SpecialValue>,
    /// Parameters that only choose which code runs, or when.
    pub stepwise: Vec<String>,
    /// While their `usetable` is on, these variables must have one value everywhere, and there is no gradient in them.
    pub shared_tables: Vec<SharedTable>,
    /// States that BEFORE BREAKPOINT sets: their gradients are those of the next step's.
    pub set_at_begin: Vec<String>,
    /// Why code in an arm of a conditional was left out; a run that enters it has no gradient.
    pub unfollowed: Vec<String>,
}

/// A POINTER and what it must point to: `range` in the segment (or point
/// process), `segment` in the point process's segment, `global` in `h`; `pointed`:
/// what the model's own POINTER `mechanism.source` sees.
#[derive(Clone, Debug, Serialize)]
pub struct PointerManifest {
    pub name: String,
    pub source: String,
    pub scope: &'static str,
}

/// A POINTER of the model that sees a voltage, or a variable.
#[derive(Clone, Debug, Serialize)]
pub struct PointerGradientManifest {
    pub mechanism: String,
    pub name: String,
    /// The POINTER that must see the first element of the gradients of that voltage.
    pub gradient: String,
    /// RANGE array: where it points if there are none, so that it sees 0.
    pub rest: String,
    /// Where POINTERs may see variables.
    pub variable: Option<PointerVariableManifest>,
}

/// What a POINTER of the model that may see a variable needs.
#[derive(Clone, Debug, Serialize)]
pub struct PointerVariableManifest {
    /// The POINTER that must see the first of the variable's gradients, or of `rest` where it is a voltage. The other
    /// must see that at the end of a step: `start` where `old`, the variable's `trial` where it is itself late.
    pub before: String,
    /// RANGE array: the gradient at the start of a step.
    pub start: String,
    /// RANGE setting: 1 where states are advanced from the value at the start of a step.
    pub old: String,
    /// States are advanced from it, or start from it; BEFORE or AFTER blocks may read it.
    pub reaches_states: bool,
    pub reaches_start: bool,
    pub seen_by_before_after: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct ParameterManifest {
    pub name: String,
    /// RANGE array: how much each direction changes it.
    pub seed: String,
    /// `range`, `global`, `ion` or `cable`
    pub scope: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub struct StateManifest {
    pub name: String,
    pub gradient: String,
    /// Where POINTERs may see variables.
    pub seen: Option<SeenManifest>,
}

/// What a POINTER that sees a state must know.
#[derive(Clone, Debug, Serialize)]
pub struct SeenManifest {
    /// RANGE array: the gradient before that of a late mechanism is set; `None` if it can't be late.
    pub trial: Option<String>,
    /// The state changes while others run their BREAKPOINTs.
    pub early: bool,
    /// POINTERs of the model (`gap.vgap`) from which it is advanced, and from which it starts.
    pub through: Vec<String>,
    pub started_through: Vec<String>,
}

/// RANGE settings that follow from `ion_style` and the ion's charge.
/// What the current of an electrode depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Electrode {
    /// Nothing that has a gradient.
    Given,
    /// Parameters of its own, and nothing else.
    Parameters,
    /// The voltage, states, or what a POINTER sees.
    Model,
}

#[derive(Clone, Debug, Serialize)]
#[allow(clippy::struct_excessive_bools)] // each is one fact
pub struct IonManifest {
    pub ion: String,
    pub nernst: String,
    pub nernst_init: String,
    pub conc_init: String,
    pub valence: String,
    /// Concentrations that the region's mechanisms set.
    pub written: Vec<String>,
    /// Some mechanism sets the reversal potential.
    pub sets_reversal: bool,
    /// What the mechanisms read of it, from which NEURON makes its style.
    pub reads_concentration: bool,
    pub reads_reversal: bool,
    /// INITIAL makes something of the reversal potential.
    pub reversal_at_start: bool,
    /// Concentrations whose value before INITIAL matters, and the RANGE settings that hold it.
    pub starts: Vec<(String, String)>,
}

/// A stream of random numbers: the RANDOM `source` of a mechanism, and ours that is set to the same ids.
#[derive(Clone, Debug, Serialize)]
pub struct StreamManifest {
    pub name: String,
    pub mechanism: String,
    pub source: String,
    /// RANGE: the place in the stream before INITIAL.
    pub start: String,
    /// RANGE array and index: the place where the next number comes from.
    pub own: &'static str,
    pub index: usize,
    /// By which emitted code means it.
    pub number: usize,
}

/// How the times of a point process's events are differentiated.
#[derive(Clone, Debug, Serialize)]
pub struct EventTimeManifest {
    /// Whether they are: further weights of its `NetCons` are the table of spikes, the delay, and the delay's gradients.
    pub is: bool,
    /// Why they can't be, where they should.
    pub reason: Option<String>,
    /// WATCH statements are among what sends them: their times never are differentiated.
    pub watches: bool,
    /// Parameters that change when events come that it sends to itself, where times are differentiated.
    pub timed_by: Vec<String>,
}

/// A point process that writes a table: how many spikes there were, then for each, in
/// turn, its time and the gradients of that time.
#[derive(Clone, Debug, Serialize)]
pub struct SpikesManifest {
    pub name: String,
    /// RANGE: the address of the table, for how many spikes there is room, mV.
    pub table: &'static str,
    pub room: &'static str,
    pub threshold: &'static str,
}

impl Manifest {
    pub(super) fn new(directions: usize, regions: Vec<RegionManifest>, solver: SolverManifest) -> Self {
        Self {
            gradmod: env!("CARGO_PKG_VERSION"),
            directions,
            regions,
            passed_over: Vec::new(),
            watchers: BTreeMap::new(),
            spikes: None,
            solver,
        }
    }
}
