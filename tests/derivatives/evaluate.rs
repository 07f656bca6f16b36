//! The value of a node of the compiler's graph.

use std::collections::HashMap;

use gradmod::graph::{Builtin, Comparison, Graph, Id, Input, Node};

pub struct Evaluation<'a> {
    graph: &'a Graph,
    inputs: HashMap<Input, f64>,
    known: HashMap<Id, f64>,
}

impl<'a> Evaluation<'a> {
    pub fn new(graph: &'a Graph, inputs: HashMap<Input, f64>) -> Self {
        Self { graph, inputs, known: HashMap::new() }
    }

    pub fn value(&mut self, id: Id) -> f64 {
        if let Some(value) = self.known.get(&id) {
            return *value;
        }
        let value = self.compute(id);
        self.known.insert(id, value);
        value
    }

    #[allow(clippy::float_cmp)] // NMODL's own
    fn compute(&mut self, id: Id) -> f64 {
        let graph = self.graph;
        let truth = |holds: bool| f64::from(u8::from(holds));
        match graph.node(id) {
            Node::Number(bits) => f64::from_bits(*bits),
            Node::Input(input) => self.inputs[input],
            Node::Neg(a) => -self.value(*a),
            Node::Add(a, b) => self.value(*a) + self.value(*b),
            Node::Sub(a, b) => self.value(*a) - self.value(*b),
            Node::Mul(a, b) => self.value(*a) * self.value(*b),
            Node::Div(a, b) => self.value(*a) / self.value(*b),
            Node::Not(a) => truth(self.value(*a) == 0.0),
            Node::And(a, b) => truth(self.value(*a) != 0.0 && self.value(*b) != 0.0),
            Node::Or(a, b) => truth(self.value(*a) != 0.0 || self.value(*b) != 0.0),
            Node::Compare(comparison, a, b) => {
                let (a, b) = (self.value(*a), self.value(*b));
                truth(match comparison {
                    Comparison::Lt => a < b,
                    Comparison::Le => a <= b,
                    Comparison::Gt => a > b,
                    Comparison::Ge => a >= b,
                    Comparison::Eq => a == b,
                    Comparison::Ne => a != b,
                })
            }
            Node::Phi(branch, slot) => {
                let branch = graph.branch(*branch);
                let (then, otherwise) = branch.slots[*slot];
                let taken = self.value(branch.condition) != 0.0;
                self.value(if taken { then } else { otherwise })
            }
            Node::Anchored { value, .. } => self.value(*value),
            Node::Call(builtin, arguments) => {
                let x: Vec<f64> = arguments.iter().map(|one| self.value(*one)).collect();
                call(*builtin, &x)
            }
            Node::AfterLoop(id, slot) => {
                let repeated = graph.loop_of(*id);
                let needs = repeated.slots[*slot].needs.clone();
                let mut now: Vec<f64> = needs.iter().map(|one| self.value(repeated.slots[*one].start)).collect();
                for _ in 0..1000 {
                    let mut inputs = self.inputs.clone();
                    inputs.extend(needs.iter().map(|one| repeated.slots[*one].inner).zip(now.iter().copied()));
                    let mut round = Evaluation::new(graph, inputs);
                    if round.value(repeated.condition) == 0.0 {
                        break;
                    }
                    now = needs.iter().map(|one| round.value(repeated.slots[*one].next)).collect();
                }
                needs.iter().position(|one| one == slot).map_or(f64::NAN, |place| now[place])
            }
            other => panic!("not made here: {other:?}"),
        }
    }
}

fn call(builtin: Builtin, x: &[f64]) -> f64 {
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
        Builtin::Log => x[0].ln(),
        Builtin::Pow => x[0].powf(x[1]),
        _ => builtin.evaluate(x).unwrap_or(f64::NAN),
    }
}
