//! Graph -> NMODL statements and expressions.

use std::collections::BTreeSet;

use crate::graph::schedule::{Op, Plan};
use crate::graph::{Builtin, Comparison, Graph, Id, Node};

/// NMODL text for the values of a graph under one plan.
pub struct Code<'a> {
    graph: &'a Graph,
    plan: Plan,
}

/// How tightly an expression binds; a looser one inside needs parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
    Comparison,
    Sum,
    Product,
    Atom,
}

impl<'a> Code<'a> {
    pub fn new(graph: &'a Graph, roots: &[Id]) -> Self {
        Self { graph, plan: graph.schedule(roots) }
    }

    /// The names that must be declared LOCAL.
    pub fn locals(&self) -> Vec<String> {
        (0..self.plan.names.len()).map(|number| format!("x{number}")).collect()
    }

    pub fn statements(&self) -> Vec<String> {
        let mut lines = Vec::new();
        self.ops(&self.plan.ops, 0, &mut lines);
        lines
    }

    /// The functions of our own that the code calls.
    pub fn functions(&self, roots: &[Id]) -> BTreeSet<&'static str> {
        let mut names = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut stack = roots.to_vec();
        while let Some(id) = stack.pop() {
            if seen.insert(id) {
                if let Node::Call(builtin, _) = self.graph.node(id) {
                    if builtin.is_ours() {
                        names.insert(builtin.name());
                    }
                }
                stack.extend(self.graph.operands(id));
            }
        }
        names
    }

    /// The value of a root as an expression.
    pub fn value(&self, id: Id) -> String {
        self.expression(id, Binding::Or)
    }

    /// The value of a root as a factor.
    pub fn factor(&self, id: Id) -> String {
        self.expression(id, Binding::Product)
    }

    fn ops(&self, ops: &[Op], depth: usize, lines: &mut Vec<String>) {
        let indent = "    ".repeat(depth);
        for op in ops {
            match op {
                Op::Let(id) => {
                    let value = self.node(*id).0;
                    lines.push(format!("{indent}{} = {value}", self.name(*id)));
                }
                Op::Set { phi, value } => {
                    let value = self.expression(*value, Binding::Or);
                    lines.push(format!("{indent}{} = {value}", self.name(*phi)));
                }
                Op::If { condition, then, otherwise } => {
                    let condition = self.expression(*condition, Binding::Or);
                    lines.push(format!("{indent}IF ({condition}) {{"));
                    self.ops(then, depth + 1, lines);
                    lines.push(format!("{indent}}} ELSE {{"));
                    self.ops(otherwise, depth + 1, lines);
                    lines.push(format!("{indent}}}"));
                }
            }
        }
    }

    fn name(&self, id: Id) -> String {
        let number = self.plan.names.get(&id).copied().unwrap_or_default();
        format!("x{number}")
    }

    fn expression(&self, id: Id, around: Binding) -> String {
        if self.plan.names.contains_key(&id) {
            return self.name(id);
        }
        let (text, binding) = self.node(id);
        if binding < around {
            format!("({text})")
        } else {
            text
        }
    }

    fn node(&self, id: Id) -> (String, Binding) {
        let binary = |a: &Id, sign: &str, b: &Id, own: Binding, right: Binding| {
            let (a, b) = (self.expression(*a, own), self.expression(*b, right));
            (format!("{a}{sign}{b}"), own)
        };
        match self.graph.node(id) {
            Node::Number(bits) => number(f64::from_bits(*bits)),
            Node::Input(input) => (self.graph.input_name(*input).to_owned(), Binding::Atom),
            Node::Neg(a) => (format!("-{}", self.expression(*a, Binding::Atom)), Binding::Sum),
            Node::Add(a, b) => binary(a, " + ", b, Binding::Sum, Binding::Product),
            Node::Sub(a, b) => binary(a, " - ", b, Binding::Sum, Binding::Product),
            Node::Mul(a, b) => binary(a, "*", b, Binding::Product, Binding::Atom),
            Node::Div(a, b) => binary(a, "/", b, Binding::Product, Binding::Atom),
            Node::Call(builtin, arguments) => (self.call(*builtin, arguments), Binding::Atom),
            Node::Compare(comparison, a, b) => {
                let sign = match comparison {
                    Comparison::Lt => " < ",
                    Comparison::Le => " <= ",
                    Comparison::Gt => " > ",
                    Comparison::Ge => " >= ",
                    Comparison::Eq => " == ",
                    Comparison::Ne => " != ",
                };
                binary(a, sign, b, Binding::Comparison, Binding::Sum)
            }
            // && and || bind alike in NMODL, so they are never mixed without parentheses.
            Node::And(a, b) => binary(a, " && ", b, Binding::And, Binding::Comparison),
            Node::Or(a, b) => binary(a, " || ", b, Binding::Or, Binding::Comparison),
            Node::Not(a) => (format!("!{}", self.parenthesised(*a)), Binding::Atom),
            Node::Phi(..) => (self.name(id), Binding::Atom),
            Node::Anchored { value, .. } => (self.expression(*value, Binding::Atom), Binding::Atom),
            Node::Unknown(system, index) => {
                let input = self.graph.system(*system).unknowns[*index];
                (self.graph.input_name(input).to_owned(), Binding::Atom)
            }
        }
    }

    fn parenthesised(&self, id: Id) -> String {
        format!("({})", self.expression(id, Binding::Or))
    }

    fn call(&self, builtin: Builtin, arguments: &[Id]) -> String {
        let arguments: Vec<String> =
            arguments.iter().map(|argument| self.expression(*argument, Binding::Or)).collect();
        format!("{}({})", builtin.name(), arguments.join(", "))
    }
}

/// The shortest text that reads back as the same number.
fn number(value: f64) -> (String, Binding) {
    if value.is_nan() {
        return ("(0/0)".to_owned(), Binding::Atom);
    }
    if value.is_infinite() {
        return (if value > 0.0 { "(1/0)" } else { "(-1/0)" }.to_owned(), Binding::Atom);
    }
    let text = format!("{:?}", value.abs());
    let text = text.strip_suffix(".0").map_or(text.clone(), str::to_owned);
    if value < 0.0 {
        (format!("-{text}"), Binding::Sum)
    } else {
        (text, Binding::Atom)
    }
}
