//! What the code of a file does that shows outside it.

use crate::syntax::ast::{Expr, ExprKind, Item, Place, Program, Statement, StatementKind};
use crate::syntax::visit::statements;

/// What code does that shows outside it.
#[derive(Debug, Default)]
pub(in crate::model) struct Deeds {
    /// All names that statements may set.
    pub set: Vec<String>,
    /// There is code that is not looked into.
    pub has_code: bool,
}

/// What all code of a file does.
pub(in crate::model) fn deeds(program: &Program) -> Deeds {
    let mut deeds = Deeds::default();
    for item in &program.items {
        match item {
            Item::Block(block) => deeds.add(&block.body),
            Item::Verbatim(_) => deeds.has_code = true,
            _ => {}
        }
    }
    deeds
}

impl Deeds {
    fn add(&mut self, code: &[Statement]) {
        for statement in statements(code) {
            match &statement.kind {
                StatementKind::Assign(Place { name, .. }, _) | StatementKind::Prime(Place { name, .. }, ..) => {
                    self.set.push(name.text.clone());
                }
                StatementKind::Expression(Expr { kind: ExprKind::Call(name, arguments), .. }) => {
                    if let (true, Some(ExprKind::Name(state))) =
                        (name.text == "state_discontinuity", arguments.first().map(|argument| &argument.kind))
                    {
                        self.set.push(state.clone());
                    }
                }
                StatementKind::Verbatim(_) | StatementKind::Other(..) => self.has_code = true,
                _ => {}
            }
        }
    }
}
