//! Statements of a KINETIC block: what a reaction or a CONSERVE adds to the equations.

use crate::diagnostic::Code;
use crate::graph::Id;
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, Reaction, Species};
use crate::syntax::span::Span;
use crate::trace::equations::scheme::Scheme;
use crate::trace::equations::term::{matrix_term, right_term};
use crate::trace::{Trace, Traced, refuse};

/// How often a species may take part in one reaction.
const MANY: f64 = 100.0;

impl Trace<'_> {
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
