//! Loops and arrays as NMODL.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::c::local;
use super::code::Code;
use crate::graph::schedule::{Op, Plan};
use crate::graph::{Id, Input, LoopId};

impl Code<'_> {
    /// All slots get their next values at once, so each has a second name:
    ///
    /// ```text
    /// l0_0 = start   more0 = 1
    /// WHILE (more0 == 1) { IF (condition) { n0_0 = next   l0_0 = n0_0 } ELSE { more0 = 0 } }
    /// ```
    pub(in crate::emit) fn repeat(&self, op: &Op, depth: usize, lines: &mut Vec<String>) {
        let Op::Repeat { id, slots, after, condition, body } = op else { return };
        let repeated = self.graph().loop_of(*id);
        let (head, inside, deep) = ("    ".repeat(depth), "    ".repeat(depth + 1), "    ".repeat(depth + 2));
        let (inner, next) =
            (|slot: &usize| name("l", repeated.depth, *slot), |slot: &usize| name("n", repeated.depth, *slot));
        for slot in slots {
            lines.push(format!("{head}{} = {}", inner(slot), self.value(repeated.slots[*slot].start)));
        }
        let more = format!("more{}", repeated.depth);
        lines.push(format!("{head}{more} = 1"));
        lines.push(format!("{head}WHILE ({more} == 1) {{"));
        let (test, round) = self.parts(*id, condition, body);
        test.lines(depth + 1, lines);
        lines.push(format!("{inside}IF ({}) {{", test.value(repeated.condition)));
        round.lines(depth + 2, lines);
        for slot in slots {
            lines.push(format!("{deep}{} = {}", next(slot), round.value(repeated.slots[*slot].next)));
        }
        lines.extend(slots.iter().map(|slot| format!("{deep}{} = {}", inner(slot), next(slot))));
        lines.push(format!("{inside}}} ELSE {{"));
        lines.push(format!("{deep}{more} = 0"));
        lines.push(format!("{inside}}}"));
        lines.push(format!("{head}}}"));
        lines.extend(after.iter().map(|(id, slot)| format!("{head}{} = {}", self.value(*id), inner(slot))));
    }

    /// The condition and the body of a loop, with names of their own.
    fn parts(&self, id: LoopId, condition: &Plan, body: &Plan) -> (Self, Self) {
        let depth = self.graph().loop_of(id).depth;
        let [test, round] = ["w", "b"].map(|part| format!("{}{part}{depth}_", self.prefix()));
        (self.part(condition.clone(), test), self.part(body.clone(), round))
    }

    /// The names that loops among these lines use.
    pub(in crate::emit) fn inner_locals(&self, ops: &[Op], names: &mut BTreeSet<String>) {
        for op in ops {
            match op {
                Op::If { then, otherwise, .. } => {
                    self.inner_locals(then, names);
                    self.inner_locals(otherwise, names);
                }
                Op::Repeat { id, slots, condition, body, .. } => {
                    let depth = self.graph().loop_of(*id).depth;
                    names.insert(format!("more{depth}"));
                    names.extend(slots.iter().flat_map(|slot| ["l", "n"].map(|kind| name(kind, depth, *slot))));
                    let (test, round) = self.parts(*id, condition, body);
                    names.extend(test.locals());
                    names.extend(round.locals());
                }
                Op::Let(_) | Op::Set { .. } => {}
            }
        }
    }

    /// Gradients of elements lie direction by direction. In C an array is a pointer to its elements, and its gradient the
    /// number of the one element that has a gradient of 1.
    pub(in crate::emit) fn write_element(&self, array: Input, index: Id, out: &mut String) {
        let Some(description) = self.graph().array(array) else { return };
        let name = if self.is_at_event() { &description.at_event } else { self.graph().input_name(array) };
        // Writing to a String can't fail.
        let _ = match description.tangent {
            Some(_) if self.is_c() => write!(out, "{}[(long) ({})]", local(name), self.value(index)),
            None if self.is_c() => write!(out, "((long) ({}) == {} ? 1. : 0.)", self.value(index), local(name)),
            Some(_) => write!(out, "{name}[{}]", self.value(index)),
            None => write!(out, "{name}[k*{} + {}]", description.length, self.value(index)),
        };
    }
}

fn name(kind: &str, depth: usize, slot: usize) -> String {
    format!("{kind}{depth}_{slot}")
}
