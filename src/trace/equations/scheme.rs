//! KINETIC: reactions -> the linear equations of one iteration.
//!
//! NEURON advances a scheme by solving `A change = r` for the change of the
//! states, again and again (`scopmath/sparse_thread`). Row `i` is the balance
//! of state `i`, `r_i = -(s_i - s_i(t_n))/dt + reactions`, times its volume; a
//! CONSERVE takes the place of the row of one of its states. `A` has the
//! derivatives of the reactions by the states that they consume, but not those
//! of the rates. This file makes the same `A` and `r` as NEURON's translator.

use crate::diagnostic::Code;
use std::collections::BTreeMap;

use crate::graph::{Graph, Id, SparseRow};
use crate::model::{Mechanism, Variable};
use crate::syntax::ast::{BinaryOp, Block, BlockKind, Expr, ExprKind, Reaction, Species, Statement, StatementKind};
use crate::syntax::span::Span;
use crate::trace::{Trace, Traced, Values, refuse};

/// Names of terms of the equations among the values, so that conditionals join them.
const TERM: char = '~';

/// The states of a KINETIC block and how they are solved for.
#[derive(Clone, Debug)]
pub struct Scheme {
    /// Elements of arrays one by one.
    pub states: Vec<String>,
    /// The row that a CONSERVE takes, by the place of its statement.
    conserved: BTreeMap<usize, usize>,
    volumes: BTreeMap<String, Id>,
    /// `A` does not depend on the states, so that NEURON solves only once.
    pub is_linear: bool,
    /// The rates of the reactions that have been run.
    rates: Vec<Id>,
    /// A sum without parentheses is a rate, so that `A` misses a part of `r`.
    has_bare_sum: bool,
}

