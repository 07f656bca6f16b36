//! What is differentiated together.

use crate::model::{Kind, Mechanism};
use crate::step::{StateKind, TimeScheme};

/// Mechanisms that share segments, in NEURON's order.
#[derive(Clone, Debug)]
pub struct Region {
    pub name: String,
    pub mechanisms: Vec<Mechanism>,
    /// Each mechanism can be off in a segment.
    pub switched: bool,
    pub scheme: TimeScheme,
}

impl Region {
    /// Whether one mechanism for all of it can have `area` and `diam`: NEURON 9.0's translator gives them the place of a
    /// RANDOM, and NEURON ends where it loads that.
    pub fn has_size(&self) -> bool {
        self.mechanisms.iter().all(|mechanism| mechanism.randoms.is_empty())
    }

    /// Mechanisms in the order of their types, put into the order in which
    /// NEURON runs them: those that write a concentration first, the last
    /// registered first among them (`nrn_writes_conc`).
    pub fn new(name: impl Into<String>, mechanisms: Vec<Mechanism>, switched: bool) -> Self {
        let (writers, others): (Vec<_>, Vec<_>) = mechanisms.into_iter().partition(Mechanism::writes_concentration);
        let mut mechanisms: Vec<Mechanism> = writers.into_iter().rev().chain(others).collect();
        let (mut streams, mut function_tables) = (0, 0);
        for mechanism in &mut mechanisms {
            mechanism.first_stream = streams;
            streams += mechanism.randoms.len();
            mechanism.first_function_table = function_tables;
            function_tables += mechanism.function_tables.len();
        }
        Self { name: name.into(), mechanisms, switched, scheme: TimeScheme::default() }
    }

    /// The number of the stream of random numbers whose place this is, if it is one.
    pub fn stream(&self, kind: &StateKind) -> Option<usize> {
        let StateKind::Variable(index, name) = kind else { return None };
        let mechanism = self.mechanisms.get(*index)?;
        let own = mechanism.randoms.iter().position(|known| known == name)?;
        Some(mechanism.first_stream + own)
    }

    pub fn kind(&self) -> Kind {
        self.mechanisms.first().map_or(Kind::Density, |mechanism| mechanism.kind)
    }
}
