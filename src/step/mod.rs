//! One fixed step of NEURON for the mechanisms of a region, and its derivative.
//!
//! The step is traced in NEURON's order: `phase::current` at the old voltage, then
//! `phase::state` at the new one, concentration writers first; `phase::initial`
//! gives the start. What POINTERs see is like one more voltage, [`Pointed`].
//! [`linearise()`] differentiates it all. To add an integration method, add a file
//! to `method` and a line to `phase::state`.

mod event;
mod field;
mod guard;
mod input;
mod linear_map;
mod method;
mod phase;
mod region;
mod time_scheme;

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use guard::shared_variables::Foreigns;
use input::ion::region_ions;

use crate::diagnostic::{Code, Diagnostic};
use crate::diff::Differentiator;
use crate::graph::{Arm, Graph, Id, Input, Node, Scope};
use crate::model::{Ion, Mechanism};
use crate::trace::{Constants, Discontinuities, Findings, Trace, Values};

pub use event::event_time::{EventTimes, Flow, TimedEvent};
pub use event::receive::{Change, Receive};
pub use event::sent::Sent;
pub use guard::refusals::refusals;
pub use guard::special_values::SpecialValue;
pub use guard::state_check::Check;
pub use guard::table_dependencies::{SharedTable, StaleTable};
pub use input::array::{Array, ArrayStore};
pub use input::ion::RegionIon;
pub use input::names::Names;
pub use input::parameter::Parameter;
pub use input::pointer::Pointed;
pub use input::quantity::{Quantity, When};
pub use linear_map::implicit_solve::{ImplicitRow, ImplicitSolve};
pub use linear_map::linear_form::{LinearForm, Source};
pub use linear_map::linearise::linearise;
pub use linear_map::linearised::{Linearised, State};
pub use linear_map::membrane;
pub use linear_map::state_vector::StateKind;
pub use region::Region;
use time_scheme::Extent;
pub use time_scheme::TimeScheme;

/// A refusal, and the mechanism in whose source it lies.
#[derive(Debug)]
pub struct Refused {
    pub mechanism: usize,
    pub diagnostic: crate::diagnostic::Diagnostic,
}

/// The step under construction.
struct Step<'a> {
    region: &'a Region,
    graph: Graph,
    diff: Differentiator,
    /// What each input is, by input.
    quantities: BTreeMap<Input, Quantity>,
    /// The input that stands for each quantity.
    inputs: FxHashMap<Quantity, Input>,
    constants: Constants,
    findings: Findings,
    ions: Vec<RegionIon>,
    names: Names,
    /// Arrays of the point process that are one value.
    arrays: Vec<Array>,
    /// Inputs that all mechanisms share.
    v_before: Input,
    v_after: Input,
    dt: Id,
    /// How much of the time step the METHODs of a mechanism go over.
    extent: Extent,
    /// `t_n + dt/2` in the current phase, `t_{n+1}` in the state phase.
    t: Id,
    celsius: Id,
    /// The values of each mechanism's variables now.
    values: Vec<Values>,
    /// The values of the ions' variables now.
    ion_values: Values,
    /// Mechanisms whose BREAKPOINT reads what it has set the last time.
    remembering: BTreeSet<usize>,
    /// STATEs that a BREAKPOINT sets.
    set_by_currents: BTreeSet<StateKind>,
    /// Concentrations that a BREAKPOINT sets.
    set_early: BTreeSet<StateKind>,
    /// What BEFORE BREAKPOINT sets: NEURON shows it one step longer than the step that has made it.
    set_at_begin: BTreeSet<StateKind>,
    /// What other segments left in variables that all have together.
    foreigns: Foreigns,
    /// What `state_discontinuity` in a BREAKPOINT does: nothing when NEURON starts.
    discontinuities: Discontinuities,
}

