//! Where in the code each shared value is computed.
//!
//! Every node goes to the innermost place that all its uses share: what only
//! one arm of a conditional needs is computed in that arm, what both sides or
//! later code need is computed before it. Code that the model guards (a division
//! behind an IF) therefore stays guarded.

use std::collections::{BTreeMap, BTreeSet};

use super::{Arm, BranchId, Graph, Id, Node, Scope};

/// One line of straight code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Compute a node into its name.
    Let(Id),
    /// A conditional, with the names that its arms set.
    If { condition: Id, then: Vec<Op>, otherwise: Vec<Op> },
    /// Give the name of a [`Node::Phi`] the value of a node.
    Set { phi: Id, value: Id },
}

/// Code that computes some roots, and the nodes that have a name in it.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub ops: Vec<Op>,
    /// Named nodes, numbered in the order of their definition.
    pub names: BTreeMap<Id, usize>,
}

/// Nodes that one line may hold; the rest gets a name of its own.
const LINE: usize = 16;

impl Graph {
    /// Code after which every root can be written with names, inputs and numbers.
    pub fn schedule(&self, roots: &[Id]) -> Plan {
        let mut scheduler = Scheduler::new(self, roots);
        let mut ops = Vec::new();
        for root in roots {
            scheduler.need(*root, None, &mut ops);
        }
        Plan { ops, names: scheduler.names }
    }

    fn parent(&self, scope: Scope) -> Scope {
        scope.and_then(|(branch, _)| self.branch(branch).scope)
    }

    fn depth(&self, mut scope: Scope) -> usize {
        let mut depth = 0;
        while scope.is_some() {
            depth += 1;
            scope = self.parent(scope);
        }
        depth
    }

    /// The innermost place that contains both.
    fn common(&self, mut a: Scope, mut b: Scope) -> Scope {
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

    fn contains(&self, outer: Scope, mut inner: Scope) -> bool {
        loop {
            if inner == outer {
                return true;
            }
            if inner.is_none() {
                return false;
            }
            inner = self.parent(inner);
        }
    }
}

struct Scheduler<'a> {
    graph: &'a Graph,
    scopes: BTreeMap<Id, Scope>,
    uses: BTreeMap<Id, usize>,
    /// The slots of each branch that are needed.
    slots: BTreeMap<BranchId, BTreeSet<usize>>,
    weights: BTreeMap<Id, usize>,
    names: BTreeMap<Id, usize>,
    done: BTreeSet<Id>,
    branches_done: BTreeSet<BranchId>,
}

impl<'a> Scheduler<'a> {
    fn new(graph: &'a Graph, roots: &[Id]) -> Self {
        let mut scheduler = Self {
            graph,
            scopes: BTreeMap::new(),
            uses: BTreeMap::new(),
            slots: BTreeMap::new(),
            weights: BTreeMap::new(),
            names: BTreeMap::new(),
            done: BTreeSet::new(),
            branches_done: BTreeSet::new(),
        };
        let order = scheduler.operands_first(roots);
        for root in roots {
            scheduler.place(*root, None);
        }
        for id in order.iter().rev() {
            scheduler.place_operands(*id);
        }
        for id in &order {
            scheduler.weigh(*id);
        }
        scheduler
    }

    fn operands_first(&mut self, roots: &[Id]) -> Vec<Id> {
        let mut order = Vec::new();
        let mut seen = BTreeSet::new();
        let mut stack: Vec<(Id, bool)> = roots.iter().rev().map(|id| (*id, false)).collect();
        while let Some((id, finished)) = stack.pop() {
            if finished {
                order.push(id);
                continue;
            }
            if !seen.insert(id) {
                continue;
            }
            if let Node::Phi(branch, slot) = self.graph.node(id) {
                self.slots.entry(*branch).or_default().insert(*slot);
            }
            stack.push((id, true));
            stack.extend(self.graph.operands(id).iter().rev().map(|id| (*id, false)));
        }
        order
    }

    fn place(&mut self, id: Id, scope: Scope) {
        *self.uses.entry(id).or_default() += 1;
        let scope = match self.scopes.get(&id) {
            Some(known) => self.graph.common(*known, scope),
            None => scope,
        };
        self.scopes.insert(id, scope);
    }

