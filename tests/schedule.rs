//! Scheduled code against the graph it was made of, for programs of nested conditionals.

use std::collections::HashMap;

use gradmod::graph::schedule::{Op, Plan};
use gradmod::graph::{Arm, Comparison, Graph, Id, Node, Scope};
use proptest::prelude::*;

const VARIABLES: usize = 4;

#[derive(Clone, Debug)]
enum Statement {
    /// `a = b`
    Copy {
        target: usize,
        source: usize,
    },
    /// `a = b + c` or `a = b*c`
    Assign {
        target: usize,
        left: usize,
        right: usize,
        product: bool,
    },
    If {
        tested: usize,
        limit: f64,
        then: Vec<Statement>,
        otherwise: Vec<Statement>,
    },
}

fn statements() -> impl Strategy<Value = Vec<Statement>> {
    let variable = || 0..VARIABLES;
    let assign = (variable(), variable(), variable(), any::<bool>())
        .prop_map(|(target, left, right, product)| Statement::Assign { target, left, right, product });
    let copy = (variable(), variable()).prop_map(|(target, source)| Statement::Copy { target, source });
    let block = |inner: BoxedStrategy<Statement>| prop::collection::vec(inner, 0..4);
    let statement = prop_oneof![assign, copy].boxed().prop_recursive(6, 60, 4, move |inner| {
        (variable(), -2.0..2.0, block(inner.clone()), block(inner))
            .prop_map(|(tested, limit, then, otherwise)| Statement::If { tested, limit, then, otherwise })
    });
    prop::collection::vec(statement, 1..6)
}

/// The variables after the statements, as nodes.
fn trace(graph: &mut Graph, scope: Scope, statements: &[Statement], variables: &mut [Id]) {
    for statement in statements {
        match statement {
            Statement::Copy { target, source } => variables[*target] = variables[*source],
            Statement::Assign { target, left, right, product } => {
                let (left, right) = (variables[*left], variables[*right]);
                variables[*target] = if *product { graph.mul(left, right) } else { graph.add(left, right) };
            }
            Statement::If { tested, limit, then, otherwise } => {
                let limit = graph.number(*limit);
                let condition = graph.compare(Comparison::Lt, variables[*tested], limit);
                let branch = graph.new_branch(condition, scope);
                let mut arms = [variables.to_vec(), variables.to_vec()];
                trace(graph, Some((branch, Arm::Then)), then, &mut arms[0]);
                trace(graph, Some((branch, Arm::Else)), otherwise, &mut arms[1]);
                for (index, variable) in variables.iter_mut().enumerate() {
                    *variable = graph.join(branch, arms[0][index], arms[1][index]);
                }
            }
        }
    }
}

fn direct(statements: &[Statement], variables: &mut [f64]) {
    for statement in statements {
        match statement {
            Statement::Copy { target, source } => variables[*target] = variables[*source],
            Statement::Assign { target, left, right, product } => {
                let (left, right) = (variables[*left], variables[*right]);
                variables[*target] = if *product { left * right } else { left + right };
            }
            Statement::If { tested, limit, then, otherwise } => {
                direct(if variables[*tested] < *limit { then } else { otherwise }, variables);
            }
        }
    }
}

/// Runs code as the simulator would; `None` where a name is read that nothing has set.
struct Run<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    inputs: &'a [f64],
    values: HashMap<usize, f64>,
}

impl Run<'_> {
    fn ops(&mut self, ops: &[Op]) -> Option<()> {
        for op in ops {
            match op {
                Op::Let(id) => {
                    let value = self.node(*id)?;
                    self.values.insert(self.plan.names[id], value);
                }
                Op::Set { phi, value } => {
                    let value = self.value(*value)?;
                    self.values.insert(self.plan.names[phi], value);
                }
                Op::If { condition, then, otherwise } => {
                    let arm = if self.value(*condition)? == 0.0 { otherwise } else { then };
                    self.ops(arm)?;
                }
                Op::Repeat { .. } => panic!("no loops here"),
            }
        }
        Some(())
    }

    fn value(&self, id: Id) -> Option<f64> {
        match self.plan.names.get(&id) {
            Some(name) => self.values.get(name).copied(),
            None => self.node(id),
        }
    }

    fn node(&self, id: Id) -> Option<f64> {
        Some(match self.graph.node(id) {
            Node::Number(bits) => f64::from_bits(*bits),
            Node::Input(input) => self.inputs[self.graph.input_name(*input)[1..].parse::<usize>().unwrap()],
            Node::Add(a, b) => self.value(*a)? + self.value(*b)?,
            Node::Mul(a, b) => self.value(*a)? * self.value(*b)?,
            Node::Neg(a) => -self.value(*a)?,
            Node::Compare(Comparison::Lt, a, b) => f64::from(u8::from(self.value(*a)? < self.value(*b)?)),
            other => panic!("not made here: {other:?}"),
        })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn scheduled_code_computes_the_graph(program in statements(), inputs in prop::array::uniform4(-2.0..2.0)) {
        let mut graph = Graph::default();
        let mut variables: Vec<Id> = (0..VARIABLES)
            .map(|index| {
                let input = graph.input(format!("v{index}"));
                graph.read(input)
            })
            .collect();
        trace(&mut graph, None, &program, &mut variables);
        let plan = graph.schedule(&variables);
        let mut run = Run { graph: &graph, plan: &plan, inputs: &inputs, values: HashMap::new() };
        prop_assert!(run.ops(&plan.ops).is_some(), "reads what is not set: {:?}", plan.ops);
        let mut expected = inputs.to_vec();
        direct(&program, &mut expected);
        for (variable, expected) in variables.iter().zip(expected) {
            let found = run.value(*variable);
            let near = |found: f64| (found - expected).abs() <= 1e-12 * (1.0 + expected.abs());
            prop_assert!(found.is_some_and(near) || !expected.is_finite(), "{found:?}, {expected}");
        }
        prop_assert!(plan.names.values().all(|name| *name < plan.count));
    }
}
