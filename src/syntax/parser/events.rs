//! Statements about events.

use super::{Parse, Parser};
use crate::syntax::ast::{Expr, ExprKind, StatementKind};

impl Parser<'_> {
    pub(super) fn watch(&mut self) -> Parse<StatementKind> {
        self.advance();
        let mut watches = Vec::new();
        loop {
            let condition = self.condition()?;
            let number = self.number()?;
            let span = number.span;
            watches.push((condition, Expr { kind: ExprKind::Number(number, None), span }));
            if !self.accept(",") {
                return Ok(StatementKind::Watch(watches));
            }
        }
    }

    pub(super) fn for_netcons(&mut self) -> Parse<StatementKind> {
        self.check_place("FOR_NETCONS")?;
        let start = self.advance().span;
        let arguments = self.arguments()?;
        Ok(StatementKind::ForNetcons(arguments, self.braced("FOR_NETCONS", start)?))
    }

    pub(super) fn initial(&mut self) -> Parse<StatementKind> {
        let start = self.advance().span;
        self.braced("INITIAL", start).map(StatementKind::Initial)
    }
}
