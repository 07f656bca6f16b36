//! Where in the code each shared value is computed.
//!
//! Every node goes to the innermost place that all its uses share: what only
//! one arm of a conditional needs is computed in that arm, what both sides or
//! later code need is computed before it. Code that the model guards (a division
//! behind an IF) therefore stays guarded.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Arm, BranchId, Graph, Id, LoopId, Node, Operands, PerNode, Scope};

/// One line of straight code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Compute a node into its name.
    Let(Id),
    /// A conditional, with the names that its arms set.
    If { condition: Id, then: Vec<Op>, otherwise: Vec<Op> },
    /// Give the name of a [`Node::Phi`] the value of a node.
    Set { phi: Id, value: Id },
    /// A loop with these slots, and the nodes that have a name after it. Its parts
    /// compute all they need, so that they have names of their own.
    Repeat { id: LoopId, slots: Vec<usize>, after: Vec<(Id, usize)>, condition: Plan, body: Plan },
}

/// Code that computes some roots, and the nodes that have a name in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub ops: Vec<Op>,
    /// Named nodes, numbered in the order of their definition.
    pub names: FxHashMap<Id, usize>,
    /// Names that there are; some nodes share one.
    pub count: usize,
}

/// Nodes that one line may hold; the rest gets a name of its own.
const LINE: usize = 16;

impl Graph {
    /// Code after which every root can be written with names, inputs and numbers.
    pub fn schedule(&self, roots: &[Id]) -> Plan {
        self.schedule_in(None, roots, &FxHashSet::default())
    }

    /// Code after which every root can be written, where some nodes are `given`.
    pub fn schedule_with(&self, roots: &[Id], given: &FxHashSet<Id>) -> Plan {
        self.schedule_in(None, roots, given)
    }

    /// Code inside of `base` after which every root can be written, where some nodes are `given`.
    fn schedule_in(&self, base: Scope, roots: &[Id], given: &FxHashSet<Id>) -> Plan {
        let mut scheduler = Scheduler::new(self, base, roots, given);
        let mut ops = Vec::new();
        for root in roots {
            scheduler.need(*root, base, &mut ops);
        }
        Plan { ops, names: scheduler.names, count: scheduler.count }
    }
}

struct Scheduler<'a> {
    graph: &'a Graph,
    /// Nodes that are there already.
    given: &'a FxHashSet<Id>,
    /// Where the code is; what is around it counts as this place.
    base: Scope,
    /// `None` for nodes that no root needs.
    scopes: PerNode<Option<Scope>>,
    uses: PerNode<usize>,
    /// The slots of each branch that are needed.
    slots: BTreeMap<BranchId, BTreeSet<usize>>,
    loop_slots: BTreeMap<LoopId, BTreeSet<usize>>,
    /// Indices of arrays, which NMODL wants as names.
    indices: FxHashSet<Id>,
    weights: PerNode<usize>,
    names: FxHashMap<Id, usize>,
    count: usize,
    done: PerNode<bool>,
    branches_done: BTreeSet<BranchId>,
    loops_done: BTreeSet<LoopId>,
}

impl<'a> Scheduler<'a> {
    fn new(graph: &'a Graph, base: Scope, roots: &[Id], given: &'a FxHashSet<Id>) -> Self {
        let mut scheduler = Self {
            graph,
            given,
            base,
            scopes: PerNode::new(graph),
            uses: PerNode::new(graph),
            slots: BTreeMap::new(),
            loop_slots: BTreeMap::new(),
            indices: FxHashSet::default(),
            weights: PerNode::new(graph),
            names: FxHashMap::default(),
            count: 0,
            done: PerNode::new(graph),
            branches_done: BTreeSet::new(),
            loops_done: BTreeSet::new(),
        };
        let order = scheduler.operands_first(roots);
        for root in roots {
            scheduler.place(*root, base);
        }
        for id in order.iter().rev() {
            scheduler.place_operands(*id);
        }
        for id in &order {
            scheduler.weigh(*id);
        }
        scheduler
    }

