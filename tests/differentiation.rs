//! The derivative rules against differences of the same graph, evaluated.

use gradmod::diff::Differentiator;
use gradmod::graph::{Builtin, Comparison, Graph, Id, Node};
use proptest::prelude::*;

/// The value of a node at `x`, the only input.
fn evaluate(graph: &Graph, id: Id, x: f64) -> f64 {
    let value = |id: &Id| evaluate(graph, *id, x);
    match graph.node(id) {
        Node::Number(bits) => f64::from_bits(*bits),
        Node::Input(_) => x,
        Node::Neg(a) => -value(a),
        Node::Add(a, b) => value(a) + value(b),
        Node::Sub(a, b) => value(a) - value(b),
        Node::Mul(a, b) => value(a) * value(b),
        Node::Div(a, b) => value(a) / value(b),
        Node::Compare(Comparison::Lt, a, b) => f64::from(u8::from(value(a) < value(b))),
        Node::Phi(branch, slot) => {
            let branch = graph.branch(*branch);
            let (then, otherwise) = branch.slots[*slot];
            if value(&branch.condition) == 0.0 { value(&otherwise) } else { value(&then) }
        }
        Node::Call(builtin, arguments) => {
            let x: Vec<f64> = arguments.iter().map(value).collect();
            match builtin {
                Builtin::XOverExpm1Slope => {
                    let (e, x) = (x[0].exp_m1(), x[0]);
                    if x.abs() < 1e-3 { -0.5 + x / 6.0 - x.powi(3) / 180.0 } else { (e - x * x.exp()) / (e * e) }
                }
                Builtin::Sign => {
                    if x[0] < 0.0 {
                        -1.0
                    } else {
                        1.0
                    }
                }
                Builtin::TimesLog => {
                    if x[1] > 0.0 {
                        x[0] * x[1].ln()
                    } else {
                        0.0
                    }
                }
                _ => builtin.evaluate(&x).unwrap_or(f64::NAN),
            }
        }
        other => panic!("not made here: {other:?}"),
    }
}

fn check(make: impl Fn(&mut Graph, Id) -> Id, x: f64) {
    let mut graph = Graph::default();
    let input = graph.input("x");
    let read = graph.read(input);
    let value = make(&mut graph, read);
    let derivative = Differentiator::default().derivative(&mut graph, value, input);
    let step = 1e-3 * x.abs().max(0.1);
    let slope = |h: f64| (evaluate(&graph, value, x + h) - evaluate(&graph, value, x - h)) / (2.0 * h);
    let expected = (4.0 * slope(step / 2.0) - slope(step)) / 3.0;
    let found = evaluate(&graph, derivative, x);
    assert!((found - expected).abs() <= 1e-7 * (1.0 + expected.abs()), "at {x}: {found}, {expected}");
}

#[test]
fn builtins() {
    use Builtin::{Acos, Asin, Atan, Cos, Cosh, Exp, Fabs, Log, Log10, Sin, Sinh, Sqrt, Tan, Tanh};
    for builtin in [Exp, Log, Log10, Sqrt, Fabs, Sin, Cos, Tan, Asin, Acos, Atan, Sinh, Cosh, Tanh] {
        for x in [0.2, 0.5, 0.7] {
            check(|g, x| g.call(builtin, vec![x]), x);
        }
    }
    for builtin in [Builtin::Pow, Builtin::Atan2, Builtin::Fmod] {
        check(
            |g, x| {
                let c = g.number(2.5);
                g.call(builtin, vec![x, c])
            },
            1.3,
        );
    }
    for builtin in [Builtin::Pow, Builtin::Atan2] {
        check(
            |g, x| {
                let c = g.number(2.5);
                g.call(builtin, vec![c, x])
            },
            1.3,
        );
    }
    check(
        |g, x| {
            let c = g.number(2.5);
            g.call(Builtin::Fmod, vec![c, x])
        },
        1.3,
    );
}

#[test]
fn kinks_take_the_side_of_the_value() {
    for x in [-0.7, -0.2, 0.2] {
        check(|g, x| g.call(Builtin::Fabs, vec![x]), x);
        check(|g, x| g.call(Builtin::Floor, vec![x]), x);
        check(|g, x| g.call(Builtin::Ceil, vec![x]), x);
    }
}

