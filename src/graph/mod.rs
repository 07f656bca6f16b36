//! Values of one time step as a graph of shared expressions.
//!
//! A node is a number, an input, an operation on earlier nodes, or the value
//! that a variable has after a conditional ([`Node::Phi`]). Equal nodes are one
//! node, so common subexpressions are shared from the start. The graph knows
//! nothing of NMODL.
//!
//! **Invariant:** operands are older than the node that uses them, except
//! through a [`Branch`], whose slots may be added later by differentiation.

mod alike;
mod array;
mod budget;
pub mod builtin;
mod conditional;
pub mod elimination;
mod equations;
mod node;
mod proportion;
mod reachable;
mod repeat;
pub mod schedule;
mod simplify;
mod touch;

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

pub use budget::Work;
pub use builtin::Builtin;
pub use conditional::Branch;
pub use elimination::SparseRow;
pub use equations::{LinearSystem, System};
pub(crate) use node::PerNode;
pub use node::{Arm, BranchId, Comparison, Id, Input, LinearId, LoopId, Node, Operands, Scope, SystemId};
pub use repeat::Loop;
use touch::Touch;

#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    /// By node, the inputs that its derivative may be taken by; see [`Graph::may_touch`].
    touches: Vec<Touch>,
    /// By node, whether a loop must run for its value.
    loops_before: Vec<bool>,
    known: FxHashMap<Node, Id>,
    inputs: Vec<String>,
    branches: Vec<Branch>,
    /// The slot of a branch that has these values.
    joins: FxHashMap<(BranchId, Id, Id), usize>,
    systems: Vec<System>,
    linear: Vec<LinearSystem>,
    /// The equations that an unknown belongs to.
    owners: BTreeMap<Input, LinearId>,
    loops: Vec<Loop>,
    known_loops: FxHashMap<repeat::Key, LoopId>,
    /// What stands for the slots of loops in their bodies, by depth and slot.
    inner: BTreeMap<(usize, usize), Input>,
    bound: BTreeMap<Input, (usize, usize)>,
    arrays: BTreeMap<Input, array::Array>,
    /// The work done without making nodes, as nodes looked at; see [`Graph::charge`].
    looks: usize,
}

impl Graph {
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// The number of nodes, a measure of the work done.
    pub fn size(&self) -> usize {
        self.nodes.len()
    }

    pub fn input_name(&self, input: Input) -> &str {
        &self.inputs[input.0 as usize]
    }

    /// A new input; the name is what the emitted code calls it.
    pub fn input(&mut self, name: impl Into<String>) -> Input {
        self.inputs.push(name.into());
        Input(u32::try_from(self.inputs.len() - 1).unwrap_or(u32::MAX))
    }

    pub fn read(&mut self, input: Input) -> Id {
        self.intern(Node::Input(input))
    }

    pub fn number(&mut self, value: f64) -> Id {
        let value = if value == 0.0 { 0.0 } else { value };
        self.intern(Node::Number(value.to_bits()))
    }

    /// The input that this node is, if it is one.
    pub fn as_input(&self, id: Id) -> Option<Input> {
        match self.node(id) {
            Node::Input(input) => Some(*input),
            _ => None,
        }
    }

    /// The number that this node is, if it is one.
    pub fn as_number(&self, id: Id) -> Option<f64> {
        match self.node(id) {
            Node::Number(bits) => Some(f64::from_bits(*bits)),
            _ => None,
        }
    }

    pub fn is_zero(&self, id: Id) -> bool {
        self.as_number(id) == Some(0.0)
    }

    /// This graph with the formula in place of every value that NEURON has already computed.
    #[must_use]
    pub fn by_formula(&self) -> Self {
        let mut graph = self.clone();
        for node in &mut graph.nodes {
            if let Node::Anchored { value, tangent } = node {
                // The unknown of linear equations has no formula of its own.
                if !matches!(self.node(*tangent), Node::Input(input) if self.owners.contains_key(input)) {
                    *value = *tangent;
                }
            }
        }
        graph
    }

    pub fn anchor(&mut self, value: Id, tangent: Id) -> Id {
        if value == tangent {
            return value;
        }
        self.intern(Node::Anchored { value, tangent })
    }

    fn intern(&mut self, node: Node) -> Id {
        if let Some(id) = self.known.get(&node) {
            return *id;
        }
        let id = Id(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.touches.push(self.touched_by(&node));
        let is_late = |id: &Id| self.loops_before[id.0 as usize];
        let has_loop = matches!(node, Node::AfterLoop(..)) || self.operands_of(&node).iter().any(is_late);
        self.loops_before.push(has_loop);
        self.known.insert(node.clone(), id);
        self.nodes.push(node);
        id
    }

    /// The nodes that the value of this node is computed from.
    pub fn operands(&self, id: Id) -> Operands<'_> {
        self.operands_of(self.node(id))
    }

    fn operands_of<'a>(&'a self, node: &'a Node) -> Operands<'a> {
        match node {
            Node::Number(_) | Node::Input(_) | Node::Unknown(..) => Operands::Many(&[]),
            Node::Neg(a) | Node::Not(a) | Node::Anchored { value: a, .. } => Operands::One([*a]),
            Node::Add(a, b)
            | Node::Sub(a, b)
            | Node::Mul(a, b)
            | Node::Div(a, b)
            | Node::Compare(_, a, b)
            | Node::And(a, b)
            | Node::Or(a, b) => Operands::Two([*a, *b]),
            Node::Call(_, arguments) => Operands::Many(arguments),
            Node::Phi(branch, slot) => {
                let branch = self.branch(*branch);
                let (then, otherwise) = branch.slots[*slot];
                Operands::Three([branch.condition, then, otherwise])
            }
            Node::AfterLoop(id, slot) => Operands::Many(&self.loop_of(*id).slots[*slot].starts),
            Node::Element(_, index) => Operands::One([*index]),
        }
    }
}
