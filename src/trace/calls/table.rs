//! TABLE: linear interpolation between the grid points, constant outside.
//!
//! Lowered to what NEURON does, so that no rule for tables is needed: which
//! interval the argument is in has no derivative, where in the interval it is
//! does. With `usetable` 0 the body itself runs.
//!
//! NEURON fills a table anew only when a variable of its DEPEND list has
//! changed. What else the body reads is reported as `Constants::unwatched`. What
//! the body sets besides the table's columns is left from the last filling. A
//! GLOBAL variable that is made of constants only, and that nothing sets to
//! anything else (`Constants::mixed`), is what it would be if it were set anew;
//! any other such value is an input without a derivative, `Constants::leftovers`.

use crate::diagnostic::Code;
use std::collections::BTreeSet;

use crate::graph::{Builtin, Comparison, Id, Input};
use crate::model::Variable;
use crate::syntax::ast::{Block, Length, Name, Signature, Table};
use crate::syntax::span::Span;
use crate::trace::findings::{Leftover, is_shared};
use crate::trace::{FAILED, Trace, Traced, refuse};

/// The variable that holds the mechanism's `usetable` switch.
pub const USETABLE: &str = "usetable";

impl Trace<'_> {
    pub(in crate::trace) fn tabulated(
        &mut self,
        (table, span): (&Table, Span),
        block: &Block,
        signature: &Signature,
        is_function: bool,
        arguments: &[Id],
    ) -> Traced<Id> {
        let [argument] = arguments else {
            return Err(refuse(Code::TableArguments, span, "a TABLE needs exactly one argument"));
        };
        let columns = table.names.iter().map(|name| &name.text);
        let mut names: Vec<String> = columns
            .flat_map(|name| self.mechanism.variable(name).map_or_else(|| vec![name.clone()], Variable::elements))
            .collect();
        if is_function {
            names = vec![RESULT.to_owned()];
        }
        let procedure = Tabulated { block, signature, is_function, names, depend: &table.depend, span };
        self.refuse_unfilled(&procedure)?;
        let from = self.expression(&table.from)?;
        let to = self.expression(&table.to)?;
        self.without_draws(|trace| trace.depends_on_constants_only(&procedure, [from, to]))?;
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
            _ => Err(refuse(Code::TableSize, span, "the number of intervals is not known")),
        }
    }

    fn interpolated(&mut self, procedure: &Tabulated, x: Id, (from, to): (Id, Id), intervals: Id) -> Traced<()> {
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
            let leftover = Leftover { mechanism, variable: variable.clone(), span: procedure.span };
            if is_shared(self.mechanism, &variable) && self.is_constant(value) {
                let inputs = self.graph.reachable_inputs(&[value], true);
                self.note_unwatched(procedure, inputs);
                self.findings.kept.push((leftover, value));
                self.values.insert(variable, value);
                continue;
            }
            let input = self.graph.input(format!("{}_{variable}_left", leftover.mechanism));
            let value = self.graph.read(input);
            self.values.insert(variable, value);
            self.findings.leftovers.insert(input, leftover);
        }
        Ok(())
    }

    /// Made of values that are the same for all segments and can't change during a run.
    fn is_constant(&self, value: Id) -> bool {
        let inputs = self.graph.reachable_inputs(&[value], true);
        inputs.iter().all(|input| self.constants.inputs.contains(input) && !self.constants.ranges.contains(input))
    }

    /// The table's columns at one argument, with no other effect.
    fn at_grid_point(&mut self, procedure: &Tabulated, x: Id) -> Traced<Vec<Id>> {
        let before = (self.values.clone(), self.frames.clone());
        self.filling.push((procedure.signature.name.text.clone(), procedure.span));
        let result = self.body(procedure.block, procedure.signature, procedure.is_function, &[x]);
        self.filling.pop();
        let columns = result.and_then(|value| {
            let column = |name: &String| {
                let value = if name == RESULT { Some(value) } else { self.values.get(name).copied() };
                value.ok_or_else(|| crate::trace::unknown(name, procedure.span))
            };
            procedure.names.iter().map(column).collect()
        });
        let failed = self.values.get(FAILED).copied();
        (self.values, self.frames) = before;
        self.values.extend(failed.map(|failed| (FAILED.to_owned(), failed)));
        columns
    }

    /// A table that is made of another one, which NEURON has not filled by then.
    fn refuse_unfilled(&self, procedure: &Tabulated) -> Traced<()> {
        let outer =
            self.filling.last().filter(|outer| self.mechanism.is_thread_safe && outer.1.start < procedure.span.start);
        let Some((outer, span)) = outer else { return Ok(()) };
        let inner = &procedure.signature.name.text;
        let message =
            format!("NEURON fills the TABLE of `{outer}` before that of `{inner}`, of which it is made: it holds 0");
        Err(Box::new(
            refuse(Code::TableDepends, *span, message)
                .help(format!("write `{inner}` before `{outer}`, or remove one TABLE")),
        ))
    }

    fn table(&self, procedure: &Tabulated) -> (String, String) {
        (self.mechanism.name.clone(), procedure.signature.name.text.clone())
    }

    /// What the DEPEND list is made of.
    fn watched(&self, procedure: &Tabulated) -> BTreeSet<Input> {
        let watched: Vec<Id> = procedure.depend.iter().filter_map(|name| self.lookup(&name.text)).collect();
        self.graph.reachable_inputs(&watched, true)
    }

    /// Remembers which of these inputs NEURON does not look at before it uses the table again.
    fn note_unwatched(&mut self, procedure: &Tabulated, mut inputs: BTreeSet<Input>) {
        let watched = self.watched(procedure);
        inputs.retain(|input| {
            !watched.contains(input) && !self.constants.ranges.contains(input) && !self.constants.fixed.contains(input)
        });
        if !inputs.is_empty() {
            let table = self.table(procedure);
            self.findings.unwatched.entry(table).or_default().extend(inputs);
        }
    }

    /// NEURON fills a table once, for all segments.
    fn depends_on_constants_only(&mut self, procedure: &Tabulated, ends: [Id; 2]) -> Traced<()> {
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
                let watched = self.watched(procedure);
                let ranges: BTreeSet<Input> = inputs.intersection(&self.constants.ranges).copied().collect();
                if !ranges.is_empty() {
                    let table = self.table(procedure);
                    let shared = self.findings.shared.entry(table).or_default();
                    shared.span = procedure.span;
                    shared.watched.extend(ranges.intersection(&watched));
                    shared.inputs.extend(&ranges);
                }
                self.note_unwatched(procedure, inputs);
                Ok(())
            }
            Some(input) => {
                let message = format!(
                    "the TABLE depends on `{}`, which differs between segments or changes during a run",
                    self.constants.called.get(input).map_or_else(|| self.graph.input_name(*input), String::as_str)
                );
                Err(Box::new(
                    refuse(Code::TableDepends, procedure.span, message)
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
    depend: &'a [Name],
    span: Span,
}
