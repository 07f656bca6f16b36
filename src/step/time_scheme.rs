//! NEURON's `secondorder`: how it goes from one voltage to the next, and what else depends on that.
//!
//! | `secondorder` | voltages | ions' currents in the state phase | states |
//! |---|---|---|---|
//! | 0 | `V + h`, `h` solved with `c/dt` | those at `V` | by their METHOD, over `dt` |
//! | 1 | `V + 2 h`, `h` solved with `2c/dt` | those at `V` | see [`Extent`] |
//! | 2 | as with 1 | those at `V + h`, by NEURON's own slope | see [`Extent`] |
//!
//! Source: NEURON's `fadvance.cpp` (`nrn_update_voltage`), `eion.cpp` (`second_order_cur`), and what its translator
//! writes for a SOLVE (`deriv.cpp`, `noccout.cpp`).

use crate::graph::{Graph, Id};

/// The value of `secondorder`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeScheme {
    /// 0: implicit Euler
    #[default]
    Implicit,
    /// 1: Crank and Nicolson's, of the voltages
    CrankNicolson,
    /// 2: of the voltages, and of the currents that pools and recordings see
    CrankNicolsonCurrents,
    /// CVODE: no step, but the differential equations themselves ([`super::field`])
    Variable,
}

impl TimeScheme {
    /// What NEURON calls it.
    #[must_use]
    pub const fn secondorder(self) -> u8 {
        match self {
            Self::Implicit | Self::Variable => 0,
            Self::CrankNicolson => 1,
            Self::CrankNicolsonCurrents => 2,
        }
    }

    /// The part of the step, and of the rise of the voltage, that NEURON solves for.
    #[must_use]
    pub const fn solved_part(self) -> f64 {
        match self {
            Self::Implicit | Self::Variable => 1.0,
            Self::CrankNicolson | Self::CrankNicolsonCurrents => 0.5,
        }
    }

    /// How far a METHOD goes by itself that NEURON's translator does not write out (any but cnexp).
    pub(in crate::step) const fn extent(self) -> Extent {
        match self {
            Self::Implicit | Self::Variable => Extent::Whole,
            Self::CrankNicolson | Self::CrankNicolsonCurrents => Extent::Half,
        }
    }
}

/// How much of the time step a METHOD goes over.
///
/// With `secondorder` NEURON halves `dt` for all SOLVEs of a mechanism that has such a METHOD, and adds to the states
/// afterwards what they have changed by: `y_{n+1} = 2 y - y_n`, with `y` solved over `dt/2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    Whole,
    Half,
}

impl Extent {
    /// What a METHOD solves for, from the value before and that at the end of the step.
    pub(in crate::step) fn solved(self, graph: &mut Graph, before: Id, end: Id) -> Id {
        match self {
            Self::Whole => end,
            Self::Half => {
                let change = self.solved_change(graph, before, end);
                graph.add(before, change)
            }
        }
    }

    /// By how much a METHOD changes the value.
    pub(in crate::step) fn solved_change(self, graph: &mut Graph, before: Id, end: Id) -> Id {
        let change = graph.sub(end, before);
        match self {
            Self::Whole => change,
            Self::Half => {
                let half = graph.number(0.5);
                graph.mul(half, change)
            }
        }
    }

    /// The value at the end of the step, from that before and what a METHOD has made of it.
    pub(in crate::step) fn end(self, graph: &mut Graph, before: Id, solved: Id) -> Id {
        match self {
            Self::Whole => solved,
            Self::Half => {
                let change = graph.sub(solved, before);
                graph.add(solved, change)
            }
        }
    }
}
