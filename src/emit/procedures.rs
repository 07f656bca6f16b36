//! The procedures of a region: the initial gradients, the coefficients of a
//! step, the gradients of the states after it.

use serde::Serialize;

use super::code::Code;
use super::lines;
use super::region::Writer;
use super::sources::{own_element, Phase};
use super::stages::{substitution, unknown_name};
use crate::graph::{Builtin, Id};
use crate::step::{Row, Stage, State};

#[derive(Serialize)]
pub(super) struct Procedure {
    locals: String,
    code: Vec<String>,
    in_loop: Vec<String>,
}

impl Writer<'_> {
    pub fn first(&self, code: &Code) -> Procedure {
        let (mut locals, mut body) = self.sources.load(&self.start_inputs, Phase::Start);
        locals.extend(code.locals());
        body.extend(code.statements());
        body.extend(flag_where(code, &self.linearised.failed_start));
        let mut factor = |id| code.factor(id);
        let (names, mut in_loop) = substitution(
            &self.linearised.start_stages,
            &|row, factor| self.terms(row, factor),
            &mut factor,
        );
        locals.extend(names);
        for (state, gradient) in self.linearised.states.iter().zip(&self.gradients) {
            if let Some((_, start)) = state.own {
                body.push(format!("{} = {}", own_element(self.linearised, &state.kind), code.value(start)));
            }
            let terms = self.terms(&state.start, &mut factor);
            in_loop.extend(lines::sum(&format!("{gradient}[k]"), &terms));
        }
        Procedure { locals: locals_statement(&locals), code: body, in_loop }
    }

    /// The procedures that make the coefficients of a step and use them.
    pub fn linearise(&self, code: &Code) -> (Procedure, Procedure) {
        let linearised = self.linearised;
        let (mut locals, mut body) = self.sources.load(&self.step_inputs, Phase::Step);
        locals.extend(code.locals());
        body.extend(code.statements());
        body.extend(flag_where(code, &linearised.failed));
        body.push(format!("d = {}", code.value(linearised.conductance)));
        for state in &linearised.states {
            if let Some((Some(after), _)) = state.own {
                body.push(format!("{} = {}", own_element(linearised, &state.kind), code.value(after)));
            }
        }
        body.extend(self.checks(code));
        let mut stored = 0;
        let mut store = |id: Id| {
            if linearised.graph.as_number(id).is_some() {
                return code.factor(id);
            }
            body.push(format!("c[{stored}] = {}", code.value(id)));
            stored += 1;
            format!("c[{}]", stored - 1)
        };
        let (mut ys, mut updates) =
            substitution(&linearised.stages, &|row, factor| self.terms(row, factor), &mut store);
        let mut copies = Vec::new();
        let moving = |(_, (state, _)): &(usize, (&State, &String))| !state.is_still;
        for (index, (state, gradient)) in linearised.states.iter().zip(&self.gradients).enumerate().filter(moving) {
            let terms = self.terms(&state.row, &mut store);
            updates.extend(lines::sum(&format!("y{index}"), &terms));
            copies.push(format!("{gradient}[k] = y{index}"));
        }
        if self.may_be_late() {
            copies = self.tried_or_set(&copies);
        }
        let row = &linearised.source;
        let mut terms: Vec<String> = row.arrays.iter().map(|id| self.through(*id)).collect();
        let gradients = row.states.iter().map(|(state, id)| (self.gradients[*state].clone(), *id));
        let far = row.far_before.iter().map(|(index, id)| (self.far[*index].gradient.clone(), *id));
        let voltage = row.v_before.map(|id| ("W".to_owned(), id));
        let parameters = row.parameters.iter().map(|(index, id)| (self.seeds[*index].clone(), *id));
        for (index, (name, id)) in gradients.chain(voltage).chain(far).chain(parameters).enumerate() {
            let coefficient = format!("s{index}");
            body.push(format!("{coefficient} = {}", code.value(id)));
            terms.push(self.product(id, &coefficient, &format!("{name}[k]")));
            locals.push(coefficient);
        }
        let source = lines::sum("S[k]", &terms);
        let moving = linearised.states.iter().enumerate().filter(|(_, state)| !state.is_still);
        ys.extend(moving.map(|(index, _)| format!("y{index}")));
        body.extend(self.remember_ends());
        updates.extend(copies);
        (
            Procedure { locals: locals_statement(&locals), code: body, in_loop: source },
            Procedure { locals: locals_statement(&ys), code: Vec::new(), in_loop: updates },
        )
    }

    /// The products of a row, for direction `k`.
    pub fn terms(&self, row: &Row, factor: &mut dyn FnMut(Id) -> String) -> Vec<String> {
        let states = row.states.iter().map(|(other, id)| (*id, format!("{}[k]", self.gradients[*other])));
        let after = row.v_after.map(|id| (id, "W_new[k]".to_owned()));
        let before = row.v_before.map(|id| (id, "W[k]".to_owned()));
        let far_after = row.far_after.iter().map(|(index, id)| (*id, format!("{}[k]", self.far[*index].new)));
        let far_before = row.far_before.iter().map(|(index, id)| (*id, format!("{}[k]", self.far[*index].gradient)));
        let parameters =
            row.parameters.iter().map(|(index, id)| (*id, format!("{}[k]", self.seeds[*index])));
        let unknowns = row.unknowns.iter().map(|(place, id)| (*id, unknown_name(*place)));
        let products = states
            .chain(after)
            .chain(before)
            .chain(far_after)
            .chain(far_before)
            .chain(parameters)
            .chain(unknowns)
            .map(|(id, name)| self.product(id, &factor(id), &name));
        products.chain(row.arrays.map(|id| self.through(id))).collect()
    }

    fn product(&self, id: Id, coefficient: &str, variable: &str) -> String {
        if self.infinite.contains(&id) {
            return format!("{}({coefficient}, {variable})", Builtin::Times.name());
        }
        product(coefficient, variable)
    }

    pub fn stored_coefficients(&self) -> usize {
        let rows = self.linearised.states.iter().flat_map(|state| state.row.coefficients());
        let stages = self.linearised.stages.iter().flat_map(Stage::coefficients);
        rows.chain(stages).filter(|id| self.linearised.graph.as_number(*id).is_none()).count()
    }
}

/// The step is not the one that is differentiated: say so.
fn flag_where(code: &Code, failed: &[Id]) -> Vec<String> {
    failed.iter().map(|id| format!("IF ({} != 0) {{ fault = 3 }}", code.value(*id))).collect()
}

pub(super) fn product(coefficient: &str, variable: &str) -> String {
    if coefficient == "1" {
        variable.to_owned()
    } else {
        format!("{coefficient}*{variable}")
    }
}

pub(super) fn locals_statement(names: &[String]) -> String {
    if names.is_empty() {
        String::new()
    } else {
        format!("LOCAL {}", lines::one_list(names))
    }
}
