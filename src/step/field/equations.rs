//! The current and the slopes of the states at one moment, in NEURON's order.

use super::{Equation, refused};
use crate::graph::Id;
use crate::step::phase::initial::Start;
use crate::step::phase::state::{Method, state_elements};
use crate::step::{Quantity, Refused, StateKind, Step, When};
use crate::syntax::ast::{Block, BlockKind, StatementKind};
use crate::trace::{Discontinuities, Primes, Traced, Values};

impl Step<'_> {
    /// The sum of all currents, positive outward; mA/cm2 or nA.
    pub(super) fn membrane_current(&mut self) -> Result<Id, Refused> {
        let region = self.region;
        let mut sum = self.graph.number(0.0);
        for (index, mechanism) in region.mechanisms.iter().enumerate() {
            if mechanism.currents.is_empty() {
                continue;
            }
            let mut before = self.own_values(index, None);
            self.show_ions(mechanism, &mut before);
            let v = self.graph.read(self.v_before);
            let (mut after, jumps) = self.breakpoint(index, before.clone(), (v, Discontinuities::Heeded), None)?;
            let set = state_elements(mechanism).into_iter().find(|name| before.get(name) != after.get(name));
            if jumps || set.is_some() {
                let what = format!("the BREAKPOINT of {} sets a state", mechanism.name);
                return Err(refused(index, mechanism.span, &what));
            }
            self.share(index, "BREAKPOINT", &before, &mut after);
            for ion in &mechanism.ions {
                let name = ion.current();
                if ion.write.contains(&name) {
                    let total = self.graph.add(self.ion_values[&name], after[&name]);
                    self.ion_values.insert(name, total);
                }
            }
            let own = self.sum(mechanism, &after);
            sum = self.graph.add(sum, own);
            after.retain(|name, _| !name.ends_with(" (LOCAL)"));
            self.take_ions(mechanism, &after);
            self.values[index] = after;
        }
        Ok(sum)
    }

    /// The right sides of all equations, by mechanism.
    pub(super) fn slopes_of_states(&mut self) -> Result<Vec<Vec<(String, Id)>>, Refused> {
        let region = self.region;
        let mut all = Vec::new();
        for (index, mechanism) in region.mechanisms.iter().enumerate() {
            let before = self.own_values(index, None);
            let mut values = before.clone();
            self.show_ions(mechanism, &mut values);
            let shown = values.clone();
            let v = self.graph.read(self.v_before);
            values.insert("v".to_owned(), v);
            values.insert("t".to_owned(), self.t);
            let mut slopes = Vec::new();
            for statement in &mechanism.breakpoint {
                match &statement.kind {
                    StatementKind::Solve(solve) => {
                        let (found, after) = self
                            .method(index, solve)
                            .and_then(|(method, block)| self.right_sides(index, &method, block, values))
                            .map_err(|diagnostic| Refused { mechanism: index, diagnostic: *diagnostic })?;
                        slopes.extend(found);
                        values = after;
                    }
                    StatementKind::Local(_) | StatementKind::UnitsSwitch(_) | StatementKind::Comment(_) => {}
                    _ if mechanism.currents.is_empty() => {
                        let what = "BREAKPOINT of a mechanism without a current does more than SOLVE";
                        return Err(refused(index, statement.span, what));
                    }
                    _ => {}
                }
            }
            if let Some(name) = state_elements(mechanism).into_iter().find(|name| shown.get(name) != values.get(name)) {
                let what = format!("a block that BREAKPOINT solves sets `{name}` itself");
                return Err(refused(index, mechanism.span, &what));
            }
            self.share(index, "BREAKPOINT", &shown, &mut values);
            self.values[index] = values;
            all.push(slopes);
        }
        Ok(all)
    }

    /// The right sides of a block, and all values after it.
    pub(super) fn right_sides(
        &mut self,
        index: usize,
        method: &Method,
        block: &Block,
        values: Values,
    ) -> Traced<(Vec<(String, Id)>, Values)> {
        let mechanism = &self.region.mechanisms[index];
        let mut trace = self.trace(mechanism, values, None);
        match (method, &block.kind) {
            (_, BlockKind::Derivative(_)) => {
                trace.primes = Primes::Collect(Vec::new());
                trace.run_block(block)?;
                let slopes = trace.collected(block);
                Ok((slopes, trace.values))
            }
            (Method::Sparse, _) => {
                let slopes = trace.kinetic_rates(block)?;
                Ok((slopes, trace.values))
            }
            _ => {
                let refusal =
                    refused(index, block.span, "a PROCEDURE, LINEAR or NONLINEAR block that BREAKPOINT solves");
                Err(Box::new(refusal.diagnostic))
            }
        }
    }

    /// All states with their slopes and starts.
    pub(super) fn equations(&mut self, start: &Start, slopes: &[Vec<(String, Id)>]) -> Result<Vec<Equation>, Refused> {
        let region = self.region;
        let mut found: Vec<Equation> = Vec::new();
        for (index, mechanism) in region.mechanisms.iter().enumerate() {
            for name in state_elements(mechanism) {
                let slope = slopes[index].iter().rev().find(|(known, _)| *known == name).map(|(_, slope)| *slope);
                let slope = slope.unwrap_or_else(|| self.graph.number(0.0));
                let is_ion = mechanism.ions.iter().any(|ion| ion.uses(&name));
                let (kind, input, start) = if is_ion {
                    let input = self.input(Quantity::Ion(name.clone(), When::Before), String::new());
                    (StateKind::Ion(name.clone()), input, start.ions[&name])
                } else {
                    let input = self.variable(index, &name, When::Before);
                    (StateKind::Variable(index, name.clone()), input, start.values[index][&name])
                };
                if found.iter().any(|known| known.kind == kind) {
                    let what = format!("two mechanisms have an equation for `{name}`");
                    return Err(refused(index, mechanism.span, &what));
                }
                found.push(Equation { kind, input, slope, start });
            }
        }
        for ion in &self.ions {
            let lacking =
                ion.carried().find(|name| !found.iter().any(|known| known.kind == StateKind::Ion(name.clone())));
            if let Some(name) = lacking {
                let writer =
                    region.mechanisms.iter().position(|known| known.ions.iter().any(|own| own.write.contains(&name)));
                let index = writer.unwrap_or_default();
                let what = format!("`{name}` is set without an equation of its own (make it a STATE)");
                return Err(refused(index, region.mechanisms[index].span, &what));
            }
        }
        Ok(found)
    }
}
