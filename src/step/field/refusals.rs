//! What can't be differentiated under the variable step: constructs, what is left from before, conditions on t.

use std::collections::BTreeSet;

use super::refused;
use crate::graph::{Id, Input, Node};
use crate::model::Mechanism;
use crate::step::event::traced_event::TracedEvent;
use crate::step::phase::initial::Start;
use crate::step::{Quantity, Refused, Step, When};
use crate::syntax::ast::{Expr, ExprKind, Statement, StatementKind};
use crate::syntax::visit::{expressions, statements};
use crate::trace::Values;

/// What a mechanism may not contain.
pub(super) fn refuse_constructs(index: usize, mechanism: &Mechanism) -> Result<(), Refused> {
    let whole = mechanism.span;
    let pointed = mechanism.variables.values().find(|variable| variable.role == crate::model::Role::Pointed);
    let found = [
        mechanism.randoms.first().map(|name| (whole, format!("the stream of random numbers `{name}`"))),
        mechanism.function_tables.first().map(|name| (whole, format!("the FUNCTION_TABLE `{name}`"))),
        pointed.map(|variable| (variable.span, format!("the POINTER `{}`", variable.name))),
        mechanism.before_after.first().map(|(moment, block)| (block.span, moment.name().to_owned())),
    ];
    match found.into_iter().flatten().next() {
        Some((span, what)) => Err(refused(index, span, &what)),
        None => Ok(()),
    }
}

/// Whether the code tells CVODE of moments at which it changes.
fn calls_at_time(mechanism: &Mechanism) -> bool {
    let is_call = |expression: &Expr| {
        expressions(expression).any(|one| matches!(&one.kind, ExprKind::Call(name, _) if name.text == "at_time"))
    };
    let blocks = mechanism.blocks.values().flat_map(|block| statements(&block.body));
    statements(&mechanism.breakpoint).chain(blocks).any(|statement| match &statement.kind {
        StatementKind::Expression(expression) | StatementKind::Assign(_, expression) => is_call(expression),
        StatementKind::If(branches, _) => branches.iter().any(|(condition, _)| is_call(condition)),
        _ => false,
    })
}

impl Step<'_> {
    /// The inputs of variables that no code changes, and of ions' values that none sets.
    pub(super) fn untouched(&mut self, start: &Start, received: Option<&TracedEvent>) -> BTreeSet<Input> {
        let region = self.region;
        let mut untouched = BTreeSet::new();
        for (index, mechanism) in region.mechanisms.iter().enumerate() {
            for name in mechanism.variables.values().flat_map(crate::model::Variable::elements) {
                let input = self.variable(index, &name, When::Before);
                let before = self.graph.read(input);
                let is_same = |values: &[Values]| values[index].get(&name).is_none_or(|value| *value == before);
                let is_left = received.and_then(|event| event.values.get(&name)).is_none_or(|value| *value == before);
                if is_left && is_same(&self.values) && is_same(&start.values) {
                    untouched.insert(input);
                }
            }
        }
        let carried: BTreeSet<String> = self.ions.iter().flat_map(|ion| ion.carried().collect::<Vec<_>>()).collect();
        let quantities = self.quantities.iter();
        untouched.extend(quantities.filter_map(|(input, quantity)| match quantity {
            Quantity::Ion(name, When::Before) => (!carried.contains(name)).then_some(*input),
            _ => None,
        }));
        untouched
    }

    /// Nothing may depend on what an evaluation before has left.
    pub(super) fn refuse_leftover(&self, roots: &[Id], known: &BTreeSet<Input>, at_start: bool) -> Result<(), Refused> {
        for input in self.graph.reachable_inputs(roots, true) {
            let Some(quantity) = self.quantities.get(&input) else { continue };
            let (index, what) = match quantity {
                _ if known.contains(&input) => continue,
                Quantity::Voltage(When::Before)
                | Quantity::Time
                | Quantity::Celsius
                | Quantity::Area
                | Quantity::Diameter
                | Quantity::InitialConcentration(_)
                | Quantity::Setting(_)
                | Quantity::Valence(_)
                | Quantity::Factor(..)
                | Quantity::Argument(_)
                | Quantity::UseTable(_) => continue,
                Quantity::Variable(index, name, _) => {
                    let block = if at_start { "INITIAL reads" } else { "the equations read" };
                    (*index, format!("{block} `{name}` as other code has left it"))
                }
                Quantity::TimeStep => (0, "`dt` in an equation".to_owned()),
                Quantity::Ion(name, _) if at_start => (0, format!("INITIAL reads `{name}`")),
                other => (0, format!("`{}`", other.own_name().unwrap_or_default())),
            };
            let mechanism = &self.region.mechanisms[index];
            let span = match quantity {
                Quantity::Variable(_, name, _) => mechanism.variable(name).map_or(mechanism.span, |known| known.span),
                _ => mechanism.span,
            };
            return Err(refused(index, span, &what));
        }
        Ok(())
    }

    /// A condition on t of which CVODE is not told changes the equations within a step.
    pub(super) fn refuse_time(&self, roots: &[Id]) -> Result<(), Refused> {
        let conditions = self.graph.reachable(roots, true).into_iter().filter_map(|id| match self.graph.node(id) {
            Node::Phi(branch, _) => Some(self.graph.branch(*branch).condition),
            _ => None,
        });
        let conditions: Vec<Id> = conditions.collect();
        let Some(time) = self.graph.as_input(self.t) else { return Ok(()) };
        if !self.graph.reachable_inputs(&conditions, false).contains(&time) {
            return Ok(());
        }
        let reads_time = |mechanism: &Mechanism| {
            let blocks = mechanism.blocks.values().flat_map(|block| &block.body);
            let all: Vec<&Statement> = mechanism.breakpoint.iter().chain(blocks).collect();
            all.iter().any(|statement| {
                statements(std::slice::from_ref(*statement)).any(|inner| match &inner.kind {
                    StatementKind::If(branches, _) => branches.iter().any(|(condition, _)| {
                        expressions(condition).any(|one| matches!(&one.kind, ExprKind::Name(name) if name == "t"))
                    }),
                    _ => false,
                })
            })
        };
        let untold =
            self.region.mechanisms.iter().enumerate().find(|(_, known)| reads_time(known) && !calls_at_time(known));
        match untold {
            Some((index, mechanism)) => {
                let what = format!("{} compares t without telling CVODE of the moment (at_time)", mechanism.name);
                Err(refused(index, mechanism.span, &what))
            }
            None => Ok(()),
        }
    }
}
