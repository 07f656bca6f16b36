//! The table: for every operation its derivative with respect to its operands.
//!
//! To add a builtin, add it to `graph::builtin` and one line to [`call`].
//! Where a function has a kink (`fabs`, `floor`, ...), the derivative is that of
//! the side on which the value lies.

use crate::graph::{Builtin, Graph, Id, Node};

/// d `id`, where `d` holds the derivatives of the operands.
pub fn chain(g: &mut Graph, id: Id, operands: &[Id], d: &[Id]) -> Id {
    match (g.node(id).clone(), operands) {
        (Node::Neg(_), _) => g.neg(d[0]),
        (Node::Add(..), _) => g.add(d[0], d[1]),
        (Node::Sub(..), _) => g.sub(d[0], d[1]),
        (Node::Mul(..), [a, b]) => {
            let left = g.mul(d[0], *b);
            let right = g.mul(*a, d[1]);
            g.add(left, right)
        }
        (Node::Div(..), [a, b]) => quotient(g, id, (*a, *b), (d[0], d[1])),
        (Node::Call(builtin, _), _) => {
            let mut sum = g.number(0.0);
            for (index, inner) in d.iter().enumerate() {
                if !g.is_zero(*inner) {
                    let partial = call(g, builtin, id, operands, index);
                    let mut term = if may_be_infinite(g, builtin, operands, index) {
                        g.call(Builtin::Times, vec![partial, *inner])
                    } else {
                        g.mul(partial, *inner)
                    };
                    if let (Builtin::Exp, Some((s, n))) = (builtin, power_of_log(g, operands[0])) {
                        term = g.call(Builtin::AtPole, vec![term, s, n, s]);
                    }
                    sum = g.add(sum, term);
                }
            }
            sum
        }
        _ => g.number(0.0),
    }
}

/// `(da - q db) / b`; for `a = c x`, `b = sign (exp(x) - 1)` by the derivative of
/// `x / (exp(x) - 1)`, which does not cancel near `x = 0`.
fn quotient(g: &mut Graph, id: Id, (a, b): (Id, Id), (da, db): (Id, Id)) -> Id {
    if let Some((x, exp, sign)) = expm1(g, b) {
        if let Some(c) = g.proportion(a, x) {
            let sign = g.number(sign);
            let d_exp = g.mul(sign, db);
            let factor = g.call(Builtin::ExpSlope, vec![exp]);
            let dx = without_factor(g, d_exp, factor);
            let slope = g.call(Builtin::XOverExpm1Slope, vec![x, exp]);
            let by_x = g.mul(c, slope);
            let by_x = g.mul(by_x, dx);
            let by_x = g.mul(sign, by_x);
            // The rest, (da - c dx) / b = dc x / b, is regular at x = 0 too.
            let c_dx = g.mul(c, dx);
            if same(g, da, c_dx) {
                return by_x;
            }
            let dc_x = g.sub(da, c_dx);
            let by_c = g.div(dc_x, b);
            return g.add(by_x, by_c);
        }
    }
    let q_db = g.mul(id, db);
    let top = g.sub(da, q_db);
    let slope = g.div(top, b);
    // `1 / (1 + (k/c)^n)`, a Hill curve that is 0 at c = 0, where (k/c)^n is infinite.
    match pole(g, b) {
        Some((s, n)) if !g.is_zero(db) => g.call(Builtin::AtPole, vec![slope, s, n, b]),
        _ => slope,
    }
}

/// What is infinite in a sum where a divisor in it is 0, and the power of that divisor.
fn pole(g: &mut Graph, b: Id) -> Option<(Id, Id)> {
    match *g.node(b) {
        Node::Add(one, other) => infinite_power(g, one).or_else(|| infinite_power(g, other)),
        _ => None,
    }
}

