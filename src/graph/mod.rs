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
pub mod builtin;
pub mod elimination;
mod proportion;
mod repeat;
pub mod schedule;
mod simplify;
mod touch;

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

pub use builtin::Builtin;
pub use elimination::SparseRow;
pub use repeat::{Loop, LoopId};
use touch::Touch;

/// Nodes: some hundred MiB, and some seconds.
const LARGEST: usize = 2_000_000;
/// Nodes that are looked at in the time of making one.
const LOOKS_PER_NODE: usize = 32;
/// And in the time of copying a value.
const LOOKS_PER_COPY: usize = 4;

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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinearId(u32);

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
    Anchored {
        value: Id,
        tangent: Id,
    },
    /// Unknown number `1` of a system of equations; its value is NEURON's, its
    /// derivative follows from the residuals.
    Unknown(SystemId, usize),
    /// The value of slot `1` after loop `0`.
    AfterLoop(LoopId, usize),
    /// An element of an array, by its index.
    Element(Input, Id),
}

/// A conditional: what each variable is after either arm.
#[derive(Clone, Debug)]
pub struct Branch {
    pub condition: Id,
    pub scope: Scope,
    /// Arms around the code of an arm, that one included.
    depth: usize,
    pub slots: Vec<(Id, Id)>,
}

/// Equations `residual = 0` that define the unknowns together.
#[derive(Clone, Debug)]
pub struct System {
    /// The inputs that stand for the unknowns inside the residuals; their
    /// values are the solution that NEURON found.
    pub unknowns: Vec<Input>,
    pub residuals: Vec<Id>,
    /// Where they are solved.
    pub scope: Scope,
}

