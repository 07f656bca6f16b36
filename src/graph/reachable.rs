//! What a value is computed from, all the way back to the inputs.

use std::collections::{BTreeMap, BTreeSet};

use super::{Builtin, Graph, Id, Input, Node, PerNode};

impl Graph {
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

    /// The values among these that may be infinite where a slope is.
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

    /// The nodes that these are computed from where it is known of some conditions whether they hold.
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
