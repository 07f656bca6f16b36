//! What the emitted mechanisms of a region compute, by when their code runs.

use std::collections::BTreeSet;

use crate::graph::{Id, Input};
use crate::step;
use crate::step::{Change, ImplicitSolve, Linearised, Quantity, Receive, Sent, Source, StateKind, When};

/// The coefficients of a step, and what its checks compare.
pub(in crate::emit) fn step(linearised: &Linearised) -> Vec<Id> {
    let mut roots = vec![linearised.conductance];
    roots.extend(linearised.source.coefficients());
    roots.extend(&linearised.failed);
    roots.extend(linearised.receive.iter().flat_map(|receive| receive.currents.iter().flatten()));
    roots.extend(checks(linearised));
    roots.extend(linearised.implicit_solves.iter().flat_map(ImplicitSolve::coefficients));
    for state in &linearised.states {
        roots.extend(state.row.coefficients());
        roots.extend(state.own.and_then(|(after, _)| after));
    }
    roots
}

/// The start of a run.
pub(in crate::emit) fn start(linearised: &Linearised) -> Vec<Id> {
    let mut roots = linearised.failed_start.clone();
    roots.extend(linearised.start_implicit_solves.iter().flat_map(ImplicitSolve::coefficients));
    for state in &linearised.states {
        roots.extend(state.start.coefficients());
        roots.extend(state.own.map(|(_, start)| start));
    }
    roots
}

/// What must be computed for the checks of the states.
pub(in crate::emit) fn checks(linearised: &Linearised) -> impl Iterator<Item = Id> + '_ {
    linearised.checks.iter().flat_map(|check| [check.rest, check.size])
}

/// The parts of rows that arrays make, each once.
pub(in crate::emit) fn array_terms(linearised: &Linearised) -> Vec<Id> {
    let implicit_solves = linearised.implicit_solves.iter().flat_map(|solve| solve.rows.iter().map(|row| &row.row));
    let states = linearised.states.iter().map(|state| &state.row);
    let mut terms: Vec<Id> = Vec::new();
    for id in implicit_solves.chain(states).chain([&linearised.source]).filter_map(|form| form.get(Source::Arrays)) {
        if !terms.contains(&id) {
            terms.push(id);
        }
    }
    terms
}

/// The parameters that must not change during a run.
pub(in crate::emit) fn steady(linearised: &Linearised) -> impl Iterator<Item = Input> + '_ {
    linearised.parameters.iter().filter_map(|parameter| parameter.steady)
}

/// Everything that `NET_RECEIVE` computes when an event comes.
pub(in crate::emit) fn event(receive: &Receive) -> Vec<Id> {
    let changes = receive.states.iter().chain(&receive.weights);
    let mut roots: Vec<Id> = changes.flat_map(change).collect();
    roots.extend(
        receive
            .stores
            .iter()
            .flat_map(|store| store.row.coefficients().into_iter().chain([store.on, store.index, store.value])),
    );
    roots.extend(receive.sent.iter().flat_map(Sent::roots));
    if let Some((value, row)) = &receive.voltage {
        roots.extend(row.coefficients().into_iter().chain([*value]));
    }
    roots.push(receive.ordered);
    roots
}

/// What a point process does when no event comes, where the times of its events have derivatives.
pub(in crate::emit) fn flow(receive: &Receive) -> Vec<Id> {
    match &receive.timed {
        Some(Ok(step::TimedEvent { flow: Some(flow) })) => flow.slopes.iter().copied().chain([flow.current]).collect(),
        _ => Vec::new(),
    }
}

/// The conditions of WATCH statements, which are looked at between events.
pub(in crate::emit) fn watched(receive: &Receive) -> Vec<Id> {
    receive.sent.iter().flat_map(|sent| sent.watched().iter().copied()).collect()
}

/// What INITIAL, its own and that of `NET_RECEIVE`, computes for events.
pub(in crate::emit) fn event_start(receive: &Receive) -> Vec<Id> {
    let mut roots = sent_at_start(receive);
    roots.extend(start_weights(receive));
    roots
}

/// What INITIAL inside `NET_RECEIVE` computes for the weights of one `NetCon`.
pub(in crate::emit) fn start_weights(receive: &Receive) -> Vec<Id> {
    receive.start_weights.iter().flat_map(change).collect()
}

/// What INITIAL computes for the events that it sends.
pub(in crate::emit) fn sent_at_start(receive: &Receive) -> Vec<Id> {
    receive.start_sent.iter().flat_map(Sent::roots).collect()
}

fn change(change: &Change) -> Vec<Id> {
    change.row.coefficients().into_iter().chain([change.value]).collect()
}

/// The states that events change, as they are before a step.
pub(in crate::emit) fn changed_inputs(linearised: &Linearised) -> BTreeSet<Input> {
    let Some(receive) = &linearised.receive else { return BTreeSet::new() };
    let kinds: Vec<&StateKind> = receive.states.iter().map(|change| &linearised.states[change.target].kind).collect();
    let is_changed = |quantity: &Quantity| match quantity {
        Quantity::Variable(mechanism, name, When::Before) => {
            kinds.contains(&&StateKind::Variable(*mechanism, name.clone()))
        }
        _ => false,
    };
    let inputs = linearised.quantities.iter().filter(|(_, quantity)| is_changed(quantity));
    inputs.map(|(input, _)| *input).collect()
}
