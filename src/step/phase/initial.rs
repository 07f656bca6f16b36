//! INITIAL: where the states start, as a function of the voltage and the parameters.

use crate::model::{BeforeAfter, Role, SEEN_VOLTAGE, is_kept_slope};
use crate::step::{Refused, Sent, Step, When};
use crate::trace::Values;

/// The values after `finitialize`.
pub(in crate::step) struct Start {
    pub values: Vec<Values>,
    pub ions: Values,
    /// Self-events.
    pub sent: Vec<Sent>,
}

impl Step<'_> {
    /// Traces INITIAL of every mechanism; the step's own values are left alone.
    pub(in crate::step) fn start(&mut self) -> Result<Start, Refused> {
        let region = self.region;
        let kept = (self.values.clone(), self.ion_values.clone());
        self.before_after(BeforeAfter::BeforeInitial, self.v_before, self.t)?;
        self.initial_ions();
        let mut sent = Vec::new();
        for (index, mechanism) in region.mechanisms.iter().enumerate() {
            let scope = self.enter(index);
            let mut before = self.own_values(index, scope);
            self.show_ions(mechanism, &mut before);
            let mut values = before.clone();
            for variable in mechanism.variables.values() {
                if variable.role == Role::State && !mechanism.ions.iter().any(|ion| ion.uses(&variable.name)) {
                    let zero = self.graph.number(0.0);
                    let default = values.get(&format!("{}0", variable.name)).copied();
                    for name in variable.elements() {
                        values.insert(name, default.unwrap_or(zero));
                    }
                }
            }
            for name in mechanism.variables.keys().filter(|name| is_kept_slope(name)) {
                let zero = self.graph.number(0.0);
                values.insert(name.clone(), zero);
            }
            let v = self.graph.read(self.v_before);
            values.insert("v".to_owned(), v);
            self.see(index, &mut values, When::Before);
            values.insert("t".to_owned(), self.t);
            let mut trace = self.trace(mechanism, values, scope);
            trace.effects = mechanism.receive.is_some().then(Vec::new);
            trace.stores = mechanism.receive.is_some().then(Vec::new);
            trace.solver = Some(crate::step::phase::state::solve_at_start);
            trace
                .statements(&mechanism.initial)
                .map_err(|diagnostic| Refused { mechanism: index, diagnostic: *diagnostic })?;
            let effects = trace.effects.take().unwrap_or_default();
            let stores = trace.stores.take().unwrap_or_default();
            let mut values = trace.values;
            if let Some(v) = values.get("v").copied().filter(|_| values.contains_key(SEEN_VOLTAGE)) {
                values.insert(SEEN_VOLTAGE.to_owned(), v);
            }
            self.start_arrays(&stores, &values, scope)?;
            sent.extend(effects.into_iter().map(|effect| self.sent(effect)));
            self.share(index, "INITIAL", &before, &mut values);
            self.leave(index, scope, &before, &mut values);
            self.take_ions(mechanism, &values);
            if mechanism.writes_concentration() {
                self.initial_reversals();
            }
            self.values[index] = values;
        }
        let values = std::mem::replace(&mut self.values, kept.0);
        let ions = std::mem::replace(&mut self.ion_values, kept.1);
        Ok(Start { values, ions, sent })
    }

    fn initial_ions(&mut self) {
        for ion in self.ions.clone() {
            for name in ion.carried() {
                let value = self.before_initial(&ion, &name);
                self.ion_values.insert(name, value);
            }
            // INITIAL sees the current that was last there: a number without a derivative.
            let current = ion.ion.current();
            let last = self.ion(&current, When::Before);
            self.ion_values.insert(current, last);
        }
        self.initial_reversals();
    }

    fn initial_reversals(&mut self) {
        for ion in self.ions.clone() {
            let value = self.initial_reversal(&ion);
            self.ion_values.extend(value);
        }
    }
}
