//! What NEURON shows, the value of a state or the current of a point process that
//! takes events, must be what its equation makes of it.

use super::code::Code;
use super::region::Writer;
use crate::step::StateKind;

/// Relative deviation of a state from its equation that is put down to rounding.
pub(super) const TOLERANCE: &str = "1e-7";

/// What is left of a balance, per ms, where NEURON has set a state below zero to zero.
const UNBALANCED: &str = "1e-9";

/// What is left of a current, in nA, near its reversal potential.
pub(super) const SMALL: &str = "1e-14";

impl Writer<'_> {
    /// Statements that compare the states at the end of the step.
    pub fn checks(&self, code: &Code) -> Vec<String> {
        let mut lines = Vec::new();
        for [before, neurons, ours] in self.linearised.states.iter().filter_map(|state| state.check) {
            let [before, neurons, ours] = [before, neurons, ours].map(|id| code.factor(id));
            let scale = format!("(fabs({before}) + fabs({neurons}))");
            lines.push(format!("IF (fault == 0 && fabs({ours} - {neurons}) > {TOLERANCE}*{scale}) {{"));
            lines.push("    fault = 5".to_owned());
            lines.push("}".to_owned());
        }
        for balance in &self.linearised.balances {
            let [rest, size] = balance.map(|id| code.factor(id));
            lines.push(format!("IF (fabs({rest}) > {TOLERANCE}*{size} + {UNBALANCED}) {{"));
            lines.push("    fault = 4".to_owned());
            lines.push("}".to_owned());
        }
        let currents = self.linearised.receive.iter().flat_map(|receive| &receive.currents);
        for [neurons, ours] in currents {
            let [neurons, ours] = [neurons, ours].map(|id| code.factor(*id));
            lines.push(format!("IF (fabs({ours} - {neurons}) > {TOLERANCE}*fabs({neurons}) + {SMALL}) {{"));
            lines.push("    fault = 4".to_owned());
            lines.push("}".to_owned());
        }
        lines
    }

    /// Statements that compare present and remembered values of the states; within a step they are the same.
    pub fn unchanged(&self) -> Vec<String> {
        let states = self.linearised.states.iter().filter(|state| state.check.is_some());
        let presents = states.map(|state| match &state.kind {
            StateKind::Ion(name) => format!("{name}_now"),
            StateKind::Variable(mechanism, name) => {
                self.linearised.names.of(*mechanism, name).to_owned()
            }
        });
        let compared = |name: String| {
            let line = format!("IF (fault == 0 && {name} != {}) {{ fault = 5 }}", self.sources.remembered(&name)?);
            Some(self.sources.guarded_present(&name, line))
        };
        presents.filter_map(compared).collect()
    }
}