#[test]
fn quotients_by_exp_minus_one() {
    // x / (exp(x) - 1), and u / (exp(u/k) - 1) whose factor k varies as well: u = x + 3, k = x x
    for x in [-1.2, 0.4, 1.3] {
        check(
            |g, x| {
                let (e, one) = (g.exp(x), g.number(1.0));
                let below = g.sub(e, one);
                g.div(x, below)
            },
            x,
        );
        check(
            |g, x| {
                let (three, one) = (g.number(3.0), g.number(1.0));
                let (u, k) = (g.add(x, three), g.mul(x, x));
                let ratio = g.div(u, k);
                let e = g.exp(ratio);
                let below = g.sub(e, one);
                g.div(u, below)
            },
            x,
        );
    }
}

#[test]
fn erf() {
    let mut graph = Graph::default();
    let input = graph.input("x");
    let read = graph.read(input);
    let value = graph.call(Builtin::Erf, vec![read]);
    let derivative = Differentiator::default().derivative(&mut graph, value, input);
    // 2/sqrt(pi) exp(-x^2)
    assert!((evaluate(&graph, derivative, 0.0) - std::f64::consts::FRAC_2_SQRT_PI).abs() < 1e-12);
    assert!((evaluate(&graph, derivative, 0.5) - 0.878_782_578_935_444_8).abs() < 1e-12);
}

#[test]
fn removable_singularity() {
    // 0.1 (x - 3) / (1 - exp(-(x - 3) / 10)) near x = 3: the plain quotient rule cancels
    let make = |g: &mut Graph, x: Id| {
        let (three, ten, tenth, one) = (g.number(3.0), g.number(10.0), g.number(0.1), g.number(1.0));
        let u = g.sub(x, three);
        let top = g.mul(tenth, u);
        let arg = g.div(u, ten);
        let arg = g.neg(arg);
        let e = g.exp(arg);
        let below = g.sub(one, e);
        g.div(top, below)
    };
    let mut graph = Graph::default();
    let input = graph.input("x");
    let read = graph.read(input);
    let value = make(&mut graph, read);
    let derivative = Differentiator::default().derivative(&mut graph, value, input);
    for near in [1e-9, 1e-7, 1e-5, 1e-3, 1e-1] {
        for side in [-near, near] {
            // y = u / 10: f = y / (1 - exp(-y)), f' = 1/2 + y/6 - ...; df/dx = f'/10
            let y: f64 = side / 10.0;
            let expected = (0.5 + y / 6.0 - y.powi(3) / 180.0) / 10.0;
            let found = evaluate(&graph, derivative, 3.0 + side);
            assert!((found - expected).abs() < 1e-10, "{side}: {found} {expected}");
        }
    }
}

#[test]
fn a_conditional_is_differentiated_as_taken() {
    let make = |g: &mut Graph, x: Id| {
        let one = g.number(1.0);
        let condition = g.compare(Comparison::Lt, x, one);
        let branch = g.new_branch(condition, None);
        let (square, e) = (g.mul(x, x), g.exp(x));
        let joined = g.join(branch, square, e);
        g.mul(joined, x)
    };
    check(make, 0.4);
    check(make, 1.8);
}

proptest! {
    #[test]
    fn compositions(operations in prop::collection::vec(0..8u8, 1..7), x in 0.3..1.5f64) {
        check(|g, x| operations.iter().fold(x, |value, operation| {
            let c = g.number(1.7);
            match operation {
                0 => g.add(value, x),
                1 => g.sub(c, value),
                2 => g.mul(value, x),
                3 => { let square = g.mul(value, value); let below = g.add(square, c); g.div(x, below) }
                4 => g.call(Builtin::Tanh, vec![value]),
                5 => { let bounded = g.call(Builtin::Sin, vec![value]); g.exp(bounded) }
                6 => g.call(Builtin::Atan, vec![value]),
                _ => g.neg(value),
            }
        }), x);
    }
}
