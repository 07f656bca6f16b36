//! Statements.

use super::verbatim::does_nothing;
use super::{refuse, Primes, Trace, Traced, Values, STATEMENT_LIMIT};
use crate::graph::{Arm, BranchId, Id, Scope};
use crate::syntax::ast::{Expr, LocalDefinition, Place, Statement, StatementKind};
use crate::syntax::span::Span;

impl Trace<'_> {
    pub fn statements(&mut self, statements: &[Statement]) -> Traced<()> {
        let mut shadowed: Vec<(String, Option<Id>)> = Vec::new();
        for statement in statements {
            if let StatementKind::Local(definitions) = &statement.kind {
                self.declare_locals(definitions, &mut shadowed)?;
            } else {
                self.statement(statement)?;
            }
        }
        for (name, before) in shadowed.into_iter().rev() {
            match before {
                Some(value) => self.frame().insert(name, value),
                None => self.frame().remove(&name),
            };
        }
        Ok(())
    }

    fn declare_locals(
        &mut self,
        definitions: &[LocalDefinition],
        shadowed: &mut Vec<(String, Option<Id>)>,
    ) -> Traced<()> {
        for definition in definitions {
            if definition.length.is_some() {
                let message = format!("`{}`: LOCAL arrays are not traced", definition.name.text);
                return Err(refuse("local-array", definition.name.span, message));
            }
            let name = definition.name.text.clone();
            let zero = self.graph.number(0.0);
            let before = self.frame().insert(name.clone(), zero);
            shadowed.push((name, before));
        }
        Ok(())
    }

    fn statement(&mut self, statement: &Statement) -> Traced<()> {
        self.statements += 1;
        if self.statements > STATEMENT_LIMIT {
            return Err(refuse("too-long", statement.span, "this loop runs too many statements"));
        }
        match &statement.kind {
            StatementKind::Assign(place, value) => {
                let value = self.expression(value)?;
                let key = self.place(place)?;
                self.assign(&key, value, place.name.span)
            }
            StatementKind::Prime(place, order, value) => {
                self.prime(place, *order, value, statement.span)
            }
            StatementKind::Expression(expr) => self.expression_statement(expr),
            StatementKind::If(branches, otherwise) => {
                self.conditional(branches, otherwise.as_deref())
            }
            StatementKind::From { variable, first, last, step, body } => {
                self.from(&variable.text, (first, last, step.as_ref()), body)
            }
            StatementKind::Group(body) | StatementKind::Initial(body) => self.statements(body),
            StatementKind::Protect(inner) => self.statement(inner),
            StatementKind::Verbatim(text) if does_nothing(&text.text) => Ok(()),
            StatementKind::Verbatim(text) => Err(Box::new(
                refuse("verbatim", text.span, "VERBATIM holds C code that is not differentiated")
                    .label("this code runs in the step")
                    .help("write it in NMODL, if it only computes numbers"),
            )),
            // Said elsewhere, or nothing to the values.
            StatementKind::Local(_)
            | StatementKind::Conductance(..)
            | StatementKind::Comment(_)
            | StatementKind::UnitsSwitch(_)
            | StatementKind::Word(_) => Ok(()),
            StatementKind::Solve(solve) => Err(refuse(
                "solve-place",
                statement.span,
                format!("SOLVE {} at this place is not differentiated", solve.block.text),
            )),
            StatementKind::Table(_) => Err(refuse(
                "table-place",
                statement.span,
                "TABLE must be in a PROCEDURE or FUNCTION with one argument",
            )),
            StatementKind::While(..) => {
                Err(refuse("while", statement.span, "WHILE loops are not differentiated"))
            }
            StatementKind::Reaction(_)
            | StatementKind::Conserve(..)
            | StatementKind::Compartment { .. }
            | StatementKind::LongitudinalDiffusion { .. }
            | StatementKind::Equation(..) => {
                Err(refuse("reaction", statement.span, "this statement is not differentiated"))
            }
            StatementKind::Watch(_) | StatementKind::ForNetcons(..) => {
                Err(refuse("event", statement.span, "events are not differentiated"))
            }
            StatementKind::Other(name, _) => Err(refuse(
                "statement",
                statement.span,
                format!("{} is not differentiated", name.text),
            )),
        }
    }

    fn prime(&mut self, place: &Place, order: u32, value: &Expr, span: Span) -> Traced<()> {
        if order != 1 {
            return Err(refuse("second-order", span, "equations of second order are not differentiated"));
        }
        let key = self.place(place)?;
        match self.primes.clone() {
            Primes::Exponential { dt } => {
                let new = self.exponential_step(&place.name.text, &key, value, dt)?;
                self.assign(&key, new, place.name.span)
            }
            Primes::Collect(mut collected) => {
                let value = self.expression(value)?;
                collected.retain(|(known, _)| *known != key);
                collected.push((key, value));
                self.primes = Primes::Collect(collected);
                Ok(())
            }
            Primes::None => {
                Err(refuse("derivative-place", span, "a differential equation outside DERIVATIVE"))
            }
        }
    }

    fn conditional(
        &mut self,
        branches: &[(Expr, Vec<Statement>)],
        otherwise: Option<&[Statement]>,
    ) -> Traced<()> {
        let Some(((condition, body), rest)) = branches.split_first() else {
            return otherwise.map_or(Ok(()), |body| self.statements(body));
        };
        let condition = self.expression(condition)?;
        match self.graph.as_number(condition) {
            Some(0.0) => return self.conditional(rest, otherwise),
            Some(_) => return self.statements(body),
            None => {}
        }
        self.branch(
            condition,
            |trace| trace.statements(body),
            |trace| trace.conditional(rest, otherwise),
        )
        .map(|_| ())
    }

    /// Runs one of two pieces of code, depending on a value of the simulation.
    pub(super) fn branch(
        &mut self,
        condition: Id,
        then: impl FnOnce(&mut Self) -> Traced<()>,
        otherwise: impl FnOnce(&mut Self) -> Traced<()>,
    ) -> Traced<BranchId> {
        let outer: Scope = self.scope;
        let branch = self.graph.new_branch(condition, outer);
        let before = (self.values.clone(), self.frame().clone(), self.primes.clone());
        self.scope = Some((branch, Arm::Then));
        then(self)?;
        let after_then = (
            std::mem::replace(&mut self.values, before.0),
            std::mem::replace(self.frame(), before.1),
            std::mem::replace(&mut self.primes, before.2),
        );
        self.scope = Some((branch, Arm::Else));
        otherwise(self)?;
        self.scope = outer;
        self.join_values(branch, after_then.0, false);
        self.join_values(branch, after_then.1, true);
        self.join_primes(branch, after_then.2);
        Ok(branch)
    }

    fn join_values(&mut self, branch: BranchId, then: Values, local: bool) {
        for (name, value) in then {
            let other = if local { self.frame().get(&name) } else { self.values.get(&name) };
            if let Some(other) = other.copied() {
                let joined = self.graph.join(branch, value, other);
                let values = if local { self.frame() } else { &mut self.values };
                values.insert(name, joined);
            }
        }
    }

    /// An equation that only one arm gives: the other arm leaves the state alone.
    fn join_primes(&mut self, branch: BranchId, then: Primes) {
        let (Primes::Collect(mut own), Primes::Collect(then)) = (self.primes.clone(), then) else {
            return;
        };
        let zero = self.graph.number(0.0);
        for (name, value) in &mut own {
            let other = then.iter().find(|(known, _)| known == name).map_or(zero, |(_, value)| *value);
            *value = self.graph.join(branch, other, *value);
        }
        for (name, value) in then {
            if !own.iter().any(|(known, _)| *known == name) {
                let joined = self.graph.join(branch, value, zero);
                own.push((name, joined));
            }
        }
        self.primes = Primes::Collect(own);
    }

    fn from(
        &mut self,
        variable: &str,
        (first, last, step): (&Expr, &Expr, Option<&Expr>),
        body: &[Statement],
    ) -> Traced<()> {
        let first = self.known_number(first)?;
        let last = self.known_number(last)?;
        let step = step.map_or(Ok(1.0), |step| self.known_number(step))?;
        if step <= 0.0 {
            return Ok(());
        }
        let before = self.frame().get(variable).copied();
        let mut index = first;
        while index <= last {
            let value = self.graph.number(index);
            self.frame().insert(variable.to_owned(), value);
            self.statements(body)?;
            // An empty body counts too.
            self.statements += 1;
            if self.statements > STATEMENT_LIMIT {
                return Err(refuse("too-long", Span::default(), "this loop runs too often"));
            }
            index += step;
        }
        match before {
            Some(value) => self.frame().insert(variable.to_owned(), value),
            None => self.frame().remove(variable),
        };
        Ok(())
    }

    fn known_number(&mut self, expr: &Expr) -> Traced<f64> {
        let value = self.expression(expr)?;
        self.graph.as_number(value).map(f64::trunc).ok_or_else(|| {
            refuse("computed-bound", expr.span, "how often this loop runs depends on the simulation")
        })
    }
}
