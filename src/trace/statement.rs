//! Statements.

use super::{LOOP_LIMIT, Primes, STATEMENT_LIMIT, Trace, Traced, Values, refuse};
use crate::diagnostic::{Code, Diagnostic};
use crate::graph::Id;
use crate::model::{LONGEST, kept_slope, kept_slope_is_set};
use crate::syntax::ast::{Expr, Length, LocalDefinition, Place, Statement, StatementKind};
use crate::syntax::span::Span;
use crate::trace::returns::without_returns;
use crate::trace::verbatim::{does_nothing, random_help};

/// Branches that one IF may have, its ELSE IFs included.
const BRANCHES: usize = 200;

impl Trace<'_> {
    /// All of a block's code, or of what ends with it: `return` ends it.
    pub fn statements(&mut self, statements: &[Statement]) -> Traced<()> {
        match without_returns(statements) {
            Some(rewritten) => self.sequence(&rewritten),
            None => self.sequence(statements),
        }
    }

    /// Code with more after it.
    pub fn sequence(&mut self, statements: &[Statement]) -> Traced<()> {
        self.with_locals(statements).map(|_| ())
    }

    /// What the LOCAL variables of this code are at its end, which more code may follow.
    pub fn with_locals(&mut self, statements: &[Statement]) -> Traced<Values> {
        let mut shadowed: Vec<(String, Option<Id>)> = Vec::new();
        for statement in statements {
            if let StatementKind::Local(definitions) = &statement.kind {
                self.declare_locals(definitions, &mut shadowed)?;
            } else {
                self.statement(statement).or_else(|refused| self.go_on(refused))?;
            }
        }
        let mut locals = Values::new();
        for (name, before) in shadowed.into_iter().rev() {
            let last = match before {
                Some(value) => self.frame().insert(name.clone(), value),
                None => self.frame().remove(&name),
            };
            locals.extend(last.map(|last| (name, last)));
        }
        Ok(locals)
    }

    fn declare_locals(
        &mut self,
        definitions: &[LocalDefinition],
        shadowed: &mut Vec<(String, Option<Id>)>,
    ) -> Traced<()> {
        for definition in definitions {
            let name = &definition.name.text;
            let names = match &definition.length {
                None => vec![name.clone()],
                Some(length) => {
                    let length = self.length(length, definition.name.span)?;
                    if length > LONGEST {
                        let message = format!("`{name}` has more than {LONGEST} elements");
                        let diagnostic = Diagnostic::refusal(Code::TooLarge, definition.name.span, message);
                        return Err(Box::new(diagnostic.help("a shorter array")));
                    }
                    (0..length).map(|index| format!("{name}[{index}]")).collect()
                }
            };
            for name in names {
                let zero = self.graph.number(0.0);
                let before = self.frame().insert(name.clone(), zero);
                shadowed.push((name, before));
            }
        }
        Ok(())
    }

    fn length(&self, length: &Length, span: Span) -> Traced<usize> {
        let value = match length {
            Length::Number(length) => return Ok(*length),
            Length::Define(define) => self.mechanism.defines.get(&define.text),
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        value
            .map(|value| *value as usize)
            .ok_or_else(|| refuse(Code::ArrayLength, span, "the length of this array is not known"))
    }

    fn statement(&mut self, statement: &Statement) -> Traced<()> {
        self.statements += 1;
        if self.statements > STATEMENT_LIMIT {
            return Err(refuse(Code::TooLong, statement.span, "this loop runs too many statements"));
        }
        if self.graph.is_full() {
            return Err(refuse(
                Code::TooLarge,
                statement.span,
                "the code up to here, calls and loops written out, is too large",
            ));
        }
        match &statement.kind {
            StatementKind::Assign(place, value) => {
                let value = self.expression(value)?;
                if let Some(index) = &place.index {
                    if let Some(array) = self.whole_array(&place.name.text) {
                        return self.store(array, index, value, statement.span);
                    }
                    if self.integer(index)?.is_none() {
                        return self.assign_some_element(&place.name.text, index, value);
                    }
                }
                let key = self.place(place)?;
                self.assign(&key, value, place.name.span)
            }
            StatementKind::Prime(place, order, value) => self.prime(place, *order, value, statement.span),
            StatementKind::Expression(expr) => self.expression_statement(expr),
            StatementKind::If(branches, _) if branches.len() > BRANCHES => {
                let message = format!("this IF has more than {BRANCHES} branches, each of them inside the one before");
                Err(refuse(Code::TooLong, statement.span, message))
            }
            StatementKind::If(branches, otherwise) => self.conditional(branches, otherwise.as_deref(), false),
            StatementKind::From { variable, first, last, step, body } => {
                self.from(&variable.text, (first, last, step.as_ref()), body)
            }
            StatementKind::Group(body) | StatementKind::Initial(body) => self.sequence(body),
            StatementKind::Protect(inner) => self.statement(inner),
            StatementKind::Verbatim(text) if does_nothing(&text.text) => Ok(()),
            StatementKind::Verbatim(text) => Err(Box::new(
                refuse(Code::Verbatim, text.span, "VERBATIM holds C code that is not differentiated")
                    .label("this code runs in the step")
                    .help(random_help(&text.text).unwrap_or("write it in NMODL, if it only computes numbers")),
            )),
            // Said elsewhere, or nothing to the values.
            StatementKind::Local(_)
            | StatementKind::Conductance(..)
            | StatementKind::Comment(_)
            | StatementKind::UnitsSwitch(_)
            | StatementKind::Word(_) => Ok(()),
            StatementKind::Solve(solve) => match self.solver.take() {
                Some(solver) => {
                    // A SOLVE in the block that is solved is a call, wherever the first one stands.
                    let result = solver(self, solve);
                    self.solver = Some(solver);
                    result
                }
                None => self.solve_in_place(solve, statement.span),
            },
            StatementKind::Table(_) => Err(refuse(
                Code::TablePlace,
                statement.span,
                "TABLE must be in a PROCEDURE or FUNCTION with one argument",
            )),
            StatementKind::While(condition, body) => self.repeat(condition, body, LOOP_LIMIT, statement.span),
            StatementKind::Reaction(reaction) => self.reaction(reaction, statement.span),
            StatementKind::Conserve(species, total) => self.conserve(species, total, statement.span),
            // Its volumes have been taken at the start of the block.
            StatementKind::Compartment { .. } => Ok(()),
            StatementKind::LongitudinalDiffusion { .. } => Err(refuse(
                Code::LongitudinalDiffusion,
                statement.span,
                "LONGITUDINAL_DIFFUSION couples segments, which is not differentiated",
            )),
            StatementKind::Equation(left, right) => self.equation(left, right, statement.span),
            StatementKind::Watch(watches) => {
                watches.iter().try_for_each(|(condition, flag)| self.watch(condition, flag))
            }
            StatementKind::ForNetcons(..) => Err(refuse(
                Code::Event,
                statement.span,
                "FOR_NETCONS changes the weights of other NetCons: not differentiated",
            )),
            StatementKind::Other(name, _) => {
                Err(refuse(Code::Statement, statement.span, format!("{} is not differentiated", name.text)))
            }
        }
    }

    fn prime(&mut self, place: &Place, order: u32, value: &Expr, span: Span) -> Traced<()> {
        if order != 1 {
            return Err(refuse(Code::SecondOrder, span, "equations of second order are not differentiated"));
        }
        if !self.mechanism.states.contains(&place.name.text) {
            let message = format!("a differential equation of `{}`, which is no STATE", place.name.text);
            return Err(refuse(Code::DerivativePlace, place.name.span, message));
        }
        let key = self.place(place)?;
        match self.primes.clone() {
            Primes::Exponential { dt } => {
                let new = self.without_draws(|trace| trace.exponential_step(&place.name.text, &key, value, dt))?;
                self.assign(&key, new, place.name.span)
            }
            Primes::Collect(mut collected) => {
                let value = self.expression(value)?;
                if self.values.contains_key(&kept_slope(&key)) {
                    let one = self.graph.number(1.0);
                    self.values.insert(kept_slope(&key), value);
                    self.values.insert(kept_slope_is_set(&key), one);
                }
                collected.retain(|(known, _)| *known != key);
                collected.push((key, value));
                self.primes = Primes::Collect(collected);
                Ok(())
            }
            Primes::None => Err(refuse(Code::DerivativePlace, span, "a differential equation outside DERIVATIVE")),
        }
    }
}
