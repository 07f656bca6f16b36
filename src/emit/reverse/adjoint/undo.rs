//! An event, read backwards: the adjoints of the states and weights after it flow into the adjoints of those before,
//! of the voltage and of the parameters.

use std::collections::BTreeSet;

use serde::Serialize;

use super::transpose::{Transposed, gather, totals};
use crate::emit::reverse::frame::load::Moment;
use crate::emit::reverse::places::{adjoint_of, code, loaded};
use crate::emit::reverse::record::{HEAD, Record};
use crate::emit::reverse::reversed::Reversed;
use crate::emit::text::code::Code;
use crate::step::{Change, LinearForm, Receive};

#[derive(Serialize)]
pub struct Undo {
    arguments: usize,
    event: Vec<String>,
    /// INITIAL inside `NET_RECEIVE`, for one `NetCon`; empty if it does nothing.
    start: Vec<String>,
}

pub fn undo(reversed: &Reversed) -> Option<Undo> {
    let receive = reversed.linearised.receive.as_ref()?;
    Some(Undo { arguments: receive.arguments.len(), event: event(reversed, receive), start: start(reversed, receive) })
}

fn event(reversed: &Reversed, receive: &Receive) -> Vec<String> {
    let linearised = reversed.linearised;
    let code = code(linearised, &reversed.event);
    let record = Record::new(linearised, receive);
    let values = record.values.iter().enumerate();
    let loads = values
        .map(|(index, input)| (linearised.graph.input_name(*input).to_owned(), format!("entry[{}]", HEAD + index)))
        .collect();
    let map = Map::new(reversed, &receive.states, &receive.weights, receive.voltage.as_ref().map(|(_, row)| row));
    map.text(&code, loads, receive.arguments.len())
}

fn start(reversed: &Reversed, receive: &Receive) -> Vec<String> {
    if receive.start_weights.is_empty() {
        return Vec::new();
    }
    let linearised = reversed.linearised;
    let code = code(linearised, &reversed.start_weights);
    let mut loads = reversed.frame.load(&reversed.start_weights.inputs, Moment::Start, reversed.reader());
    loads.extend(receive.arguments.iter().enumerate().map(|(index, name)| (name.clone(), format!("given[{index}]"))));
    let map = Map::new(reversed, &[], &receive.start_weights, None);
    map.text(&code, loads, receive.arguments.len())
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
    fn new(reversed: &Reversed, states: &[Change], weights: &[Change], voltage: Option<&LinearForm>) -> Self {
        let own = states.iter().map(|change| (&change.row, adjoint_of(change.target)));
        let weight_rows = weights.iter().map(|change| (&change.row, weight_adjoint(change.target)));
        let voltage_row = voltage.map(|row| (row, "push".to_owned()));
        let flow = Transposed::of_rows(reversed.linearised, own.chain(weight_rows).chain(voltage_row));
        let rows = states.iter().chain(weights).map(|change| &change.row).chain(voltage);
        let read = rows.flat_map(LinearForm::states);
        let set_states: Vec<usize> = states.iter().map(|change| change.target).collect();
        Self {
            flow,
            states: set_states.iter().copied().chain(read).collect(),
            set_states,
            set_weights: weights.iter().map(|change| change.target).collect(),
            sets_voltage: voltage.is_some(),
        }
    }

    /// `loads` finds what the coefficients read; `flows` are the adjoints of the weights of the `NetCon`, if there
    /// is one.
    fn text(&self, code: &Code, loads: Vec<(String, String)>, arguments: usize) -> Vec<String> {
        let mut text = loaded(loads, code, &[]);
        let mut stores = Vec::new();
        if self.sets_voltage {
            // The adjoint of the voltage after the event.
            text.push("const double push = places->inertia[i]*run->y[places->node[i]];".to_owned());
        }
        for argument in 0..arguments {
            text.push(format!("const double {} = flows ? flows[{argument}] : 0.;", weight_adjoint(argument)));
        }
        for state in &self.states {
            let name = format!("e{state}");
            let own = (!self.set_states.contains(state)).then(|| adjoint_of(*state));
            text.extend(gather(code, &format!("const double {name}"), own, &self.flow.states[*state]));
            stores.push(format!("{} = {name};", adjoint_of(*state)));
        }
        if self.sets_voltage {
            text.extend(gather(code, "const double pushed", None, &self.flow.v_before));
            stores.push("run->y[places->node[i]] = pushed/places->inertia[i];".to_owned());
        } else if !self.flow.v_before.is_empty() {
            text.extend(gather(code, "carry[i]", Some("carry[i]".to_owned()), &self.flow.v_before));
        }
        text.extend(totals(code, &self.flow.parameters));
        for argument in 0..arguments {
            let own = (!self.set_weights.contains(&argument)).then(|| weight_adjoint(argument));
            text.extend(gather(code, &format!("const double n{argument}"), own, &self.flow.arguments[argument]));
            stores.push(format!("if (flows) flows[{argument}] = n{argument};"));
        }
        text.extend(stores);
        text
    }
}

/// The adjoint of a weight after the event.
fn weight_adjoint(argument: usize) -> String {
    format!("b{argument}")
}
