//! METHOD cnexp: one equation at a time, as if linear in its state.
//!
//! `s' = a s + b` becomes `s + (1 - exp(dt a)) (-b/a - s)`. NEURON's translator
//! finds `a` and `b` by the shape of the right side alone; this file makes the
//! same choices, so that the step is the same even where they are odd.

use crate::graph::Id;
use crate::syntax::ast::{BinaryOp, Block, Expr, ExprKind, Number, UnaryOp};
use crate::syntax::visit::primes;
use crate::trace::{Trace, Traced};

/// Whether the translator keeps cnexp for this block; if not, it takes
/// derivimplicit for all of it.
pub fn keeps_cnexp(block: &Block) -> bool {
    primes(&block.body).all(|(state, value)| !enters_nonlinearly(value, &state.name.text))
}

/// How often the translator lists a state (`z[1]` with all of `z`) for euler and runge, which go through that list:
/// once for each equation that is written of it, in arms of a conditional too.
pub fn times_listed(block: &Block, state: &str) -> u32 {
    let name = state.split('[').next().unwrap_or(state);
    primes(&block.body).map(|(other, _)| u32::from(other.name.text == name)).sum()
}

pub(in crate::trace) fn mentions(expr: &Expr, state: &str) -> bool {
    match &expr.kind {
        ExprKind::Name(name) | ExprKind::Index(name, _) => name == state,
        ExprKind::Unary(_, a) => mentions(a, state),
        ExprKind::Binary(_, a, b) => mentions(a, state) || mentions(b, state),
        ExprKind::Call(_, arguments) => arguments.iter().any(|a| mentions(a, state)),
        _ => false,
    }
}

/// In a call, a power, a denominator: where the translator gives up.
fn enters_nonlinearly(expr: &Expr, state: &str) -> bool {
    match &expr.kind {
        ExprKind::Unary(_, a) => enters_nonlinearly(a, state),
        ExprKind::Binary(BinaryOp::Div, a, b) => mentions(b, state) || enters_nonlinearly(a, state),
        ExprKind::Binary(BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul, a, b) => {
            enters_nonlinearly(a, state) || enters_nonlinearly(b, state)
        }
        ExprKind::Binary(..) | ExprKind::Call(..) => mentions(expr, state),
        _ => false,
    }
}

/// The value of an expression, its derivative by the state, and its `a` and `b`.
#[derive(Clone, Copy)]
struct Parts {
    value: Id,
    slope: Id,
    a: Id,
    b: Id,
    /// `a` and `b` make sense: no product of two terms with the state in both.
    linear: bool,
}

impl Trace<'_> {
    /// The new value of the state `key` after `dt` of `key' = right`.
    pub(in crate::trace) fn exponential_step(&mut self, name: &str, key: &str, right: &Expr, dt: Id) -> Traced<Id> {
        let before = self.values.clone();
        let mut parts = self.parts(right, name)?;
        if self.values != before {
            self.values = before;
            parts = self.parts_in_order(right, name)?;
        }
        let old = self.lookup(key).ok_or_else(|| crate::trace::unknown(key, right.span))?;
        let g = &mut *self.graph;
        if !mentions(right, name) {
            let change = g.mul(dt, parts.b);
            return Ok(g.add(old, change));
        }
        let goal = if parts.linear {
            let ratio = g.div(parts.b, parts.a);
            g.neg(ratio)
        } else {
            g.number(0.0)
        };
        let exponent = g.mul(dt, parts.slope);
        let decay = g.exp(exponent);
        let one = g.number(1.0);
        let approach = g.sub(one, decay);
        let distance = g.sub(goal, old);
        let change = g.mul(approach, distance);
        Ok(g.add(old, change))
    }

    /// The parts of a right side whose FUNCTIONs set what it depends on: NEURON's code calls them again for each of
    /// `slope`, `b` and `a`, as far as they are in it.
    fn parts_in_order(&mut self, right: &Expr, state: &str) -> Traced<Parts> {
        let zero = self.graph.number(0.0);
        let texts = Texts::of(right, state);
        let mut value = |expr: &Option<Expr>| expr.as_ref().map_or(Ok(zero), |expr| self.expression(expr));
        let slope = value(&texts.slope)?;
        let (b, a) = if texts.linear { (value(&texts.b)?, value(&texts.a)?) } else { (zero, zero) };
        Ok(Parts { value: zero, slope, a, b, linear: texts.linear })
    }

    fn parts(&mut self, expr: &Expr, state: &str) -> Traced<Parts> {
        let zero = self.graph.number(0.0);
        match &expr.kind {
            ExprKind::Name(name) | ExprKind::Index(name, _) if name == state => {
                let one = self.graph.number(1.0);
                let value = self.expression(expr)?;
                Ok(Parts { value, slope: one, a: one, b: zero, linear: true })
            }
            ExprKind::Unary(UnaryOp::Minus, inner) => {
                let inner = self.parts(inner, state)?;
                let g = &mut *self.graph;
                Ok(Parts {
                    value: g.neg(inner.value),
                    slope: g.neg(inner.slope),
                    a: g.neg(inner.a),
                    b: g.neg(inner.b),
                    linear: inner.linear,
                })
            }
            ExprKind::Binary(op @ (BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div), left, right) => {
                let left = self.parts(left, state)?;
                let right = self.parts(right, state)?;
                Ok(self.combine(*op, left, right))
            }
            _ => {
                let value = self.expression(expr)?;
                Ok(Parts { value, slope: zero, a: zero, b: value, linear: true })
            }
        }
    }

    fn combine(&mut self, op: BinaryOp, x: Parts, y: Parts) -> Parts {
        let g = &mut *self.graph;
        let linear = x.linear && y.linear;
        match op {
            BinaryOp::Add => Parts {
                value: g.add(x.value, y.value),
                slope: g.add(x.slope, y.slope),
                a: g.add(x.a, y.a),
                b: g.add(x.b, y.b),
                linear,
            },
            BinaryOp::Sub => Parts {
                value: g.sub(x.value, y.value),
                slope: g.sub(x.slope, y.slope),
                a: g.sub(x.a, y.a),
                b: g.sub(x.b, y.b),
                linear,
            },
            BinaryOp::Mul => {
                let left = g.mul(x.slope, y.value);
                let right = g.mul(x.value, y.slope);
                let (x_constant, y_constant) = (g.is_zero(x.a), g.is_zero(y.a));
                let a = if y_constant { g.mul(x.a, y.b) } else { g.mul(x.b, y.a) };
                Parts {
                    value: g.mul(x.value, y.value),
                    slope: g.add(left, right),
                    a,
                    b: g.mul(x.b, y.b),
                    linear: linear && (x_constant || y_constant),
                }
            }
            _ => Parts {
                value: g.div(x.value, y.value),
                slope: g.div(x.slope, y.value),
                a: g.div(x.a, y.value),
                b: g.div(x.b, y.value),
                linear,
            },
        }
    }
}

