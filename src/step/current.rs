//! The current phase: every BREAKPOINT at the old voltage.
//!
//! NEURON solves `(c/dt + d + A) dV = -I - A V`, where the slope `d` is the
//! difference of the current over 0.001 mV, or the user's CONDUCTANCE. With
//! `J = I + d (V_{n+1} - V_n)` the derivative of that equation needs `J` only:
//! `S_a = dJ/da` at fixed `V_{n+1} - V_n`, less `d` for `a = V_n`.

use super::{Refused, StateKind, Step, When};
use crate::graph::{Builtin, Id, Scope};
use crate::model::Mechanism;
use crate::syntax::ast::{Statement, StatementKind};
use crate::trace::{Discontinuities, Trace, Values};

/// NEURON's voltage difference for `dI/dV`, mV.
const SLOPE_STEP: f64 = 0.001;

/// The sum of all mechanisms.
pub(super) struct Membrane {
    /// `J`, positive outward; mA/cm2 or nA
    pub current: Id,
    /// `d`; S/cm2 or uS
    pub conductance: Id,
    /// The sizes of all that `J` is the sum of.
    pub size: Id,
}

impl Step<'_> {
    /// Runs the current phase. `rise` is `V_{n+1} - V_n` as a value without derivative.
    pub(super) fn currents(&mut self, rise: Id) -> Result<Membrane, Refused> {
        let region = self.region;
        let zero = self.graph.number(0.0);
        let mut membrane = Membrane { current: zero, conductance: zero, size: zero };
        for (index, mechanism) in region.mechanisms.iter().enumerate() {
            if mechanism.currents.is_empty() {
                // NEURON runs its BREAKPOINT in the state phase.
                continue;
            }
            let scope = self.enter(index);
            let mut before = self.own_values(index, scope);
            self.show_ions(mechanism, &mut before);
            let v = self.graph.read(self.v_before);
            let (mut after, jumps) = self.breakpoint(index, before.clone(), (v, self.discontinuities), scope)?;
            let mut differs = false;
            let states = super::state::state_elements(mechanism).into_iter();
            let set = states.filter(|name| before.get(name) != after.get(name));
            self.set_by_currents.extend(set.map(|name| StateKind::Variable(index, name)));
            if jumps || self.reads_what_it_sets(&before, &after) {
                self.remembering.insert(index);
            }
            if self.remembering.contains(&index) && !has_hint(mechanism) {
                let once = self.sum(mechanism, &after);
                after = self.twice(index, before.clone(), scope)?;
                differs = once != self.sum(mechanism, &after);
            }
            self.share(index, "BREAKPOINT", &before, &mut after);
            let (current, conductance) =
                self.contribution(index, (&before, &after), (rise, differs), scope)?;
            for ion in &mechanism.ions {
                let name = ion.current();
                if ion.write.contains(&name) {
                    let own = after[&name];
                    let own = self.inside(scope, own);
                    let total = self.graph.add(self.ion_values[&name], own);
                    self.ion_values.insert(name, total);
                }
            }
            membrane.current = self.graph.add(membrane.current, current);
            membrane.conductance = self.graph.add(membrane.conductance, conductance);
            membrane.size = self.size(membrane.size, index, &after, (conductance, rise), scope);
            self.leave(index, scope, &before, &mut after);
            self.take_concentrations(mechanism, &after);
            self.values[index] = after;
        }
        Ok(membrane)
    }

    /// A mechanism's variables after its BREAKPOINT at voltage `v`, and whether there is a
    /// `state_discontinuity` in it, which sets its state if it is heeded.
    pub(super) fn breakpoint(
        &mut self,
        index: usize,
        mut values: Values,
        (v, discontinuities): (Id, Discontinuities),
        scope: Scope,
    ) -> Result<(Values, bool), Refused> {
        let mechanism = &self.region.mechanisms[index];
        for current in &mechanism.currents {
            let zero = self.graph.number(0.0);
            values.entry(current.name.clone()).or_insert(zero);
        }
        values.insert("v".to_owned(), v);
        self.see(index, &mut values, When::Before);
        values.insert("t".to_owned(), self.t);
        let body: Vec<Statement> = mechanism
            .breakpoint
            .iter()
            .filter(|statement| !matches!(statement.kind, StatementKind::Solve(_)))
            .cloned()
            .collect();
        let mut trace = Trace::new(&mut self.graph, mechanism, values, &self.constants, scope);
        trace.discontinuities = discontinuities;
        match trace.sequence(&body) {
            Ok(()) => Ok((trace.values, trace.has_jumped)),
            Err(diagnostic) => Err(Refused { mechanism: index, diagnostic: *diagnostic }),
        }
    }

    /// `J` and `d` of one mechanism.
    fn contribution(
        &mut self,
        index: usize,
        (before, after): (&Values, &Values),
        (rise, differs): (Id, bool),
        scope: Scope,
    ) -> Result<(Id, Id), Refused> {
        let mechanism = &self.region.mechanisms[index];
        let current = self.sum(mechanism, after);
        let conductance = if let Some(hint) = self.hinted(mechanism, after) {
            hint
        } else {
            let slope = self.derivative(current, self.v_before);
            let curvature = self.derivative(slope, self.v_before);
            // A table's slope changes at its points.
            let bends = !self.graph.is_zero(curvature) || !mechanism.function_tables.is_empty();
            if !bends && !differs {
                slope
            } else {
                self.difference(index, before, current, scope)?
            }
        };
        let change = self.graph.mul(conductance, rise);
        let current = self.graph.add(current, change);
        Ok((self.inside(scope, current), self.inside(scope, conductance)))
    }

    /// `sum`, and how large the currents of a mechanism are, and the change of their sum within the step.
    fn size(
        &mut self,
        sum: Id,
        index: usize,
        after: &Values,
        (conductance, rise): (Id, Id),
        scope: Scope,
    ) -> Id {
        let region = self.region;
        let currents = region.mechanisms[index].currents.iter().map(|current| after[&current.name]);
        let mut parts: Vec<Id> = currents.map(|current| self.inside(scope, current)).collect();
        parts.push(self.graph.mul(conductance, rise));
        parts.into_iter().fold(sum, |sum, part| {
            let size = self.graph.call(Builtin::Fabs, vec![part]);
            self.graph.add(sum, size)
        })
    }

    /// NEURON's numerical slope, for currents that are not linear in the voltage.
    fn difference(
        &mut self,
        index: usize,
        before: &Values,
        current: Id,
        scope: Scope,
    ) -> Result<Id, Refused> {
        let step = self.graph.number(SLOPE_STEP);
        let after = self.breakpoint_above(index, before.clone(), scope)?;
        let mechanism = &self.region.mechanisms[index];
        let higher = self.sum(mechanism, &after);
        let difference = self.graph.sub(higher, current);
        Ok(self.graph.div(difference, step))
    }

    /// BREAKPOINT as NEURON runs it, first at the higher voltage, then, without `state_discontinuity`, at the voltage.
    fn twice(&mut self, index: usize, before: Values, scope: Scope) -> Result<Values, Refused> {
        let after = self.breakpoint_above(index, before, scope)?;
        let v = self.graph.read(self.v_before);
        Ok(self.breakpoint(index, after, (v, Discontinuities::Ignored), scope)?.0)
    }

    fn breakpoint_above(
        &mut self,
        index: usize,
        before: Values,
        scope: Scope,
    ) -> Result<Values, Refused> {
        let step = self.graph.number(SLOPE_STEP);
        let v = self.graph.read(self.v_before);
        let above = self.graph.add(v, step);
        Ok(self.breakpoint(index, before, (above, self.discontinuities), scope)?.0)
    }

    /// Whether it matters what a variable was that BREAKPOINT sets.
    fn reads_what_it_sets(&self, before: &Values, after: &Values) -> bool {
        let changed = after.iter().filter(|(name, value)| {
            !["v", "t"].contains(&name.as_str()) && before.get(*name).is_some_and(|old| old != *value)
        });
        let (names, values): (Vec<&String>, Vec<Id>) = changed.map(|(name, id)| (name, *id)).unzip();
        let reached = self.graph.reachable(&values, false);
        names.into_iter().any(|name| {
            let is_number = self.graph.as_number(before[name]).is_some();
            !is_number && reached.contains(&before[name])
        })
    }

    pub(super) fn sum(&mut self, mechanism: &Mechanism, values: &Values) -> Id {
        let mut sum = self.graph.number(0.0);
        for current in &mechanism.currents {
            let value = values[&current.name];
            sum = if current.electrode {
                self.graph.sub(sum, value)
            } else {
                self.graph.add(sum, value)
            };
        }
        sum
    }

    /// The sum of the CONDUCTANCE hints, if there are any.
    fn hinted(&mut self, mechanism: &Mechanism, values: &Values) -> Option<Id> {
        let mut sum = None;
        for statement in &mechanism.breakpoint {
            if let StatementKind::Conductance(name, _) = &statement.kind {
                let value = *values.get(&name.text)?;
                sum = Some(match sum {
                    Some(sum) => self.graph.add(sum, value),
                    None => value,
                });
            }
        }
        sum
    }

    /// 0 where the mechanism is off.
    fn inside(&mut self, scope: Scope, value: Id) -> Id {
        match scope {
            Some((branch, _)) => {
                let zero = self.graph.number(0.0);
                self.graph.join(branch, value, zero)
            }
            None => value,
        }
    }
}

fn has_hint(mechanism: &Mechanism) -> bool {
    let is_hint = |statement: &Statement| matches!(statement.kind, StatementKind::Conductance(..));
    mechanism.breakpoint.iter().any(is_hint)
}
