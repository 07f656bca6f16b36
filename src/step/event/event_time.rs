//! Events whose times depend on parameters, as those of a spike do.
//!
//! Between events `x' = F(x, V)`, and at one `x+ = R(x-, V, t, p, w)`. Where its time
//! changes by `Dt`, the gradients after it are, to first order in the time step,
//!
//! ```text
//! Dx+ = dR/dx (Dx- + F(x-) Dt) + dR/dV (W + V' Dt) + dR/dt Dt + dR/dp Dp + dR/dw Dw - F(x+) Dt
//! ```
//!
//! and the membrane has got the charge `(I(x-) - I(x+)) Dt` more. `F` is the right side
//! of the equations; what code computes step by step changes by its difference over `dt`.
//!
//! In the run itself an event acts between two steps, whatever its time is in there. Only the block sees that time:
//! of a self-event that comes after a while that depends on parameters, `dR/dt Dt` is exact, and the rest is not there.

use super::traced_event::TracedEvent;
use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Id, Input, Node};
use crate::model::Mechanism;
use crate::step::linear_map::state_vector::Candidate;
use crate::step::phase::state::Method;
use crate::step::{LinearForm, Quantity, Receive, Refused, Step, When};
use crate::syntax::ast::StatementKind;
use crate::trace::{Discontinuities, EffectKind, FAILED, Primes, Traced, Values};

/// What becomes of the times of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventTimes {
    /// The times are numbers: the derivative is that of the run.
    Fixed,
    /// The times have derivatives: the whole is the limit of small steps.
    Differentiated,
}

/// What the formula above needs besides [`Receive`].
#[derive(Clone, Debug)]
pub struct TimedEvent {
    /// `None` where the derivative is that of the run.
    pub flow: Option<Flow>,
}

/// Where the point process goes when no event comes.
#[derive(Clone, Debug)]
pub struct Flow {
    /// `I`, from the values of the moment
    pub current: Id,
    /// `F`, in the order of [`Receive::states`]
    pub slopes: Vec<Id>,
}

/// `I` and `F` by name, before it is known which variables matter.
pub(in crate::step) struct Slopes {
    current: Id,
    of: Values,
    /// A block that says nothing of how its states change.
    hidden: Option<String>,
}

