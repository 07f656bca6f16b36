//! What forward mode can and reverse mode can't yet.

use std::collections::BTreeSet;

use crate::diagnostic::Diagnostic;
use crate::emit::events::changed_inputs;
use crate::graph::{Id, Input};
use crate::step::{Linearised, Quantity, Receive, Refused, Row, Stage, StateKind, When};

/// Refuses a region that has no exact adjoint here.
pub fn refuse_reverse(linearised: &Linearised) -> Result<(), Refused> {
    let mechanisms = &linearised.region.mechanisms;
    let refuse_at = |code, mechanism, span, what: String| {
        let message = format!("{what} is not differentiated in reverse mode");
        let diagnostic = Diagnostic::refusal(code, span, message).help("forward mode does it");
        Err(Refused { mechanism, diagnostic })
    };
    let refuse = |code, what| refuse_at(code, 0, mechanisms[0].span, what);
    if let Some(array) = linearised.arrays.first() {
        let what = format!("an array that events write (`{}`)", array.name);
        return refuse("reverse-event-array", what);
    }
    if let Some(name) = read_too_late(linearised) {
        let what = format!("INITIAL that reads `{name}`, which events change,");
        return refuse("reverse-events", what);
    }
    if let Some(name) = read_before_initial(linearised) {
        let what = format!("a step that changes `{name}`, beside a start that reads what it was before,");
        return refuse("reverse-initial", what);
    }
    let mut late = linearised.receive.iter().flat_map(Receive::late);
    if late.any(|row| !(row.states.is_empty() && row.arguments.is_empty())) {
        let what = "an event that reads t and comes at a time that depends on a weight or a variable".to_owned();
        return refuse("reverse-event-time", what);
    }
    for (index, mechanism) in mechanisms.iter().enumerate() {
        if let Some(name) = mechanism.function_tables.first() {
            let what = format!("a FUNCTION_TABLE (`{name}`)");
            return refuse_at("reverse-function-table", index, mechanism.span, what);
        }
        if let Some(name) = mechanism.randoms.first() {
            let span = mechanism.variable(name).map_or(mechanism.span, |variable| variable.span);
            return refuse_at("reverse-random", index, span, format!("a stream of random numbers (`{name}`)"));
        }
    }
    Ok(())
}

/// What INITIAL reads and events change: it is remembered as it is in the first step.
fn read_too_late(linearised: &Linearised) -> Option<String> {
    linearised.receive.as_ref()?;
    let read = read_at_start(linearised);
    let late = changed_inputs(linearised).into_iter().find(|input| read.contains(input))?;
    match &linearised.quantities[&late] {
        Quantity::Variable(_, name, _) => Some(name.clone()),
        _ => None,
    }
}

/// A variable that NEURON shows and that keeps its value from run to run: the first frame has it after the start.
fn read_before_initial(linearised: &Linearised) -> Option<String> {
    read_at_start(linearised).into_iter().find_map(|input| {
        let Quantity::Variable(mechanism, name, When::Before) = &linearised.quantities[&input] else { return None };
        let kind = StateKind::Variable(*mechanism, name.clone());
        let is_kept = linearised.states.iter().any(|state| state.kind == kind && state.own.is_none());
        let is_changed = is_kept || linearised.passing.contains(&input);
        (is_changed && !linearised.corrected.contains(&kind)).then(|| name.clone())
    })
}

/// The inputs that the derivative of the start reads.
fn read_at_start(linearised: &Linearised) -> BTreeSet<Input> {
    let rows = linearised.states.iter().map(|state| &state.start);
    let weights = linearised.receive.iter().flat_map(|receive| &receive.start_weights).map(|change| &change.row);
    let mut roots: Vec<Id> = rows.chain(weights).flat_map(Row::coefficients).collect();
    roots.extend(linearised.start_stages.iter().flat_map(Stage::coefficients));
    roots.extend(&linearised.failed_start);
    linearised.graph.reachable_inputs(&roots, false)
}
