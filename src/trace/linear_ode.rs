//! METHOD cnexp: one equation at a time, as if linear in its state.
//!
//! `s' = a s + b` becomes `s + (1 - exp(dt a)) (-b/a - s)`. NEURON's translator
//! finds `a` and `b` by the shape of the right side alone; this file makes the
//! same choices, so that the step is the same even where they are odd.

use super::{Trace, Traced};
use crate::graph::Id;
use crate::syntax::ast::{BinaryOp, Block, Expr, ExprKind, Statement, StatementKind, UnaryOp};

/// Whether the translator keeps cnexp for this block; if not, it takes
/// derivimplicit for all of it.
pub fn keeps_cnexp(block: &Block) -> bool {
    all_primes(&block.body, &mut |state, value| !enters_nonlinearly(value, state))
}

/// How often the translator lists a state (`z[1]` with all of `z`) for euler and runge, which go through that list:
/// once for each equation that is written of it, in arms of a conditional too.
pub fn times_listed(block: &Block, state: &str) -> u32 {
    let name = state.split('[').next().unwrap_or(state);
    let mut count = 0;
    all_primes(&block.body, &mut |other, _| {
        count += u32::from(other == name);
        true
    });
    count
}

fn all_primes(body: &[Statement], test: &mut impl FnMut(&str, &Expr) -> bool) -> bool {
    body.iter().all(|statement| match &statement.kind {
        StatementKind::Prime(place, _, value) => test(&place.name.text, value),
        StatementKind::If(branches, otherwise) => {
            branches.iter().all(|(_, body)| all_primes(body, test))
                && otherwise.as_ref().is_none_or(|body| all_primes(body, test))
        }
        StatementKind::From { body, .. }
        | StatementKind::While(_, body)
        | StatementKind::Group(body) => all_primes(body, test),
        _ => true,
    })
}

pub(super) fn mentions(expr: &Expr, state: &str) -> bool {
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
        ExprKind::Binary(BinaryOp::Div, a, b) => {
            mentions(b, state) || enters_nonlinearly(a, state)
        }
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
    pub(super) fn exponential_step(&mut self, name: &str, key: &str, right: &Expr, dt: Id) -> Traced<Id> {
        let parts = self.parts(right, name)?;
        let old = self.lookup(key).ok_or_else(|| super::unknown(key, right.span))?;
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
            ExprKind::Binary(
                op @ (BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div),
                left,
                right,
            ) => {
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
