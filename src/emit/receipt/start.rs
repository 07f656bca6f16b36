//! What the start of a run reads that later code changes: reverse mode remembers a run from its first step on.

use std::collections::BTreeSet;

use crate::emit::region::roots::changed_inputs;
use crate::graph::{Id, Input};
use crate::model::Role;
use crate::step::{ImplicitSolve, LinearForm, Linearised, Quantity, StateKind, When};

/// What INITIAL reads and events change: it is remembered as it is in the first step.
pub(in crate::emit) fn read_and_changed(linearised: &Linearised) -> Option<String> {
    linearised.receive.as_ref()?;
    let read = read_at_start(linearised, []);
    // Where a stream of random numbers begins is known.
    let is_stream = |input: &Input| match &linearised.quantities[input] {
        Quantity::Variable(mechanism, name, _) => {
            linearised.region.stream(&StateKind::Variable(*mechanism, name.clone())).is_some()
        }
        _ => false,
    };
    let mut changed = changed_inputs(linearised).into_iter().filter(|input| !is_stream(input));
    let changed = changed.find(|input| read.contains(input))?;
    match &linearised.quantities[&changed] {
        Quantity::Variable(_, name, _) => Some(name.clone()),
        _ => None,
    }
}

/// Variables that NEURON shows, that keep their value from run to run and that INITIAL reads before it may change them:
/// the first frame has what they are after it.
pub(in crate::emit) fn read_before_initial(linearised: &Linearised) -> impl Iterator<Item = (usize, String)> + '_ {
    // What NEURON does not show is computed again when INITIAL has run.
    let hidden = linearised.states.iter().filter_map(|state| state.own.map(|(_, start)| start));
    read_at_start(linearised, hidden).into_iter().filter_map(|input| {
        let Quantity::Variable(mechanism, name, When::Before) = &linearised.quantities[&input] else { return None };
        let kind = StateKind::Variable(*mechanism, name.clone());
        let is_state = linearised.states.iter().any(|state| state.kind == kind && state.own.is_none());
        let is_changed = is_state || linearised.passing.contains(&input);
        is_changed.then(|| (*mechanism, name.clone()))
    })
}

/// PARAMETERs that INITIAL may correct and must not in a run with a gradient: those of the directions, and those that it
/// reads.
pub(in crate::emit) fn corrected(linearised: &Linearised) -> BTreeSet<StateKind> {
    // Not one that steps or events set too.
    let is_settled = |kind: &StateKind| linearised.states.iter().any(|state| state.kind == *kind && state.is_settled);
    linearised.corrected.iter().cloned().chain(parameters_read(linearised).filter(is_settled)).collect()
}

/// The same for forward mode, which follows what steps and events do to a PARAMETER, and takes what it was before them
/// for what INITIAL has read.
pub(in crate::emit) fn corrected_in_forward_mode(linearised: &Linearised) -> BTreeSet<StateKind> {
    linearised.corrected.iter().cloned().chain(parameters_read(linearised)).collect()
}

fn parameters_read(linearised: &Linearised) -> impl Iterator<Item = StateKind> + '_ {
    let is_parameter = |mechanism: usize, name: &str| {
        let variable = linearised.region.mechanisms[mechanism].variable(name);
        variable.is_some_and(|variable| variable.role == Role::Parameter)
    };
    read_before_initial(linearised)
        .filter(move |(mechanism, name)| is_parameter(*mechanism, name))
        .map(|(mechanism, name)| StateKind::Variable(mechanism, name))
}

/// The inputs that the derivative of the start reads, and more values do.
fn read_at_start(linearised: &Linearised, values: impl IntoIterator<Item = Id>) -> BTreeSet<Input> {
    let rows = linearised.states.iter().map(|state| &state.start);
    let weights = linearised.receive.iter().flat_map(|receive| &receive.start_weights).map(|change| &change.row);
    let mut roots: Vec<Id> = rows.chain(weights).flat_map(LinearForm::coefficients).collect();
    roots.extend(linearised.start_implicit_solves.iter().flat_map(ImplicitSolve::coefficients));
    roots.extend(&linearised.failed_start);
    roots.extend(values);
    linearised.graph.reachable_inputs(&roots, false)
}
