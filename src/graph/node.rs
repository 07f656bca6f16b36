//! What a graph is made of: nodes, and the numbers by which they name each other.

use std::ops::{Deref, Index, IndexMut};

use super::{Builtin, Graph};

/// A value in the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub(super) u32);

/// A quantity that comes from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Input(pub(super) u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BranchId(pub(super) u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SystemId(pub(super) u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinearId(pub(super) u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoopId(pub(super) u32);

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

/// A few nodes, without an allocation of their own.
pub enum Operands<'a> {
    One([Id; 1]),
    Two([Id; 2]),
    Three([Id; 3]),
    Many(&'a [Id]),
}

impl Deref for Operands<'_> {
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

impl<T> Index<Id> for PerNode<T> {
    type Output = T;

    fn index(&self, id: Id) -> &T {
        &self.0[id.0 as usize]
    }
}

impl<T> IndexMut<Id> for PerNode<T> {
    fn index_mut(&mut self, id: Id) -> &mut T {
        &mut self.0[id.0 as usize]
    }
}
