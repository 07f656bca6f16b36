//! Variables that INITIAL leaves as the run before did, and that nothing reads before they are set.
//!
//! ```text
//! INITIAL { seen = 0 }
//! NET_RECEIVE(w) { IF (seen) { g = g + w*(t - last) } seen = 1  last = t }
//! ```
//!
//! As long as what INITIAL has set to numbers stays as it is, code reads no such variable (`last`); whatever changes
//! those numbers (`seen`) sets it too. Or an event sets it that INITIAL sends to come before the first step.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::{Comparison, Id, Input, Node};
use crate::step::event::traced_event::TracedEvent;
use crate::step::linear_map::state_vector::Candidate;
use crate::step::{Quantity, Sent, Step};

/// What is known of inputs: their values.
type Known = BTreeMap<Input, f64>;

/// What the start of a run sets off.
pub(in crate::step) struct Run<'a> {
    pub received: Option<&'a TracedEvent>,
    /// Self-events of INITIAL.
    pub sent: &'a [Sent],
    /// What a step is made for, besides what it hands on.
    pub membrane: [Id; 2],
}

impl Step<'_> {
    /// Whether it makes no difference what a variable was before INITIAL, which leaves it alone.
    pub(in crate::step) fn is_never_read(&mut self, variable: &Candidate, chosen: &[Candidate], run: &Run) -> bool {
        if self.graph.as_input(variable.start) != Some(variable.input) {
            return false;
        }
        let others: Vec<&Candidate> = chosen.iter().filter(|other| other.input != variable.input).collect();
        let starts: Vec<Id> = others.iter().map(|other| other.start).collect();
        let reads = |step: &Self, roots: &[Id], known: &Known| step.read_where(roots, known).contains(&variable.input);
        if reads(self, &starts, &Known::new()) {
            return false;
        }
        let mut at_events: Vec<Id> = others.iter().map(|other| other.event).collect();
        at_events.extend(run.received.iter().flat_map(|received| received.needs()));
        if !reads(self, &at_events, &Known::new()) && self.is_set_at_once(variable, run.sent) {
            return true;
        }
        // As INITIAL leaves them.
        let numbers = others.iter().filter_map(|other| Some((other.input, self.graph.as_number(other.start)?)));
        let known: Known = numbers.collect();
        let mut roots = [&at_events[..], &run.membrane].concat();
        roots.extend(others.iter().map(|other| other.after));
        if reads(self, &roots, &known) {
            return false;
        }
        let used = self.decided_by(&roots, &known);
        let guards: Vec<&&Candidate> = others.iter().filter(|other| used.contains(&other.input)).collect();
        let is_set_or_stays = |step: &Self, value: Id, change: &dyn Fn(&Candidate) -> Id| {
            guards
                .iter()
                .all(|guard| step.is_set_or_stays((value, variable.input), (change(guard), guard.input), &known))
        };
        is_set_or_stays(self, variable.after, &|guard| guard.after)
            && is_set_or_stays(self, variable.event, &|guard| guard.event)
    }

    /// Whether an event that INITIAL sends in any case, to come at once, sets it.
    fn is_set_at_once(&mut self, variable: &Candidate, sent: &[Sent]) -> bool {
        let flag = self.input(Quantity::Argument("flag".to_owned()), "flag");
        sent.iter().any(|sent| {
            let is_sent = self.graph.as_number(sent.on).is_some_and(|on| on != 0.0);
            let is_at_once = sent.arguments.first().is_some_and(|delay| self.graph.is_zero(*delay));
            let Some(number) = sent.flag.filter(|_| is_sent && is_at_once && !sent.is_watch()) else { return false };
            !self.read_where(&[variable.event], &Known::from([(flag, number)])).contains(&variable.input)
        })
    }

    /// Wherever the variable may stay what it was, the guard stays too.
    fn is_set_or_stays(&self, (value, variable): (Id, Input), (guard, own): (Id, Input), known: &Known) -> bool {
        if !self.read_where(&[value], known).contains(&variable) {
            return true;
        }
        let stays = self.graph.as_input(guard) == Some(own) || self.graph.as_number(guard) == known.get(&own).copied();
        if stays {
            return true;
        }
        let Node::Phi(branch, slot) = *self.graph.node(guard) else { return false };
        let (then, otherwise) = self.graph.branch(branch).slots[slot];
        let arms = match *self.graph.node(value) {
            Node::Phi(other, slot) if other == branch => self.graph.branch(branch).slots[slot],
            _ => (value, value),
        };
        match self.decided(self.graph.branch(branch).condition, known) {
            Some(true) => self.is_set_or_stays((arms.0, variable), (then, own), known),
            Some(false) => self.is_set_or_stays((arms.1, variable), (otherwise, own), known),
            None => {
                self.is_set_or_stays((arms.0, variable), (then, own), known)
                    && self.is_set_or_stays((arms.1, variable), (otherwise, own), known)
            }
        }
    }

    /// What these are computed from where some inputs are known.
    fn read_where(&self, roots: &[Id], known: &Known) -> BTreeSet<Input> {
        let found = self.graph.reachable_where(roots, true, |condition| self.decided(condition, known));
        let inputs = found.into_iter().filter_map(|id| match self.graph.node(id) {
            Node::Input(input) | Node::Element(input, _) => Some(*input),
            _ => None,
        });
        inputs.collect()
    }

    /// The known inputs that decide which code runs.
    fn decided_by(&self, roots: &[Id], known: &Known) -> BTreeSet<Input> {
        let mut found = BTreeSet::new();
        for id in self.graph.reachable_where(roots, true, |condition| self.decided(condition, known)) {
            let Node::Phi(branch, _) = self.graph.node(id) else { continue };
            let condition = self.graph.branch(*branch).condition;
            if self.decided(condition, known).is_some() {
                found.extend(self.graph.reachable_inputs(&[condition], true));
            }
        }
        found
    }

    fn decided(&self, condition: Id, known: &Known) -> Option<bool> {
        self.value(condition, known).map(|value| value != 0.0)
    }

    /// The value of what is made of known inputs by comparisons and the four operations.
    #[allow(clippy::float_cmp)]
    fn value(&self, id: Id, known: &Known) -> Option<f64> {
        let truth = |holds: bool| Some(f64::from(u8::from(holds)));
        match *self.graph.node(id) {
            Node::Number(bits) => Some(f64::from_bits(bits)),
            Node::Input(input) => known.get(&input).copied(),
            Node::Neg(a) => self.value(a, known).map(|a| -a),
            Node::Not(a) => self.value(a, known).and_then(|a| truth(a == 0.0)),
            Node::Add(a, b) => Some(self.value(a, known)? + self.value(b, known)?),
            Node::Sub(a, b) => Some(self.value(a, known)? - self.value(b, known)?),
            Node::Mul(a, b) => Some(self.value(a, known)? * self.value(b, known)?),
            Node::And(a, b) => match (self.value(a, known), self.value(b, known)) {
                (Some(0.0), _) | (_, Some(0.0)) => Some(0.0),
                (a, b) => truth(a? != 0.0 && b? != 0.0),
            },
            Node::Or(a, b) => match (self.value(a, known), self.value(b, known)) {
                (Some(a), _) if a != 0.0 => Some(1.0),
                (_, Some(b)) if b != 0.0 => Some(1.0),
                (a, b) => truth(a? != 0.0 || b? != 0.0),
            },
            Node::Compare(comparison, a, b) => {
                let (a, b) = (self.value(a, known)?, self.value(b, known)?);
                truth(match comparison {
                    Comparison::Lt => a < b,
                    Comparison::Le => a <= b,
                    Comparison::Gt => a > b,
                    Comparison::Ge => a >= b,
                    Comparison::Eq => a == b,
                    Comparison::Ne => a != b,
                })
            }
            _ => None,
        }
    }
}
