//! The current phase: every BREAKPOINT at the old voltage.
//!
//! NEURON solves `(c/dt + d + A) dV = -I - A V`, where the slope `d` is the
//! difference of the current over 0.001 mV, or the user's CONDUCTANCE. With
//! `J = I + d (V_{n+1} - V_n)` the derivative of that equation needs `J` only:
//! `S_a = dJ/da` at fixed `V_{n+1} - V_n`, less `d` for `a = V_n`. With
//! `secondorder` the change that NEURON solves for, half of it, stands in its place.

use crate::graph::{Builtin, Id, Node, Scope};
use crate::model::shadow::local_name;
use crate::model::{Ion, Mechanism, SEEN_VOLTAGE};
use crate::step::guard::shared_variables;
use crate::step::{Quantity, Refused, StateKind, Step, TimeScheme, When};
use crate::syntax::ast::{Statement, StatementKind};
use crate::syntax::visit::statements;
use crate::trace::{Discontinuities, Values};

/// NEURON's voltage difference for `dI/dV`, mV.
const SLOPE_STEP: f64 = 0.001;

/// The sum of all mechanisms.
pub(in crate::step) struct Membrane {
    /// `J`, positive outward; mA/cm2 or nA
    pub current: Id,
    /// `d`; S/cm2 or uS
    pub conductance: Id,
    /// The sizes of all that `J` is the sum of.
    pub size: Id,
}

