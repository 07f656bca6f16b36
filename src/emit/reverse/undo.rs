//! An event, read backwards: what the loss thinks of the states and weights after it
//! flows into what it thinks of those before, of the voltage and of the parameters.

use std::collections::BTreeSet;

use serde::Serialize;

use super::record::{all_coefficients, Record, HEAD};
use super::transpose::{products, Transposed};
use super::{verbatim, Reversed};
use crate::emit::code::Code;
use crate::emit::lines;
use crate::graph::Id;
use crate::step::{Change, Receive, Row};

#[derive(Serialize)]
pub(super) struct Undo {
    /// The slot of a frame that names the last event.
    slot: usize,
    arguments: usize,
    event: Vec<String>,
    /// INITIAL inside `NET_RECEIVE`, for one `NetCon`; empty if it does nothing.
    start: Vec<String>,
}

/// What the loss thinks of the weights of a `NetCon`.
const FLOWS: &str = "double* gm_flows = _lnetcon < 0. ? 0 : (double*)(size_t) flows + (size_t) _lnetcon;";

pub(super) fn undo(reversed: &Reversed) -> Option<Undo> {
    let receive = reversed.linearised.receive.as_ref()?;
    let slot = reversed.frame.moving.iter().position(|slot| *slot == super::frame::Slot::LastEvent)?;
    Some(Undo { slot, arguments: receive.arguments.len(), event: event(reversed, receive), start: start(reversed, receive) })
}

fn event(reversed: &Reversed, receive: &Receive) -> Vec<String> {
    let linearised = reversed.linearised;
    let roots = all_coefficients(receive);
    let code = Code::new(&linearised.graph, &roots);
    let record = Record::new(linearised, receive);
    let mut names = vec!["netcon".to_owned()];
    let mut loads = vec!["_lnetcon = gm_entry[2];".to_owned()];
    for (index, input) in record.values.iter().enumerate() {
        let name = linearised.graph.input_name(*input);
        loads.push(format!("_l{name} = gm_entry[{}];", HEAD + index));
        names.push(name.to_owned());
    }
    let entry = "const double* gm_entry = (const double*)(size_t) events + (size_t) _levent;";
    let map = Map::new(reversed, &receive.states, &receive.weights, receive.voltage.as_ref().map(|(_, row)| row));
    map.text(&code, names, verbatim(&[entry], loads), receive.arguments.len())
}

fn start(reversed: &Reversed, receive: &Receive) -> Vec<String> {
    if receive.start_weights.is_empty() {
        return Vec::new();
    }
    let linearised = reversed.linearised;
    let code = Code::new(&linearised.graph, &reversed.start_weights.roots);
    let (mut names, mut loads) = reversed.frame.load(&reversed.start_weights.inputs, true);
    for (index, name) in receive.arguments.iter().enumerate() {
        names.push(name.clone());
        loads.push(format!("_l{name} = gm_given[{index}];"));
    }
    let pointers = [
        super::adjoint::FIRST,
        super::adjoint::NOW,
        super::adjoint::FIXED,
        "const double* gm_given = (const double*)(size_t) weights + (size_t) _lnetcon; (void) gm_given;",
    ];
    let map = Map::new(reversed, &[], &receive.start_weights, None);
    map.text(&code, names, verbatim(&pointers, loads), receive.arguments.len())
}

/// The transposed map.
struct Map {
    flow: Transposed,
    states: BTreeSet<usize>,
    set_states: Vec<usize>,
    set_weights: Vec<usize>,
    sets_voltage: bool,
}

impl Map {
    fn new(reversed: &Reversed, states: &[Change], weights: &[Change], voltage: Option<&Row>) -> Self {
        let own = states.iter().map(|change| (&change.row, format!("m[{}]", change.target)));
        let weight_rows = weights.iter().map(|change| (&change.row, thought(change.target)));
        let voltage_row = voltage.map(|row| (row, "push".to_owned()));
        let flow = Transposed::of_rows(reversed.linearised, own.chain(weight_rows).chain(voltage_row));
        let rows = states.iter().chain(weights).map(|change| &change.row).chain(voltage);
        let read = rows.flat_map(|row| row.states.iter().map(|(state, _)| *state));
        let set_states: Vec<usize> = states.iter().map(|change| change.target).collect();
        Self {
            flow,
            states: set_states.iter().copied().chain(read).collect(),
            set_states,
            set_weights: weights.iter().map(|change| change.target).collect(),
            sets_voltage: voltage.is_some(),
        }
    }

    /// `loads` finds what the coefficients read, and `netcon`.
    fn text(&self, code: &Code, mut names: Vec<String>, loads: Vec<String>, arguments: usize) -> Vec<String> {
        let mut sums = Vec::new();
        let mut stores = Vec::new();
        for state in &self.states {
            let name = format!("e{state}");
            let own = (!self.set_states.contains(state)).then(|| format!("m[{state}]"));
            sums.extend(sum(code, &name, own, &self.flow.states[*state]));
            stores.push(format!("m[{state}] = {name}"));
            names.push(name);
        }
        if self.sets_voltage {
            names.extend(["push".to_owned(), "pushed".to_owned()]);
            sums.extend(sum(code, "pushed", None, &self.flow.v_before));
            stores.push("here = pushed/inertia".to_owned());
        } else if !self.flow.v_before.is_empty() {
            sums.extend(sum(code, "carry", Some("carry".to_owned()), &self.flow.v_before));
        }
        for (parameter, terms) in self.flow.parameters.iter().enumerate() {
            if !terms.is_empty() {
                sums.extend(sum(code, &format!("flow[{parameter}]"), None, terms));
                sums.push(format!("total[{parameter}] = total[{parameter}] + scale*flow[{parameter}]"));
            }
        }
        let mut take = vec![];
        let mut give = vec![];
        for argument in 0..arguments {
            let (before, after) = (thought(argument), format!("n{argument}"));
            let own = (!self.set_weights.contains(&argument)).then(|| before.clone());
            sums.extend(sum(code, &after, own, &self.flow.arguments[argument]));
            take.push(format!("_l{before} = gm_flows ? gm_flows[{argument}] : 0.;"));
            give.push(format!("gm_flows[{argument}] = _l{after};"));
            names.extend([before, after]);
        }
        let mut text = super::locals(names, code);
        text.extend(loads);
        if self.sets_voltage {
            // What the loss thinks of the voltage after the event.
            text.push("push = inertia*here".to_owned());
        }
        text.extend(verbatim(&[FLOWS], take));
        text.extend(code.statements());
        text.extend(sums);
        text.extend(stores);
        let give = [vec!["if (gm_flows) {".to_owned()], give, vec!["}".to_owned()]].concat();
        text.extend(verbatim(&[], give));
        text
    }
}

/// What the loss thinks of a weight after the event.
fn thought(argument: usize) -> String {
    format!("b{argument}")
}

fn sum(code: &Code, target: &str, plus: Option<String>, terms: &[(Id, String)]) -> Vec<String> {
    let terms: Vec<String> = plus.into_iter().chain(products(code, terms)).collect();
    lines::sum(target, &terms)
}
