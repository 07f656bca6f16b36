//! Values of one time step as a graph of shared expressions.
//!
//! A node is a number, an input, an operation on earlier nodes, or the value
//! that a variable has after a conditional ([`Node::Phi`]). Equal nodes are one
//! node, so common subexpressions are shared from the start. The graph knows
//! nothing of NMODL.
//!
//! **Invariant:** operands are older than the node that uses them, except
//! through a [`Branch`], whose slots may be added later by differentiation.

pub mod builtin;
mod proportion;
pub mod schedule;
mod simplify;

use std::collections::{BTreeSet, HashMap};

pub use builtin::Builtin;

/// A value in the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(u32);

/// A quantity that comes from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Input(u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BranchId(u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SystemId(u32);

/// Where code runs: at the top, or in one arm of a conditional.
pub type Scope = Option<(BranchId, Arm)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Arm {
    Then,
    Else,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// The bits of an f64.
    Number(u64),
    Input(Input),
    Neg(Id),
    Add(Id, Id),
    Sub(Id, Id),
    Mul(Id, Id),
    Div(Id, Id),
    Call(Builtin, Vec<Id>),
    Compare(Comparison, Id, Id),
    And(Id, Id),
    Or(Id, Id),
    Not(Id),
    /// The value of slot `1` after conditional `0`.
    Phi(BranchId, usize),
    /// A value that NEURON has already computed, with the derivative of the
    /// expression by which it did.
    Anchored { value: Id, tangent: Id },
    /// Unknown number `1` of a system of equations; its value is NEURON's, its
    /// derivative follows from the residuals.
    Unknown(SystemId, usize),
}

/// A conditional: what each variable is after either arm.
#[derive(Clone, Debug)]
pub struct Branch {
    pub condition: Id,
    pub scope: Scope,
    pub slots: Vec<(Id, Id)>,
}

/// Equations `residual = 0` that define the unknowns together.
#[derive(Clone, Debug)]
pub struct System {
    /// The inputs that stand for the unknowns inside the residuals; their
    /// values are the solution that NEURON found.
    pub unknowns: Vec<Input>,
    pub residuals: Vec<Id>,
}

#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    known: HashMap<Node, Id>,
    inputs: Vec<String>,
    branches: Vec<Branch>,
    systems: Vec<System>,
}

impl Graph {
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// The number of nodes, a measure of the work done.
    pub fn size(&self) -> usize {
        self.nodes.len()
    }

    pub fn branch(&self, branch: BranchId) -> &Branch {
        &self.branches[branch.0 as usize]
    }

    pub fn system(&self, system: SystemId) -> &System {
        &self.systems[system.0 as usize]
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

    pub fn new_branch(&mut self, condition: Id, scope: Scope) -> BranchId {
        self.branches.push(Branch { condition, scope, slots: Vec::new() });
        BranchId(u32::try_from(self.branches.len() - 1).unwrap_or(u32::MAX))
    }

    /// The value that is `then` or `otherwise` after the branch.
    pub fn join(&mut self, branch: BranchId, then: Id, otherwise: Id) -> Id {
        if then == otherwise {
            return then;
        }
        let slots = &mut self.branches[branch.0 as usize].slots;
        let slot = slots.iter().position(|slot| *slot == (then, otherwise)).unwrap_or_else(|| {
            slots.push((then, otherwise));
            slots.len() - 1
        });
        self.intern(Node::Phi(branch, slot))
    }

    /// The solution of `residuals = 0`: NEURON's values, with derivatives.
    pub fn solve(&mut self, unknowns: Vec<Input>, residuals: Vec<Id>) -> Vec<Id> {
        let system = SystemId(u32::try_from(self.systems.len()).unwrap_or(u32::MAX));
        let count = unknowns.len();
        self.systems.push(System { unknowns, residuals });
        (0..count).map(|index| self.intern(Node::Unknown(system, index))).collect()
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
        self.known.insert(node.clone(), id);
        self.nodes.push(node);
        id
    }

    /// The nodes that the value of this node is computed from.
    pub fn operands(&self, id: Id) -> Vec<Id> {
        match self.node(id) {
            Node::Number(_) | Node::Input(_) => Vec::new(),
            Node::Neg(a) | Node::Not(a) => vec![*a],
            Node::Add(a, b)
            | Node::Sub(a, b)
            | Node::Mul(a, b)
            | Node::Div(a, b)
            | Node::Compare(_, a, b)
            | Node::And(a, b)
            | Node::Or(a, b) => vec![*a, *b],
            Node::Call(_, arguments) => arguments.clone(),
            Node::Phi(branch, slot) => {
                let branch = self.branch(*branch);
                let (then, otherwise) = branch.slots[*slot];
                vec![branch.condition, then, otherwise]
            }
            Node::Anchored { value, .. } => vec![*value],
            Node::Unknown(..) => Vec::new(),
        }
    }

    /// The inputs that values (not derivatives) of these nodes are computed
    /// from, or, with `tangents`, also those that their derivatives may touch.
    pub fn reachable_inputs(&self, roots: &[Id], tangents: bool) -> BTreeSet<Input> {
        let mut inputs = BTreeSet::new();
        let mut seen = vec![false; self.nodes.len()];
        let mut stack = roots.to_vec();
        while let Some(id) = stack.pop() {
            if std::mem::replace(&mut seen[id.0 as usize], true) {
                continue;
            }
            match self.node(id) {
                Node::Input(input) => {
                    inputs.insert(*input);
                }
                Node::Unknown(system, index) => {
                    let system = self.system(*system);
                    inputs.insert(system.unknowns[*index]);
                    if tangents {
                        stack.extend(&system.residuals);
                    }
                }
                Node::Anchored { value, tangent } => {
                    stack.push(*value);
                    if tangents {
                        stack.push(*tangent);
                    }
                }
                _ => stack.extend(self.operands(id)),
            }
        }
        inputs
    }
}
