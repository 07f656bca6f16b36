//! Graph -> NMODL statements and expressions.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::graph::schedule::{Op, Plan};
use crate::graph::{Builtin, Comparison, Graph, Id, Input, Node, PerNode};

/// NMODL text for the values of a graph under one plan.
pub struct Code<'a> {
    graph: &'a Graph,
    plan: Plan,
    /// What its names begin with.
    prefix: String,
    /// Arrays have what events have made of them so far.
    at_event: bool,
    /// Where inputs are found that have not been loaded.
    sources: BTreeMap<Input, String>,
    /// Where values are that were computed before.
    given: BTreeMap<Id, String>,
    /// Some of its values may be infinite where a slope is.
    is_infinite: bool,
    language: Language,
}

/// What the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Nmodl,
    /// As NEURON's translator would write it: a quotient of whole numbers is none of integers, and what the model has
    /// named may be a word of C.
    C,
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
        Self {
            graph,
            plan: graph.schedule(roots),
            is_infinite: !graph.infinite(roots.iter().copied()).is_empty(),
            prefix: "x".to_owned(),
            at_event: false,
            sources: BTreeMap::new(),
            given: BTreeMap::new(),
            language: Language::Nmodl,
        }
    }

    /// The same for C, in statements that [`super::c::statements`] ends; `sources` are inputs that are not loaded by the
    /// names that [`super::c::local`] makes.
    pub fn in_c(graph: &'a Graph, roots: &[Id], sources: BTreeMap<Input, String>, given: BTreeMap<Id, String>) -> Self {
        let plan = graph.schedule_with(roots, &given.keys().copied().collect());
        Self { language: Language::C, plan, sources, given, ..Self::new(graph, &[]) }.looking_at(roots)
    }

    fn looking_at(self, roots: &[Id]) -> Self {
        Self { is_infinite: !self.graph.infinite(roots.iter().copied()).is_empty(), ..self }
    }

    /// The same for code that runs when an event comes.
    pub fn at_event(graph: &'a Graph, roots: &[Id]) -> Self {
        Self { at_event: true, ..Self::new(graph, roots) }
    }

    /// Expressions without LOCAL names, for values without conditionals.
    pub fn inline(graph: &'a Graph, sources: BTreeMap<Input, String>) -> Self {
        Self { sources, ..Self::new(graph, &[]) }
    }

    /// The names that must be declared LOCAL.
    pub fn locals(&self) -> Vec<String> {
        let mut names = BTreeSet::new();
        self.inner_locals(&self.plan.ops, &mut names);
        let own = (0..self.plan.count).map(|number| format!("{}{number}", self.prefix));
        own.chain(names).collect()
    }

    pub fn statements(&self) -> Vec<String> {
        let mut lines = Vec::new();
        self.lines(0, &mut lines);
        lines
    }

    pub(in crate::emit) fn lines(&self, depth: usize, lines: &mut Vec<String>) {
        self.ops(&self.plan.ops, depth, lines);
    }

    /// Code inside of this one, with names of its own.
    pub(in crate::emit) fn part(&self, plan: Plan, prefix: String) -> Self {
        Self {
            graph: self.graph,
            plan,
            prefix,
            at_event: self.at_event,
            sources: self.sources.clone(),
            given: self.given.clone(),
            is_infinite: false,
            language: self.language,
        }
    }

    /// A product of one of its values.
    pub fn times(&self, coefficient: &str, variable: &str) -> String {
        if self.is_infinite {
            format!("{}({coefficient}, {variable})", self.function(Builtin::Times))
        } else {
            format!("{coefficient}*{variable}")
        }
    }

    pub(in crate::emit) fn graph(&self) -> &'a Graph {
        self.graph
    }

    pub(in crate::emit) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(in crate::emit) fn is_at_event(&self) -> bool {
        self.at_event
    }

    /// The functions that the code calls.
    pub fn calls(&self, roots: &[Id]) -> BTreeSet<Builtin> {
        let mut found = BTreeSet::new();
        let mut seen = PerNode::<bool>::new(self.graph);
        let mut stack = roots.to_vec();
        while let Some(id) = stack.pop() {
            if self.given.contains_key(&id) || std::mem::replace(&mut seen[id], true) {
                continue;
            }
            if let Node::Call(builtin, _) = self.graph.node(id) {
                found.insert(*builtin);
            }
            stack.extend(self.graph.operands(id).iter());
            stack.extend(self.graph.inside(id));
        }
        found
    }

    /// Whether a loop is in it.
    pub fn repeats(&self) -> bool {
        fn any(ops: &[Op]) -> bool {
            ops.iter().any(|op| match op {
                Op::Repeat { .. } => true,
                Op::If { then, otherwise, .. } => any(then) || any(otherwise),
                Op::Let(_) | Op::Set { .. } => false,
            })
        }
        any(&self.plan.ops)
    }

    /// Whether a compiler can take several places at once, with functions of our own (templates/elementary.mod.j2).
    pub fn is_vector(&self, roots: &[Id]) -> bool {
        let simple = |builtin: &Builtin| {
            matches!(
                builtin,
                Builtin::Exp
                    | Builtin::Log
                    | Builtin::Pow
                    | Builtin::TimesLog
                    | Builtin::Fabs
                    | Builtin::Sqrt
                    | Builtin::Floor
                    | Builtin::Ceil
                    | Builtin::XOverExpm1Slope
                    | Builtin::Sign
                    | Builtin::ExpSlope
                    | Builtin::Times
                    | Builtin::AtPole
            )
        };
        !self.repeats() && self.calls(roots).iter().all(simple)
    }

    /// The functions of our own that the code calls.
    pub fn functions(&self, roots: &[Id]) -> BTreeSet<&'static str> {
        let mut names: BTreeSet<&'static str> = self.is_infinite.then(|| Builtin::Times.name()).into_iter().collect();
        let mut seen = PerNode::<bool>::new(self.graph);
        let mut stack = roots.to_vec();
        while let Some(id) = stack.pop() {
            if !std::mem::replace(&mut seen[id], true) {
                if let Node::Call(builtin, _) = self.graph.node(id) {
                    if builtin.is_ours() {
                        names.insert(builtin.name());
                    }
                }
                stack.extend(self.graph.operands(id).iter());
                stack.extend(self.graph.inside(id));
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
            let mut line = indent.clone();
            match op {
                Op::Let(id) => {
                    self.write_name(*id, &mut line);
                    line.push_str(" = ");
                    self.write_node(*id, &mut line);
                }
                Op::Set { phi, value } => {
                    self.write_name(*phi, &mut line);
                    line.push_str(" = ");
                    self.write(*value, Binding::Or, &mut line);
                }
                Op::If { condition, then, otherwise } => {
                    line.push_str("IF (");
                    self.write(*condition, Binding::Or, &mut line);
                    line.push_str(") {");
                    lines.push(line);
                    self.ops(then, depth + 1, lines);
                    let mut last = otherwise;
                    while let [Op::If { condition, then, otherwise }] = last.as_slice() {
                        lines.push(format!("{indent}}} ELSE IF ({}) {{", self.value(*condition)));
                        self.ops(then, depth + 1, lines);
                        last = otherwise;
                    }
                    lines.push(format!("{indent}}} ELSE {{"));
                    self.ops(last, depth + 1, lines);
                    line = format!("{indent}}}");
                }
                Op::Repeat { .. } => {
                    self.repeat(op, depth, lines);
                    continue;
                }
            }
            lines.push(line);
        }
    }

    fn write_name(&self, id: Id, out: &mut String) {
        let number = self.plan.names.get(&id).copied().unwrap_or_default();
        // Writing to a String can't fail.
        let _ = write!(out, "{}{number}", self.prefix);
    }

    fn expression(&self, id: Id, around: Binding) -> String {
        let mut text = String::new();
        self.write(id, around, &mut text);
        text
    }

    fn write(&self, id: Id, around: Binding, out: &mut String) {
        if let Some(name) = self.given.get(&id) {
            out.push_str(name);
        } else if self.plan.names.contains_key(&id) {
            self.write_name(id, out);
        } else if self.binding(id) < around {
            out.push('(');
            self.write_node(id, out);
            out.push(')');
        } else {
            self.write_node(id, out);
        }
    }

    fn binding(&self, id: Id) -> Binding {
        match self.graph.node(id) {
            Node::Number(bits) if is_negative(f64::from_bits(*bits)) => Binding::Sum,
            Node::Neg(_) | Node::Add(..) | Node::Sub(..) => Binding::Sum,
            Node::Mul(..) | Node::Div(..) => Binding::Product,
            Node::Compare(..) => Binding::Comparison,
            Node::And(..) => Binding::And,
            Node::Or(..) => Binding::Or,
            _ => Binding::Atom,
        }
    }

    fn write_node(&self, id: Id, out: &mut String) {
        let mut binary = |a: &Id, sign: &str, b: &Id, right: Binding| {
            self.write(*a, self.binding(id), out);
            out.push_str(sign);
            self.write(*b, right, out);
        };
        match self.graph.node(id) {
            Node::Add(a, b) => binary(a, " + ", b, Binding::Product),
            Node::Sub(a, b) => binary(a, " - ", b, Binding::Product),
            Node::Mul(a, b) => binary(a, "*", b, Binding::Atom),
            Node::Div(a, b) => binary(a, "/", b, Binding::Atom),
            Node::Compare(comparison, a, b) => binary(a, sign(*comparison), b, Binding::Sum),
            // && and || bind alike in NMODL, so they are never mixed without parentheses.
            Node::And(a, b) => binary(a, " && ", b, Binding::Comparison),
            Node::Or(a, b) => binary(a, " || ", b, Binding::Comparison),
            Node::Number(bits) => self.write_number(f64::from_bits(*bits), out),
            Node::Input(input) => out.push_str(&self.input(*input)),
            Node::Neg(a) => {
                out.push('-');
                self.write(*a, Binding::Atom, out);
            }
            Node::Call(builtin, arguments) => {
                out.push_str(&self.function(*builtin));
                for (index, argument) in arguments.iter().enumerate() {
                    out.push_str(if index == 0 { "(" } else { ", " });
                    self.write(*argument, Binding::Or, out);
                }
                out.push(')');
            }
            Node::Not(a) => {
                out.push_str("!(");
                self.write(*a, Binding::Or, out);
                out.push(')');
            }
            Node::Phi(..) | Node::AfterLoop(..) => self.write_name(id, out),
            Node::Element(array, index) => self.write_element(*array, *index, out),
            Node::Anchored { value, .. } => self.write(*value, Binding::Atom, out),
            Node::Unknown(system, index) => {
                out.push_str(&self.input(self.graph.system(*system).unknowns[*index]));
            }
        }
    }

    fn function(&self, builtin: Builtin) -> Cow<'static, str> {
        match self.language {
            Language::C if builtin.is_ours() => format!("gm_{}", builtin.name()).into(),
            _ => builtin.name().into(),
        }
    }

    /// Where the value of an input is.
    fn input(&self, input: Input) -> Cow<'_, str> {
        let name = self.graph.input_name(input);
        match self.sources.get(&input) {
            Some(source) => source.into(),
            None if self.language == Language::C && !self.graph.is_inner(input) => {
                crate::emit::text::c::local(name).into()
            }
            None => name.into(),
        }
    }

    /// The shortest text that reads back as the same number.
    fn write_number(&self, value: f64, out: &mut String) {
        let one = if self.language == Language::C { "1." } else { "1" };
        if !value.is_finite() {
            let zero = one.replace('1', "0");
            let above = if value.is_nan() {
                zero.clone()
            } else if value > 0.0 {
                one.to_owned()
            } else {
                format!("-{one}")
            };
            let _ = write!(out, "({above}/{zero})");
            return;
        }
        let _ = write!(out, "{value:?}");
        if self.language == Language::Nmodl && out.ends_with(".0") {
            out.truncate(out.len() - 2);
        }
    }
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Lt => " < ",
        Comparison::Le => " <= ",
        Comparison::Gt => " > ",
        Comparison::Ge => " >= ",
        Comparison::Eq => " == ",
        Comparison::Ne => " != ",
    }
}

/// Whether a number is written with a sign.
fn is_negative(value: f64) -> bool {
    value.is_finite() && value < 0.0
}
