//! Expressions and the names in them.

use super::{refuse, unknown, Trace, Traced};
use crate::graph::{Builtin, Comparison, Id};
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, Place, UnaryOp};
use crate::syntax::span::Span;

impl Trace<'_> {
    pub(super) fn expression(&mut self, expr: &Expr) -> Traced<Id> {
        match &expr.kind {
            ExprKind::Number(number, _) => Ok(self.graph.number(number.value)),
            ExprKind::Name(name) => self.name(name, expr.span),
            ExprKind::Index(name, index) => {
                let key = self.element(name, index)?;
                self.lookup(&key).ok_or_else(|| unknown(&key, expr.span))
            }
            ExprKind::Prime(name, _) => Err(refuse(
                "reads-derivative",
                expr.span,
                format!("the value of {name}' is not available"),
            )),
            ExprKind::String(_) => {
                Err(refuse("string", expr.span, "a string has no value"))
            }
            ExprKind::Unary(op, operand) => {
                let operand = self.expression(operand)?;
                Ok(match op {
                    UnaryOp::Minus => self.graph.neg(operand),
                    UnaryOp::Not => self.graph.not(operand),
                })
            }
            ExprKind::Binary(op, left, right) => {
                let left = self.expression(left)?;
                let right = self.expression(right)?;
                Ok(self.binary(*op, left, right))
            }
            ExprKind::Call(name, arguments) => self.call(name, arguments),
        }
    }

    fn binary(&mut self, op: BinaryOp, left: Id, right: Id) -> Id {
        let graph = &mut *self.graph;
        match op {
            BinaryOp::Add => graph.add(left, right),
            BinaryOp::Sub => graph.sub(left, right),
            BinaryOp::Mul => graph.mul(left, right),
            BinaryOp::Div => graph.div(left, right),
            BinaryOp::Mod => graph.call(Builtin::Fmod, vec![left, right]),
            BinaryOp::Pow => graph.pow(left, right),
            BinaryOp::Lt => graph.compare(Comparison::Lt, left, right),
            BinaryOp::Le => graph.compare(Comparison::Le, left, right),
            BinaryOp::Gt => graph.compare(Comparison::Gt, left, right),
            BinaryOp::Ge => graph.compare(Comparison::Ge, left, right),
            BinaryOp::Eq => graph.compare(Comparison::Eq, left, right),
            BinaryOp::Ne => graph.compare(Comparison::Ne, left, right),
            BinaryOp::And => graph.and(left, right),
            BinaryOp::Or => graph.or(left, right),
        }
    }

    fn name(&mut self, name: &str, span: Span) -> Traced<Id> {
        if let Some(value) = self.lookup(name) {
            return Ok(value);
        }
        match self.mechanism.defines.get(name) {
            Some(value) => Ok(self.graph.number(*value)),
            None => Err(unknown(name, span)),
        }
    }

    /// `name[2]` for an index that is known when the code is generated.
    pub(super) fn element(&mut self, name: &str, index: &Expr) -> Traced<String> {
        let value = self.expression(index)?;
        match self.graph.as_number(value) {
            #[allow(clippy::cast_possible_truncation)]
            Some(value) => Ok(format!("{name}[{}]", value as i64)),
            None => Err(refuse(
                "computed-index",
                index.span,
                format!("which element of `{name}` this is depends on the simulation"),
            )),
        }
    }

    pub(super) fn place(&mut self, place: &Place) -> Traced<String> {
        match &place.index {
            Some(index) => self.element(&place.name.text, index),
            None => Ok(place.name.text.clone()),
        }
    }
}
