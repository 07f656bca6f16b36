//! What a region carries from step to step: STATEs, concentrations, and whatever
//! else one step leaves to the next.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Id, Input};
use crate::model::{Role, Visibility};
use crate::step::event::traced_event::TracedEvent;
use crate::step::phase::state::state_elements;
use crate::step::{Quantity, Refused, Step, When};
use crate::syntax::span::Span;

/// Variables that a region may carry: the work grows with the square of their number.
const CARRIED: usize = 400;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StateKind {
    /// A variable of mechanism `0`
    Variable(usize, String),
    /// A concentration
    Ion(String),
}

impl StateKind {
    pub(in crate::step) fn name(&self) -> &str {
        match self {
            Self::Variable(_, name) | Self::Ion(name) => name,
        }
    }
}

/// A variable that code changes.
pub(in crate::step) struct Candidate {
    pub kind: StateKind,
    pub input: Input,
    pub after: Id,
    pub start: Id,
    /// The value after an event.
    pub event: Id,
}

impl Step<'_> {
    /// Variables that code changes, and the inputs of those that none does.
    pub(in crate::step) fn candidates(
        &mut self,
        start: &crate::step::phase::initial::Start,
        received: Option<&TracedEvent>,
    ) -> (Vec<Candidate>, BTreeSet<Input>) {
        let mut dynamic = Vec::new();
        let mut constant = BTreeSet::new();
        let region = self.region;
        for (index, mechanism) in region.mechanisms.iter().enumerate() {
            for variable in mechanism.variables.values() {
                let is_ion = mechanism.ions.iter().any(|ion| {
                    let is_own = variable.name == ion.current() && !ion.read.contains(&variable.name);
                    ion.uses(&variable.name) && !is_own
                });
                if is_ion
                    || self.is_whole(&variable.name)
                    || matches!(variable.role, Role::Constant(_) | Role::Factor | Role::Pointed)
                {
                    continue;
                }
                for name in variable.elements() {
                    let input = self.variable(index, &name, When::Before);
                    let before = self.graph.read(input);
                    let after = self.values[index][&name];
                    let start = start.values[index][&name];
                    let event = received.and_then(|received| received.values.get(&name).copied()).unwrap_or(before);
                    if after == before && start == before && event == before {
                        constant.insert(input);
                    } else {
                        let kind = StateKind::Variable(index, name);
                        dynamic.push(Candidate { kind, input, after, start, event });
                    }
                }
            }
        }
        for ion in self.ions.clone() {
            let carried: Vec<String> = ion.carried().collect();
            let reversal = carried.iter().filter(|name| !ion.concentrations.contains(name));
            for name in ion.concentrations.iter().chain(reversal) {
                let input = self.input(Quantity::Ion(name.clone(), When::Before), String::new());
                if carried.contains(name) {
                    let event = self.graph.read(input);
                    dynamic.push(Candidate {
                        kind: StateKind::Ion(name.clone()),
                        event,
                        input,
                        after: self.ion_values[name],
                        start: start.ions[name],
                    });
                } else {
                    constant.insert(input);
                }
            }
        }
        (dynamic, constant)
    }

    /// All STATEs, concentrations and places in streams, and whatever else reaches the next step.
    pub(in crate::step) fn carried(&mut self, dynamic: Vec<Candidate>, roots: &mut Vec<Id>) -> Vec<Candidate> {
        let (mut chosen, mut others): (Vec<_>, Vec<_>) =
            dynamic.into_iter().partition(|candidate| self.is_state(&candidate.kind));
        roots.extend(chosen.iter().flat_map(|candidate| [candidate.after, candidate.event]));
        loop {
            let reached = self.graph.reachable_inputs(roots, true);
            let (new, rest): (Vec<_>, Vec<_>) =
                others.into_iter().partition(|candidate| reached.contains(&candidate.input));
            others = rest;
            if new.is_empty() {
                let replaced = self.replaced_by_start(&chosen, others);
                chosen.extend(replaced);
                return chosen;
            }
            roots.extend(new.iter().flat_map(|candidate| [candidate.after, candidate.event]));
            chosen.extend(new);
        }
    }

    /// PARAMETERs that only INITIAL reads, and replaces: states start from what they were before.
    fn replaced_by_start(&mut self, chosen: &[Candidate], others: Vec<Candidate>) -> Vec<Candidate> {
        let starts: Vec<Id> = chosen.iter().map(|candidate| candidate.start).collect();
        let read = self.graph.reachable_inputs(&starts, true);
        let is_replaced =
            |candidate: &Candidate| read.contains(&candidate.input) && self.is_set_by_start_only(candidate);
        others.into_iter().filter(is_replaced).collect()
    }

    /// Whether it is a PARAMETER that INITIAL sets, and nothing else.
    fn is_set_by_start_only(&mut self, candidate: &Candidate) -> bool {
        let StateKind::Variable(index, name) = &candidate.kind else { return false };
        let variable = self.region.mechanisms[*index].variable(name);
        let before = self.graph.read(candidate.input);
        variable.is_some_and(|variable| variable.role == Role::Parameter)
            && candidate.after == before
            && candidate.event == before
    }

    /// Some roots, with what the weights of a `NetCon` begin with that INITIAL has made of parameters or of the voltage.
    pub(in crate::step) fn first_weights(
        &mut self,
        received: Option<&TracedEvent>,
        dynamic: &[Candidate],
        roots: [Id; 2],
    ) -> Vec<Id> {
        let starts = received.map(TracedEvent::starts).unwrap_or_default();
        let read = self.graph.reachable_inputs(&starts, true);
        let is_given = |step: &Self, start: Id| {
            let made = step.graph.reachable_inputs(&[start], true);
            made.iter().all(|input| matches!(step.quantities.get(input), Some(Quantity::Time | Quantity::TimeStep)))
        };
        let made = dynamic.iter().filter(|known| read.contains(&known.input) && !is_given(self, known.start));
        let made: Vec<Input> = made.map(|candidate| candidate.input).collect();
        roots.into_iter().chain(made.into_iter().map(|input| self.graph.read(input)).collect::<Vec<_>>()).collect()
    }

    /// Which carried variables nothing changes after INITIAL.
    pub(in crate::step) fn settled(&mut self, chosen: &[Candidate]) -> Vec<bool> {
        let is_settled = |candidate: &Candidate| {
            let before = self.graph.read(candidate.input);
            candidate.after == before && candidate.event == before
        };
        chosen.iter().map(is_settled).collect()
    }

    /// The carried variables that an event changes, with their values after it.
    ///
    /// With `moving`, those too that only a step changes, if NEURON shows them.
    pub(in crate::step) fn changed(
        &mut self,
        chosen: &[Candidate],
        received: &TracedEvent,
        moving: bool,
    ) -> Result<Vec<(usize, Id)>, Refused> {
        self.refuse_full()?;
        // What an event leaves alone it does not read.
        let events = chosen.iter().filter(|candidate| candidate.event != self.graph.read(candidate.input));
        let events: Vec<Id> = events.map(|candidate| candidate.event).collect();
        let roots = [events, received.needs()].concat();
        let read = self.graph.reachable_inputs(&roots, true);
        let mut changed = Vec::new();
        for (index, candidate) in chosen.iter().enumerate() {
            let before = self.graph.read(candidate.input);
            let is_late = self.is_hidden(&candidate.kind) && candidate.after != before;
            if is_late && (candidate.event != before || read.contains(&candidate.input)) {
                return Err(self.refuse_hidden(&candidate.kind));
            }
            let moves = moving && candidate.after != before && !self.is_hidden(&candidate.kind);
            if candidate.event != before || moves {
                changed.push((index, candidate.event));
            }
        }
        Ok(changed)
    }

    /// NEURON does not show its value when an event comes.
    fn refuse_hidden(&self, kind: &StateKind) -> Refused {
        let (mechanism, span) = self.declaration(kind);
        let name = kind.name();
        if self.region.stream(kind).is_some() {
            let message = format!("numbers of `{name}` are drawn in the step and at events");
            let diagnostic = Diagnostic::refusal(Code::Random, span, message).help("declare two RANDOM streams");
            return Refused { mechanism, diagnostic };
        }
        let message = format!("`{name}` changes in the step and at events, but NEURON does not show it");
        let diagnostic = Diagnostic::refusal(Code::HiddenEventVariable, span, message).help("make it RANGE");
        Refused { mechanism, diagnostic }
    }

    /// The mechanism that a refusal of a variable belongs to, and where it is declared.
    pub(in crate::step) fn declaration(&self, kind: &StateKind) -> (usize, Span) {
        let index = match kind {
            StateKind::Variable(index, _) => *index,
            StateKind::Ion(_) => 0,
        };
        let mechanism = &self.region.mechanisms[index];
        (index, mechanism.variable(kind.name()).map_or(mechanism.span, |variable| variable.span))
    }

    /// PARAMETERs that INITIAL may correct and nothing else changes: their values before it are the user's. Those that
    /// it sets whatever they were are not, unless it reads them first.
    pub(in crate::step) fn set_at_start(&mut self, chosen: &[Candidate]) -> BTreeSet<Input> {
        let mut found = BTreeSet::new();
        for candidate in chosen {
            if !self.is_set_by_start_only(candidate) {
                continue;
            }
            let others = chosen.iter().filter(|other| other.input != candidate.input).map(|other| other.start);
            let others: Vec<Id> = others.collect();
            let is_read = self.graph.reachable_inputs(&others, true).contains(&candidate.input);
            if is_read || self.nonzero(candidate.start, candidate.input).is_some() {
                found.insert(candidate.input);
            }
        }
        found
    }

    pub(in crate::step) fn refuse_large(&self, chosen: &[Candidate]) -> Result<(), Refused> {
        self.refuse_full()?;
        let Some(candidate) = chosen.get(CARRIED) else { return Ok(()) };
        let (mechanism, span) = self.declaration(&candidate.kind);
        let message =
            format!("{} variables are carried from step to step; at most {CARRIED} are followed", chosen.len());
        let diagnostic = Diagnostic::refusal(Code::TooLarge, span, message).label("one of them");
        Err(Refused { mechanism, diagnostic })
    }

    fn is_state(&self, kind: &StateKind) -> bool {
        match kind {
            _ if self.region.stream(kind).is_some() => true,
            StateKind::Variable(index, name) => state_elements(&self.region.mechanisms[*index]).contains(name),
            StateKind::Ion(_) => true,
        }
    }

    pub(in crate::step) fn public_name(&self, kind: &StateKind) -> String {
        match kind {
            StateKind::Ion(name) => name.clone(),
            StateKind::Variable(index, name) => self.region.mechanisms[*index].public_name(name),
        }
    }

    fn visibility(&self, kind: &StateKind) -> Visibility {
        match kind {
            StateKind::Ion(_) => Visibility::Range,
            StateKind::Variable(index, name) => {
                self.region.mechanisms[*index].variable(name).map_or(Visibility::Hidden, |variable| variable.visibility)
            }
        }
    }

    pub(in crate::step) fn is_hidden(&self, kind: &StateKind) -> bool {
        matches!(self.visibility(kind), Visibility::Hidden | Visibility::File)
    }
}
