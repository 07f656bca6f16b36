//! FROM and WHILE, written out round by round, or kept as loops where only the simulation knows how often they run.

use super::{LOOP_LIMIT, Primes, STATEMENT_LIMIT, Trace, Traced, refuse};
use crate::diagnostic::Code;
use crate::graph::{Comparison, Work};
use crate::syntax::ast::{Expr, Statement};
use crate::syntax::span::Span;

impl Trace<'_> {
    pub(super) fn from(
        &mut self,
        variable: &str,
        (first, last, step): (&Expr, &Expr, Option<&Expr>),
        body: &[Statement],
    ) -> Traced<()> {
        let is_known = self.integer(last)?.is_some() && self.integer(first)?.is_some();
        if !is_known && self.is_idle(variable, body) {
            return Ok(());
        }
        let step = step.map_or(Ok(1), |step| self.known_number(step))?;
        if step <= 0 {
            return Ok(());
        }
        if !is_known && self.kept_loop(variable, (first, last, step), body)? {
            return Ok(());
        }
        let first = self.known_number(first)?;
        let before = self.frame().get(variable).copied();
        let result = self.rounds((variable, first, step), last, body, LOOP_LIMIT);
        match before {
            Some(value) => self.frame().insert(variable.to_owned(), value),
            None => self.frame().remove(variable),
        };
        result
    }

    /// The rounds of a FROM loop. Where the simulation tells how many there are, `left`
    /// are written out, and a simulation in which there are more is flagged.
    fn rounds(
        &mut self,
        (variable, mut index, step): (&str, i64, i64),
        last: &Expr,
        body: &[Statement],
        left: usize,
    ) -> Traced<()> {
        loop {
            #[allow(clippy::cast_precision_loss)]
            let value = self.graph.number(index as f64);
            if let Some(last) = self.integer(last)? {
                if index > last {
                    return Ok(());
                }
                self.frame().insert(variable.to_owned(), value);
                self.sequence(body)?;
                // An empty body counts too.
                self.statements += 1;
                if self.statements > STATEMENT_LIMIT {
                    return Err(refuse(Code::TooLong, Span::default(), "this loop runs too often"));
                }
                // No number is beyond the last one.
                let Some(next) = index.checked_add(step) else { return Ok(()) };
                index = next;
                continue;
            }
            let limit = self.integer_value(last)?;
            let goes_on = self.graph.compare(Comparison::Le, value, limit);
            if left == 0 {
                self.fail_where(goes_on);
                return Ok(());
            }
            let again = |trace: &mut Self| {
                trace.frame().insert(variable.to_owned(), value);
                trace.sequence(body)?;
                trace.rounds((variable, index.saturating_add(step), step), last, body, left - 1)
            };
            return self.branch(goes_on, again, |_| Ok(())).map(|_| ());
        }
    }

    /// WHILE: rounds that are known to come are run; of others, `left` are written out,
    /// and a simulation in which there are more is flagged.
    pub(super) fn repeat(&mut self, condition: &Expr, body: &[Statement], left: usize, span: Span) -> Traced<()> {
        loop {
            let goes_on = self.expression(condition)?;
            match self.graph.as_number(goes_on) {
                Some(0.0) => return Ok(()),
                Some(_) => {
                    self.sequence(body)?;
                    self.statements += 1;
                    if self.statements > STATEMENT_LIMIT {
                        return Err(refuse(Code::TooLong, span, "this loop runs too often"));
                    }
                }
                None if left == 0 => {
                    self.fail_where(goes_on);
                    return Ok(());
                }
                None => {
                    let again = |trace: &mut Self| {
                        trace.sequence(body)?;
                        trace.repeat(condition, body, left - 1, span)
                    };
                    return self.branch(goes_on, again, |_| Ok(())).map(|_| ());
                }
            }
        }
    }

    /// Whether a loop sets nothing, so that it does not matter how often it runs.
    fn is_idle(&mut self, variable: &str, body: &[Statement]) -> bool {
        let collects = self.equations.is_some() || self.residuals.is_some() || !matches!(self.primes, Primes::None);
        if collects {
            return false;
        }
        self.graph.charge(Work::Copies(self.values.len()));
        let before = (self.values.clone(), self.frames.clone());
        let index = self.graph.input("any");
        let index = self.graph.read(index);
        let shadowed = self.frame().insert(variable.to_owned(), index);
        let is_traced = self.tried(|trace| trace.sequence(body)).is_some();
        match shadowed {
            Some(value) => self.frame().insert(variable.to_owned(), value),
            None => self.frame().remove(variable),
        };
        let is_idle = is_traced && self.values == before.0 && self.frames == before.1;
        // What it took still counts: in loops within loops it doubles with each.
        (self.values, self.frames) = before;
        is_idle
    }

    fn known_number(&mut self, expr: &Expr) -> Traced<i64> {
        self.integer(expr)?
            .ok_or_else(|| refuse(Code::ComputedBound, expr.span, "how often this loop runs depends on the simulation"))
    }
}