/// `matrix . change = right`
#[derive(Clone, Debug)]
pub struct Equations {
    pub matrix: Vec<SparseRow>,
    pub right: Vec<Id>,
    /// What `A` takes as constant although `r` may vary with it.
    pub rates: Vec<Id>,
    pub has_bare_sum: bool,
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
        found.statements(&block.body);
        let mut states = Vec::new();
        for name in &mechanism.states {
            if is_solved(name) && found.species.contains(name) {
                states.extend(mechanism.variable(name).map(elements).unwrap_or_default());
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

    fn row(&self, state: &str) -> Option<usize> {
        self.states.iter().position(|known| known == state)
    }

    fn is_conserved(&self, row: usize) -> bool {
        self.conserved.values().any(|known| *known == row)
    }
}

pub(in crate::trace) fn elements(variable: &Variable) -> Vec<String> {
    match variable.length {
        None => vec![variable.name.clone()],
        Some(length) => (0..length).map(|i| format!("{}[{i}]", variable.name)).collect(),
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
    fn statements(&mut self, statements: &[Statement]) {
        for statement in statements {
            match &statement.kind {
                StatementKind::Reaction(reaction) => self.reaction(reaction),
                StatementKind::Conserve(species, _) => {
                    let names: Vec<String> = species.iter().map(name).collect();
                    let scalars = species.iter().filter(|one| one.place.index.is_none());
                    self.conserve.push((statement.span, scalars.map(name).collect()));
                    self.species.extend(names);
                }
                StatementKind::If(branches, otherwise) => {
                    for body in branches.iter().map(|(_, body)| body).chain(otherwise) {
                        self.statements(body);
                    }
                }
                StatementKind::From { body, .. } | StatementKind::While(_, body) | StatementKind::Group(body) => {
                    self.statements(body);
                }
                _ => {}
            }
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

/// The value of a term that an arm of a conditional does not have.
pub(in crate::trace) fn empty(name: &str, graph: &mut Graph) -> Option<Id> {
    name.starts_with(TERM).then(|| graph.number(0.0))
}

fn right_term(row: usize) -> String {
    format!("{TERM}right {row}")
}

fn matrix_term(row: usize, column: usize) -> String {
    format!("{TERM}matrix {row} {column}")
}

impl Trace<'_> {
    /// Runs a KINETIC block at the present values of the states; `old` has
    /// those at the start of the step of length `dt`.
    pub fn kinetic(&mut self, block: &Block, scheme: &Scheme, old: &Values, dt: Id) -> Traced<Equations> {
        let mut scheme = scheme.clone();
        scheme.volumes = self.volumes(&block.body)?;
        let one = self.graph.number(1.0);
        let rate = self.graph.div(one, dt);
        for (row, state) in scheme.states.iter().enumerate() {
            if scheme.is_conserved(row) {
                continue;
            }
            let change = self.graph.sub(old[state], self.values[state]);
            let volume = scheme.volumes.get(state).copied().unwrap_or(one);
            let diagonal = self.graph.mul(rate, volume);
            let right = self.graph.mul(diagonal, change);
            self.values.insert(right_term(row), right);
            self.values.insert(matrix_term(row, row), diagonal);
        }
        let zero = self.graph.number(0.0);
        for flux in ["f_flux", "b_flux"] {
            self.values.insert(flux.to_owned(), zero);
        }
        let count = scheme.states.len();
        let outer = self.scheme.replace(scheme);
        let result = self.run_block(block);
        let scheme = std::mem::replace(&mut self.scheme, outer);
        result?;
        let mut equations = Equations {
            matrix: vec![SparseRow::new(); count],
            right: Vec::new(),
            rates: scheme.iter().flat_map(|scheme| scheme.rates.clone()).collect(),
            has_bare_sum: scheme.is_some_and(|scheme| scheme.has_bare_sum),
        };
        for row in 0..count {
            equations.right.push(self.values.remove(&right_term(row)).unwrap_or(zero));
            for column in 0..count {
                if let Some(entry) = self.values.remove(&matrix_term(row, column)) {
                    equations.matrix[row].insert(column, entry);
                }
            }
        }
        Ok(equations)
    }

    /// What the reactions make of each state per unit of time, at its present value.
    pub fn kinetic_slopes(&mut self, block: &Block, dt: Id) -> Traced<Vec<(String, Id)>> {
        let scheme = Scheme::new(self.mechanism, block);
        let kept = self.values.clone();
        let free = Scheme { conserved: BTreeMap::new(), ..scheme.clone() };
        let equations = self.kinetic(block, &free, &kept, dt)?;
        let mut slopes = Vec::new();
        let one = self.graph.number(1.0);
        for (state, right) in scheme.states.iter().zip(&equations.right) {
            let volume = self.volumes(&block.body)?.get(state).copied().unwrap_or(one);
            slopes.push((state.clone(), self.graph.div(*right, volume)));
        }
        // A step makes up for what a CONSERVE finds missing.
        self.values.clone_from(&kept);
        let equations = self.kinetic(block, &scheme, &kept, dt)?;
        for (row, (_, slope)) in slopes.iter_mut().enumerate() {
            if let Some(weight) = equations.matrix[row].get(&row).filter(|_| scheme.is_conserved(row)) {
                let missing = self.graph.div(equations.right[row], *weight);
                let change = self.graph.div(missing, dt);
                *slope = self.graph.add(*slope, change);
            }
        }
        Ok(slopes)
    }

    fn volumes(&mut self, body: &[Statement]) -> Traced<BTreeMap<String, Id>> {
        let mut volumes = BTreeMap::new();
        for statement in body {
            let StatementKind::Compartment { index, volume, species } = &statement.kind else {
                continue;
            };
            for name in species {
                let Some(variable) = self.mechanism.variable(&name.text) else { continue };
                for (number, element) in elements(variable).into_iter().enumerate() {
                    let before = index.as_ref().map(|index| {
                        #[allow(clippy::cast_precision_loss)]
                        let number = self.graph.number(number as f64);
                        let before = self.frame().insert(index.text.clone(), number);
                        (index.text.clone(), before)
                    });
                    let value = self.expression(volume);
                    if let Some((index, before)) = before {
                        match before {
                            Some(before) => self.frame().insert(index, before),
                            None => self.frame().remove(&index),
                        };
                    }
                    volumes.insert(element, value?);
                }
            }
        }
        Ok(volumes)
    }

    fn scheme(&self, span: Span) -> Traced<Scheme> {
        self.scheme
            .clone()
            .ok_or_else(|| refuse(Code::ReactionPlace, span, "a reaction outside of a KINETIC block that is solved"))
    }

    fn note_rate(&mut self, value: Id) {
        if let Some(scheme) = &mut self.scheme {
            scheme.rates.push(value);
        }
    }

    fn add_term(&mut self, key: String, value: Id) {
        let zero = self.graph.number(0.0);
        let before = self.values.get(&key).copied().unwrap_or(zero);
        let sum = self.graph.add(before, value);
        self.values.insert(key, sum);
    }

    pub(in crate::trace) fn reaction(&mut self, reaction: &Reaction, span: Span) -> Traced<()> {
        let scheme = self.scheme(span)?;
        let zero = self.graph.number(0.0);
        let (sides, rates): ([&[Species]; 2], _) = match reaction {
            Reaction::Flux { species, flux } => {
                let value = self.expression(flux)?;
                self.note_rate(value);
                self.values.insert("f_flux".to_owned(), zero);
                self.values.insert("b_flux".to_owned(), value);
                let state = self.place(&species.place)?;
                if let Some(row) = scheme.row(&state) {
                    self.add_term(right_term(row), value);
                }
                return Ok(());
            }
            Reaction::Reversible { left, right, forward, backward } => ([left, right], [Some(forward), Some(backward)]),
            Reaction::OneWay { left, rate } => ([left, &[]], [Some(rate), None]),
        };
        let mut species = [Vec::new(), Vec::new()];
        for (side, found) in sides.into_iter().zip(&mut species) {
            for one in side {
                if one.factor > MANY {
                    let message = format!("`{}` takes part more than {MANY} times", one.place.name.text);
                    return Err(refuse(Code::TooLong, one.place.name.span, message));
                }
                found.push((self.place(&one.place)?, one.factor));
            }
        }
        let mut fluxes = [zero, zero];
        for side in 0..2 {
            if let Some(rate) = rates[side] {
                let factors = powers(&species[side], None);
                fluxes[side] = self.times(rate, 1.0, &factors, reaction_is_bare(reaction))?;
            }
        }
        self.values.insert("f_flux".to_owned(), fluxes[0]);
        self.values.insert("b_flux".to_owned(), fluxes[1]);
        let net = self.graph.sub(fluxes[0], fluxes[1]);
        for (side, found) in species.iter().enumerate() {
            for (state, factor) in found {
                let Some(row) = scheme.row(state).filter(|row| !scheme.is_conserved(*row)) else {
                    continue;
                };
                let factor = self.graph.number(if side == 0 { -factor } else { *factor });
                let term = self.graph.mul(factor, net);
                self.add_term(right_term(row), term);
            }
        }
        for side in 0..2 {
            let Some(rate) = rates[side] else { continue };
            for (position, (state, factor)) in species[side].iter().enumerate() {
                let Some(column) = scheme.row(state) else { continue };
                let factors = powers(&species[side], Some(position));
                let slope = self.times(rate, *factor, &factors, reaction_is_bare(reaction))?;
                for (other, found) in species.iter().enumerate() {
                    for (state, factor) in found {
                        let row = scheme.row(state).filter(|row| !scheme.is_conserved(*row));
                        let Some(row) = row else { continue };
                        let sign = if other == side { *factor } else { -factor };
                        let sign = self.graph.number(sign);
                        let term = self.graph.mul(sign, slope);
                        self.add_term(matrix_term(row, column), term);
                    }
                }
            }
        }
        Ok(())
    }

    /// `rate * factor * species * ...` as the translator writes it: without
    /// parentheses around the rate, so that only the last term of a sum is multiplied.
    fn times(&mut self, rate: &Expr, factor: f64, species: &[String], bare: bool) -> Traced<Id> {
        if let (ExprKind::Binary(op, left, right), true) = (&rate.kind, bare) {
            let without_parentheses = rate.span.start == left.span.start && rate.span.end == right.span.end;
            match op {
                BinaryOp::Add | BinaryOp::Sub if without_parentheses => {
                    if let Some(scheme) = &mut self.scheme {
                        scheme.has_bare_sum = true;
                    }
                    let left = self.expression(left)?;
                    let right = self.times(right, factor, species, bare)?;
                    return Ok(if *op == BinaryOp::Add {
                        self.graph.add(left, right)
                    } else {
                        self.graph.sub(left, right)
                    });
                }
                BinaryOp::Lt
                | BinaryOp::Le
                | BinaryOp::Gt
                | BinaryOp::Ge
                | BinaryOp::Eq
                | BinaryOp::Ne
                | BinaryOp::And
                | BinaryOp::Or
                    if without_parentheses =>
                {
                    return Err(refuse(Code::BareRate, rate.span, "this rate needs parentheses"));
                }
                _ => {}
            }
        }
        let mut value = self.expression(rate)?;
        self.note_rate(value);
        #[allow(clippy::float_cmp)] // a whole number or exactly 1
        let has_factor = factor != 1.0;
        if has_factor {
            let factor = self.graph.number(factor);
            value = self.graph.mul(value, factor);
        }
        for name in species {
            let one = self.lookup(name).ok_or_else(|| crate::trace::unknown(name, rate.span))?;
            value = self.graph.mul(value, one);
        }
        Ok(value)
    }

    pub(in crate::trace) fn conserve(&mut self, species: &[Species], total: &Expr, span: Span) -> Traced<()> {
        let scheme = self.scheme(span)?;
        let Some(row) = scheme.conserved.get(&span.start).copied() else { return Ok(()) };
        let mut right = self.expression(total)?;
        let one = self.graph.number(1.0);
        for one_species in species {
            let state = self.place(&one_species.place)?;
            let Some(column) = scheme.row(&state) else { continue };
            let volume = scheme.volumes.get(&state).copied().unwrap_or(one);
            let factor = self.graph.number(one_species.factor);
            let weight = self.graph.mul(factor, volume);
            let term = self.graph.mul(weight, self.values[&state]);
            right = self.graph.sub(right, term);
            self.values.insert(matrix_term(row, column), weight);
        }
        self.values.insert(right_term(row), right);
        Ok(())
    }
}

/// The rates of `<->` lose their parentheses, that of `->` keeps them.
fn reaction_is_bare(reaction: &Reaction) -> bool {
    matches!(reaction, Reaction::Reversible { .. })
}

/// How often a species may take part in one reaction.
const MANY: f64 = 100.0;

/// Each species as often as it takes part, one of them once less.
fn powers(species: &[(String, f64)], less: Option<usize>) -> Vec<String> {
    let mut factors = Vec::new();
    for (position, (name, factor)) in species.iter().enumerate() {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let count = (*factor as usize).saturating_sub(usize::from(less == Some(position)));
        factors.extend(std::iter::repeat_n(name.clone(), count));
    }
    factors
}
