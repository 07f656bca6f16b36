//! One fixed step of NEURON for the mechanisms of a region, and its derivative.
//!
//! The step is traced in NEURON's order: [`current`] at the old voltage, then
//! [`state`] at the new one, concentration writers first; [`initial`] gives the
//! start. What POINTERs see is like one more voltage, [`pointed`]. [`linearise()`] differentiates it all. To add an integration method, add
//! a file beside [`derivimplicit`] and a line to [`state`].

mod event;
mod guard;
mod input;
mod linear_map;
mod method;
mod phase;

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use crate::diagnostic::{Code, Diagnostic};
use crate::diff::Differentiator;
use crate::graph::{Arm, Graph, Id, Input, Node, Scope};
use crate::model::{Ion, Kind, Mechanism};
use crate::trace::{Constants, Discontinuities, Values};

pub use event::event_time::{EventTimes, Flow, TimedEvent};
pub use event::receive::{Change, Receive, Sent};
pub use guard::refusals::refusals;
pub use guard::special_values::SpecialValue;
pub use guard::state_check::Check;
pub use guard::table_dependencies::{SharedTable, StaleTable};
pub use input::array::{Array, ArrayStore};
pub use input::ion::RegionIon;
pub use input::names::Names;
pub use input::parameter::Parameter;
pub use input::pointer::Pointed;
pub use input::quantity::{Quantity, When, elements};
pub use linear_map::implicit_solve::{ImplicitRow, ImplicitSolve};
pub use linear_map::linear_form::{LinearForm, Source};
pub use linear_map::linearise::{Linearised, State, linearise};
pub use linear_map::state_vector::StateKind;

/// A refusal, and the mechanism in whose source it lies.
#[derive(Debug)]
pub struct Refused {
    pub mechanism: usize,
    pub diagnostic: crate::diagnostic::Diagnostic,
}

/// Mechanisms that share segments, in NEURON's order.
#[derive(Clone, Debug)]
pub struct Region {
    pub name: String,
    pub mechanisms: Vec<Mechanism>,
    /// Each mechanism can be off in a segment.
    pub switched: bool,
}

impl Region {
    /// Whether one mechanism for all of it can have `area` and `diam`: NEURON 9.0's translator gives them the place of a
    /// RANDOM, and NEURON ends where it loads that.
    pub fn has_size(&self) -> bool {
        self.mechanisms.iter().all(|mechanism| mechanism.randoms.is_empty())
    }

    /// Mechanisms in the order of their types, put into the order in which
    /// NEURON runs them: those that write a concentration first, the last
    /// registered first among them (`nrn_writes_conc`).
    pub fn new(name: impl Into<String>, mechanisms: Vec<Mechanism>, switched: bool) -> Self {
        let (writers, others): (Vec<_>, Vec<_>) = mechanisms.into_iter().partition(Mechanism::writes_concentration);
        let mut mechanisms: Vec<Mechanism> = writers.into_iter().rev().chain(others).collect();
        let (mut streams, mut function_tables) = (0, 0);
        for mechanism in &mut mechanisms {
            mechanism.first_stream = streams;
            streams += mechanism.randoms.len();
            mechanism.first_function_table = function_tables;
            function_tables += mechanism.function_tables.len();
        }
        Self { name: name.into(), mechanisms, switched }
    }

    /// The number of the stream of random numbers whose place this is, if it is one.
    pub fn stream(&self, kind: &StateKind) -> Option<usize> {
        let StateKind::Variable(index, name) = kind else { return None };
        let mechanism = self.mechanisms.get(*index)?;
        let own = mechanism.randoms.iter().position(|known| known == name)?;
        Some(mechanism.first_stream + own)
    }

    pub fn kind(&self) -> Kind {
        self.mechanisms.first().map_or(Kind::Density, |mechanism| mechanism.kind)
    }
}

/// The step under construction.
struct Step<'a> {
    region: &'a Region,
    graph: Graph,
    diff: Differentiator,
    /// What each input is, by input.
    quantities: BTreeMap<Input, Quantity>,
    /// The same by quantity.
    inputs: FxHashMap<Quantity, Input>,
    constants: Constants,
    ions: Vec<RegionIon>,
    names: Names,
    /// Of the point process: arrays that are one value.
    arrays: Vec<Array>,
    /// Inputs that all mechanisms share.
    v_before: Input,
    v_after: Input,
    dt: Id,
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
    /// Concentrations that one sets.
    set_early: BTreeSet<StateKind>,
    /// What BEFORE BREAKPOINT sets: NEURON shows it one step longer than the step that has made it.
    set_at_begin: BTreeSet<StateKind>,
    /// What other segments left in variables that all have together.
    foreigns: guard::shared_variables::Foreigns,
    /// Those in a BREAKPOINT are not heeded when NEURON starts.
    discontinuities: Discontinuities,
}

impl Step<'_> {
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