    fn operands(&self, id: Id) -> Operands<'a> {
        if self.given.contains(&id) { Operands::Many(&[]) } else { self.graph.operands(id) }
    }

    fn operands_first(&mut self, roots: &[Id]) -> Vec<Id> {
        let mut order = Vec::new();
        let mut seen = PerNode::<bool>::new(self.graph);
        let mut stack: Vec<(Id, bool)> = roots.iter().rev().map(|id| (*id, false)).collect();
        while let Some((id, finished)) = stack.pop() {
            if finished {
                order.push(id);
                continue;
            }
            if std::mem::replace(&mut seen[id], true) {
                continue;
            }
            match self.graph.node(id) {
                _ if self.given.contains(&id) => {}
                Node::Phi(branch, slot) => {
                    self.slots.entry(*branch).or_default().insert(*slot);
                }
                Node::AfterLoop(repeated, slot) => {
                    self.loop_slots.entry(*repeated).or_default().insert(*slot);
                }
                Node::Element(_, index) => {
                    self.indices.insert(*index);
                }
                _ => {}
            }
            stack.push((id, true));
            stack.extend(self.operands(id).iter().rev().map(|id| (*id, false)));
        }
        order
    }

    fn place(&mut self, id: Id, scope: Scope) {
        self.uses[id] += 1;
        let scope = self.within(scope);
        let scope = self.scopes[id].map_or(scope, |known| self.graph.common(known, scope));
        self.scopes[id] = Some(self.within(scope));
    }

    fn within(&self, scope: Scope) -> Scope {
        if self.graph.contains(scope, self.base) { self.base } else { scope }
    }

    fn scope(&self, id: Id) -> Scope {
        self.scopes[id].flatten()
    }

    fn place_operands(&mut self, id: Id) {
        if self.given.contains(&id) {
            return;
        }
        if let Node::Phi(branch, slot) = self.graph.node(id) {
            let place = self.graph.branch(*branch);
            let (then, otherwise) = place.slots[*slot];
            self.place(then, Some((*branch, Arm::Then)));
            self.place(otherwise, Some((*branch, Arm::Else)));
            self.place(place.condition, place.scope);
            self.scopes[id] = Some(self.within(place.scope));
        } else if let Node::AfterLoop(repeated, _) = self.graph.node(id) {
            let graph = self.graph;
            let place = graph.loop_of(*repeated).scope;
            for start in graph.operands(id).iter() {
                self.place(*start, place);
            }
            self.scopes[id] = Some(self.within(place));
        } else {
            let scope = self.scope(id);
            let graph = self.graph;
            for operand in graph.operands(id).iter() {
                self.place(*operand, scope);
            }
        }
    }

    /// Nodes on the line of this one if it has no name.
    fn weigh(&mut self, id: Id) {
        let weight = match self.graph.node(id) {
            _ if self.given.contains(&id) => 1,
            Node::Number(_) | Node::Input(_) | Node::Phi(..) | Node::AfterLoop(..) | Node::Unknown(..) => 1,
            _ => {
                let operands = self.graph.operands(id);
                1 + operands
                    .iter()
                    .map(|operand| if self.is_named(*operand) { 1 } else { self.weights[*operand] })
                    .sum::<usize>()
            }
        };
        self.weights[id] = weight;
    }

    fn is_named(&self, id: Id) -> bool {
        match self.graph.node(id) {
            _ if self.given.contains(&id) => false,
            Node::Number(_) | Node::Input(_) | Node::Anchored { .. } | Node::Unknown(..) => false,
            Node::Phi(..) | Node::AfterLoop(..) => true,
            // A comparison is no number in NMODL, so it can't be kept.
            Node::Compare(..) | Node::And(..) | Node::Or(..) | Node::Not(_) => false,
            _ => self.uses[id] > 1 || self.weights[id] > LINE || self.indices.contains(&id),
        }
    }

    fn name(&mut self, id: Id) {
        if let Entry::Vacant(place) = self.names.entry(id) {
            place.insert(self.count);
            self.count += 1;
        }
    }

    /// Lets a conditional in an arm set the name that the arm is to set, so that
    /// chains of ELSE IF nest no deeper than they are written.
    fn shares_name(&mut self, phi: Id, value: Id, arm: Scope) -> bool {
        let Node::Phi(inner, _) = self.graph.node(value) else { return false };
        if self.given.contains(&value) {
            return false;
        }
        let shared = self.uses[value] == 1 && self.graph.branch(*inner).scope == arm;
        if shared {
            self.names.insert(value, self.names[&phi]);
        }
        shared
    }

    /// Makes `id` writable in `here`, whose code so far is `ops`.
    fn need(&mut self, id: Id, here: Scope, ops: &mut Vec<Op>) {
        // An explicit stack: expressions may be deeper than the machine's.
        let mut stack = vec![(id, false)];
        while let Some((id, ready)) = stack.pop() {
            if self.done[id] || self.given.contains(&id) {
                continue;
            }
            if let Node::Phi(branch, _) = self.graph.node(id) {
                let branch = *branch;
                let place = self.within(self.graph.branch(branch).scope);
                if place == here && !self.branches_done.contains(&branch) {
                    self.emit_branch(branch, here, ops);
                }
                continue;
            }
            if let Node::AfterLoop(repeated, _) = self.graph.node(id) {
                let repeated = *repeated;
                let place = self.within(self.graph.loop_of(repeated).scope);
                if place == here && !self.loops_done.contains(&repeated) {
                    self.emit_loop(repeated, here, ops);
                }
                continue;
            }
            if ready {
                if self.is_named(id) && self.scope(id) == here {
                    self.name(id);
                    ops.push(Op::Let(id));
                }
                self.done[id] = true;
                continue;
            }
            stack.push((id, true));
            stack.extend(self.operands(id).iter().rev().map(|id| (*id, false)));
        }
    }

    fn emit_branch(&mut self, branch: BranchId, here: Scope, ops: &mut Vec<Op>) {
        self.branches_done.insert(branch);
        let place = self.graph.branch(branch).clone();
        let slots: Vec<usize> = self.slots[&branch].iter().copied().collect();
        self.need(place.condition, here, ops);
        let roots: Vec<Id> = slots.iter().flat_map(|slot| [place.slots[*slot].0, place.slots[*slot].1]).collect();
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
            let values =
                phis.iter().map(|(phi, (then, otherwise))| (*phi, if arm == Arm::Then { *then } else { *otherwise }));
            // All names are shared before the conditional that sets them is written.
            let set: Vec<_> = values.map(|(phi, value)| (phi, value, self.shares_name(phi, value, inside))).collect();
            for (phi, value, shared) in set {
                self.need(value, inside, code);
                if !shared {
                    code.push(Op::Set { phi, value });
                }
            }
        }
        let [then, otherwise] = arms;
        ops.push(Op::If { condition: place.condition, then, otherwise });
        for (phi, _) in phis {
            self.done[phi] = true;
        }
    }

    fn emit_loop(&mut self, id: LoopId, here: Scope, ops: &mut Vec<Op>) {
        self.loops_done.insert(id);
        let graph = self.graph;
        let repeated = graph.loop_of(id);
        let asked = &self.loop_slots[&id];
        let slots: BTreeSet<usize> =
            asked.iter().flat_map(|slot| repeated.slots[*slot].needs.iter().copied()).collect();
        let known = |slot: &usize| Some((*graph.known.get(&Node::AfterLoop(id, *slot))?, *slot));
        let after: Vec<(Id, usize)> = asked.iter().filter_map(known).collect();
        for slot in &slots {
            self.need(repeated.slots[*slot].start, here, ops);
        }
        let next: Vec<Id> = slots.iter().map(|slot| repeated.slots[*slot].next).collect();
        let condition = graph.schedule_in(repeated.scope, &[repeated.condition], self.given);
        let body = graph.schedule_in(repeated.scope, &next, self.given);
        for (value, _) in &after {
            self.name(*value);
            self.done[*value] = true;
        }
        ops.push(Op::Repeat { id, slots: slots.into_iter().collect(), after, condition, body });
    }

    /// What the arms of a branch in `here` use of the code around them.
    fn outside(&self, roots: &[Id], here: Scope) -> Vec<Id> {
        let mut found = Vec::new();
        let mut seen = FxHashSet::default();
        let mut stack: Vec<Id> = roots.iter().rev().copied().collect();
        while let Some(id) = stack.pop() {
            if !seen.insert(id) || self.done[id] || self.given.contains(&id) {
                continue;
            }
            if self.graph.contains(self.scope(id), here) {
                found.push(id);
            } else {
                stack.extend(self.operands(id).iter().rev());
            }
        }
        found
    }
}
