//! Derivatives of what loops compute: more values that the same rounds change.

use std::collections::BTreeMap;

use super::Differentiator;
use crate::graph::{Graph, Id, Input, LoopId};

impl Differentiator {
    pub(super) fn after_loop(&mut self, g: &mut Graph, id: LoopId, slot: usize, input: Input) -> Id {
        if !self.slots.contains_key(&(id, slot, input)) {
            self.add_slots(g, id, slot, input);
        }
        match self.slots[&(id, slot, input)] {
            Some(tangent) => g.after_loop(id, tangent),
            None => g.number(0.0),
        }
    }

    /// `Dnext = sum of dnext/dslot Dslot + dnext/dinput` for the slots that this one needs.
    fn add_slots(&mut self, g: &mut Graph, id: LoopId, slot: usize, input: Input) {
        let slots = g.loop_of(id).slots.clone();
        let needs = &slots[slot].needs;
        let (known, new): (Vec<usize>, Vec<usize>) =
            needs.iter().partition(|one| self.slots.contains_key(&(id, **one, input)));
        let mut tangents: BTreeMap<usize, usize> =
            known.iter().filter_map(|one| Some((*one, self.slots[&(id, *one, input)]?))).collect();
        let mut own = BTreeMap::new();
        let mut by_slot = BTreeMap::new();
        for one in &new {
            let start = self.derivative(g, slots[*one].start, input);
            let next = self.derivative(g, slots[*one].next, input);
            own.insert(*one, (start, next));
            for other in needs {
                let partial = self.derivative(g, slots[*one].next, slots[*other].inner);
                if !g.is_zero(partial) {
                    by_slot.insert((*one, *other), partial);
                }
            }
        }
        let depth = g.loop_of(id).depth;
        let first = g.loop_of(id).slots.len();
        let mut added: Vec<usize> = Vec::new();
        // What depends on a value with a derivative has one.
        while let Some(one) = new.iter().copied().find(|one| {
            let (start, next) = own[one];
            let is_fed = tangents.keys().any(|other| by_slot.contains_key(&(*one, *other)));
            let has_own = !g.is_zero(start) || !g.is_zero(next);
            !tangents.contains_key(one) && (has_own || is_fed)
        }) {
            tangents.insert(one, first + added.len());
            added.push(one);
        }
        let mut slots = Vec::new();
        for one in &added {
            let (start, mut next) = own[one];
            for (other, tangent) in &tangents {
                if let Some(partial) = by_slot.get(&(*one, *other)) {
                    let tangent = g.inner(depth, *tangent);
                    let tangent = g.read(tangent);
                    let term = g.mul(*partial, tangent);
                    next = g.add(next, term);
                }
            }
            slots.push((start, next));
        }
        g.add_slots(id, slots);
        for one in new {
            self.slots.insert((id, one, input), tangents.get(&one).copied());
        }
    }
}
