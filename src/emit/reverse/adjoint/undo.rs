//! An event, read backwards: the adjoints of the states and weights after it flow into the adjoints of those before,
//! of the voltage and of the parameters.

use std::collections::BTreeSet;

use serde::Serialize;

use super::arrays::element_adjoint;
use super::transpose::{Transposed, gather, totals};
use crate::emit::reverse::frame::load::Moment;
use crate::emit::reverse::places::{adjoint_of, code, loaded};
use crate::emit::reverse::record::{HEAD, Record};
use crate::emit::reverse::reversed::Reversed;
use crate::emit::text::code::Code;
use crate::step::{ArrayStore, Change, LinearForm, Linearised, Receive};

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
    let voltage = receive.voltage.as_ref().map(|(_, row)| row);
    let map = Map::new(reversed, &receive.states, &receive.weights, voltage, &receive.stores);
    map.text(&code, loads, receive.arguments.len(), take_stores(linearised, &receive.stores, &code))
}

/// The adjoints of the elements that an event has set, the last one first: what was there before has none of them.
fn take_stores(linearised: &Linearised, stores: &[ArrayStore], code: &Code) -> Vec<String> {
    let mut text = Vec::new();
    for (number, store) in stores.iter().enumerate().rev().filter(|(_, store)| linearised.arrays[store.array].is_active)
    {
        let element = element_adjoint(linearised, store.array, &code.value(store.index));
        text.push(format!("double {} = 0.;", store_adjoint(number)));
        text.push(format!("if ({} != 0.) {{", code.value(store.on)));
        text.push(format!("    {} = {element};", store_adjoint(number)));
        text.push(format!("    {element} = 0.;"));
        text.push("}".to_owned());
    }
    text
}

fn start(reversed: &Reversed, receive: &Receive) -> Vec<String> {
    if receive.start_weights.is_empty() {
        return Vec::new();
    }
    let linearised = reversed.linearised;
    let code = code(linearised, &reversed.start_weights);
    let mut loads = reversed.frame.load(&reversed.start_weights.inputs, Moment::Start, reversed.reader());
    loads.extend(receive.arguments.iter().enumerate().map(|(index, name)| (name.clone(), format!("given[{index}]"))));
    let map = Map::new(reversed, &[], &receive.start_weights, None, &[]);
    map.text(&code, loads, receive.arguments.len(), Vec::new())
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
    fn new(
        reversed: &Reversed,
        states: &[Change],
        weights: &[Change],
        voltage: Option<&LinearForm>,
        stores: &[ArrayStore],
    ) -> Self {
        let own = states.iter().map(|change| (&change.row, adjoint_of(change.target)));
        let weight_rows = weights.iter().map(|change| (&change.row, weight_adjoint(change.target)));
        let voltage_row = voltage.map(|row| (row, "push".to_owned()));
        let is_active = |store: &ArrayStore| reversed.linearised.arrays[store.array].is_active;
        let active = || stores.iter().enumerate().filter(|(_, store)| is_active(store));
        let store_rows = active().map(|(number, store)| (&store.row, store_adjoint(number)));
        let flow =
            Transposed::of_rows(reversed.linearised, own.chain(weight_rows).chain(voltage_row).chain(store_rows));
        let rows = states.iter().chain(weights).map(|change| &change.row).chain(voltage);
        let rows = rows.chain(active().map(|(_, store)| &store.row));
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

    /// `loads` finds what the coefficients read; `taken` are the adjoints of elements of arrays; `flows` are the adjoints of the weights of the `NetCon`, if there
    /// is one.
    fn text(&self, code: &Code, loads: Vec<(String, String)>, arguments: usize, taken: Vec<String>) -> Vec<String> {
        let mut text = loaded(loads, code, &[]);
        text.extend(taken);
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

/// The adjoint of what was written into an array.
fn store_adjoint(number: usize) -> String {
    format!("a{number}")
}

/// The adjoint of a weight after the event.
fn weight_adjoint(argument: usize) -> String {
    format!("b{argument}")
}
