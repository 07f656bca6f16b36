//! The coefficients of a step for several places at once: C whose loop a compiler turns into vector instructions, with
//! elementary functions of our own.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::emit::region::sources::own_element;
use crate::emit::region::writer::Writer;
use crate::emit::text::c::{declared, local, statements};
use crate::emit::text::code::Code;
use crate::graph::{Id, Input};
use crate::step::Quantity;

#[derive(Serialize)]
pub(in crate::emit) struct Block {
    /// How many numbers of a place the code reads, and how many it makes.
    reads: usize,
    makes: usize,
    /// C: at a place, what is read there.
    load: Vec<String>,
    /// In the loop over the places.
    compute: Vec<String>,
    /// At a place again.
    store: Vec<String>,
    /// Whether tables are on at a place.
    tables: Vec<String>,
    functions: BTreeSet<&'static str>,
}

impl Writer<'_> {
    /// `None` where a place has to be taken by itself: for loops, what events write into arrays, random numbers, POINTERs to
    /// variables, functions without a vector form.
    pub(in crate::emit) fn block(&self, stored: &[Id]) -> Option<Block> {
        let linearised = self.linearised;
        let (given, read) = self.given_and_read();
        let code = Code::in_c(&linearised.graph, &self.step_roots, given, BTreeMap::new());
        let alone = self.variables
            || !self.array_terms.is_empty()
            || !self.streams().is_empty()
            || !linearised.arrays.is_empty();
        if alone || !code.is_vector(&self.step_roots) {
            return None;
        }
        let mut load = Vec::new();
        let mut compute = Vec::new();
        let mut tables = Vec::new();
        for (number, input) in read.iter().enumerate() {
            let place = element("in", number);
            let name = local(linearised.graph.input_name(*input));
            load.push(format!("{place} = {};", self.sources.step_value(*input)));
            if matches!(linearised.quantities[input], Quantity::UseTable(_)) {
                tables.push(format!("{place} != 0."));
                compute.push(format!("const double {name} = tables ? {place} : 0.;"));
            } else {
                compute.push(format!("const double {name} = {place};"));
            }
        }
        load.push(format!("{} = fault;", element("in", read.len())));
        compute.push(format!("double flaw = {};", element("in", read.len())));
        compute.extend(declared(&code.locals()));
        compute.extend(statements(&code.statements()));
        compute.extend(linearised.failed.iter().map(|id| format!("if ({} != 0.) flaw = 3.;", code.value(*id))));
        compute.extend(statements(&self.checks(&code)).iter().map(|line| line.replace("fault", "flaw")));
        let own = linearised.states.iter().filter_map(|state| {
            let (after, _) = state.own?;
            Some((own_element(linearised, &state.kind), code.value(after?)))
        });
        let coefficients = stored.iter().enumerate().map(|(index, id)| (format!("c[{index}]"), code.value(*id)));
        let made: Vec<(String, String)> =
            own.chain(coefficients).chain([("fault".to_owned(), "flaw".to_owned())]).collect();
        let made_places = || made.iter().enumerate().map(|(number, both)| (element("out", number), both));
        compute.extend(made_places().map(|(place, (_, value))| format!("{place} = {value};")));
        Some(Block {
            reads: read.len() + 1,
            makes: made.len(),
            store: made_places().map(|(place, (target, _))| format!("{target} = {place};")).collect(),
            load,
            compute,
            tables,
            functions: code.functions(&self.step_roots),
        })
    }

    /// Inputs that are the same everywhere, and those that a place has.
    fn given_and_read(&self) -> (BTreeMap<Input, String>, Vec<Input>) {
        let linearised = self.linearised;
        let is_given = |input: &Input| matches!(linearised.quantities[input], Quantity::Factor(..));
        let (given, read): (Vec<Input>, Vec<Input>) = self.step_inputs.iter().copied().partition(is_given);
        let named = |input: Input| (input, linearised.graph.input_name(input).to_owned());
        (given.into_iter().map(named).collect(), read)
    }
}

fn element(array: &str, number: usize) -> String {
    format!("{array}[{number}*GM_WIDTH + i]")
}
