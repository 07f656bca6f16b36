//! Which inputs the derivative of a node may be taken by.
//!
//! Each of the first inputs has a bit of its own. The others share bits, and a range of their numbers is kept too:
//! the thousands of parameters of a large model are mostly read one after the other.

use super::{Graph, Id, Input, Node};

/// Inputs with a bit of their own.
const OWN: u32 = 96;

#[derive(Clone, Copy, Debug)]
pub(super) struct Touch {
    bits: u128,
    /// The first and the last of the inputs that share bits.
    first: u32,
    last: u32,
}

impl Touch {
    pub(super) const NOTHING: Self = Self { bits: 0, first: u32::MAX, last: 0 };

    pub(super) fn of(Input(input): Input) -> Self {
        if input < OWN {
            return Self { bits: 1 << input, ..Self::NOTHING };
        }
        Self { bits: 1 << (OWN + input % (u128::BITS - OWN)), first: input, last: input }
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self { bits: self.bits | other.bits, first: self.first.min(other.first), last: self.last.max(other.last) }
    }

    /// Whether the derivative by this input may differ from 0; yes may be wrong, no never is.
    pub(super) fn may_be(self, input: Input) -> bool {
        self.bits & Self::of(input).bits != 0 && (input.0 < OWN || (self.first..=self.last).contains(&input.0))
    }
}

impl Graph {
    /// Whether a derivative by this input may differ from 0. Inputs share bits
    /// when there are many, so this may say yes for nothing, but never no.
    pub fn may_touch(&self, id: Id, input: Input) -> bool {
        self.touches[id.0 as usize].may_be(input)
    }

    pub(super) fn touched_by(&self, node: &Node) -> Touch {
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
}
