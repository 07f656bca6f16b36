//! Every part of a tree, in the order of the text: whoever looks for something need not know what holds what.

use std::iter::from_fn;

use crate::syntax::ast::{Expr, ExprKind, Item, NeuronStatement, Place, Program, Statement, StatementKind};

/// The statements of all NEURON blocks.
pub fn neuron_statements(program: &Program) -> impl Iterator<Item = &NeuronStatement> {
    let blocks = program.items.iter().filter_map(|item| match item {
        Item::Neuron(statements, _) => Some(statements),
        _ => None,
    });
    blocks.flatten()
}

/// Statements, and all that stand in them.
pub fn statements(code: &[Statement]) -> impl Iterator<Item = &Statement> {
    statements_outside(code, |_| false)
}

/// Statements, and all that stand in those that are not `closed`.
pub fn statements_outside(
    code: &[Statement],
    closed: impl Fn(&StatementKind) -> bool,
) -> impl Iterator<Item = &Statement> {
    let mut left = vec![code.iter()];
    from_fn(move || {
        loop {
            let Some(statement) = left.last_mut()?.next() else {
                left.pop();
                continue;
            };
            if !closed(&statement.kind) {
                left.extend(bodies(&statement.kind).into_iter().rev().map(<[Statement]>::iter));
            }
            return Some(statement);
        }
    })
}

/// The differential equations that NEURON's translator finds in a block: states with their right sides.
pub fn primes(code: &[Statement]) -> impl Iterator<Item = (&Place, &Expr)> {
    let closed = |kind: &StatementKind| matches!(kind, StatementKind::Protect(_) | StatementKind::Solve(_));
    statements_outside(code, closed).filter_map(|statement| match &statement.kind {
        StatementKind::Prime(place, _, value) => Some((place, value)),
        _ => None,
    })
}

/// An expression, and all that it is made of.
pub fn expressions(expression: &Expr) -> impl Iterator<Item = &Expr> {
    let mut left = vec![expression];
    from_fn(move || {
        let next = left.pop()?;
        match &next.kind {
            ExprKind::Index(_, operand) | ExprKind::Unary(_, operand) => left.push(operand),
            ExprKind::Binary(_, first, second) => left.extend([&**second, first]),
            ExprKind::Call(_, arguments) => left.extend(arguments.iter().rev()),
            ExprKind::Number(..) | ExprKind::Name(_) | ExprKind::Prime(..) | ExprKind::String(_) => {}
        }
        Some(next)
    })
}

/// The code that a statement holds.
fn bodies(kind: &StatementKind) -> Vec<&[Statement]> {
    match kind {
        StatementKind::If(branches, otherwise) => {
            branches.iter().map(|(_, body)| body).chain(otherwise).map(Vec::as_slice).collect()
        }
        StatementKind::While(_, body)
        | StatementKind::From { body, .. }
        | StatementKind::ForNetcons(_, body)
        | StatementKind::Initial(body)
        | StatementKind::Group(body) => vec![body],
        StatementKind::Protect(inner) => vec![std::slice::from_ref(inner)],
        StatementKind::Solve(solve) => solve.if_error.iter().map(Vec::as_slice).collect(),
        _ => Vec::new(),
    }
}
