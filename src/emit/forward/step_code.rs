//! The code of a row: the initial gradients, the coefficients of a step, the gradients of the states after it.

use serde::Serialize;

use super::in_c::Arrays;
use crate::emit::region::checks::flag_where;
use crate::emit::region::implicit_solve::substitution;
use crate::emit::region::load::Phase;
use crate::emit::region::sources::own_element;
use crate::emit::region::writer::Writer;
use crate::emit::text::code::Code;
use crate::emit::text::lines;
use crate::graph::{Graph, Id};

/// A PROCEDURE in NMODL.
#[derive(Serialize)]
pub(in crate::emit) struct Procedure {
    locals: String,
    code: Vec<String>,
    /// For direction `k`.
    in_loop: Vec<String>,
}

impl Writer<'_> {
    /// The gradients of the initial states.
    pub fn row_start(&self, code: &Code) -> Procedure {
        let (mut locals, mut body) = self.sources.load(&self.start_inputs, Phase::Start);
        locals.extend(code.locals());
        body.extend(code.statements());
        body.extend(flag_where(code, &self.linearised.failed_start));
        let mut factor = |id| code.factor(id);
        let (names, mut in_loop) =
            substitution(&self.linearised.start_implicit_solves, &|row, factor| self.terms(row, factor), &mut factor);
        locals.extend(names);
        for (state, gradient) in self.linearised.states.iter().zip(&self.gradients) {
            if let Some((_, start)) = state.own {
                body.push(format!("{} = {}", own_element(self.linearised, &state.kind), code.value(start)));
            }
            in_loop.extend(lines::sum(&format!("{gradient}[k]"), &self.terms(&state.start, &mut factor)));
        }
        Procedure { locals: lines::locals(&locals), code: body, in_loop }
    }

    /// `S` in direction `k`.
    pub fn source(&self, arrays: &Arrays, stored: &mut Stored) -> (Vec<String>, Vec<String>) {
        let terms = self.terms(&self.linearised.source, &mut |id| stored.factor(id));
        arrays.used(&lines::sum("S", &terms), true)
    }

    /// The gradients of the states after the step, in direction `k`.
    pub fn update(&self, arrays: &Arrays, stored: &mut Stored) -> (Vec<String>, Vec<String>, String) {
        let linearised = self.linearised;
        let mut factor = |id| stored.factor(id);
        let (mut locals, mut lines_) =
            substitution(&linearised.implicit_solves, &|row, factor| self.terms(row, factor), &mut factor);
        let mut set = Vec::new();
        for (index, (state, gradient)) in linearised.states.iter().zip(&self.gradients).enumerate() {
            if state.is_inactive {
                continue;
            }
            lines_.extend(lines::sum(&format!("y{index}"), &self.terms(&state.row, &mut factor)));
            set.push(format!("{gradient}[k] = y{index}"));
            locals.push(format!("y{index}"));
        }
        lines_.extend(if self.may_be_late() { self.tried_or_set(&set) } else { set });
        let (declared, text) = arrays.used(&lines_, false);
        (declared, text, locals.join(", "))
    }

    /// NMODL: all coefficients of a step.
    pub fn coefficients(&self, code: &Code, stored: &Stored) -> Procedure {
        let linearised = self.linearised;
        let (mut locals, mut body) = self.sources.load(&self.step_inputs, Phase::Step);
        locals.extend(code.locals());
        body.extend(code.statements());
        body.extend(flag_where(code, &linearised.failed));
        for state in &linearised.states {
            if let Some((Some(after), _)) = state.own {
                body.push(format!("{} = {}", own_element(linearised, &state.kind), code.value(after)));
            }
        }
        body.extend(self.checks(code));
        body.extend(stored.ids.iter().enumerate().map(|(index, id)| format!("c[{index}] = {}", code.value(*id))));
        Procedure { locals: lines::locals(&locals), code: body, in_loop: Vec::new() }
    }
}

/// Coefficients that C takes from `c`.
pub struct Stored<'a> {
    graph: &'a Graph,
    pub ids: Vec<Id>,
}

impl<'a> Stored<'a> {
    pub fn new(graph: &'a Graph) -> Self {
        Self { graph, ids: Vec::new() }
    }

    pub fn factor(&mut self, id: Id) -> String {
        if let Some(number) = self.graph.as_number(id).filter(|number| number.is_finite()) {
            return if number < 0.0 { format!("({number:?})") } else { format!("{number:?}") };
        }
        let known = self.ids.iter().position(|other| *other == id);
        let index = known.unwrap_or_else(|| {
            self.ids.push(id);
            self.ids.len() - 1
        });
        format!("coef[{index}]")
    }
}
