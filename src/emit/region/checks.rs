//! What NEURON shows, the value of a state or the current of a point process that
//! takes events, must be what its equation makes of it. Both modes ask the same.

use super::writer::Writer;
use crate::emit::text::code::Code;
use crate::emit::text::fault::Fault;
use crate::graph::Id;
use crate::step::{Check, Linearised, StateKind};

/// Relative deviation of a current that is put down to rounding.
pub(in crate::emit) const TOLERANCE: &str = "1e-7";

/// What is left of a current, in nA, near its reversal potential.
pub(in crate::emit) const SMALL: &str = "1e-14";

/// A check, and in NMODL whether a step does not pass it; not a number does not.
pub(in crate::emit) fn failures<'a>(linearised: &'a Linearised, code: &Code) -> Vec<(&'a Check, String)> {
    let failure = |check: &'a Check| {
        let [rest, size] = [check.rest, check.size].map(|id| code.factor(id));
        let absolute = if check.absolute > 0.0 { format!(" + {:e}", check.absolute) } else { String::new() };
        (check, format!("!(fabs({rest}) <= {:e}*{size}{absolute})", check.relative))
    };
    linearised.checks.iter().map(failure).collect()
}

/// The step is not the one that is differentiated: say so.
pub(in crate::emit) fn flag_where(code: &Code, failed: &[Id]) -> Vec<String> {
    failed.iter().map(|id| format!("IF ({} != 0) {{ fault = {} }}", code.value(*id), Fault::Unsolved)).collect()
}

impl Writer<'_> {
    /// Statements that compare the states at the end of the step.
    pub fn checks(&self, code: &Code) -> Vec<String> {
        let mut lines = Vec::new();
        for (check, failure) in failures(self.linearised, code) {
            let fault = if check.of_arrays { Fault::Missed } else { Fault::State };
            lines.push(format!("IF (fault == 0 && {failure}) {{"));
            lines.push(format!("    fault = {fault}"));
            lines.push("}".to_owned());
        }
        let currents = self.linearised.receive.iter().flat_map(|receive| &receive.currents);
        for [neurons, ours] in currents {
            let [neurons, ours] = [neurons, ours].map(|id| code.factor(*id));
            lines.push(format!("IF (fabs({ours} - {neurons}) > {TOLERANCE}*fabs({neurons}) + {SMALL}) {{"));
            lines.push(format!("    fault = {}", Fault::Missed));
            lines.push("}".to_owned());
        }
        lines
    }

    /// The emitted names of the states that nothing but a step changes, and their gradients.
    pub fn watched(&self) -> Vec<(String, &String)> {
        let states = self.linearised.states.iter().zip(&self.gradients).filter(|(state, _)| state.is_watched);
        let named = states.map(|(state, gradient)| match &state.kind {
            StateKind::Ion(name) => (format!("{name}_now"), gradient),
            StateKind::Variable(mechanism, name) => (self.linearised.names.of(*mechanism, name).to_owned(), gradient),
        });
        named.collect()
    }
}
