//! What forward mode can and reverse mode can't yet.

use crate::diagnostic::Diagnostic;
use crate::emit::events::changed_inputs;
use crate::graph::Id;
use crate::step::{Linearised, Quantity, Refused, Row, Stage};

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
    for (index, mechanism) in mechanisms.iter().enumerate() {
        if let Some(name) = mechanism.randoms.first() {
            let span = mechanism.variable(name).map_or(mechanism.span, |variable| variable.span);
            return refuse_at("reverse-random", index, span, format!("a stream of random numbers (`{name}`)"));
        }
    }
    Ok(())
}

/// What INITIAL reads and events change: it is remembered as it is in the first step.
fn read_too_late(linearised: &Linearised) -> Option<String> {
    let receive = linearised.receive.as_ref()?;
    let rows = linearised.states.iter().map(|state| &state.start);
    let weights = receive.start_weights.iter().map(|change| &change.row);
    let mut roots: Vec<Id> = rows.chain(weights).flat_map(Row::coefficients).collect();
    roots.extend(linearised.start_stages.iter().flat_map(Stage::coefficients));
    roots.extend(&linearised.failed_start);
    let read = linearised.graph.reachable_inputs(&roots, false);
    let late = changed_inputs(linearised).into_iter().find(|input| read.contains(input))?;
    match &linearised.quantities[&late] {
        Quantity::Variable(_, name, _) => Some(name.clone()),
        _ => None,
    }
}
