//! What earlier runs left, where the start of a run depends on it.

use std::collections::BTreeSet;

use super::unread::Run;
use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Comparison, Id, Input, Node};
use crate::model::Role;
use crate::step::linear_map::state_vector::Candidate;
use crate::step::phase::initial::Start;
use crate::step::{Quantity, Refused, StateKind, Step, When};
use crate::syntax::span::Span;

/// Variables of which nothing tells what the run before left in them.
pub(in crate::step) struct Gone {
    /// Variables that NEURON does not show.
    hidden: BTreeSet<Input>,
    /// Variables that INITIAL sets.
    reset: BTreeSet<Input>,
    /// All variables that code changes.
    changed: BTreeSet<Input>,
}

impl Gone {
    /// Variables that code changes and no step hands on to the next.
    pub(in crate::step) fn passing(&self, chosen: &[Candidate]) -> BTreeSet<Input> {
        let carried = chosen.iter().map(|candidate| candidate.input).collect();
        self.changed.difference(&carried).copied().collect()
    }
}

/// What a value at the start of a run is made of.
struct Kept {
    /// 1 where it is what the run before left, and 0 elsewhere.
    flag: Id,
    is_always: bool,
}

impl Step<'_> {
    pub(in crate::step) fn gone(&self, dynamic: &[Candidate], reset: BTreeSet<Input>) -> Gone {
        let is_hidden = |candidate: &&Candidate| {
            // Where a stream of random numbers begins is set by whoever has it.
            self.is_hidden(&candidate.kind) && self.region.stream(&candidate.kind).is_none()
        };
        let hidden = dynamic.iter().filter(is_hidden).map(|candidate| candidate.input).collect();
        Gone { hidden, reset, changed: dynamic.iter().map(|candidate| candidate.input).collect() }
    }

    /// Variables that NEURON shows and that INITIAL, which has run to here, sets: what they were
    /// before is seen no more. Of a PARAMETER it is the user's.
    pub(in crate::step) fn reset(&mut self, start: &Start) -> BTreeSet<Input> {
        let mut found = BTreeSet::new();
        for (index, mechanism) in self.region.mechanisms.iter().enumerate() {
            for variable in mechanism.variables.values().filter(|variable| variable.role == Role::Assigned) {
                for name in variable.elements() {
                    let Some(value) = start.values[index].get(&name).copied() else { continue };
                    let input = self.variable(index, &name, When::Before);
                    let is_hidden = self.is_hidden(&StateKind::Variable(index, name));
                    if !is_hidden && value != self.graph.read(input) {
                        found.insert(input);
                    }
                }
            }
        }
        found
    }

    /// Variables whose first values in a run are made of what the run before left.
    ///
    /// If NEURON does not show it, nobody knows it: where it may stay as it was, a run in
    /// which it does is flagged. If the code tests whether it is still the same, it takes
    /// another arm in each other run.
    ///
    /// # Returns
    /// What is not 0 in such a run.
    pub(in crate::step) fn refuse_history(
        &mut self,
        chosen: &[Candidate],
        gone: &Gone,
        run: &Run,
    ) -> Result<Vec<Id>, Refused> {
        self.refuse_broken_memos()?;
        let all: BTreeSet<Input> = chosen.iter().map(|candidate| candidate.input).collect();
        let mut switches = BTreeSet::new();
        if self.region.switched {
            switches.extend((0..self.region.mechanisms.len()).map(|index| self.switch(index)));
        }
        let starts: Vec<Id> = chosen.iter().map(|candidate| candidate.start).collect();
        let is_tested =
            |step: &Self, roots: &[Id]| step.started(roots, &switches).into_iter().any(|id| step.compares(id, &all));
        let is_any_tested = is_tested(self, &starts);
        let mut flags = Vec::new();
        if !is_any_tested && self.starts_without(&starts, gone, &switches) {
            return Ok(flags);
        }
        for candidate in chosen {
            let kept = self.kept(candidate.start, (candidate.input, gone), &switches);
            let is_tested = is_any_tested && is_tested(self, &[candidate.start]);
            let Some(kept) = kept.filter(|kept| !kept.is_always && !is_tested) else {
                if self.is_never_read(candidate, chosen, run) {
                    continue;
                }
                let (mechanism, span) = self.declaration(&candidate.kind);
                let name = candidate.kind.name();
                let made = self.started(&[candidate.start], &switches);
                let left = made.into_iter().find_map(|id| self.left(id, gone));
                let message = match left.filter(|left| left != name) {
                    Some(left) => format!("`{name}` starts from what the run before left in `{left}`"),
                    None => format!("`{name}` starts from what the run before left in it"),
                };
                return Err(refuse(mechanism, span, message));
            };
            if !self.graph.is_zero(kept.flag) {
                flags.push(kept.flag);
            }
        }
        Ok(flags)
    }

    /// What starts are computed from; where a mechanism is off, nothing happens to its variables.
    fn started(&self, roots: &[Id], switches: &BTreeSet<Id>) -> Vec<Id> {
        self.graph.reachable_where(roots, true, |condition| switches.contains(&condition).then_some(true))
    }

    /// Whether none of these inputs is in it.
    fn starts_without(&self, roots: &[Id], gone: &Gone, switches: &BTreeSet<Id>) -> bool {
        !self.started(roots, switches).into_iter().any(|id| self.left(id, gone).is_some())
    }

    /// The name of the variable that this is, if it is one of these.
    fn left(&self, id: Id, gone: &Gone) -> Option<String> {
        match self.graph.node(id) {
            Node::Input(input) | Node::Element(input, _)
                if gone.hidden.contains(input) || gone.reset.contains(input) =>
            {
                match self.quantities.get(input) {
                    Some(Quantity::Variable(_, name, _)) => Some(name.clone()),
                    _ => Some(String::new()),
                }
            }
            _ => None,
        }
    }

    /// Where a start is what a hidden variable was before, unless such are in it otherwise.
    fn kept(&mut self, start: Id, (own, gone): (Input, &Gone), switches: &BTreeSet<Id>) -> Option<Kept> {
        if self.starts_without(&[start], gone, switches) {
            return Some(Kept { flag: self.graph.number(0.0), is_always: false });
        }
        match *self.graph.node(start) {
            Node::Input(input) if gone.hidden.contains(&input) => {
                Some(Kept { flag: self.graph.number(1.0), is_always: true })
            }
            // Where INITIAL left it alone it is still there.
            Node::Input(input) if input == own => Some(Kept { flag: self.graph.number(0.0), is_always: false }),
            Node::Phi(branch, slot) => {
                let condition = self.graph.branch(branch).condition;
                let (then, otherwise) = self.graph.branch(branch).slots[slot];
                let then = self.kept(then, (own, gone), switches)?;
                if switches.contains(&condition) {
                    let zero = self.graph.number(0.0);
                    return Some(Kept { flag: self.graph.join(branch, then.flag, zero), ..then });
                }
                let otherwise = self.kept(otherwise, (own, gone), switches)?;
                let is_always = then.is_always && otherwise.is_always;
                let flag = self.graph.join(branch, then.flag, otherwise.flag);
                self.starts_without(&[condition], gone, switches).then_some(Kept { flag, is_always })
            }
            _ => None,
        }
    }

    /// Values that are computed only where something is new, and that other code sets too.
    fn refuse_broken_memos(&self) -> Result<(), Refused> {
        let is_number = |id| self.graph.as_number(id).is_some();
        let Some((mechanism, name, span)) = self.findings.memos.broken(is_number) else { return Ok(()) };
        let index = self.region.mechanisms.iter().position(|known| known.name == mechanism);
        let message = format!("`{name}` is computed where something is new, and set here too");
        Err(refuse(index.unwrap_or_default(), span, message))
    }

    /// Whether this is a test by `==` or `!=` of what these inputs make.
    fn compares(&self, id: Id, inputs: &BTreeSet<Input>) -> bool {
        let Node::Compare(Comparison::Eq | Comparison::Ne, a, b) = *self.graph.node(id) else { return false };
        self.graph.reachable_inputs(&[a, b], true).intersection(inputs).next().is_some()
    }
}

fn refuse(mechanism: usize, span: Span, message: String) -> Refused {
    let diagnostic =
        Diagnostic::refusal(Code::History, span, message).help("set in INITIAL all that INITIAL and BREAKPOINT use");
    Refused { mechanism, diagnostic }
}
