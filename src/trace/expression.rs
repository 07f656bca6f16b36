//! Expressions and the names in them.

use super::{Trace, Traced, refuse, unknown};
use crate::diagnostic::Code;
use crate::graph::{Builtin, Comparison, Id, Node};
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, Place, UnaryOp};
use crate::syntax::span::Span;

/// Elements of an array that the simulation chooses from to set one: each may change.
const ELEMENTS: usize = 400;

impl Trace<'_> {
    pub(super) fn expression(&mut self, expr: &Expr) -> Traced<Id> {
        match &expr.kind {
            ExprKind::Number(number, _) => Ok(self.graph.number(number.value)),
            ExprKind::Name(name) => self.name(name, expr.span),
            ExprKind::Index(name, index) => {
                if let Some(array) = self.whole_array(name) {
                    return self.element_of(array, index, expr.span);
                }
                if self.integer(index)?.is_none() {
                    return self.some_element(name, index);
                }
                let key = self.element(name, index)?;
                self.lookup(&key).ok_or_else(|| unknown(&key, expr.span))
            }
            ExprKind::Prime(name, _) => {
                Err(refuse(Code::ReadsDerivative, expr.span, format!("the value of {name}' is not available")))
            }
            ExprKind::String(_) => Err(refuse(Code::String, expr.span, "a string has no value")),
            ExprKind::Unary(op, operand) => {
                let operand = self.expression(operand)?;
                Ok(match op {
                    UnaryOp::Minus => self.graph.neg(operand),
                    UnaryOp::Not => self.graph.not(operand),
                })
            }
            ExprKind::Binary(op @ (BinaryOp::And | BinaryOp::Or), left, right) if self.called_in(right).is_some() => {
                let left = self.expression(left)?;
                let right = self.if_open(*op, left, right)?;
                Ok(self.binary(*op, left, right))
            }
            ExprKind::Binary(op, left, right) => {
                let before = self.places();
                let left = self.expression(left)?;
                let between = self.places();
                let right = self.expression(right)?;
                match op {
                    // The right side is run where the left one leaves it open.
                    BinaryOp::And => self.only_if(left, &between),
                    BinaryOp::Or => {
                        let open = self.graph.not(left);
                        self.only_if(open, &between);
                    }
                    _ => self.refuse_both((&before, &between), expr.span)?,
                }
                Ok(self.binary(*op, left, right))
            }
            ExprKind::Call(name, arguments) => self.call(name, arguments),
        }
    }

    /// The right side of `&&` or `||`, which NEURON runs only where the left one leaves it open; 0 elsewhere.
    fn if_open(&mut self, op: BinaryOp, left: Id, right: &Expr) -> Traced<Id> {
        let open = if op == BinaryOp::And { left } else { self.graph.not(left) };
        let zero = self.graph.number(0.0);
        match self.graph.as_number(open) {
            Some(0.0) => return Ok(zero),
            Some(_) => return self.expression(right),
            None => {}
        }
        let mut value = zero;
        let branch = self.branch(
            open,
            |trace| {
                value = trace.expression(right)?;
                Ok(())
            },
            |_| Ok(()),
        )?;
        Ok(self.graph.join(branch, value, zero))
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
            if self.graph.as_array(value).is_some() {
                return Err(refuse(Code::EventArray, span, format!("`{name}` is read without an index")));
            }
            return Ok(value);
        }
        match self.mechanism.defines.get(name) {
            Some(value) => Ok(self.graph.number(*value)),
            None => Err(unknown(name, span)),
        }
    }

    /// `name[2]` for an index that is known when the code is generated.
    pub(super) fn element(&mut self, name: &str, index: &Expr) -> Traced<String> {
        match self.integer(index)? {
            Some(value) => Ok(format!("{name}[{value}]")),
            None => Err(refuse(
                Code::ComputedIndex,
                index.span,
                format!("which element of `{name}` this is depends on the simulation"),
            )),
        }
    }

    /// An index or a bound of a loop, where NMODL computes with integers: each name is
    /// cut off by itself. `None` if it is not known when the code is generated.
    pub(super) fn integer(&mut self, expr: &Expr) -> Traced<Option<i64>> {
        if let ExprKind::Binary(op, left, right) = &expr.kind {
            let operation = match op {
                BinaryOp::Add => i64::checked_add,
                BinaryOp::Sub => i64::checked_sub,
                BinaryOp::Mul => i64::checked_mul,
                BinaryOp::Div => i64::checked_div,
                _ => |_, _| None,
            };
            let (left, right) = (self.integer(left)?, self.integer(right)?);
            return Ok(left.zip(right).and_then(|(left, right)| operation(left, right)));
        }
        let value = self.expression(expr)?;
        #[allow(clippy::cast_possible_truncation)]
        Ok(self.graph.as_number(value).map(|value| value as i64))
    }

    /// The element of an array that the simulation chooses.
    fn some_element(&mut self, name: &str, index: &Expr) -> Traced<Id> {
        let chosen = self.integer_value(index)?;
        let mut value = None;
        for key in self.elements_of(name).into_iter().rev() {
            let element = self.lookup(&key).ok_or_else(|| unknown(&key, index.span))?;
            value = Some(match value {
                None => element,
                Some(others) => self.where_chosen(&key, chosen, element, others),
            });
        }
        value.ok_or_else(|| unknown(name, index.span))
    }

    /// Assigns to the element of an array that the simulation chooses.
    pub(super) fn assign_some_element(&mut self, name: &str, index: &Expr, value: Id) -> Traced<()> {
        let chosen = self.integer_value(index)?;
        let keys = self.elements_of(name);
        if keys.is_empty() {
            return Err(unknown(name, index.span));
        }
        if keys.len() > ELEMENTS {
            let message = format!(
                "which of the {} elements of `{name}` is set depends on the simulation; at most {ELEMENTS} are followed",
                keys.len()
            );
            return Err(refuse(Code::TooLarge, index.span, message));
        }
        for key in keys {
            let before = self.lookup(&key).ok_or_else(|| unknown(&key, index.span))?;
            let after = self.where_chosen(&key, chosen, value, before);
            self.assign(&key, after, index.span)?;
        }
        Ok(())
    }

    fn where_chosen(&mut self, key: &str, chosen: Id, element: Id, otherwise: Id) -> Id {
        let number = key.split(['[', ']']).nth(1).and_then(|number| number.parse().ok());
        let number = self.graph.number(number.unwrap_or(f64::NAN));
        let is_it = self.graph.compare(Comparison::Eq, chosen, number);
        let branch = self.graph.new_branch(is_it, self.scope);
        self.graph.join(branch, element, otherwise)
    }

    /// The elements of an array in order.
    fn elements_of(&self, name: &str) -> Vec<String> {
        let mut keys = Vec::new();
        while self.lookup(&format!("{name}[{}]", keys.len())).is_some() {
            keys.push(format!("{name}[{}]", keys.len()));
        }
        keys
    }

    /// What [`Self::integer`] is, where only the simulation knows.
    pub(super) fn integer_value(&mut self, expr: &Expr) -> Traced<Id> {
        let value = match &expr.kind {
            ExprKind::Binary(op, left, right) => {
                let (left, right) = (self.integer_value(left)?, self.integer_value(right)?);
                self.binary(*op, left, right)
            }
            _ => self.expression(expr)?,
        };
        if matches!(self.graph.node(value), Node::Input(input) if self.graph.is_counter(*input)) {
            return Ok(value);
        }
        let zero = self.graph.number(0.0);
        let below = self.graph.call(Builtin::Floor, vec![value]);
        let above = self.graph.call(Builtin::Ceil, vec![value]);
        let negative = self.graph.compare(Comparison::Lt, value, zero);
        let branch = self.graph.new_branch(negative, self.scope);
        Ok(self.graph.join(branch, above, below))
    }

    pub(super) fn place(&mut self, place: &Place) -> Traced<String> {
        match &place.index {
            Some(index) => self.element(&place.name.text, index),
            None => Ok(place.name.text.clone()),
        }
    }
}