/// The base and the exponent of a power of a quotient, which may be written as a product, or with exp and log.
fn infinite_power(g: &mut Graph, id: Id) -> Option<(Id, Id)> {
    match g.node(id).clone() {
        Node::Call(Builtin::Pow, x) if matches!(g.node(x[0]), Node::Div(..)) => Some((x[0], x[1])),
        Node::Call(Builtin::Exp, x) => power_of_log(g, x[0]),
        Node::Mul(a, b) if a == b => match *g.node(a) {
            Node::Div(..) => Some((a, g.number(2.0))),
            Node::Mul(c, d) if c == d && matches!(g.node(c), Node::Div(..)) => Some((c, g.number(4.0))),
            _ => None,
        },
        Node::Mul(a, b) => match (g.node(a).clone(), g.node(b).clone()) {
            (Node::Mul(c, d), Node::Div(..)) if c == d && c == b => Some((b, g.number(3.0))),
            (Node::Div(..), Node::Mul(c, d)) if c == d && c == a => Some((a, g.number(3.0))),
            _ => infinite_power(g, a).or_else(|| infinite_power(g, b)),
        },
        _ => None,
    }
}

/// The exponent `n log(x)`: the logarithm, and n.
fn power_of_log(g: &Graph, exponent: Id) -> Option<(Id, Id)> {
    let is_log = |id: Id| matches!(g.node(id), Node::Call(Builtin::Log, _));
    match *g.node(exponent) {
        Node::Neg(inner) => power_of_log(g, inner),
        Node::Mul(n, log) if is_log(log) => Some((log, n)),
        Node::Mul(log, n) if is_log(log) => Some((log, n)),
        // -n log(x), with the sign anywhere
        Node::Mul(n, other) if matches!(g.node(other), Node::Neg(_)) => match *g.node(other) {
            Node::Neg(log) if is_log(log) => Some((log, n)),
            _ => None,
        },
        _ => None,
    }
}

/// Equal, or numbers that differ by rounding.
fn same(g: &Graph, a: Id, b: Id) -> bool {
    let close = |(a, b): (f64, f64)| (a - b).abs() <= 1e-14 * a.abs();
    a == b || g.as_number(a).zip(g.as_number(b)).is_some_and(close)
}

/// `product / factor`, where `factor` was multiplied in by the chain rule.
fn without_factor(g: &mut Graph, product: Id, factor: Id) -> Id {
    match *g.node(product) {
        Node::Neg(inner) => {
            let rest = without_factor(g, inner, factor);
            g.neg(rest)
        }
        Node::Mul(a, b) if a == factor => b,
        Node::Mul(a, b) if b == factor => a,
        _ if product == factor => g.number(1.0),
        _ => g.div(product, factor),
    }
}

/// `b` as `sign * (exp(x) - 1)`: `x`, `exp(x)` and the sign.
fn expm1(g: &Graph, b: Id) -> Option<(Id, Id, f64)> {
    let (exp, sign) = match g.node(b) {
        Node::Sub(a, one) if g.as_number(*one) == Some(1.0) => (*a, 1.0),
        Node::Sub(one, a) if g.as_number(*one) == Some(1.0) => (*a, -1.0),
        Node::Add(a, one) if g.as_number(*one) == Some(-1.0) => (*a, 1.0),
        Node::Add(one, a) if g.as_number(*one) == Some(-1.0) => (*a, 1.0),
        _ => return None,
    };
    match g.node(exp) {
        Node::Call(Builtin::Exp, arguments) => Some((arguments[0], exp, sign)),
        _ => None,
    }
}

/// Whether the slope of a function may be infinite where its value is finite: where what is in it does not change, that
/// does not matter.
fn may_be_infinite(g: &Graph, builtin: Builtin, x: &[Id], index: usize) -> bool {
    match builtin {
        Builtin::Sqrt | Builtin::Asin | Builtin::Acos | Builtin::Atan2 => true,
        // Of a quotient it is Nernst's equation, where a concentration of 0 has no potential.
        Builtin::Log | Builtin::Log10 => !matches!(g.node(x[0]), Node::Div(..)),
        // exp(n log(x)), a power of 0.
        Builtin::Exp => power_of_log(g, x[0]).is_some(),
        Builtin::Pow => index == 0 && g.as_number(x[1]).is_none_or(|exponent| exponent < 1.0),
        _ => false,
    }
}

