//! Arrays that events write at an index that they compute: queues, ring buffers.
//!
//! Such an array is one value. Its gradients are an array too, which an event writes at
//! the same index, at once: what is written may depend on parameters, on weights and
//! on what INITIAL has set, whose gradients are there when the event comes.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Id, Input, Scope};
use crate::model::{Kind, Mechanism, Role, Visibility};
use crate::step::linear_map::linear_form::{FormInputs, LinearForm};
use crate::step::{Quantity, Refused, Step};
use crate::syntax::ast::{Statement, StatementKind};
use crate::syntax::span::Span;
use crate::syntax::visit::statements;
use crate::trace::{Store, Values};

/// Arrays that are not longer are followed element by element; others only where they must be.
const SHORT: usize = 12;

#[derive(Clone, Debug)]
pub struct Array {
    pub name: String,
    pub input: Input,
    /// The elements after INITIAL.
    pub start: Vec<f64>,
    /// Some element may have a gradient.
    pub is_active: bool,
}

/// An element that an event sets.
#[derive(Clone, Debug)]
pub struct ArrayStore {
    /// Index into [`crate::step::Linearised::arrays`]
    pub array: usize,
    /// Not 0 if it is set.
    pub on: Id,
    pub index: Id,
    pub value: Id,
    pub row: LinearForm,
}

/// Arrays that are set at events and in INITIAL only, with their lengths.
pub(in crate::step) fn whole_arrays(mechanism: &Mechanism) -> Vec<(String, usize)> {
    let Some(receive) = &mechanism.receive else { return Vec::new() };
    let before_after = mechanism.before_after.iter().map(|(_, block)| block);
    let bodies = mechanism.blocks.values().chain(before_after).map(|block| &block.body);
    let elsewhere: BTreeSet<&str> = bodies.chain([&mechanism.breakpoint]).flat_map(|body| written(body)).collect();
    let at_events: BTreeSet<&str> = written(&receive.body).collect();
    let arrays = mechanism.variables.values().filter(|variable| {
        mechanism.kind == Kind::Point
            && variable.role == Role::Assigned
            && matches!(variable.visibility, Visibility::Range | Visibility::Hidden)
            && at_events.contains(variable.name.as_str())
            && !elsewhere.contains(variable.name.as_str())
    });
    let lengths = arrays.filter_map(|variable| Some((variable.name.clone(), variable.length?)));
    lengths.filter(|(_, length)| *length > SHORT).collect()
}

/// Arrays of which code sets elements.
fn written(code: &[Statement]) -> impl Iterator<Item = &str> {
    statements(code).filter_map(|statement| match &statement.kind {
        StatementKind::Assign(place, _) if place.index.is_some() => Some(place.name.text.as_str()),
        _ => None,
    })
}

impl Step<'_> {
    /// The input that stands for an array.
    pub(in crate::step) fn new_array(&mut self, mechanism: usize, name: &str, length: usize) -> Input {
        let base = format!("{}_{name}", self.region.mechanisms[mechanism].name);
        let names = [format!("{base}_n"), format!("{base}_now"), format!("D_{base}_n"), format!("D_{base}")];
        let names = names.map(|name| self.names.new_name(&name));
        let input = self.graph.new_array(length, [&names[0], &names[1]], [&names[2], &names[3]]);
        self.quantities.insert(input, Quantity::Array(name.to_owned()));
        if let Some(tangent) = self.graph.array(input).and_then(|array| array.tangent) {
            self.quantities.insert(tangent, Quantity::Array(format!("gradient of {name}")));
        }
        self.arrays.push(Array { name: name.to_owned(), input, start: Vec::new(), is_active: false });
        input
    }

    pub(in crate::step) fn is_whole(&self, name: &str) -> bool {
        self.arrays.iter().any(|array| array.name == name)
    }

    /// INITIAL must set all elements, to numbers: what was there before is not known.
    pub(in crate::step) fn start_arrays(
        &mut self,
        stores: &[Store],
        values: &Values,
        scope: Scope,
    ) -> Result<(), Refused> {
        let others: Vec<Id> = values.values().copied().filter(|id| self.graph.as_array(*id).is_none()).collect();
        let read = self.graph.reachable_inputs(&others, true);
        for array in &mut self.arrays {
            let length = self.graph.array(array.input).map_or(0, |array| array.length);
            let mechanism = &self.region.mechanisms[0];
            let span = mechanism.variable(&array.name).map_or(mechanism.span, |variable| variable.span);
            if read.contains(&array.input) {
                return Err(refuse_array(span, format!("INITIAL reads `{}`", array.name)));
            }
            let mut elements = vec![None; length];
            for store in stores.iter().filter(|store| store.array == array.input) {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let index = self.graph.as_number(store.index).map(|index| index as usize);
                let number = self.graph.as_number(store.value).filter(|_| store.scope == scope);
                match index.and_then(|index| elements.get_mut(index)).zip(number) {
                    Some((element, number)) => *element = Some(number),
                    None => return Err(refuse_array(store.span, "INITIAL sets an element to what is no number")),
                }
            }
            let Some(start) = elements.into_iter().collect() else {
                let message = format!("events write `{}`, and INITIAL does not set all of it", array.name);
                return Err(refuse_array(span, message));
            };
            array.start = start;
        }
        Ok(())
    }

    /// What events write; `settled` are the states that nothing changes after INITIAL.
    pub(in crate::step) fn array_stores(
        &mut self,
        stores: &[Store],
        inputs: &FormInputs,
        settled: &[bool],
    ) -> Result<Vec<ArrayStore>, Refused> {
        let mut found = Vec::new();
        let (zero, one) = (self.graph.number(0.0), self.graph.number(1.0));
        for store in stores {
            let Some(array) = self.arrays.iter().position(|array| array.input == store.array) else { continue };
            let value = self.graph.only_in(store.scope, store.value, zero);
            let index = self.graph.only_in(store.scope, store.index, zero);
            let row = self.form(value, inputs);
            if row.reads_voltage() || row.states().any(|state| !settled[state]) {
                let message = "what an event writes into an array depends on the voltage or on a state";
                return Err(refuse_array(store.span, message));
            }
            self.arrays[array].is_active |= !row.coefficients().is_empty();
            let on = self.graph.only_in(store.scope, one, zero);
            found.push(ArrayStore { array, on, index, value, row });
        }
        Ok(found)
    }

    pub(in crate::step) fn active_arrays(&self) -> Vec<Input> {
        self.arrays.iter().filter(|array| array.is_active).map(|array| array.input).collect()
    }

    /// The gradients of arrays are not followed through events.
    pub(in crate::step) fn refuse_arrays(&mut self, values: &[Id], span: Span) -> Result<(), Refused> {
        for array in self.active_arrays() {
            for value in values {
                let derivative = self.derivative(*value, array);
                if !self.graph.is_zero(derivative) {
                    return Err(refuse_array(span, "what an event changes depends on an array with a gradient"));
                }
            }
        }
        Ok(())
    }
}

fn refuse_array(span: Span, message: impl Into<String>) -> Refused {
    let diagnostic = Diagnostic::refusal(Code::EventArray, span, message)
        .help("a shorter array would be followed element by element");
    Refused { mechanism: 0, diagnostic }
}