impl Step<'_> {
    /// Where the point process goes from its values before a step.
    pub(in crate::step) fn slopes(
        &mut self,
        declared: &[Values],
        received: Option<&TracedEvent>,
        times: EventTimes,
    ) -> Result<Option<Slopes>, Refused> {
        let region = self.region;
        let (Some(mechanism), Some(declared), Some(_), EventTimes::Differentiated) =
            (region.mechanisms.first(), declared.first(), received, times)
        else {
            return Ok(None);
        };
        let mut before = declared.clone();
        self.show_ions(mechanism, &mut before);
        let v = self.graph.read(self.v_before);
        let mut found = Slopes { current: self.graph.number(0.0), of: Values::new(), hidden: None };
        let mut values = before.clone();
        if mechanism.currents.is_empty() {
            values.insert("v".to_owned(), v);
            self.see(0, &mut values, When::Before);
            values.insert("t".to_owned(), self.t);
        } else {
            values = self.breakpoint(0, values, (v, Discontinuities::Heeded), None)?.0;
            found.current = self.sum(mechanism, &values);
        }
        for statement in &mechanism.breakpoint {
            let result = match &statement.kind {
                StatementKind::Solve(solve) => self.method(0, solve).and_then(|(method, block)| match method {
                    Method::Linear | Method::Nonlinear => {
                        found.hidden = Some(solve.block.text.clone());
                        Ok(values.clone())
                    }
                    _ => self.slopes_of(mechanism, &method, block, values.clone(), &mut found.of),
                }),
                _ if mechanism.currents.is_empty() => {
                    let mut trace = self.trace(mechanism, values.clone(), None);
                    trace.sequence(std::slice::from_ref(statement)).map(|()| trace.values)
                }
                _ => continue,
            };
            values = result.map_err(|diagnostic| Refused { mechanism: 0, diagnostic: *diagnostic })?;
        }
        for (name, value) in &values {
            let Some(old) = before.get(name).filter(|old| *old != value) else { continue };
            if name == FAILED || found.of.contains_key(name) {
                continue;
            }
            let change = self.graph.sub(*value, *old);
            let slope = self.graph.div(change, self.dt);
            found.of.insert(name.clone(), slope);
        }
        Ok(Some(found))
    }

    fn slopes_of(
        &mut self,
        mechanism: &Mechanism,
        method: &Method,
        block: &crate::syntax::ast::Block,
        values: Values,
        slopes: &mut Values,
    ) -> Traced<Values> {
        let dt = self.dt;
        let mut trace = self.trace(mechanism, values, None);
        match method {
            Method::Cnexp | Method::Euler | Method::Runge | Method::Derivimplicit => {
                trace.primes = Primes::Collect(Vec::new());
                trace.run_block(block)?;
                if let Primes::Collect(right_sides) = trace.primes {
                    slopes.extend(right_sides);
                }
            }
            Method::Sparse => slopes.extend(trace.kinetic_slopes(block, dt)?),
            Method::Procedure | Method::Linear | Method::Nonlinear => trace.run_block(block)?,
        }
        Ok(trace.values)
    }

    /// What events whose times change need, or why it can't be had; nothing where all times are numbers.
    pub(in crate::step) fn times_of_events(
        &mut self,
        slopes: Option<&Slopes>,
        receive: &mut Receive,
        chosen: &[Candidate],
        roots: &[Id],
    ) -> Result<Option<Result<TimedEvent, String>>, Refused> {
        match slopes {
            Some(slopes) => Ok(Some(self.timed(slopes, receive, chosen, roots))),
            None => self.timed_in_run(receive, chosen),
        }
    }

    fn timed(
        &mut self,
        slopes: &Slopes,
        receive: &Receive,
        chosen: &[Candidate],
        roots: &[Id],
    ) -> Result<TimedEvent, String> {
        if receive.voltage.is_some() {
            return Err("its events set v".to_owned());
        }
        self.followed_sends(receive, chosen)?;
        if !self.arrays.is_empty() {
            return Err("its events write an array".to_owned());
        }
        if let Some(block) = &slopes.hidden {
            return Err(format!("its states are solved for by the equations of `{block}`"));
        }
        if !self.remembering.is_empty() {
            return Err("its BREAKPOINT reads what it has set the last time".to_owned());
        }
        for candidate in chosen {
            let before = self.graph.read(candidate.input);
            if candidate.after == before {
                continue;
            }
            let name = self.public_name(&candidate.kind);
            if self.region.stream(&candidate.kind).is_some() {
                return Err(format!("each step draws a number of `{name}`"));
            }
            if self.is_hidden(&candidate.kind) {
                return Err(format!("`{name}` changes in each step, and NEURON does not show it: make it RANGE"));
            }
        }
        if self.compares_times(chosen, roots) {
            return Err("a condition in its step compares t with what events set".to_owned());
        }
        let zero = self.graph.number(0.0);
        let of = |state: usize| match &chosen[state].kind {
            crate::step::StateKind::Variable(_, name) => slopes.of.get(name).copied().unwrap_or(zero),
            crate::step::StateKind::Ion(_) => zero,
        };
        let slopes_of = receive.states.iter().map(|change| of(change.target)).collect();
        Ok(TimedEvent { flow: Some(Flow { current: slopes.current, slopes: slopes_of }) })
    }

    /// In the derivative of the run: what is made of self-events whose times depend on parameters, if the block reads `t`.
    fn timed_in_run(
        &mut self,
        receive: &mut Receive,
        chosen: &[Candidate],
    ) -> Result<Option<Result<TimedEvent, String>>, Refused> {
        let stored: Vec<Id> = receive.stores.iter().flat_map(|store| [store.value, store.index]).collect();
        let is_kept = self.time().is_some_and(|time| self.graph.reachable_inputs(&stored, true).contains(&time));
        if !(receive.reads_time() || is_kept) || receive.late().all(LinearForm::is_free_of_model) {
            receive.forget_times();
            return Ok(None);
        }
        let followed =
            if is_kept { Err("its events write an array".to_owned()) } else { self.followed_sends(receive, chosen) };
        let reason = match followed {
            Ok(()) => return Ok(Some(Ok(TimedEvent { flow: None }))),
            Err(reason) => reason,
        };
        // Parameters can be refused by name when they are asked for.
        if receive.late().all(|late| !late.reads_states_or_weights() && !late.reads_voltage()) {
            return Ok(Some(Err(reason)));
        }
        let mechanism = &self.region.mechanisms[0];
        let span = mechanism.receive.as_ref().map_or(mechanism.span, |receive| receive.span);
        let message = format!("what its events do depends on t, and {reason}");
        let diagnostic = Diagnostic::refusal(Code::EventTime, span, message)
            .label("in this NET_RECEIVE")
            .help("let the time of a self-event depend on parameters only");
        Err(Refused { mechanism: 0, diagnostic })
    }

    /// Whether it can be said when events come that it sends to itself.
    fn followed_sends(&mut self, receive: &Receive, chosen: &[Candidate]) -> Result<(), String> {
        let settled = self.settled(chosen);
        for sent in receive.sent.iter().chain(&receive.start_sent) {
            let Some(late) = sent.late.as_ref().filter(|_| sent.kind == EffectKind::Send) else {
                return Err("it watches a condition, or moves an event by net_move".to_owned());
            };
            // A flag that is no number is looked at when it is sent.
            if sent.flag == Some(0.0) || sent.arguments.len() < 2 {
                return Err("it sends events to itself whose flag is 0".to_owned());
            }
            if late.reads_voltage() || !late.states().all(|state| settled[state]) {
                return Err("it sends events to itself at times that depend on v or on a state".to_owned());
            }
        }
        if receive.start_sent.iter().flat_map(|sent| &sent.late).any(|late| !late.coefficients().is_empty()) {
            return Err("INITIAL sends an event at a time that depends on a parameter".to_owned());
        }
        Ok(())
    }

    /// The moment at which such a condition changes would have a derivative of its own.
    fn compares_times(&mut self, chosen: &[Candidate], roots: &[Id]) -> bool {
        let Some(time) = self.time() else { return false };
        let inputs: Vec<Input> = chosen.iter().map(|candidate| candidate.input).collect();
        let before: Vec<Id> = inputs.into_iter().map(|input| self.graph.read(input)).collect();
        let set = chosen.iter().zip(before).filter(|(candidate, before)| candidate.event != *before);
        let set: Vec<Input> = set.map(|(candidate, _)| candidate.input).collect();
        self.graph.reachable(roots, true).into_iter().any(|id| {
            matches!(self.graph.node(id), Node::Compare(..)) && {
                let read = self.graph.reachable_inputs(&[id], true);
                read.contains(&time) && set.iter().any(|input| read.contains(input))
            }
        })
    }

    /// The input that stands for the time when an event comes.
    pub(in crate::step) fn time(&self) -> Option<Input> {
        self.inputs.get(&Quantity::Time).copied()
    }
}
