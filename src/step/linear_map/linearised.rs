//! A region's step with its derivatives, as emission sees it.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Diagnostic;
use crate::graph::{Graph, Id, Input};
use crate::step::{
    Array, Check, ImplicitSolve, LinearForm, Names, Parameter, Pointed, Quantity, Receive, Region, RegionIon,
    SharedTable, SpecialValue, StaleTable, StateKind,
};

/// Something that the step carries on from `t_n` to `t_{n+1}`.
#[derive(Clone, Debug)]
pub struct State {
    pub kind: StateKind,
    /// NEURON's name, `m_hh`
    pub public: String,
    /// The value at the end of a step.
    pub after: Id,
    /// The value after INITIAL.
    pub initial: Id,
    pub row: LinearForm,
    pub start: LinearForm,
    /// The values at the end of a step, if it changes them, and after INITIAL,
    /// if NEURON does not show them.
    pub own: Option<(Option<Id>, Id)>,
    /// NEURON shows its value at the end of a step, and nothing else changes it.
    pub is_watched: bool,
    /// The gradient is 0 in all directions, and nobody asks for it: see [`Linearised::prune_inactive`].
    pub is_inactive: bool,
    /// Only INITIAL sets it: neither a step nor an event does.
    pub is_settled: bool,
}

/// A region's step with its derivatives.
#[derive(Debug)]
pub struct Linearised {
    pub region: Region,
    pub graph: Graph,
    pub quantities: BTreeMap<Input, Quantity>,
    pub ions: Vec<RegionIon>,
    pub names: Names,
    /// The current, plus `d (V_{n+1} - V_n)`: what `S` is the derivative of
    pub current: Id,
    /// `d`
    pub conductance: Id,
    /// The sizes of what `current` is the sum of.
    pub current_size: Id,
    /// `S`
    pub source: LinearForm,
    pub states: Vec<State>,
    pub parameters: Vec<Parameter>,
    /// Voltages that POINTERs see.
    pub pointed: Vec<Pointed>,
    /// The linear equations that the rows of the states need, in order.
    pub implicit_solves: Vec<ImplicitSolve>,
    /// The linear equations that the start needs, in order.
    pub start_implicit_solves: Vec<ImplicitSolve>,
    pub receive: Option<Receive>,
    /// Arrays of a point process that events write.
    pub arrays: Vec<Array>,
    /// What NEURON's values at the end of a step must fulfil.
    pub checks: Vec<Check>,
    /// Parameters that INITIAL may correct; the derivative is that of a run in which it does not.
    pub corrected: Vec<StateKind>,
    /// Variables that code changes and no step hands on to the next.
    pub passing: BTreeSet<Input>,
    /// STATEs that a BREAKPOINT sets.
    pub set_by_currents: BTreeSet<StateKind>,
    /// Concentrations that one sets in the current phase.
    pub set_early: BTreeSet<StateKind>,
    /// What BEFORE BREAKPOINT sets.
    pub set_at_begin: BTreeSet<StateKind>,
    /// Public names of visible variables that no code changes.
    pub constants: Vec<String>,
    /// Not 0 where the step, or the start, is not the one that is differentiated.
    pub failed: Vec<Id>,
    pub failed_start: Vec<Id>,
    pub stale: Vec<StaleTable>,
    pub shared: Vec<SharedTable>,
    pub special_values: Vec<SpecialValue>,
    /// Code that was left out, by mechanism: a run that enters it is flagged.
    pub unfollowed: Vec<(String, Diagnostic)>,
}
