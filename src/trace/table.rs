//! TABLE: linear interpolation between the grid points, constant outside.
//!
//! Lowered to what NEURON does, so that no rule for tables is needed: which
//! interval the argument is in has no derivative, where in the interval it is
//! does. With `usetable` 0 the body itself runs.
//!
//! NEURON fills a table anew only when a variable of its DEPEND list has
//! changed. What else the body reads is reported as [`Constants::unwatched`]. What
//! the body sets besides the table's columns is left from the last filling;
//! such a value is an input without a derivative, [`Constants::leftovers`].

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::scheme::elements;
use super::{refuse, Trace, Traced, FAILED};
use crate::graph::{Builtin, Comparison, Id, Input};
use crate::diagnostic::Diagnostic;
use crate::syntax::ast::{Block, Length, Signature, Table};
use crate::syntax::span::Span;

/// The variable that holds the mechanism's `usetable` switch.
pub const USETABLE: &str = "usetable";

/// Inputs that can't change while a simulation runs, so that a TABLE may depend on them.
#[derive(Debug, Default)]
pub struct Constants {
    inputs: BTreeSet<Input>,
    /// Those of them that can't change at all.
    fixed: BTreeSet<Input>,
    /// Those of them that have a value in every segment.
    ranges: BTreeSet<Input>,
    unwatched: RefCell<BTreeMap<(String, String), BTreeSet<Input>>>,
    shared: RefCell<BTreeMap<(String, String), Shared>>,
    leftovers: RefCell<BTreeMap<Input, Leftover>>,
    unfollowed: RefCell<Vec<(String, Diagnostic)>>,
}

/// What the filling of a table left in a variable that is no column of it.
#[derive(Clone, Debug)]
pub struct Leftover {
    /// The mechanism.
    pub mechanism: String,
    pub variable: String,
    /// The TABLE statement.
    pub span: Span,
}

/// The variables of one segment that a table for all segments is made of.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    pub inputs: BTreeSet<Input>,
    /// Those of them in the DEPEND list.
    pub watched: BTreeSet<Input>,
    /// The TABLE statement.
    pub span: Span,
}

impl Constants {
    pub(super) fn note_unfollowed(&self, mechanism: &str, diagnostic: &Diagnostic) {
        let mut notes = self.unfollowed.borrow_mut();
        let place = (diagnostic.code, diagnostic.span.start);
        let is_known = notes.iter().any(|(name, known)| {
            name == mechanism && (known.code, known.span.start) == place
        });
        if !is_known {
            notes.push((mechanism.to_owned(), diagnostic.clone()));
        }
    }

    /// By mechanism: why code in an arm of a conditional was left out.
    pub fn unfollowed(&self) -> Vec<(String, Diagnostic)> {
        self.unfollowed.borrow().clone()
    }

    pub fn insert_range(&mut self, input: Input) {
        self.inputs.insert(input);
        self.ranges.insert(input);
    }

    /// By mechanism and tabulated block.
    pub fn shared(&self) -> BTreeMap<(String, String), Shared> {
        self.shared.borrow().clone()
    }

    pub fn insert(&mut self, input: Input) {
        self.inputs.insert(input);
    }

    pub fn insert_fixed(&mut self, input: Input) {
        self.inputs.insert(input);
        self.fixed.insert(input);
    }

    /// By mechanism and tabulated block: what the table is made of and does not DEPEND on.
    pub fn unwatched(&self) -> BTreeMap<(String, String), BTreeSet<Input>> {
        self.unwatched.borrow().clone()
    }

    pub fn leftovers(&self) -> BTreeMap<Input, Leftover> {
        self.leftovers.borrow().clone()
    }
}

