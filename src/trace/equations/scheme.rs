//! What a KINETIC block solves for, as its reactions tell.

use std::collections::BTreeMap;

use crate::graph::Id;
use crate::model::{Mechanism, Variable};
use crate::syntax::ast::{Block, BlockKind, Reaction, Species, Statement, StatementKind};
use crate::syntax::span::Span;
use crate::syntax::visit;

/// The states of a KINETIC block and how they are solved for.
#[derive(Clone, Debug)]
pub struct Scheme {
    /// Elements of arrays one by one.
    pub states: Vec<String>,
    /// The row that a CONSERVE takes, by the place of its statement.
    pub(super) conserved: BTreeMap<usize, usize>,
    pub(super) volumes: BTreeMap<String, Id>,
    /// `A` does not depend on the states, so that NEURON solves only once.
    pub is_linear: bool,
    /// The rates of the reactions that have been run.
    pub(super) rates: Vec<Id>,
    /// A sum without parentheses is a rate, so that `A` misses a part of `r`.
    pub(super) has_bare_sum: bool,
}

impl Scheme {
    /// What a KINETIC block solves for.
    pub fn new(mechanism: &Mechanism, block: &Block) -> Self {
        let chosen: &[_] = match &block.kind {
            BlockKind::Kinetic(_, chosen) => chosen,
            _ => &[],
        };
        let is_solved = |name: &str| {
            mechanism.states.iter().any(|state| state == name)
                && (chosen.is_empty() || chosen.iter().any(|known| known.text == name))
        };
        let mut found = Found::default();
        visit::statements(&block.body).for_each(|statement| found.statement(statement));
        let mut states = Vec::new();
        for name in &mechanism.states {
            if is_solved(name) && found.species.contains(name) {
                states.extend(mechanism.variable(name).map(Variable::elements).unwrap_or_default());
            }
        }
        let mut conserved = BTreeMap::new();
        // The translator takes the statements and their terms last to first.
        for (span, species) in found.conserve.iter().rev() {
            let free = species.iter().rev().find_map(|name| {
                let row = states.iter().position(|state| state == name)?;
                (!conserved.values().any(|known| *known == row)).then_some(row)
            });
            if let Some(row) = free {
                conserved.insert(span.start, row);
            }
        }
        Self {
            states,
            conserved,
            volumes: BTreeMap::new(),
            is_linear: !found.is_nonlinear,
            rates: Vec::new(),
            has_bare_sum: false,
        }
    }

    pub(super) fn row(&self, state: &str) -> Option<usize> {
        self.states.iter().position(|known| known == state)
    }

    pub(super) fn is_conserved(&self, row: usize) -> bool {
        self.conserved.values().any(|known| *known == row)
    }
}

/// What the reactions of a block mention.
#[derive(Default)]
struct Found {
    species: Vec<String>,
    conserve: Vec<(Span, Vec<String>)>,
    is_nonlinear: bool,
}

impl Found {
    fn statement(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::Reaction(reaction) => self.reaction(reaction),
            StatementKind::Conserve(species, _) => {
                let scalars = species.iter().filter(|one| one.place.index.is_none());
                self.conserve.push((statement.span, scalars.map(name).collect()));
                self.species.extend(species.iter().map(name));
            }
            _ => {}
        }
    }

    fn reaction(&mut self, reaction: &Reaction) {
        let sides: [&[Species]; 2] = match reaction {
            Reaction::Reversible { left, right, .. } => [left, right],
            Reaction::OneWay { left, .. } => [left, &[]],
            Reaction::Flux { species, .. } => {
                self.species.push(name(species));
                return;
            }
        };
        for side in sides {
            self.species.extend(side.iter().map(name));
            // A term of the matrix has one factor less than the reaction.
            self.is_nonlinear |= side.iter().map(|species| species.factor).sum::<f64>() > 1.0;
        }
    }
}

fn name(species: &Species) -> String {
    species.place.name.text.clone()
}