/// Equations `matrix . values = right`.
#[derive(Clone, Debug)]
pub struct LinearSystem {
    pub matrix: Vec<SparseRow>,
    pub right: Vec<Id>,
    pub values: Vec<Id>,
    /// Inputs that stand for the values wherever a derivative is taken: what
    /// depends on the solution has a derivative by these, and only the
    /// equations have derivatives by what they are made of.
    pub unknowns: Vec<Input>,
    /// Where the equations are solved.
    pub scope: Scope,
    /// The values are those that NEURON found.
    pub is_known: bool,
}

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
    /// See [`Graph::charge`].
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

    /// Whether it has become too large to go on. Derivatives that are made from now on are 0, and solutions wrong: who
    /// made it so large must ask, and refuse.
    pub fn is_full(&self) -> bool {
        self.nodes.len() + self.looks / LOOKS_PER_NODE > LARGEST
    }

    /// Counts values that are copied: work that makes no nodes.
    pub fn charge(&mut self, copied: usize) {
        self.looks += copied * LOOKS_PER_COPY;
    }

    /// Counts nodes that are only looked at.
    pub fn charge_looks(&mut self, looks: usize) {
        self.looks += looks;
    }

    pub fn branch(&self, branch: BranchId) -> &Branch {
        &self.branches[branch.0 as usize]
    }

    pub fn system(&self, system: SystemId) -> &System {
        &self.systems[system.0 as usize]
    }

    /// The linear equations among whose unknowns these inputs are, oldest first.
    pub fn linear_systems(&self, inputs: &BTreeSet<Input>) -> Vec<LinearId> {
        let found: BTreeSet<LinearId> = inputs.iter().filter_map(|input| self.owners.get(input).copied()).collect();
        found.into_iter().collect()
    }

    pub fn linear_system(&self, system: LinearId) -> &LinearSystem {
        &self.linear[system.0 as usize]
    }

    pub fn input_name(&self, input: Input) -> &str {
        &self.inputs[input.0 as usize]
    }

    /// A new input; the name is what the emitted code calls it.
    pub fn input(&mut self, name: impl Into<String>) -> Input {
        self.inputs.push(name.into());
        Input(u32::try_from(self.inputs.len() - 1).unwrap_or(u32::MAX))
    }

    /// Whether it stands for an unknown of linear equations, which has a derivative and no value of its own.
    pub fn is_solution(&self, input: Input) -> bool {
        self.owners.contains_key(&input)
    }

    pub fn read(&mut self, input: Input) -> Id {
        self.intern(Node::Input(input))
    }

    pub fn number(&mut self, value: f64) -> Id {
        let value = if value == 0.0 { 0.0 } else { value };
        self.intern(Node::Number(value.to_bits()))
    }

    /// The number that this node is, if it is one.
    pub fn as_input(&self, id: Id) -> Option<Input> {
        match self.node(id) {
            Node::Input(input) => Some(*input),
            _ => None,
        }
    }

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
        self.branches.push(Branch { condition, scope, depth: self.depth(scope) + 1, slots: Vec::new() });
        BranchId(u32::try_from(self.branches.len() - 1).unwrap_or(u32::MAX))
    }

    /// The value that is `then` or `otherwise` after the branch.
    pub fn join(&mut self, branch: BranchId, then: Id, otherwise: Id) -> Id {
        if then == otherwise {
            return then;
        }
        let slots = &mut self.branches[branch.0 as usize].slots;
        let slot = *self.joins.entry((branch, then, otherwise)).or_insert_with(|| {
            slots.push((then, otherwise));
            slots.len() - 1
        });
        self.intern(Node::Phi(branch, slot))
    }

    /// The solution of `residuals = 0`: NEURON's values, with derivatives.
    pub fn solve(&mut self, unknowns: Vec<Input>, residuals: Vec<Id>, scope: Scope) -> Vec<Id> {
        let system = SystemId(u32::try_from(self.systems.len()).unwrap_or(u32::MAX));
        let count = unknowns.len();
        self.systems.push(System { unknowns, residuals, scope });
        (0..count).map(|index| self.intern(Node::Unknown(system, index))).collect()
    }

    /// The solution of linear equations, by elimination or as NEURON already
    /// has it; `None` if they are singular whatever their coefficients.
    pub fn solve_linear(
        &mut self,
        matrix: Vec<SparseRow>,
        right: Vec<Id>,
        known: Option<Vec<Id>>,
        scope: Scope,
    ) -> Option<Vec<Id>> {
        let is_known = known.is_some();
        let values = if let Some(values) = known {
            values
        } else {
            let factors = self.factorise(matrix.clone())?;
            self.substitute(&factors, right.clone())
        };
        let system = LinearId(u32::try_from(self.linear.len()).unwrap_or(u32::MAX));
        let unknowns: Vec<Input> = values.iter().map(|_| self.input("unknown")).collect();
        self.owners.extend(unknowns.iter().map(|unknown| (*unknown, system)));
        self.linear.push(LinearSystem {
            matrix,
            right,
            values: values.clone(),
            unknowns: unknowns.clone(),
            scope,
            is_known,
        });
        let anchored = values.into_iter().zip(unknowns).map(|(value, unknown)| {
            let tangent = self.read(unknown);
            self.anchor(value, tangent)
        });
        Some(anchored.collect())
    }

    /// `id` where code in `scope` runs, elsewhere `otherwise`.
    pub fn only_in(&mut self, mut scope: Scope, mut id: Id, otherwise: Id) -> Id {
        while let Some((branch, arm)) = scope {
            id = match arm {
                Arm::Then => self.join(branch, id, otherwise),
                Arm::Else => self.join(branch, otherwise, id),
            };
            scope = self.branch(branch).scope;
        }
        id
    }

    /// The same graph with the formula of every value that NEURON has already computed.
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

    /// What is 0 at the solutions of all systems of equations.
    pub fn residuals(&self) -> impl Iterator<Item = Id> + '_ {
        self.systems.iter().flat_map(|system| system.residuals.iter().copied())
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

    /// Whether a derivative by this input may differ from 0. Inputs share bits
    /// when there are many, so this may say yes for nothing, but never no.
    pub fn may_touch(&self, id: Id, input: Input) -> bool {
        self.touches[id.0 as usize].may_be(input)
    }

    fn touched_by(&self, node: &Node) -> Touch {
        let all = |ids: &[Id]| ids.iter().fold(Touch::NOTHING, |set, id| set.or(self.touches[id.0 as usize]));
        match node {
            Node::Input(input) => Touch::of(*input),
            Node::Unknown(system, _) => all(&self.system(*system).residuals),
            Node::Anchored { tangent, .. } => all(&[*tangent]),
            Node::Element(array, _) => Touch::of(*array),
            Node::AfterLoop(id, slot) => {
                let repeated = self.loop_of(*id);
                let needs = repeated.slots[*slot].needs.iter().map(|one| &repeated.slots[*one]);
                needs.fold(Touch::NOTHING, |set, slot| set.or(all(&[slot.start, slot.next])))
            }
            _ => all(&self.operands_of(node)),
        }
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

    /// The inputs that values (not derivatives) of these nodes are computed
    /// from, or, with `tangents`, also those that their derivatives may touch.
    pub fn reachable_inputs(&self, roots: &[Id], tangents: bool) -> BTreeSet<Input> {
        let mut inputs = BTreeSet::new();
        for id in self.reachable(roots, tangents) {
            match self.node(id) {
                Node::Input(input) if self.is_inner(*input) => {}
                Node::Input(input) | Node::Element(input, _) => {
                    inputs.insert(*input);
                }
                Node::Unknown(system, index) => {
                    inputs.insert(self.system(*system).unknowns[*index]);
                }
                _ => {}
            }
        }
        inputs
    }

    /// Those of some values that may be infinite where a slope is.
    pub fn infinite(&self, roots: impl IntoIterator<Item = Id>) -> BTreeSet<Id> {
        let is_product = |node: &Node| matches!(node, Node::Call(Builtin::Times | Builtin::AtPole, _));
        if !self.nodes.iter().any(is_product) {
            return BTreeSet::new();
        }
        let is_infinite = |root: &Id| self.reachable(&[*root], false).into_iter().any(|id| is_product(self.node(id)));
        roots.into_iter().collect::<BTreeSet<Id>>().into_iter().filter(is_infinite).collect()
    }

    /// The nodes, themselves included, that values of these, or with `tangents` also their
    /// derivatives, are computed from.
    pub fn reachable(&self, roots: &[Id], tangents: bool) -> Vec<Id> {
        self.reachable_where(roots, tangents, |_| None)
    }

    /// The nodes that these are computed from, through none of those that are `passed`.
    pub fn reachable_past(&self, roots: &[Id], passed: &BTreeSet<Id>) -> Vec<Id> {
        let mut seen = PerNode::<bool>::new(self);
        for id in passed {
            seen[*id] = true;
        }
        self.reachable_from(roots, true, |_| None, seen)
    }

    /// The same where it is known of some conditions whether they hold.
    pub fn reachable_where(&self, roots: &[Id], tangents: bool, holds: impl Fn(Id) -> Option<bool>) -> Vec<Id> {
        self.reachable_from(roots, tangents, holds, PerNode::<bool>::new(self))
    }

    fn reachable_from(
        &self,
        roots: &[Id],
        tangents: bool,
        holds: impl Fn(Id) -> Option<bool>,
        mut seen: PerNode<bool>,
    ) -> Vec<Id> {
        let mut found = Vec::new();
        let mut stack = roots.to_vec();
        let mut systems = BTreeSet::new();
        while let Some(id) = stack.pop() {
            if std::mem::replace(&mut seen[id], true) {
                continue;
            }
            found.push(id);
            match self.node(id) {
                Node::Input(input) if self.is_inner(*input) => {}
                Node::Input(input) => {
                    if let Some(system) = self.owners.get(input).filter(|system| systems.insert(**system)) {
                        let system = self.linear_system(*system);
                        stack.extend(system.matrix.iter().flat_map(BTreeMap::values));
                        stack.extend(&system.right);
                    }
                }
                Node::Unknown(system, _) => {
                    if tangents {
                        stack.extend(&self.system(*system).residuals);
                    }
                }
                Node::Anchored { value, tangent } => {
                    stack.push(*value);
                    if tangents {
                        stack.push(*tangent);
                    }
                }
                Node::Element(_, index) => stack.push(*index),
                Node::Phi(branch, slot) => {
                    let branch = self.branch(*branch);
                    let (then, otherwise) = branch.slots[*slot];
                    match holds(branch.condition) {
                        Some(true) => stack.push(then),
                        Some(false) => stack.push(otherwise),
                        None => stack.extend([branch.condition, then, otherwise]),
                    }
                }
                _ => {
                    stack.extend(self.operands(id).iter());
                    stack.extend(self.inside(id));
                }
            }
        }
        found
    }
}

/// A few nodes, without an allocation of their own.
pub enum Operands<'a> {
    One([Id; 1]),
    Two([Id; 2]),
    Three([Id; 3]),
    Many(&'a [Id]),
}

impl std::ops::Deref for Operands<'_> {
    type Target = [Id];

    fn deref(&self) -> &[Id] {
        match self {
            Self::One(ids) => ids,
            Self::Two(ids) => ids,
            Self::Three(ids) => ids,
            Self::Many(ids) => ids,
        }
    }
}

/// A value for every node.
#[derive(Clone, Debug, Default)]
pub(crate) struct PerNode<T>(Vec<T>);

impl<T: Clone + Default> PerNode<T> {
    pub fn new(graph: &Graph) -> Self {
        Self(vec![T::default(); graph.size()])
    }
}

impl<T> std::ops::Index<Id> for PerNode<T> {
    type Output = T;

    fn index(&self, id: Id) -> &T {
        &self.0[id.0 as usize]
    }
}

impl<T> std::ops::IndexMut<Id> for PerNode<T> {
    fn index_mut(&mut self, id: Id) -> &mut T {
        &mut self.0[id.0 as usize]
    }
}