impl Trace<'_> {
    pub(super) fn tabulated(
        &mut self,
        (table, span): (&Table, Span),
        block: &Block,
        signature: &Signature,
        is_function: bool,
        arguments: &[Id],
    ) -> Traced<Id> {
        let [argument] = arguments else {
            return Err(refuse("table-arguments", span, "a TABLE needs exactly one argument"));
        };
        let columns = table.names.iter().map(|name| &name.text);
        let mut names: Vec<String> = columns
            .flat_map(|name| self.mechanism.variable(name).map_or_else(|| vec![name.clone()], elements))
            .collect();
        if is_function {
            names = vec![RESULT.to_owned()];
        }
        let procedure = Tabulated { block, signature, is_function, names, span };
        let from = self.expression(&table.from)?;
        let to = self.expression(&table.to)?;
        self.without_draws(|trace| trace.depends_on_constants_only(&procedure, table, [from, to]))?;
        let intervals = self.intervals(&table.with, span)?;
        let usetable = self.lookup(USETABLE).unwrap_or_else(|| self.graph.number(1.0));
        let zero = self.graph.number(0.0);
        let on = self.graph.compare(Comparison::Ne, usetable, zero);
        // The value of a FUNCTION goes through the branches as a local of its own.
        self.frame().insert(RESULT.to_owned(), zero);
        let argument = *argument;
        self.branch(
            on,
            |trace| trace.interpolated(&procedure, argument, (from, to), intervals),
            |trace| {
                let value = trace.body(block, signature, is_function, &[argument])?;
                trace.frame().insert(RESULT.to_owned(), value);
                Ok(())
            },
        )?;
        Ok(self.frame().remove(RESULT).unwrap_or(zero))
    }

    fn intervals(&mut self, with: &Length, span: Span) -> Traced<Id> {
        let number = match with {
            #[allow(clippy::cast_precision_loss)]
            Length::Number(number) => Some(*number as f64),
            Length::Define(name) => self.mechanism.defines.get(&name.text).copied(),
        };
        match number {
            Some(number) if number >= 1.0 => Ok(self.graph.number(number)),
            _ => Err(refuse("table-size", span, "the number of intervals is not known")),
        }
    }

    fn interpolated(
        &mut self,
        procedure: &Tabulated,
        x: Id,
        (from, to): (Id, Id),
        intervals: Id,
    ) -> Traced<()> {
        let g = &mut *self.graph;
        let width = g.sub(to, from);
        let step = g.div(width, intervals);
        let (zero, one) = (g.number(0.0), g.number(1.0));
        let per_step = g.div(one, step);
        let above = g.sub(x, from);
        let position = g.mul(per_step, above);
        let below = g.compare(Comparison::Le, position, zero);
        let beyond = g.compare(Comparison::Ge, position, intervals);
        let interval = g.call(Builtin::Floor, vec![position]);
        let last = g.sub(intervals, one);
        let inside_fraction = g.sub(position, interval);
        // Outside: the first or last interval, at its outer end, wherever x is.
        let scope = self.scope;
        let g = &mut *self.graph;
        let high = g.new_branch(beyond, scope);
        let interval = g.join(high, last, interval);
        let fraction = g.join(high, one, inside_fraction);
        let low = g.new_branch(below, scope);
        let interval = g.join(low, zero, interval);
        let fraction = g.join(low, zero, fraction);
        let offset = g.mul(interval, step);
        let left = g.add(from, offset);
        let right = g.add(left, step);
        let at_left = self.at_grid_point(procedure, left)?;
        let at_right = self.at_grid_point(procedure, right)?;
        for (name, (a, b)) in procedure.names.iter().zip(at_left.into_iter().zip(at_right)) {
            let rise = self.graph.sub(b, a);
            let part = self.graph.mul(fraction, rise);
            let value = self.graph.add(a, part);
            if name == RESULT {
                self.frame().insert(RESULT.to_owned(), value);
            } else {
                self.assign(name, value, procedure.span)?;
            }
        }
        self.leave_the_rest(procedure, x)
    }

    /// The other variables that the body sets keep what they had when the table was filled.
    fn leave_the_rest(&mut self, procedure: &Tabulated, x: Id) -> Traced<()> {
        let before = (self.values.clone(), self.frames.clone());
        let result = self.body(procedure.block, procedure.signature, procedure.is_function, &[x]);
        let after = std::mem::replace(&mut self.values, before.0);
        self.frames = before.1;
        result?;
        for (variable, value) in after {
            let is_set = self.values.get(&variable).is_some_and(|before| *before != value);
            if !is_set || variable == FAILED || procedure.names.contains(&variable) {
                continue;
            }
            let mechanism = self.mechanism.name.clone();
            let input = self.graph.input(format!("{mechanism}_{variable}_left"));
            let value = self.graph.read(input);
            self.values.insert(variable.clone(), value);
            let leftover = Leftover { mechanism, variable, span: procedure.span };
            self.constants.leftovers.borrow_mut().insert(input, leftover);
        }
        Ok(())
    }

    /// The table's columns at one argument, with no other effect.
    fn at_grid_point(&mut self, procedure: &Tabulated, x: Id) -> Traced<Vec<Id>> {
        let before = (self.values.clone(), self.frames.clone());
        let result = self.body(procedure.block, procedure.signature, procedure.is_function, &[x]);
        let columns = result.and_then(|value| {
            let column = |name: &String| {
                let value = if name == RESULT { Some(value) } else { self.values.get(name).copied() };
                value.ok_or_else(|| super::unknown(name, procedure.span))
            };
            procedure.names.iter().map(column).collect()
        });
        let failed = self.values.get(FAILED).copied();
        (self.values, self.frames) = before;
        self.values.extend(failed.map(|failed| (FAILED.to_owned(), failed)));
        columns
    }

    /// NEURON fills a table once, for all segments.
    fn depends_on_constants_only(
        &mut self,
        procedure: &Tabulated,
        table: &Table,
        ends: [Id; 2],
    ) -> Traced<()> {
        let argument = self.graph.input("table_argument");
        let value = self.graph.read(argument);
        let failed = self.values.get(FAILED).copied();
        let mut roots = self.at_grid_point(procedure, value)?;
        self.values.extend(failed.map(|failed| (FAILED.to_owned(), failed)));
        roots.extend(ends);
        let mut inputs = self.graph.reachable_inputs(&roots, true);
        inputs.remove(&argument);
        match inputs.iter().find(|input| !self.constants.inputs.contains(input)) {
            None => {
                let watched: Vec<Id> =
                    table.depend.iter().filter_map(|name| self.lookup(&name.text)).collect();
                let watched = self.graph.reachable_inputs(&watched, true);
                let place = (self.mechanism.name.clone(), procedure.signature.name.text.clone());
                let ranges: BTreeSet<Input> =
                    inputs.intersection(&self.constants.ranges).copied().collect();
                if !ranges.is_empty() {
                    let mut shared = self.constants.shared.borrow_mut();
                    let shared = shared.entry(place.clone()).or_default();
                    shared.span = procedure.span;
                    shared.watched.extend(ranges.intersection(&watched));
                    shared.inputs.extend(&ranges);
                }
                inputs.retain(|input| {
                    !watched.contains(input)
                        && !ranges.contains(input)
                        && !self.constants.fixed.contains(input)
                });
                if !inputs.is_empty() {
                    let mut unwatched = self.constants.unwatched.borrow_mut();
                    unwatched.entry(place).or_default().extend(inputs);
                }
                Ok(())
            }
            Some(input) => {
                let message = format!(
                    "the TABLE depends on `{}`, which the mechanism computes for each segment",
                    self.graph.input_name(*input)
                );
                Err(Box::new(
                    refuse("table-depends", procedure.span, message)
                        .help("set usetable to 0 and remove the TABLE, or pass it as the argument"),
                ))
            }
        }
    }
}

/// A name that no NMODL variable can have.
const RESULT: &str = "(value of the table)";

struct Tabulated<'a> {
    block: &'a Block,
    signature: &'a Signature,
    is_function: bool,
    names: Vec<String>,
    span: Span,
}
