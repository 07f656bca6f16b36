//! Arrays that events write, read backwards.
//!
//! Their elements stand among the fixed values, which the log of changes takes back on the way. Each element of an array
//! that a gradient goes through has an adjoint: a step adds to those that it read, the event that wrote an element takes
//! its adjoint. What a step has of one element is found by the gradient of the step where that element's is 1.

use super::transpose::{Terms, products};
use crate::emit::region::roots::array_terms;
use crate::emit::reverse::frame::load::Moment;
use crate::emit::reverse::places::{code, loaded};
use crate::emit::reverse::reversed::Reversed;
use crate::emit::text::c::{local, statements};
use crate::emit::text::code::Code;
use crate::emit::text::lines;
use crate::step::{Linearised, Source};

/// How many elements have adjoints.
pub fn active_elements(linearised: &Linearised) -> usize {
    first_adjoint(linearised, linearised.arrays.len())
}

/// Where the adjoints of an array's elements begin.
fn first_adjoint(linearised: &Linearised, array: usize) -> usize {
    let before = linearised.arrays.iter().take(array).filter(|array| array.is_active);
    before.map(|array| array.start.len()).sum()
}

/// The adjoint of the element of this index, a number or a text in C.
pub fn element_adjoint(linearised: &Linearised, array: usize, index: &str) -> String {
    format!("elements[({} + (long) ({index}))*n + i]", first_adjoint(linearised, array))
}

/// Pointers to the elements, at the place `i`.
pub fn contents(reversed: &Reversed) -> Vec<String> {
    let linearised = reversed.linearised;
    let arrays = linearised.arrays.iter().enumerate();
    arrays
        .map(|(number, array)| {
            let name = local(linearised.graph.input_name(array.input));
            format!("const double* const {name} = run->fixed + fixed + {};", reversed.frame.first_element(number))
        })
        .collect()
}

/// Where what waits for y begins that elements give to the current; None if they give nothing.
pub fn first_waiting(linearised: &Linearised, others: usize) -> Option<usize> {
    linearised.source.get(Source::Arrays).map(|_| others)
}

/// What a step hands back to the elements: `terms` are the products of what comes through arrays with adjoints.
pub fn hand_back(reversed: &Reversed, terms: &Terms, others: usize) -> Vec<String> {
    let linearised = reversed.linearised;
    if array_terms(linearised).is_empty() {
        return Vec::new();
    }
    let code = code(linearised, &reversed.through);
    let loads = reversed.frame.load(&reversed.through.inputs, Moment::Step, reversed.reader());
    let mut inner = tangents(linearised);
    inner.extend(loaded(loads, &code, &[]));
    if !terms.is_empty() {
        inner.extend(statements(&lines::whole_sum("elements[gm_at*n + i]", &sum(&code, terms))));
    }
    if let (Some(id), Some(first)) = (linearised.source.get(Source::Arrays), first_waiting(linearised, others)) {
        inner.push(format!("waiting[({first} + gm_at)*n + i] = {};", code.value(id)));
    }
    each(linearised, inner)
}

fn sum(code: &Code, terms: &Terms) -> Vec<String> {
    ["elements[gm_at*n + i]".to_owned()].into_iter().chain(products(code, terms)).collect()
}

/// What y makes of what waits.
pub fn finish(linearised: &Linearised, others: usize) -> Vec<String> {
    let Some(first) = first_waiting(linearised, others) else { return Vec::new() };
    each(linearised, vec![format!("elements[gm_at*n + i] -= waiting[({first} + gm_at)*n + i]*y;")])
}

/// A loop over all elements that have adjoints.
fn each(linearised: &Linearised, inner: Vec<String>) -> Vec<String> {
    let count = active_elements(linearised);
    let mut text = vec![format!("for (long gm_at = 0; gm_at < {count}; ++gm_at) {{")];
    text.extend(inner.into_iter().map(|line| format!("    {line}")));
    text.push("}".to_owned());
    text
}

/// Which element of each array is the one that the loop has come to.
fn tangents(linearised: &Linearised) -> Vec<String> {
    let active = linearised.arrays.iter().enumerate().filter(|(_, array)| array.is_active);
    active
        .filter_map(|(number, array)| {
            let tangent = linearised.graph.array(array.input)?.tangent?;
            let (name, first) = (local(linearised.graph.input_name(tangent)), first_adjoint(linearised, number));
            let end = first + array.start.len();
            Some(format!("const long {name} = gm_at >= {first} && gm_at < {end} ? gm_at - {first} : -1;"))
        })
        .collect()
}
