//! Graph -> NMODL statements and expressions.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::schedule::{Op, Plan};
use crate::graph::{Builtin, Graph, Id, Input, Node, PerNode};

/// NMODL text for the values of a graph under one plan.
pub struct Code<'a> {
    pub(super) graph: &'a Graph,
    pub(super) plan: Plan,
    /// What its names begin with.
    pub(super) prefix: String,
    /// Arrays have what events have made of them so far.
    pub(super) at_event: bool,
    /// Where inputs are found that have not been loaded.
    pub(super) sources: BTreeMap<Input, String>,
    /// Where values are that were computed before.
    pub(super) given: BTreeMap<Id, String>,
    /// Some of its values may be infinite where a slope is.
    pub(super) is_infinite: bool,
    pub(super) language: Language,
}

/// What the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Nmodl,
    /// As NEURON's translator would write it: a quotient of whole numbers is none of integers, and what the model has
    /// named may be a word of C.
    C,
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

    /// C code, in statements that [`super::c::statements`] ends; `sources` are inputs that are not loaded by the
    /// names that [`super::c::local`] makes.
    pub fn in_c(graph: &'a Graph, roots: &[Id], sources: BTreeMap<Input, String>, given: BTreeMap<Id, String>) -> Self {
        let plan = graph.schedule_with(roots, &given.keys().copied().collect());
        Self { language: Language::C, plan, sources, given, ..Self::new(graph, &[]) }.looking_at(roots)
    }

    fn looking_at(self, roots: &[Id]) -> Self {
        Self { is_infinite: !self.graph.infinite(roots.iter().copied()).is_empty(), ..self }
    }

    /// NMODL that runs when an event comes.
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

    pub(super) fn is_c(&self) -> bool {
        self.language == Language::C
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
                    line.push_str(&self.value(*value));
                }
                Op::If { condition, then, otherwise } => {
                    lines.push(format!("{indent}IF ({}) {{", self.value(*condition)));
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
}
