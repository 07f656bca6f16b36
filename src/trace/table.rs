//! TABLE: linear interpolation between the grid points, constant outside.
//!
//! Lowered to what NEURON does, so that no rule for tables is needed: which
//! interval the argument is in has no derivative, where in the interval it is
//! does. With `usetable` 0 the body itself runs.

use super::{refuse, Trace, Traced};
use crate::graph::{Builtin, Comparison, Id};
use crate::syntax::ast::{Block, Length, Signature, Table};
use crate::syntax::span::Span;

/// The variable that holds the mechanism's `usetable` switch.
pub const USETABLE: &str = "usetable";

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
        let mut names: Vec<String> = table.names.iter().map(|name| name.text.clone()).collect();
        if is_function {
            names = vec![RESULT.to_owned()];
        }
        let procedure = Tabulated { block, signature, is_function, names, span };
        self.depends_on_constants_only(&procedure)?;
        let from = self.expression(&table.from)?;
        let to = self.expression(&table.to)?;
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
        (self.values, self.frames) = before;
        columns
    }

    /// NEURON fills a table once, for all segments.
    fn depends_on_constants_only(&mut self, procedure: &Tabulated) -> Traced<()> {
        let argument = self.graph.input("table_argument");
        let value = self.graph.read(argument);
        let columns = self.at_grid_point(procedure, value)?;
        let inputs = self.graph.reachable_inputs(&columns, true);
        let other = inputs.iter().find(|input| **input != argument && !self.constants.contains(input));
        match other {
            None => Ok(()),
            Some(input) => {
                let message = format!(
                    "the TABLE depends on `{}`, which changes during a simulation or differs between segments",
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