/// An expression, its derivative by the state, its `a` and its `b` as the translator writes them; None for 0.
struct Texts {
    value: Expr,
    slope: Option<Expr>,
    a: Option<Expr>,
    b: Option<Expr>,
    linear: bool,
}

impl Texts {
    fn of(expr: &Expr, state: &str) -> Self {
        match &expr.kind {
            ExprKind::Name(name) | ExprKind::Index(name, _) if name == state => {
                let one = Expr { kind: ExprKind::Number(one(expr), None), span: expr.span };
                Self { value: expr.clone(), slope: Some(one.clone()), a: Some(one), b: None, linear: true }
            }
            ExprKind::Unary(UnaryOp::Minus, inner) => {
                let x = Self::of(inner, state);
                Self {
                    value: expr.clone(),
                    slope: negative(x.slope),
                    a: negative(x.a),
                    b: negative(x.b),
                    linear: x.linear,
                }
            }
            ExprKind::Binary(op @ (BinaryOp::Add | BinaryOp::Sub), left, right) => {
                let (x, y) = (Self::of(left, state), Self::of(right, state));
                let sum = |x: Option<Expr>, y: Option<Expr>| match (x, y) {
                    (Some(x), Some(y)) => Some(both(*op, &x, &y)),
                    (None, y) if *op == BinaryOp::Sub => negative(y),
                    (x, y) => x.or(y),
                };
                let linear = x.linear && y.linear;
                Self { value: expr.clone(), slope: sum(x.slope, y.slope), a: sum(x.a, y.a), b: sum(x.b, y.b), linear }
            }
            ExprKind::Binary(BinaryOp::Mul, left, right) => {
                let (x, y) = (Self::of(left, state), Self::of(right, state));
                let product = |x: &Option<Expr>, y: &Option<Expr>| {
                    x.as_ref().zip(y.as_ref()).map(|(x, y)| both(BinaryOp::Mul, x, y))
                };
                let left = product(&x.slope, &Some(y.value));
                let right = product(&Some(x.value), &y.slope);
                let slope = match (left, right) {
                    (Some(left), Some(right)) => Some(both(BinaryOp::Add, &left, &right)),
                    (left, right) => left.or(right),
                };
                let linear = x.linear && y.linear && (x.a.is_none() || y.a.is_none());
                let a = if x.a.is_some() { product(&x.a, &y.b) } else { product(&x.b, &y.a) };
                Self { value: expr.clone(), slope, a, b: product(&x.b, &y.b), linear }
            }
            ExprKind::Binary(BinaryOp::Div, left, right) => {
                let x = Self::of(left, state);
                let over = |x: Option<Expr>| x.map(|x| both(BinaryOp::Div, &x, right));
                Self { value: expr.clone(), slope: over(x.slope), a: over(x.a), b: over(x.b), linear: x.linear }
            }
            _ => Self { value: expr.clone(), slope: None, a: None, b: Some(expr.clone()), linear: true },
        }
    }
}

fn one(expr: &Expr) -> Number {
    Number { text: "1".to_owned(), value: 1.0, span: expr.span }
}

fn negative(expr: Option<Expr>) -> Option<Expr> {
    expr.map(|expr| Expr { span: expr.span, kind: ExprKind::Unary(UnaryOp::Minus, Box::new(expr)) })
}

fn both(op: BinaryOp, x: &Expr, y: &Expr) -> Expr {
    Expr { kind: ExprKind::Binary(op, Box::new(x.clone()), Box::new(y.clone())), span: x.span.to(y.span) }
}
