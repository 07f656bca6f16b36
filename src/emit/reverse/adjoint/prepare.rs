//! What a step needs and does not change along a run: computed once, before the steps.

use std::collections::BTreeMap;

use crate::emit::reverse::frame::load::Moment;
use crate::emit::reverse::places::{element, loaded, sources};
use crate::emit::reverse::reversed::Reversed;
use crate::emit::text::code::Code;
use crate::graph::{Id, Input};

/// How many numbers are computed before the steps at each place: what INITIAL has made first.
pub fn prepared_count(reversed: &Reversed) -> usize {
    reversed.frame.recomputed.len() + reversed.invariants.len()
}

/// Where inputs of a step are that no frame has.
fn step_sources(reversed: &Reversed) -> BTreeMap<Input, String> {
    let quantities = reversed.linearised.quantities.iter();
    let recomputed = quantities.filter_map(|(input, quantity)| {
        reversed.frame.recomputed_as(quantity).map(|index| (*input, element("kept", index)))
    });
    sources(reversed.linearised).into_iter().chain(recomputed).collect()
}

/// The code of the step that has that already.
pub fn step_code<'a>(reversed: &Reversed<'a>) -> Code<'a> {
    let linearised = reversed.linearised;
    let first = reversed.frame.recomputed.len();
    let given =
        reversed.invariants.iter().enumerate().map(|(index, id)| (*id, element("kept", first + index))).collect();
    Code::in_c(&linearised.graph, &reversed.step.roots, step_sources(reversed), given)
}

/// Before the steps: what INITIAL has made and NEURON does not show, then what else does not change.
pub fn prepare(reversed: &Reversed) -> Vec<String> {
    let linearised = reversed.linearised;
    let own = reversed.frame.recomputed.iter().filter_map(|state| linearised.states[*state].own);
    let starts: Vec<Id> = own.map(|(_, start)| start).collect();
    let code = Code::in_c(&linearised.graph, &starts, sources(linearised), BTreeMap::new());
    let mut text = once(reversed, &starts, &code, Moment::Initial, 0);
    let ids = &reversed.invariants;
    let code = Code::in_c(&linearised.graph, ids, step_sources(reversed), BTreeMap::new());
    text.extend(once(reversed, ids, &code, Moment::Step, starts.len()));
    text
}

fn once(reversed: &Reversed, ids: &[Id], code: &Code, moment: Moment, first: usize) -> Vec<String> {
    if ids.is_empty() {
        return Vec::new();
    }
    let inputs = reversed.linearised.graph.reachable_inputs(ids, false);
    let mut text = vec!["{".to_owned()];
    text.extend(loaded(reversed.frame.load(&inputs, moment, reversed.reader()), code, &[]));
    let stores = ids.iter().enumerate();
    text.extend(stores.map(|(index, id)| format!("{} = {};", element("kept", first + index), code.value(*id))));
    text.push("}".to_owned());
    text
}
