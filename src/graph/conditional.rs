//! Conditionals: what a variable is after either arm, and which code stands in which arm.

use super::{Arm, BranchId, Graph, Id, Node, Scope};

/// A conditional: what each variable is after either arm.
#[derive(Clone, Debug)]
pub struct Branch {
    pub condition: Id,
    pub scope: Scope,
    /// Arms around the code of an arm, that one included.
    pub(super) depth: usize,
    pub slots: Vec<(Id, Id)>,
}

impl Graph {
    pub fn branch(&self, branch: BranchId) -> &Branch {
        &self.branches[branch.0 as usize]
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

    /// Whether a conditional is in no arm of another.
    pub fn is_outermost(&self, branch: BranchId) -> bool {
        self.branch(branch).scope.is_none()
    }

    fn parent(&self, scope: Scope) -> Scope {
        scope.and_then(|(branch, _)| self.branch(branch).scope)
    }

    /// Arms around the code of a scope, its own included.
    pub(super) fn depth(&self, scope: Scope) -> usize {
        scope.map_or(0, |(branch, _)| self.branch(branch).depth)
    }

    /// The innermost place that contains both.
    pub(super) fn common(&self, mut a: Scope, mut b: Scope) -> Scope {
        let (mut deep_a, mut deep_b) = (self.depth(a), self.depth(b));
        while a != b {
            if deep_a >= deep_b {
                a = self.parent(a);
                deep_a -= 1;
            } else {
                b = self.parent(b);
                deep_b -= 1;
            }
        }
        a
    }

    /// Whether code in `inner` is code in `outer`.
    pub(super) fn contains(&self, outer: Scope, mut inner: Scope) -> bool {
        let depth = self.depth(outer);
        while self.depth(inner) > depth {
            inner = self.parent(inner);
        }
        inner == outer
    }
}
