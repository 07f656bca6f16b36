//! SOLVE in BREAKPOINT, as NEURON's translator reads it: wherever it stands, even in an IF, the state phase runs it, and
//! before the rest of BREAKPOINT where there is no current.

use crate::syntax::ast::{Statement, StatementKind};

/// BREAKPOINT with every SOLVE at its beginning, in the order of the text.
pub(super) fn first(statements: Vec<Statement>) -> Vec<Statement> {
    let mut solved = Vec::new();
    let rest = without(statements, &mut solved);
    solved.extend(rest);
    solved
}

fn without(statements: Vec<Statement>, solved: &mut Vec<Statement>) -> Vec<Statement> {
    let mut rest = Vec::new();
    for Statement { kind, span } in statements {
        let kind = match kind {
            StatementKind::Solve(_) => {
                solved.push(Statement { kind, span });
                continue;
            }
            StatementKind::If(branches, otherwise) => {
                let branches =
                    branches.into_iter().map(|(condition, body)| (condition, without(body, solved))).collect();
                StatementKind::If(branches, otherwise.map(|body| without(body, solved)))
            }
            StatementKind::While(condition, body) => StatementKind::While(condition, without(body, solved)),
            StatementKind::From { variable, first, last, step, body } => {
                StatementKind::From { variable, first, last, step, body: without(body, solved) }
            }
            StatementKind::Group(body) => StatementKind::Group(without(body, solved)),
            other => other,
        };
        rest.push(Statement { kind, span });
    }
    rest
}