/// d `f(x...)` / d `x[index]`; `y` is the value of the call.
fn call(g: &mut Graph, builtin: Builtin, y: Id, x: &[Id], index: usize) -> Id {
    let one = g.number(1.0);
    match builtin {
        // NEURON's exp is 0 below -700 and constant above 700, where y is 1e304.
        Builtin::Exp => g.call(Builtin::ExpSlope, vec![y]),
        Builtin::Log => g.div(one, x[0]),
        Builtin::Log10 => {
            let scale = g.number(std::f64::consts::LOG10_E);
            g.div(scale, x[0])
        }
        Builtin::Sqrt => {
            let half = g.number(0.5);
            g.div(half, y)
        }
        Builtin::Fabs => g.call(Builtin::Sign, vec![x[0]]),
        Builtin::Sin => g.call(Builtin::Cos, vec![x[0]]),
        Builtin::Cos => {
            let sine = g.call(Builtin::Sin, vec![x[0]]);
            g.neg(sine)
        }
        Builtin::Tan => {
            let square = g.mul(y, y);
            g.add(one, square)
        }
        Builtin::Asin => inverse_root(g, x[0]),
        Builtin::Acos => {
            let slope = inverse_root(g, x[0]);
            g.neg(slope)
        }
        Builtin::Atan => {
            let square = g.mul(x[0], x[0]);
            let below = g.add(one, square);
            g.div(one, below)
        }
        Builtin::Sinh => g.call(Builtin::Cosh, vec![x[0]]),
        Builtin::Cosh => g.call(Builtin::Sinh, vec![x[0]]),
        Builtin::Tanh => {
            let square = g.mul(y, y);
            g.sub(one, square)
        }
        Builtin::Floor | Builtin::Ceil | Builtin::Sign => g.number(0.0),
        // A draw is what it is, and so is the place of the next one.
        Builtin::UniformAt | Builtin::NormalAt | Builtin::IntegerAt | Builtin::AfterNormal => g.number(0.0),
        Builtin::LookUp => g.call(Builtin::LookUpSlope, x.to_vec()),
        // NEURON goes from point to point in straight lines.
        Builtin::LookUpSlope => g.number(0.0),
        Builtin::Pow if index == 0 => {
            let lower = g.sub(x[1], one);
            let power = g.pow(x[0], lower);
            if g.as_number(x[1]).is_some() {
                return g.mul(x[1], power);
            }
            // x^0 is 1 wherever x is, and x^-1 is infinite at 0.
            g.call(Builtin::Times, vec![x[1], power])
        }
        Builtin::Pow => g.call(Builtin::TimesLog, vec![y, x[0]]),
        Builtin::Atan2 => {
            let (a, b) = (g.mul(x[0], x[0]), g.mul(x[1], x[1]));
            let below = g.add(a, b);
            let above = if index == 0 { x[1] } else { g.neg(x[0]) };
            g.div(above, below)
        }
        Builtin::Fmod if index == 0 => one,
        Builtin::Fmod => {
            let rest = g.sub(y, x[0]);
            g.div(rest, x[1])
        }
        Builtin::Erf => {
            let square = g.mul(x[0], x[0]);
            let minus = g.neg(square);
            let bell = g.exp(minus);
            let scale = g.number(std::f64::consts::FRAC_2_SQRT_PI);
            g.mul(scale, bell)
        }
        // Second derivatives of it only decide whether a current is linear in v.
        Builtin::XOverExpm1Slope | Builtin::TimesLog => y,
        Builtin::ExpSlope => one,
        Builtin::AtPole if index == 0 => one,
        Builtin::AtPole => g.number(0.0),
        Builtin::Times => x[1 - index],
    }
}

/// `1 / sqrt(1 - x^2)`
fn inverse_root(g: &mut Graph, x: Id) -> Id {
    let one = g.number(1.0);
    let square = g.mul(x, x);
    let below = g.sub(one, square);
    let root = g.call(Builtin::Sqrt, vec![below]);
    g.div(one, root)
}
