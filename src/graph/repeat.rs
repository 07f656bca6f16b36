//! Loops that stay loops, because only the simulation knows how often they run.
//!
//! The slots of a loop are the values that its rounds change. Inside the body they
//! are inputs, [`Graph::inner`]; loops of one depth share them, so that equal loops
//! are one loop. A derivative adds slots: with `c = f(c)` goes `Dc = df/dc Dc + df/dp`.

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use super::{Graph, Id, Input, LoopId, Node, Scope, Work};

/// What makes two loops one: scope, depth, condition, start and next value of each slot.
pub(super) type Key = (Scope, usize, Id, Vec<(Id, Id)>);

/// While `condition` holds, all slots get their next values at once.
#[derive(Clone, Debug)]
pub struct Loop {
    pub scope: Scope,
    /// No loop inside it, and none whose result it reads, has this depth.
    pub depth: usize,
    pub condition: Id,
    pub slots: Vec<Slot>,
}

#[derive(Clone, Debug)]
pub struct Slot {
    /// What stands for the value in the body.
    pub inner: Input,
    pub start: Id,
    pub next: Id,
    /// The slots that the value is computed from, itself included.
    pub needs: Vec<usize>,
    /// Their starts.
    pub starts: Vec<Id>,
}

impl Graph {
    pub fn loop_of(&self, id: LoopId) -> &Loop {
        &self.loops[id.0 as usize]
    }

    /// What stands for a slot in the body of a loop.
    pub fn inner(&mut self, depth: usize, slot: usize) -> Input {
        if let Some(input) = self.inner.get(&(depth, slot)) {
            return *input;
        }
        let input = self.input(format!("l{depth}_{slot}"));
        self.inner.insert((depth, slot), input);
        self.bound.insert(input, (depth, slot));
        input
    }

    /// Whether an input stands for a slot of a loop.
    pub fn is_inner(&self, input: Input) -> bool {
        self.bound.contains_key(&input)
    }

    /// Whether an input stands for the variable of a FROM loop, a whole number.
    pub fn is_counter(&self, input: Input) -> bool {
        self.bound.get(&input).is_some_and(|(_, slot)| *slot == 0)
    }

    /// The values of all slots, given as start and next value, after the loop.
    pub fn repeat(&mut self, scope: Scope, depth: usize, condition: Id, slots: Vec<(Id, Id)>) -> Vec<Id> {
        let key = (scope, depth, condition, slots);
        let id = if let Some(id) = self.known_loops.get(&key) {
            *id
        } else {
            let id = LoopId(u32::try_from(self.loops.len()).unwrap_or(u32::MAX));
            self.loops.push(Loop { scope, depth, condition, slots: Vec::new() });
            self.add_slots(id, key.3.clone());
            self.known_loops.insert(key, id);
            id
        };
        let count = self.loop_of(id).slots.len();
        (0..count).map(|slot| self.after_loop(id, slot)).collect()
    }

    /// The value of one slot after the loop.
    pub fn after_loop(&mut self, id: LoopId, slot: usize) -> Id {
        let Slot { inner, start, next, .. } = self.loop_of(id).slots[slot];
        if *self.node(next) == Node::Input(inner) {
            return start;
        }
        self.intern(Node::AfterLoop(id, slot))
    }

    /// More values that the rounds of a loop change; they may read each other.
    pub(crate) fn add_slots(&mut self, id: LoopId, slots: Vec<(Id, Id)>) {
        let Loop { depth, condition, slots: known, .. } = self.loop_of(id);
        let (depth, condition, first) = (*depth, *condition, known.len());
        for (offset, (start, next)) in slots.into_iter().enumerate() {
            let inner = self.inner(depth, first + offset);
            let slot = Slot { inner, start, next, needs: Vec::new(), starts: Vec::new() };
            self.loops[id.0 as usize].slots.push(slot);
        }
        let (bounds, _) = self.slots_read(&[condition], depth);
        let count = self.loop_of(id).slots.len();
        let mut read = Vec::new();
        for slot in 0..count {
            if self.is_full() {
                return;
            }
            let (slots, seen) = self.slots_read(&[self.loop_of(id).slots[slot].next], depth);
            self.charge(Work::Copies(seen));
            read.push(slots);
        }
        for slot in first..count {
            let mut needs = BTreeSet::new();
            let mut stack: Vec<usize> = bounds.iter().copied().chain([slot]).collect();
            while let Some(one) = stack.pop() {
                if needs.insert(one) {
                    stack.extend(&read[one]);
                }
            }
            let starts = needs.iter().map(|one| self.loop_of(id).slots[*one].start).collect();
            let own = &mut self.loops[id.0 as usize].slots[slot];
            own.needs = needs.into_iter().collect();
            own.starts = starts;
        }
    }

    /// What a value after a loop is computed from inside the loop.
    pub fn inside(&self, id: Id) -> Vec<Id> {
        let Node::AfterLoop(id, slot) = self.node(id) else { return Vec::new() };
        let repeated = self.loop_of(*id);
        let needs = repeated.slots[*slot].needs.iter();
        needs.map(|one| repeated.slots[*one].next).chain([repeated.condition]).collect()
    }

    /// Whether a loop must run for this value.
    pub fn has_loop(&self, id: Id) -> bool {
        self.loops_before[id.0 as usize]
    }

    /// Whether a loop of this depth would run inside code that computes these.
    pub fn has_loop_of(&self, roots: &[Id], depth: usize) -> bool {
        self.reachable(roots, false)
            .iter()
            .any(|id| matches!(self.node(*id), Node::AfterLoop(id, _) if self.loop_of(*id).depth == depth))
    }

    /// The slots of a loop around them that these values are computed from, and how many nodes that took.
    fn slots_read(&self, roots: &[Id], depth: usize) -> (BTreeSet<usize>, usize) {
        let mut found = BTreeSet::new();
        let mut seen = FxHashSet::default();
        let mut stack = roots.to_vec();
        while let Some(id) = stack.pop() {
            if !seen.insert(id) {
                continue;
            }
            match self.node(id) {
                Node::Input(input) => match self.bound.get(input) {
                    Some((own, slot)) if *own == depth => {
                        found.insert(*slot);
                    }
                    _ => {}
                },
                // The slots of another loop are its own.
                Node::AfterLoop(other, _) if self.loop_of(*other).depth > depth => {
                    stack.extend(self.inside(id));
                }
                _ => {}
            }
            stack.extend(self.operands(id).iter());
        }
        (found, seen.len())
    }
}
