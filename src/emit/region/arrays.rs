//! Arrays that events write: elements, gradients, and both as the lagged step sees them.

use serde::Serialize;

use super::load::Phase;
use super::writer::Writer;
use crate::emit::text::code::Code;
use crate::emit::text::lines;
use crate::step::{Array, ArrayStore};

/// What comes through arrays, for each direction.
#[derive(Serialize)]
pub(in crate::emit) struct Through {
    locals: String,
    load: Vec<String>,
    in_loop: Vec<String>,
}

impl Writer<'_> {
    pub fn through_arrays(&self) -> Option<Through> {
        if self.array_terms.is_empty() {
            return None;
        }
        let code = Code::new(&self.linearised.graph, &self.array_terms);
        let inputs = self.linearised.graph.reachable_inputs(&self.array_terms, false);
        let (mut locals, load) = self.sources.load(&inputs, Phase::Step);
        locals.extend(code.locals());
        let mut in_loop = code.statements();
        in_loop.extend(self.array_terms.iter().map(|id| format!("{} = {}", self.through(*id), code.value(*id))));
        Some(Through { locals: lines::locals(&locals), load, in_loop })
    }

    /// ASSIGNED variables.
    pub fn array_variables(&self) -> Vec<String> {
        let mut names = Vec::new();
        for array in &self.linearised.arrays {
            let [then, now, then_gradient, gradient] = self.array_names(array);
            let length = array.start.len();
            names.extend([then, now].map(|name| format!("{name}[{length}]")));
            if array.is_active {
                let length = length * self.directions;
                names.extend([then_gradient, gradient].map(|name| format!("{name}[{length}]")));
            }
        }
        if !names.is_empty() {
            names.push("written".to_owned());
        }
        if !self.array_terms.is_empty() {
            names.push(format!("through[{}]", self.array_terms.len() * self.directions));
        }
        names
    }

    /// After INITIAL.
    pub fn start_arrays(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for array in &self.linearised.arrays {
            let [then, now, then_gradient, gradient] = self.array_names(array);
            let usual = array.start.last().copied().unwrap_or_default();
            let last = array.start.len().saturating_sub(1);
            lines.push(format!("FROM k = 0 TO {last} {{ {now}[k] = {usual:?}  {then}[k] = {usual:?} }}"));
            for (index, value) in array.start.iter().enumerate().filter(|(_, value)| value.to_bits() != usual.to_bits())
            {
                lines.push(format!("{now}[{index}] = {value:?}"));
                lines.push(format!("{then}[{index}] = {value:?}"));
            }
            if array.is_active {
                let last = array.start.len() * self.directions - 1;
                lines.push(format!("FROM k = 0 TO {last} {{ {gradient}[k] = 0  {then_gradient}[k] = 0 }}"));
            }
        }
        if !lines.is_empty() {
            lines.push("written = 0".to_owned());
        }
        lines
    }

    /// An event sets elements.
    pub fn array_stores(&self, stores: &[ArrayStore], code: &Code) -> Vec<String> {
        let mut lines = Vec::new();
        for store in stores {
            let array = &self.linearised.arrays[store.array];
            let [_, now, _, gradient] = self.array_names(array);
            let index = code.value(store.index);
            lines.push(format!("IF ({} != 0) {{", code.value(store.on)));
            lines.push(format!("    {now}[{index}] = {}", code.value(store.value)));
            for k in (0..self.directions).filter(|_| array.is_active) {
                let target = format!("    {gradient}[{} + {index}]", k * array.start.len());
                lines.extend(lines::sum(&target, &self.known_terms(&store.row, code, k)));
            }
            lines.push("    written = 1".to_owned());
            lines.push("}".to_owned());
        }
        lines
    }

    /// The lagged step needs what was there before later events.
    pub fn remember_arrays(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for array in &self.linearised.arrays {
            let [then, now, then_gradient, gradient] = self.array_names(array);
            let last = array.start.len().saturating_sub(1);
            lines.push(format!("    FROM k = 0 TO {last} {{ {then}[k] = {now}[k] }}"));
            if array.is_active {
                let last = array.start.len() * self.directions - 1;
                lines.push(format!("    FROM k = 0 TO {last} {{ {then_gradient}[k] = {gradient}[k] }}"));
            }
        }
        if !lines.is_empty() {
            lines.insert(0, "IF (written == 1) {".to_owned());
            lines.insert(1, "    written = 0".to_owned());
            lines.push("}".to_owned());
        }
        lines
    }

    /// Elements in the lagged step and now, and their gradients.
    fn array_names(&self, array: &Array) -> [String; 4] {
        let graph = &self.linearised.graph;
        let names = |input| {
            let at_event = graph.array(input).map_or("", |array| array.at_event.as_str());
            [graph.input_name(input).to_owned(), at_event.to_owned()]
        };
        let [then, now] = names(array.input);
        let tangent = graph.array(array.input).and_then(|array| array.tangent);
        let [then_gradient, gradient] = tangent.map(names).unwrap_or_default();
        [then, now, then_gradient, gradient]
    }
}
