//! What reverse mode computes of a region, by when the code runs.

use crate::emit::region::roots::{checks, sent_at_start, watched};
use crate::graph::Id;
use crate::step::{Change, ImplicitSolve, Linearised, Receive, Sent};

/// The derivative of a step, and what its checks compare.
pub(super) fn step(linearised: &Linearised) -> Vec<Id> {
    let mut roots = vec![linearised.conductance];
    roots.extend(linearised.source.coefficients());
    roots.extend(linearised.states.iter().flat_map(|state| state.row.coefficients()));
    roots.extend(linearised.implicit_solves.iter().flat_map(ImplicitSolve::coefficients));
    roots.extend(&linearised.failed);
    roots.extend([linearised.current, linearised.current_size]);
    roots.extend(checks(linearised));
    roots.extend(telling_currents(linearised).iter().flatten());
    roots
}

/// The derivative of the start of a run.
pub(super) fn start(linearised: &Linearised) -> Vec<Id> {
    let mut roots: Vec<Id> = linearised.states.iter().flat_map(|state| state.start.coefficients()).collect();
    roots.extend(linearised.start_implicit_solves.iter().flat_map(ImplicitSolve::coefficients));
    roots.extend(&linearised.failed_start);
    roots
}

/// The values after a step that NEURON does not show.
pub(super) fn own_step(linearised: &Linearised) -> Vec<Id> {
    linearised.states.iter().filter_map(|state| state.own?.0).collect()
}

/// The values after INITIAL that NEURON does not show.
pub(super) fn own_start(linearised: &Linearised) -> Vec<Id> {
    linearised.states.iter().filter_map(|state| Some(state.own?.1)).collect()
}

/// The coefficients of some changes.
pub(super) fn coefficients(changes: &[Change]) -> Vec<Id> {
    changes.iter().flat_map(|change| change.row.coefficients()).collect()
}

/// The coefficients of the map that an event is, of all that it changes.
pub(super) fn event_map(receive: &Receive) -> Vec<Id> {
    let mut ids = coefficients(&receive.states);
    ids.extend(coefficients(&receive.weights));
    ids.extend(receive.voltage.iter().flat_map(|(_, row)| row.coefficients()));
    for store in &receive.stores {
        ids.extend(store.row.coefficients().into_iter().chain([store.on, store.index]));
    }
    ids
}

/// The currents, NEURON's and ours, that tell of an event which did not come to the recorder: needed where its copies do
/// not tell, as they do of states that NEURON shows.
pub(super) fn telling_currents(linearised: &Linearised) -> &[[Id; 2]] {
    let Some(receive) = &linearised.receive else { return &[] };
    let is_hidden = |change: &Change| linearised.states[change.target].own.is_some();
    let is_needed = receive.voltage.is_some() || receive.states.iter().any(is_hidden);
    if is_needed { &receive.currents } else { &[] }
}

/// What the code of a recorder computes at an event.
pub(super) fn at_event(receive: &Receive) -> Vec<Id> {
    let changes = receive.states.iter().chain(&receive.weights);
    let sends = receive.sent.iter().flat_map(Sent::roots);
    let voltage = receive.voltage.iter().map(|(value, _)| *value);
    let stores = receive.stores.iter().flat_map(|store| [store.on, store.index, store.value]);
    changes.map(|change| change.value).chain(sends).chain(voltage).chain(stores).chain([receive.ordered]).collect()
}

/// All that a recorder computes for events, at the start and later.
pub(super) fn of_recorder(receive: &Receive) -> Vec<Id> {
    let starts = receive.start_weights.iter().map(|change| change.value);
    at_event(receive).into_iter().chain(starts).chain(sent_at_start(receive)).chain(watched(receive)).collect()
}
