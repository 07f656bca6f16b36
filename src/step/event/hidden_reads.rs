//! `NET_RECEIVE` that does not name `v`, or a concentration, and calls a FUNCTION that reads it.
//!
//! NEURON's translator looks at the membrane and the ions when an event comes only for what the block itself names.
//! What is called then reads what the mechanism has from before: the last state phase, which is as good, if the
//! mechanism has one (SOLVE); else the last current, a step before, or INITIAL where CONDUCTANCE leaves `v` alone.

use crate::diagnostic::{Code, Diagnostic};
use crate::graph::Id;
use crate::model::Mechanism;
use crate::step::{Quantity, Refused, Step};
use crate::syntax::ast::{Expr, ExprKind, Statement, StatementKind};
use crate::syntax::visit::{expressions, statements};

impl Step<'_> {
    /// Refuses a block whose effects depend on what NEURON has not looked at.
    pub(in crate::step) fn refuse_unlooked(
        &self,
        mechanism: &Mechanism,
        body: &[Statement],
        effects: &[Id],
    ) -> Result<(), Refused> {
        if statements(&mechanism.breakpoint).any(|statement| matches!(statement.kind, StatementKind::Solve(_))) {
            return Ok(());
        }
        let concentrations = mechanism.ions.iter().flat_map(|ion| [ion.inside(), ion.outside()]);
        let reached = self.graph.reachable_inputs(effects, true);
        let is_read = |name: &str| {
            reached.iter().any(|input| match self.quantities.get(input) {
                Some(Quantity::Voltage(_)) => name == "v",
                Some(Quantity::Ion(known, _)) => known == name,
                _ => false,
            })
        };
        let unlooked = concentrations.chain(["v".to_owned()]).find(|name| is_read(name) && !names(body, name));
        unlooked.map_or(Ok(()), |name| Err(refused(mechanism, &name)))
    }
}

fn refused(mechanism: &Mechanism, name: &str) -> Refused {
    let span = mechanism.receive.as_ref().map_or(mechanism.span, |receive| receive.span);
    let message = format!(
        "NET_RECEIVE calls what reads `{name}` and does not name it itself: in a mechanism without SOLVE NEURON then does \
         not look at it when an event comes, and `{name}` is what it was a step before, or in INITIAL"
    );
    let diagnostic = Diagnostic::refusal(Code::EventVoltage, span, message)
        .label("in this NET_RECEIVE")
        .help(format!("pass `{name}` as an argument"));
    Refused { mechanism: 0, diagnostic }
}

/// Whether code names a variable; the condition of a WATCH becomes a function of its own.
fn names(code: &[Statement], name: &str) -> bool {
    statements(code).any(|statement| match &statement.kind {
        StatementKind::Assign(place, value) => {
            place.name.text == name || place.index.iter().any(|index| reads(index, name)) || reads(value, name)
        }
        StatementKind::Expression(value) | StatementKind::While(value, _) => reads(value, name),
        StatementKind::If(branches, _) => branches.iter().any(|(condition, _)| reads(condition, name)),
        StatementKind::From { first, last, step, .. } => {
            [first, last].into_iter().chain(step).any(|bound| reads(bound, name))
        }
        _ => false,
    })
}

fn reads(expr: &Expr, name: &str) -> bool {
    let is_it = |part: &Expr| matches!(&part.kind, ExprKind::Name(known) | ExprKind::Index(known, _) if known == name);
    expressions(expr).any(is_it)
}
