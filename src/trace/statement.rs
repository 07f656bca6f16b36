//! Statements.

use super::{
    FAILED, LOOP_LIMIT, Primes, STATEMENT_LIMIT, Trace, Traced, Values, kept_slope, kept_slope_is_set, refuse,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Arm, BranchId, Comparison, Id, Scope, Work};
use crate::model::LONGEST;
use crate::syntax::ast::{Expr, Length, LocalDefinition, Place, Statement, StatementKind};
use crate::syntax::span::Span;
use crate::trace::equations::scheme;
use crate::trace::refused::AVOIDABLE;
use crate::trace::returns::without_returns;
use crate::trace::verbatim::{does_nothing, random_help};

/// Of one IF with its ELSE IFs.
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

    /// The same; what its own LOCAL variables are at its end.
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

    fn conditional(
        &mut self,
        branches: &[(Expr, Vec<Statement>)],
        otherwise: Option<&[Statement]>,
        in_arm: bool,
    ) -> Traced<()> {
        let run = if in_arm { Self::arm } else { Self::sequence };
        let Some(((condition, body), rest)) = branches.split_first() else {
            return otherwise.map_or(Ok(()), |body| run(self, body));
        };
        if rest.is_empty() && otherwise.is_none() && self.memo(condition, body)? {
            return Ok(());
        }
        let condition = self.expression(condition)?;
        match self.graph.as_number(condition) {
            Some(0.0) => return self.conditional(rest, otherwise, in_arm),
            Some(_) => return run(self, body),
            None => {}
        }
        self.branch(condition, |trace| trace.arm(body), |trace| trace.conditional(rest, otherwise, true)).map(|_| ())
    }

    /// Code that a simulation need not enter. Where it can't be followed, it is
    /// left out, and a simulation that enters it is flagged.
    fn arm(&mut self, body: &[Statement]) -> Traced<()> {
        if self.follows_all {
            return self.sequence(body);
        }
        self.graph.charge(Work::Copies(self.values.len()));
        let before = (self.values.clone(), self.frames.clone(), self.primes.clone(), self.scope);
        let equations = self.equations.clone();
        self.arms += 1;
        let result = self.sequence(body);
        self.arms -= 1;
        let Err(diagnostic) = result else { return Ok(()) };
        if !AVOIDABLE.contains(&diagnostic.code) {
            return Err(diagnostic);
        }
        (self.values, self.frames, self.primes, self.scope) = before;
        self.equations = equations;
        let one = self.graph.number(1.0);
        self.values.insert(FAILED.to_owned(), one);
        self.constants.note_unfollowed(&self.mechanism.name, &diagnostic);
        Ok(())
    }

    /// Runs one of two pieces of code, depending on a value of the simulation.
    pub fn branch(
        &mut self,
        condition: Id,
        then: impl FnOnce(&mut Self) -> Traced<()>,
        otherwise: impl FnOnce(&mut Self) -> Traced<()>,
    ) -> Traced<BranchId> {
        let outer: Scope = self.scope;
        let branch = self.graph.new_branch(condition, outer);
        self.graph.charge(Work::Copies(self.values.len()));
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
        let own = if local { self.frame() } else { &mut self.values };
        if own.len() == then.len() && own.keys().eq(then.keys()) {
            let mut joined = std::mem::take(own);
            for (other, value) in joined.values_mut().zip(then.into_values()) {
                *other = self.graph.join(branch, value, *other);
            }
            *(if local { self.frame() } else { &mut self.values }) = joined;
            return;
        }
        // Terms of equations that only the other arm has.
        let missing: Vec<String> =
            self.values.keys().filter(|name| !local && !then.contains_key(*name)).cloned().collect();
        for name in missing {
            if let Some(zero) = scheme::empty(&name, self.graph) {
                let joined = self.graph.join(branch, zero, self.values[&name]);
                self.values.insert(name, joined);
            }
        }
        for (name, value) in then {
            let other = if local { self.frame().get(&name) } else { self.values.get(&name) };
            let other = other.copied().or_else(|| scheme::empty(&name, self.graph));
            if let Some(other) = other {
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
    fn repeat(&mut self, condition: &Expr, body: &[Statement], left: usize, span: Span) -> Traced<()> {
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
        let before = (self.values.clone(), self.frames.clone(), self.statements);
        let index = self.graph.input("any");
        let index = self.graph.read(index);
        let shadowed = self.frame().insert(variable.to_owned(), index);
        let is_traced = self.tried(|trace| trace.sequence(body)).is_some();
        match shadowed {
            Some(value) => self.frame().insert(variable.to_owned(), value),
            None => self.frame().remove(variable),
        };
        let is_idle = is_traced && self.values == before.0 && self.frames == before.1;
        (self.values, self.frames, self.statements) = before;
        is_idle
    }

    fn known_number(&mut self, expr: &Expr) -> Traced<i64> {
        self.integer(expr)?
            .ok_or_else(|| refuse(Code::ComputedBound, expr.span, "how often this loop runs depends on the simulation"))
    }
}