impl<'a> Step<'a> {
    /// With `whole`, arrays that events write are one value each.
    fn new(region: &'a Region, whole: bool) -> Self {
        let mut graph = Graph::default();
        let mut quantities = BTreeMap::new();
        let mut inputs = FxHashMap::default();
        let mut new = |graph: &mut Graph, name: &str, quantity: Quantity| {
            let input = graph.input(name);
            inputs.insert(quantity.clone(), input);
            quantities.insert(input, quantity);
            input
        };
        let v_before = new(&mut graph, "v_n", Quantity::Voltage(When::Before));
        let v_after = new(&mut graph, "v_n1", Quantity::Voltage(When::After));
        let dt = new(&mut graph, "dt", Quantity::TimeStep);
        let t = new(&mut graph, "t_n", Quantity::Time);
        let celsius = new(&mut graph, "celsius", Quantity::Celsius);
        let ions = region_ions(region);
        let mut constants = Constants::default();
        constants.insert(dt);
        constants.insert(celsius);
        constants.called.extend([v_before, v_after].map(|input| (input, "v".to_owned())));
        constants.called.insert(t, "t".to_owned());
        let mut step = Self {
            region,
            names: Names::new(region, &ions),
            diff: Differentiator::default(),
            quantities,
            inputs,
            constants,
            findings: Findings::default(),
            ions,
            arrays: Vec::new(),
            v_before,
            v_after,
            dt: graph.read(dt),
            extent: Extent::Whole,
            t: graph.read(t),
            celsius: graph.read(celsius),
            values: Vec::new(),
            ion_values: Values::new(),
            remembering: BTreeSet::new(),
            set_by_currents: BTreeSet::new(),
            set_early: BTreeSet::new(),
            set_at_begin: BTreeSet::new(),
            foreigns: Foreigns::new(),
            discontinuities: Discontinuities::Heeded,
            graph,
        };
        for index in 0..region.mechanisms.len() {
            let values = step.declared(index, whole);
            step.values.push(values);
        }
        step.declare_ions();
        step
    }
}

impl Step<'_> {
    /// Runs code of a mechanism from these values.
    fn trace<'s>(&'s mut self, mechanism: &'s Mechanism, values: Values, scope: Scope) -> Trace<'s> {
        Trace::new(&mut self.graph, mechanism, values, &self.constants, &mut self.findings, scope)
    }

    /// The scope of one mechanism's code: its own arm where it can be off.
    fn enter(&mut self, mechanism: usize) -> Scope {
        if !self.region.switched {
            return None;
        }
        let switch = self.switch(mechanism);
        let branch = self.graph.new_branch(switch, None);
        Some((branch, Arm::Then))
    }

    /// The values of a mechanism's variables where its code runs: what earlier code left where it is off is not among them.
    fn own_values(&self, mechanism: usize, scope: Scope) -> Values {
        let mut values = self.values[mechanism].clone();
        let Some((branch, _)) = scope else { return values };
        let switch = self.graph.branch(branch).condition;
        for value in values.values_mut() {
            while let Node::Phi(joined, slot) = *self.graph.node(*value) {
                let joined = self.graph.branch(joined);
                if joined.condition != switch {
                    break;
                }
                *value = joined.slots[slot].0;
            }
        }
        values
    }

    /// After a mechanism's code: where it is off, nothing has changed.
    fn leave(&mut self, mechanism: usize, scope: Scope, before: &Values, after: &mut Values) {
        let Some((branch, _)) = scope else { return };
        let ions = &self.region.mechanisms[mechanism].ions;
        for (name, value) in after {
            // What an ion's variable was, the ion tells, and not the STATE of that name.
            let is_shown = |ion: &Ion| ion.uses(name) && (*name != ion.current() || ion.read.contains(name));
            let is_ion = ions.iter().any(is_shown) && self.ion_values.contains_key(name);
            let own = self.values[mechanism].get(name).filter(|_| !is_ion);
            if let Some(before) = own.or_else(|| before.get(name)) {
                *value = self.graph.join(branch, *value, *before);
            }
        }
    }

    /// What a full graph says after that is not to be believed.
    fn refuse_full(&self) -> Result<(), Refused> {
        if !self.graph.is_full() {
            return Ok(());
        }
        let message = "the derivative of this step is too large";
        let diagnostic = Diagnostic::refusal(Code::TooLarge, self.region.mechanisms[0].span, message)
            .label(if self.region.mechanisms.len() == 1 {
                "of this mechanism"
            } else {
                "of this mechanism and those beside it"
            })
            .help("fewer states, shorter loops and products, or --wrt with fewer parameters");
        Err(Refused { mechanism: 0, diagnostic })
    }

    fn derivative(&mut self, of: Id, by: Input) -> Id {
        self.diff.derivative(&mut self.graph, of, by)
    }
}
