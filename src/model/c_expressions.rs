//! Which expressions C computes as NMODL does.

use std::collections::BTreeSet;

use crate::syntax::ast::{BinaryOp, Expr, ExprKind};
use crate::syntax::visit;

/// Names that are integers in C.
#[derive(Default)]
pub(super) struct Counters(pub BTreeSet<String>);

impl Counters {
    /// Whether C computes what NMODL does.
    pub fn means_the_same(&self, expr: &Expr) -> bool {
        visit::expressions(expr).all(|part| match &part.kind {
            ExprKind::Number(_, unit) => unit.is_none(),
            ExprKind::Name(_) | ExprKind::Unary(..) | ExprKind::Call(..) => true,
            ExprKind::Binary(op, left, right) => {
                !(*op == BinaryOp::Div && self.is_integer(left) && self.is_integer(right))
            }
            ExprKind::Index(_, index) => self.is_whole(index),
            ExprKind::Prime(..) | ExprKind::String(_) => false,
        })
    }

    /// What C takes as an index.
    pub fn is_whole(&self, index: &Expr) -> bool {
        match &index.kind {
            ExprKind::Number(..) => self.is_integer(index),
            ExprKind::Name(name) => self.0.contains(name),
            _ => false,
        }
    }

    /// Whether it may be an integer in C.
    fn is_integer(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Number(number, _) => !number.text.contains(['.', 'e', 'E']),
            ExprKind::Name(name) => self.0.contains(name),
            ExprKind::Unary(_, operand) => self.is_integer(operand),
            ExprKind::Binary(op, left, right) => match op {
                BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div => {
                    self.is_integer(left) && self.is_integer(right)
                }
                _ => true,
            },
            _ => false,
        }
    }
}
