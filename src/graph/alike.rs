//! Whether two values are computed alike. Equal nodes are one node, but every conditional that is followed is a new one.

use rustc_hash::FxHashSet;

use super::{Graph, Id, Node};

impl Graph {
    /// Whether two values are the same by the same formula, in conditionals and loops alike.
    pub fn are_alike(&self, one: Id, other: Id) -> bool {
        let mut left = vec![(one, other)];
        let mut seen = FxHashSet::default();
        while let Some(pair) = left.pop() {
            if pair.0 != pair.1 && seen.insert(pair) && !self.has_alike_parts(pair, &mut left) {
                return false;
            }
        }
        true
    }

    /// Whether two nodes differ in their parts only; these are left to look at.
    fn has_alike_parts(&self, pair: (Id, Id), left: &mut Vec<(Id, Id)>) -> bool {
        match (self.node(pair.0), self.node(pair.1)) {
            (Node::Neg(a), Node::Neg(b)) | (Node::Not(a), Node::Not(b)) => left.push((*a, *b)),
            (Node::Add(a, c), Node::Add(b, d))
            | (Node::Sub(a, c), Node::Sub(b, d))
            | (Node::Mul(a, c), Node::Mul(b, d))
            | (Node::Div(a, c), Node::Div(b, d))
            | (Node::And(a, c), Node::And(b, d))
            | (Node::Or(a, c), Node::Or(b, d))
            | (Node::Anchored { value: a, tangent: c }, Node::Anchored { value: b, tangent: d }) => {
                left.extend([(*a, *b), (*c, *d)]);
            }
            (Node::Compare(one, a, c), Node::Compare(other, b, d)) if one == other => left.extend([(*a, *b), (*c, *d)]),
            (Node::Call(one, a), Node::Call(other, b)) if one == other && a.len() == b.len() => {
                left.extend(a.iter().copied().zip(b.iter().copied()));
            }
            (Node::Element(one, a), Node::Element(other, b)) if one == other => left.push((*a, *b)),
            (Node::Phi(one, a), Node::Phi(other, b)) => {
                let (one, other) = (self.branch(*one), self.branch(*other));
                let ((a, c), (b, d)) = (one.slots[*a], other.slots[*b]);
                left.extend([(one.condition, other.condition), (a, b), (c, d)]);
            }
            (Node::AfterLoop(one, a), Node::AfterLoop(other, b)) if a == b => {
                let (one, other) = (self.loop_of(*one), self.loop_of(*other));
                if one.depth != other.depth || one.slots.len() != other.slots.len() {
                    return false;
                }
                left.push((one.condition, other.condition));
                for (a, b) in one.slots.iter().zip(&other.slots) {
                    left.extend([(a.start, b.start), (a.next, b.next)]);
                }
            }
            _ => return false,
        }
        true
    }
}
