//! The linear step, read backwards.
//!
//! A row says `x' = sum of c x`; backwards, the adjoint of `x'` flows with the
//! same `c` into the adjoint of each `x`. The substitutions of a
//! [`ImplicitSolve`] are undone in the opposite order:
//!
//! ```text
//! q_i = inverse_i (adjoint of z_i - sum_j upper_ji q_j)     top down
//! b_i = q_i - sum_k lower_ki b_k                                    bottom up
//! ```
//!
//! and `b_i` flows into what row `i` depends on.

use crate::emit::reverse::places::{adjoint_of, element};
use crate::emit::text::c::statements;
use crate::emit::text::code::Code;
use crate::emit::text::lines;
use crate::graph::Id;
use crate::step::{ImplicitSolve, LinearForm, Linearised, Source};

/// Products with what is known after the step: coefficient and name.
pub type Terms = Vec<(Id, String)>;

/// What flows into everything that the states after a step depend on.
#[derive(Debug, Default)]
pub struct Transposed {
    pub v_before: Terms,
    pub v_after: Terms,
    /// By POINTER to a voltage.
    pub pointer_before: Vec<Terms>,
    pub pointer_after: Vec<Terms>,
    /// By state.
    pub states: Vec<Terms>,
    /// By parameter.
    pub parameters: Vec<Terms>,
    /// What comes through arrays.
    pub arrays: Terms,
    /// By argument of `NET_RECEIVE`.
    pub arguments: Vec<Terms>,
    /// By solve and row.
    unknowns: Vec<Vec<Terms>>,
    /// LOCAL names and statements that must come first.
    pub names: Vec<String>,
    pub code: Vec<String>,
}

impl Transposed {
    /// `rows` are the states' rows; their adjoints are [`adjoint_of`].
    pub fn new<'a>(
        linearised: &Linearised,
        rows: impl Iterator<Item = &'a LinearForm>,
        implicit_solves: &[ImplicitSolve],
        code: &Code,
    ) -> Self {
        let mut transposed = Self {
            pointer_before: vec![Terms::new(); linearised.pointed.len()],
            pointer_after: vec![Terms::new(); linearised.pointed.len()],
            states: vec![Terms::new(); linearised.states.len()],
            parameters: vec![Terms::new(); linearised.parameters.len()],
            unknowns: implicit_solves.iter().map(|solve| vec![Terms::new(); solve.rows.len()]).collect(),
            ..Self::default()
        };
        for (index, row) in rows.enumerate() {
            transposed.add(row, &adjoint_of(index));
        }
        for (number, solve) in implicit_solves.iter().enumerate().rev() {
            transposed.undo(number, solve, code);
        }
        transposed
    }

    /// The transpose of rows without unknowns, by the adjoint of each.
    pub fn of_rows<'a>(linearised: &Linearised, rows: impl Iterator<Item = (&'a LinearForm, String)>) -> Self {
        let arguments = linearised.receive.as_ref().map_or(0, |receive| receive.arguments.len());
        let mut transposed = Self {
            states: vec![Terms::new(); linearised.states.len()],
            parameters: vec![Terms::new(); linearised.parameters.len()],
            arguments: vec![Terms::new(); arguments],
            pointer_before: vec![Terms::new(); linearised.pointed.len()],
            pointer_after: vec![Terms::new(); linearised.pointed.len()],
            ..Self::default()
        };
        for (row, name) in rows {
            transposed.add(row, &name);
        }
        transposed
    }

    fn add(&mut self, form: &LinearForm, name: &str) {
        for (source, id) in form.iter() {
            let terms = match source {
                Source::State(index) => &mut self.states[index],
                Source::VAfter => &mut self.v_after,
                Source::VBefore => &mut self.v_before,
                Source::PointerAfter(index) => &mut self.pointer_after[index],
                Source::PointerBefore(index) => &mut self.pointer_before[index],
                Source::Parameter(index) => &mut self.parameters[index],
                Source::Unknown(solve, row) => &mut self.unknowns[solve][row],
                Source::Argument(index) => &mut self.arguments[index],
                Source::Arrays => &mut self.arrays,
                // Refused in reverse mode: events at times that depend on anything.
                Source::Time => continue,
            };
            terms.push((id, name.to_owned()));
        }
    }

    fn undo(&mut self, number: usize, solve: &ImplicitSolve, code: &Code) {
        let q = |index: usize| format!("q{number}_{index}");
        let b = |index: usize| format!("b{number}_{index}");
        for (index, row) in solve.rows.iter().enumerate() {
            let mut sum = products(code, &self.unknowns[number][index]);
            for (above, other) in solve.rows.iter().enumerate().take(index) {
                for (_, id) in other.upper.iter().filter(|(unknown, _)| *unknown == index) {
                    sum.push(format!("-1*{}*{}", code.factor(*id), q(above)));
                }
            }
            self.code.extend(lines::sum(&q(index), &sum));
            self.code.push(format!("{} = {}*{}", q(index), q(index), code.factor(row.inverse)));
            self.names.extend([q(index), b(index)]);
        }
        for (index, row) in solve.rows.iter().enumerate().rev() {
            let mut sum = vec![q(index)];
            for (below, other) in solve.rows.iter().enumerate().skip(index + 1) {
                for (_, id) in other.lower.iter().filter(|(earlier, _)| *earlier == index) {
                    sum.push(format!("-1*{}*{}", code.factor(*id), b(below)));
                }
            }
            self.code.extend(lines::sum(&b(index), &sum));
            self.add(&row.row, &b(index));
        }
    }
}

/// The terms as text.
pub fn products(code: &Code, terms: &[(Id, String)]) -> Vec<String> {
    let product = |(id, name): &(Id, String)| match code.factor(*id).as_str() {
        "1" => name.clone(),
        coefficient => code.times(coefficient, name),
    };
    terms.iter().map(product).collect()
}

/// `target = plus + sum of the terms`
pub fn gather(code: &Code, target: &str, plus: Option<String>, terms: &Terms) -> Vec<String> {
    let terms: Vec<String> = plus.into_iter().chain(products(code, terms)).collect();
    statements(&lines::whole_sum(target, &terms))
}

/// What flows into parameters, added to what has.
pub fn totals(code: &Code, parameters: &[Terms]) -> Vec<String> {
    let mut text = Vec::new();
    for (index, terms) in parameters.iter().enumerate().filter(|(_, terms)| !terms.is_empty()) {
        text.push("{".to_owned());
        text.extend(gather(code, "const double flow", None, terms));
        text.push(format!("{} += scale[i]*flow;", element("total", index)));
        text.push("}".to_owned());
    }
    text
}
