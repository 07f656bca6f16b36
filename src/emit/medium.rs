//! What is around the membrane.

use std::num::NonZeroU16;

/// What the potential of the outside follows from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Medium {
    /// It is 0 everywhere.
    #[default]
    Ground,
    /// NEURON's `extracellular` in some sections: so many layers around a node have potentials of their own.
    Layers(NonZeroU16),
}

impl Medium {
    /// How many layers there are.
    pub(in crate::emit) fn layers(self) -> usize {
        match self {
            Self::Ground => 0,
            Self::Layers(count) => usize::from(count.get()),
        }
    }
}