    fn place_operands(&mut self, id: Id) {
        match self.graph.node(id) {
            Node::Phi(branch, slot) => {
                let place = self.graph.branch(*branch);
                let (then, otherwise) = place.slots[*slot];
                self.place(then, Some((*branch, Arm::Then)));
                self.place(otherwise, Some((*branch, Arm::Else)));
                self.place(place.condition, place.scope);
                self.scopes.insert(id, place.scope);
            }
            _ => {
                let scope = self.scopes[&id];
                for operand in self.graph.operands(id) {
                    self.place(operand, scope);
                }
            }
        }
    }

    /// Nodes on the line of this one if it has no name.
    fn weigh(&mut self, id: Id) {
        let weight = match self.graph.node(id) {
            Node::Number(_) | Node::Input(_) | Node::Phi(..) | Node::Unknown(..) => 1,
            _ => {
                let operands = self.graph.operands(id);
                1 + operands
                    .iter()
                    .map(|operand| if self.is_named(*operand) { 1 } else { self.weights[operand] })
                    .sum::<usize>()
            }
        };
        self.weights.insert(id, weight);
    }

    fn is_named(&self, id: Id) -> bool {
        match self.graph.node(id) {
            Node::Number(_) | Node::Input(_) | Node::Anchored { .. } | Node::Unknown(..) => false,
            Node::Phi(..) => true,
            // A comparison is no number in NMODL, so it can't be kept.
            Node::Compare(..) | Node::And(..) | Node::Or(..) | Node::Not(_) => false,
            _ => self.uses[&id] > 1 || self.weights.get(&id).is_some_and(|weight| *weight > LINE),
        }
    }

    fn name(&mut self, id: Id) {
        let number = self.names.len();
        self.names.entry(id).or_insert(number);
    }

    /// Makes `id` writable in `here`, whose code so far is `ops`.
    fn need(&mut self, id: Id, here: Scope, ops: &mut Vec<Op>) {
        // An explicit stack: expressions may be deeper than the machine's.
        let mut stack = vec![(id, false)];
        while let Some((id, ready)) = stack.pop() {
            if self.done.contains(&id) {
                continue;
            }
            if let Node::Phi(branch, _) = self.graph.node(id) {
                let branch = *branch;
                if self.graph.branch(branch).scope == here && !self.branches_done.contains(&branch) {
                    self.emit_branch(branch, here, ops);
                }
                continue;
            }
            if ready {
                if self.is_named(id) && self.scopes[&id] == here {
                    self.name(id);
                    ops.push(Op::Let(id));
                }
                self.done.insert(id);
                continue;
            }
            stack.push((id, true));
            stack.extend(self.graph.operands(id).iter().rev().map(|id| (*id, false)));
        }
    }

    fn emit_branch(&mut self, branch: BranchId, here: Scope, ops: &mut Vec<Op>) {
        self.branches_done.insert(branch);
        let place = self.graph.branch(branch).clone();
        let slots: Vec<usize> = self.slots[&branch].iter().copied().collect();
        self.need(place.condition, here, ops);
        let roots: Vec<Id> =
            slots.iter().flat_map(|slot| [place.slots[*slot].0, place.slots[*slot].1]).collect();
        for id in self.outside(&roots, here) {
            self.need(id, here, ops);
        }
        let phis: Vec<(Id, (Id, Id))> = slots
            .iter()
            .filter_map(|slot| {
                let phi = self.graph.known.get(&Node::Phi(branch, *slot))?;
                Some((*phi, place.slots[*slot]))
            })
            .collect();
        for (phi, _) in &phis {
            self.name(*phi);
        }
        let mut arms = [Vec::new(), Vec::new()];
        for (arm, code) in [Arm::Then, Arm::Else].into_iter().zip(&mut arms) {
            let inside = Some((branch, arm));
            for (phi, values) in &phis {
                let value = if arm == Arm::Then { values.0 } else { values.1 };
                self.need(value, inside, code);
                code.push(Op::Set { phi: *phi, value });
            }
        }
        let [then, otherwise] = arms;
        ops.push(Op::If { condition: place.condition, then, otherwise });
        self.done.extend(phis.iter().map(|(phi, _)| *phi));
    }

    /// What the arms of a branch in `here` use of the code around them.
    fn outside(&self, roots: &[Id], here: Scope) -> Vec<Id> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        let mut stack: Vec<Id> = roots.iter().rev().copied().collect();
        while let Some(id) = stack.pop() {
            if !seen.insert(id) || self.done.contains(&id) {
                continue;
            }
            if self.graph.contains(self.scopes[&id], here) {
                found.push(id);
            } else {
                stack.extend(self.graph.operands(id).iter().rev());
            }
        }
        found
    }
}