impl Step<'_> {
    /// Runs the current phase.
    pub(in crate::step) fn currents(&mut self) -> Result<Membrane, Refused> {
        let region = self.region;
        let part = self.graph.number(region.scheme.solved_part());
        let rise = self.read(Quantity::Rise, "rise");
        let rise = self.graph.mul(part, rise);
        let mut ion_slopes = Values::new();
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
            let hint = self.hinted(mechanism, &after);
            let states = crate::step::phase::state::state_elements(mechanism).into_iter();
            let set = states.filter(|name| before.get(name) != after.get(name));
            self.set_by_currents.extend(set.map(|name| StateKind::Variable(index, name)));
            if jumps || self.reads_what_it_sets(&before, &after) {
                self.remembering.insert(index);
            }
            let mut first = None;
            if self.remembering.contains(&index) && hint.is_none() {
                let once = self.sum(mechanism, &after);
                let again = self.twice(index, before.clone(), scope)?;
                differs = once != self.sum(mechanism, &again);
                first = Some(std::mem::replace(&mut after, again))
                    .filter(|_| differs && shared_variables::is_set_elsewhere(mechanism));
            }
            self.share(index, "BREAKPOINT", &before, &mut after);
            if let Some(mut first) = first {
                // NEURON's slope is made of the first time too.
                self.share(index, "BREAKPOINT", &before, &mut first);
                for current in &mechanism.currents {
                    let name = local_if_any(&first, &current.name);
                    let value = first[&name];
                    let input = self.graph.as_input(value);
                    if input.is_some_and(|input| self.foreigns.contains_key(&input)) {
                        after.insert(name, value);
                    }
                }
            }
            let (current, conductance) = self.contribution(index, (&before, &after), (rise, differs, hint), scope)?;
            for ion in &mechanism.ions {
                let name = ion.current();
                if ion.write.contains(&name) {
                    let own = after[local_if_any(&after, &name).as_str()];
                    let own = self.inside(scope, own);
                    let total = self.graph.add(self.ion_values[&name], own);
                    self.ion_values.insert(name.clone(), total);
                    if region.scheme == TimeScheme::CrankNicolsonCurrents {
                        let slope = self.slope_of_ion(index, (&before, &after), ion, differs, scope)?;
                        let others = ion_slopes.get(&name).copied().unwrap_or(zero);
                        ion_slopes.insert(name, self.graph.add(others, slope));
                    }
                }
            }
            membrane.current = self.graph.add(membrane.current, current);
            membrane.conductance = self.graph.add(membrane.conductance, conductance);
            membrane.size = self.size(membrane.size, index, &after, (conductance, rise), scope);
            after.retain(|name, _| !is_local(name));
            self.leave(index, scope, &before, &mut after);
            self.take_ions(mechanism, &after);
            self.values[index] = after;
        }
        // NEURON's second_order_cur: what the state phase and events see. Unlike `d` in `J`, it takes the new voltage
        // for what it is.
        let [old, new] = [self.v_before, self.v_after].map(|input| self.graph.read(input));
        let solved = self.graph.sub(new, old);
        let solved = self.graph.mul(part, solved);
        for (name, slope) in ion_slopes {
            let change = self.graph.mul(slope, solved);
            let total = self.graph.add(self.ion_values[&name], change);
            self.ion_values.insert(name, total);
        }
        Ok(membrane)
    }

    /// A mechanism's variables after its BREAKPOINT at voltage `v`, its LOCAL ones among them, and whether
    /// there is a `state_discontinuity` in it, which sets its state if it is heeded.
    pub(in crate::step) fn breakpoint(
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
        let seen = values.get(SEEN_VOLTAGE).copied();
        let mut trace = self.trace(mechanism, values, scope);
        trace.called_voltage = seen;
        trace.discontinuities = discontinuities;
        match trace.with_locals(&body) {
            Ok(locals) => {
                // Where NEURON takes no notice of CONDUCTANCE, a LOCAL is nothing but a LOCAL.
                let locals = locals
                    .into_iter()
                    .filter(|_| mechanism.is_thread_safe)
                    .map(|(name, value)| (in_values(&name), value));
                Ok((trace.values.into_iter().chain(locals).collect(), trace.has_jumped))
            }
            Err(diagnostic) => Err(Refused { mechanism: index, diagnostic: *diagnostic }),
        }
    }

    /// `J` and `d` of one mechanism.
    fn contribution(
        &mut self,
        index: usize,
        (before, after): (&Values, &Values),
        (rise, differs, hint): (Id, bool, Option<Id>),
        scope: Scope,
    ) -> Result<(Id, Id), Refused> {
        let mechanism = &self.region.mechanisms[index];
        let current = self.sum(mechanism, after);
        let conductance = if let Some(hint) = hint {
            hint
        } else {
            self.slope(index, (before, current), differs, scope, &|step, values| step.sum(mechanism, values))?
        };
        let change = self.graph.mul(conductance, rise);
        let current = self.graph.add(current, change);
        Ok((self.inside(scope, current), self.inside(scope, conductance)))
    }

    /// NEURON's `dI/dV` of the current that a mechanism writes for an ion.
    fn slope_of_ion(
        &mut self,
        index: usize,
        (before, after): (&Values, &Values),
        ion: &Ion,
        differs: bool,
        scope: Scope,
    ) -> Result<Id, Refused> {
        let region = self.region;
        let mechanism = &region.mechanisms[index];
        let current = ion.current();
        let own = |values: &Values| values[local_if_any(values, &current).as_str()];
        let slope = if self.hinted(mechanism, after).is_some() {
            // NEURON adds only what a hint gives to that ion.
            self.hints(mechanism, after, |name| name == Some(ion.name.as_str()))
                .unwrap_or_else(|| self.graph.number(0.0))
        } else {
            self.slope(index, (before, own(after)), differs, scope, &|_, values| own(values))?
        };
        Ok(self.inside(scope, slope))
    }

    /// How NEURON finds the slope of a current, or of a sum of them, that is `current` now: by the difference over
    /// 0.001 mV, which is the derivative of what is linear in the voltage.
    fn slope(
        &mut self,
        index: usize,
        (before, current): (&Values, Id),
        differs: bool,
        scope: Scope,
        of: &dyn Fn(&mut Self, &Values) -> Id,
    ) -> Result<Id, Refused> {
        let slope = self.derivative(current, self.v_before);
        let curvature = self.derivative(slope, self.v_before);
        // A table's slope changes at its points.
        let bends = !self.graph.is_zero(curvature) || !self.region.mechanisms[index].function_tables.is_empty();
        if !bends && !differs && !self.has_corner(current) {
            return Ok(slope);
        }
        let step = self.graph.number(SLOPE_STEP);
        let above = self.breakpoint_above(index, before.clone(), scope)?;
        let higher = of(self, &above);
        let difference = self.graph.sub(higher, current);
        Ok(self.graph.div(difference, step))
    }

    /// `sum`, and how large the currents of a mechanism are, and the change of their sum within the step.
    fn size(&mut self, sum: Id, index: usize, after: &Values, (conductance, rise): (Id, Id), scope: Scope) -> Id {
        let region = self.region;
        let currents =
            region.mechanisms[index].currents.iter().map(|current| after[local_if_any(after, &current.name).as_str()]);
        let mut parts: Vec<Id> = currents.map(|current| self.inside(scope, current)).collect();
        parts.push(self.graph.mul(conductance, rise));
        parts.into_iter().fold(sum, |sum, part| {
            let size = self.graph.call(Builtin::Fabs, vec![part]);
            self.graph.add(sum, size)
        })
    }

    /// BREAKPOINT as NEURON runs it, first at the higher voltage, then, without `state_discontinuity`, at the voltage.
    fn twice(&mut self, index: usize, before: Values, scope: Scope) -> Result<Values, Refused> {
        let after = self.breakpoint_above(index, before, scope)?;
        let v = self.graph.read(self.v_before);
        Ok(self.breakpoint(index, after, (v, Discontinuities::Ignored), scope)?.0)
    }

    fn breakpoint_above(&mut self, index: usize, before: Values, scope: Scope) -> Result<Values, Refused> {
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

    pub(in crate::step) fn sum(&mut self, mechanism: &Mechanism, values: &Values) -> Id {
        let mut sum = self.graph.number(0.0);
        for current in &mechanism.currents {
            let value = values[local_if_any(values, &current.name).as_str()];
            sum = if current.electrode { self.graph.sub(sum, value) } else { self.graph.add(sum, value) };
        }
        sum
    }

    /// Whether a current that is made of straight pieces, or of constant ones, may go from one to another as the
    /// voltage changes: NEURON's slope crosses such a place where the voltage is just below it.
    fn has_corner(&self, current: Id) -> bool {
        let mut deciding = Vec::new();
        for id in self.graph.reachable(&[current], false) {
            match self.graph.node(id) {
                Node::Phi(branch, _) => deciding.push(self.graph.branch(*branch).condition),
                Node::Compare(_, a, b) | Node::And(a, b) | Node::Or(a, b) => {
                    deciding.extend([*a, *b]);
                }
                Node::Not(a) | Node::Element(_, a) => deciding.push(*a),
                Node::Call(builtin, arguments) if builtin.has_corners() => {
                    deciding.extend(arguments);
                }
                Node::AfterLoop(..) => deciding.push(id),
                _ => {}
            }
        }
        self.graph.reachable_inputs(&deciding, false).contains(&self.v_before)
    }

    /// The sum of the CONDUCTANCE hints, if there are any, as NEURON adds it to the membrane's conductance.
    fn hinted(&mut self, mechanism: &Mechanism, values: &Values) -> Option<Id> {
        let sum = self.hints(mechanism, values, |_| true);
        let is_inward = mechanism.currents.iter().any(|current| current.electrode);
        sum.map(|sum| if is_inward { self.graph.neg(sum) } else { sum })
    }

    /// The sum of those hints that NEURON heeds and that are given to these ions.
    fn hints(
        &mut self,
        mechanism: &Mechanism,
        values: &Values,
        is_wanted: impl Fn(Option<&str>) -> bool,
    ) -> Option<Id> {
        if !mechanism.is_thread_safe {
            return None;
        }
        // Wherever it stands in BREAKPOINT.
        let names = statements(&mechanism.breakpoint).filter_map(|statement| match &statement.kind {
            StatementKind::Conductance(name, ion) if is_wanted(ion.as_ref().map(|ion| ion.text.as_str())) => {
                Some(name.text.as_str())
            }
            _ => None,
        });
        let mut sum = None;
        for name in names {
            let local = in_values(name);
            let value = *values.get(&local).or_else(|| values.get(name))?;
            sum = Some(match sum {
                Some(sum) => self.graph.add(sum, value),
                None => value,
            });
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

/// What a LOCAL of BREAKPOINT is called among the variables after it.
fn in_values(local: &str) -> String {
    format!("{local}{LOCAL}")
}

const LOCAL: &str = " (LOCAL)";

fn is_local(name: &str) -> bool {
    name.ends_with(LOCAL)
}

/// With CONDUCTANCE, if it is heeded, NEURON takes the LOCAL for a current that has its name.
fn local_if_any(values: &Values, current: &str) -> String {
    let local = in_values(&local_name(current));
    if values.contains_key(&local) { local } else { current.to_owned() }
}
