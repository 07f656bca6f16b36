//! `return` in VERBATIM: what follows it belongs into the other arm of the conditional.

use crate::syntax::ast::{Statement, StatementKind};
use crate::trace::verbatim::returns;

/// The statements with all that can follow a `return` moved to where it is run, and
/// without the `return`; None if there is none. In loops it stays, and is refused there.
pub fn without_returns(statements: &[Statement]) -> Option<Vec<Statement>> {
    statements.iter().any(may_return).then(|| rewritten(statements))
}

fn rewritten(statements: &[Statement]) -> Vec<Statement> {
    let Some(first) = statements.iter().position(may_return) else { return statements.to_vec() };
    let (mut done, tail) = (statements[..first].to_vec(), &statements[first + 1..]);
    let with_tail = |body: &[Statement]| rewritten(&[body, tail].concat());
    let Statement { kind, span } = &statements[first];
    let kind = match kind {
        StatementKind::If(branches, otherwise) => {
            let branches = branches.iter().map(|(condition, body)| (condition.clone(), with_tail(body))).collect();
            StatementKind::If(branches, Some(with_tail(otherwise.as_deref().unwrap_or_default())))
        }
        StatementKind::Group(body) => StatementKind::Group(with_tail(body)),
        // VERBATIM { return; }
        _ => return done,
    };
    done.push(Statement { kind, span: *span });
    done
}

pub fn may_return(statement: &Statement) -> bool {
    match &statement.kind {
        StatementKind::Verbatim(text) => returns(&text.text),
        StatementKind::If(branches, otherwise) => {
            branches.iter().map(|(_, body)| body).chain(otherwise).any(|body| body.iter().any(may_return))
        }
        StatementKind::Group(body) => body.iter().any(may_return),
        _ => false,
    }
}
