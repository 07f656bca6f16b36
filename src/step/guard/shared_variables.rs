//! Variables that all instances of a mechanism have together: GLOBALs, PARAMETERs that are not RANGE, LOCALs of the file.
//!
//! NEURON runs a block for one segment after the other. What such a variable holds when the block begins is what the
//! segment before left in it, and after the block, what the last one did. A block may use it as its own memory: set it,
//! then read it. What it leaves there may be read by other blocks only if it is the same whichever segment came last,
//! and however many there are. Else the value is an input of its own here, and nothing that matters may depend on it.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Id, Input, Node};
use crate::model::{Kind, Mechanism, Variable, Visibility};
use crate::step::{Quantity, Refused, Step};
use crate::syntax::ast::{Statement, StatementKind};
use crate::syntax::span::Span;
use crate::syntax::visit::statements;
use crate::trace::Values;

/// What of one segment another one would read.
#[derive(Clone, Debug)]
pub(in crate::step) struct Foreign {
    mechanism: usize,
    name: String,
    span: Span,
    reason: String,
}

/// Why a shared variable is not the same whichever segment came last.
enum Differs {
    /// The value is made of the one before.
    Again,
    /// The variable is set or not, by what the segment before has set.
    Sometimes,
    /// The value is made of something that each segment has for itself.
    Of(String),
}

/// The values of shared variables that are not the reading segment's own.
pub(in crate::step) type Foreigns = BTreeMap<Input, Foreign>;

impl Step<'_> {
    /// After a block of a mechanism: what other segments would find is not its own.
    pub(in crate::step) fn share(&mut self, index: usize, block: &str, before: &Values, after: &mut Values) {
        let region = self.region;
        let mechanism = &region.mechanisms[index];
        let changed = changed(mechanism, before, after);
        if changed.is_empty() {
            return;
        }
        let starts: BTreeSet<Id> =
            changed.iter().map(|name| before[name]).filter(|id| self.graph.as_input(*id).is_some()).collect();
        let (kept, lost) = self.kept_and_lost(&changed, (before, after), &starts);
        let mut foreigns = BTreeMap::new();
        for (name, reason) in lost {
            let each = if mechanism.kind == Kind::Point { "instance" } else { "segment" };
            let reason = match reason {
                Differs::Again => format!("each {each} changes what the one before left in it"),
                Differs::Sometimes => format!("whether {block} sets it depends on what the {each} before has set"),
                Differs::Of(what) => format!("{block} makes it of {what}"),
            };
            let foreign = self.foreign(index, &name, reason);
            after.insert(name.clone(), foreign);
            foreigns.insert(name, foreign);
        }
        // The first segment reads what was there before the block, all others what one of them left.
        let is_other = |name: &&String| !changed.contains(*name) && after.get(*name) != before.get(*name);
        let mut others: Vec<String> = after.keys().filter(is_other).cloned().collect();
        let values: Vec<Id> = others.iter().map(|name| after[name]).collect();
        // Mostly none of them is made of any: one search then, and not one for each.
        if self.reaches(&values, &starts, &kept).is_none() {
            others.clear();
        }
        for name in &others {
            let Some(read) = self.reaches(&[after[name]], &starts, &kept) else { continue };
            let Some(shared) = changed.iter().find(|shared| before[*shared] == read) else { continue };
            let foreign = match foreigns.get(shared) {
                Some(foreign) => *foreign,
                None => self.foreign(index, shared, format!("{block} reads it before it sets it")),
            };
            after.insert(name.clone(), foreign);
        }
    }

    /// The values that are the same whichever segment left them, and why the other variables' are not.
    fn kept_and_lost(
        &self,
        changed: &BTreeSet<String>,
        (before, after): (&Values, &Values),
        starts: &BTreeSet<Id>,
    ) -> (BTreeSet<Id>, BTreeMap<String, Differs>) {
        let mut kept = BTreeSet::new();
        loop {
            let known = kept.len();
            let mut lost = BTreeMap::new();
            for name in changed {
                match self.differs(after[name], before[name], (starts, &kept)) {
                    None => _ = kept.insert(after[name]),
                    Some(reason) => _ = lost.insert(name.clone(), reason),
                }
            }
            if kept.len() == known {
                return (kept, lost);
            }
        }
    }

    /// After an event, which one point process gets and the others do not.
    pub(in crate::step) fn share_event(&mut self, before: &Values, after: &mut Values) {
        let region = self.region;
        for name in changed(&region.mechanisms[0], before, after) {
            let foreign = self.foreign(0, &name, "an event at one sets it for the others too".to_owned());
            after.insert(name, foreign);
        }
    }

    /// Nothing that matters may depend on what another segment left.
    pub(in crate::step) fn refuse_foreign(&self, roots: &[Id]) -> Result<(), Refused> {
        let reached = self.graph.reachable_inputs(roots, true);
        let Some((_, found)) = self.foreigns.iter().find(|(input, _)| reached.contains(input)) else { return Ok(()) };
        let mechanism = &self.region.mechanisms[found.mechanism];
        let name = &found.name;
        let all = if mechanism.kind == Kind::Point { "instances" } else { "segments" };
        let message = format!("`{name}` is one variable for all {all}, and {}", found.reason);
        let is_of_file = mechanism.variable(name).is_some_and(|variable| variable.visibility == Visibility::File);
        let plain = name.split('[').next().unwrap_or(name);
        let help = if is_of_file {
            format!("declare `{plain}` in ASSIGNED instead of LOCAL, and make it RANGE")
        } else {
            format!("declare `{plain}` RANGE")
        };
        let diagnostic = Diagnostic::refusal(Code::SharedMemory, found.span, message)
            .label("set here; NEURON then uses what the last one left")
            .help(help);
        Err(Refused { mechanism: found.mechanism, diagnostic })
    }

    fn foreign(&mut self, mechanism: usize, name: &str, reason: String) -> Id {
        let input = self.graph.input(name);
        let known = &self.region.mechanisms[mechanism];
        let declared = known.variable(name).map_or(known.span, |variable| variable.span);
        let span = self.findings.memos.last_set(&known.name, name).unwrap_or(declared);
        self.foreigns.insert(input, Foreign { mechanism, name: name.to_owned(), span, reason });
        // Where a TABLE is made of it, the reason is this one.
        self.constants.insert_fixed(input);
        self.graph.read(input)
    }

    /// What makes a value that a block leaves another one in each segment; through what is `kept` nothing does.
    fn differs(&self, value: Id, own_start: Id, (starts, kept): (&BTreeSet<Id>, &BTreeSet<Id>)) -> Option<Differs> {
        if value == own_start {
            return None;
        }
        let Node::Phi(branch, slot) = *self.graph.node(value) else { return self.made_of(value, starts, kept) };
        let (then, otherwise) = self.graph.branch(branch).slots[slot];
        match self.made_of(self.graph.branch(branch).condition, starts, kept) {
            Some(Differs::Again) => Some(Differs::Sometimes),
            Some(other) => Some(other),
            None => [then, otherwise].into_iter().find_map(|arm| self.differs(arm, own_start, (starts, kept))),
        }
    }

    fn made_of(&self, value: Id, starts: &BTreeSet<Id>, kept: &BTreeSet<Id>) -> Option<Differs> {
        let found = self.graph.reachable_past(&[value], kept);
        if found.iter().any(|id| starts.contains(id)) {
            return Some(Differs::Again);
        }
        let differs = |id: &&Id| match self.graph.node(**id) {
            Node::Input(input) if self.graph.is_inner(*input) => false,
            Node::Input(input) | Node::Element(input, _) => !self.is_for_all(*input),
            Node::Unknown(..) => true,
            _ => false,
        };
        let name = match self.graph.node(*found.iter().find(differs)?) {
            Node::Input(input) | Node::Element(input, _) => {
                self.quantities.get(input).and_then(crate::step::Quantity::own_name)
            }
            _ => None,
        };
        let what = name.map_or_else(|| "what each has".to_owned(), |name| format!("`{name}`, of which each has"));
        Some(Differs::Of(format!("{what} its own")))
    }

    /// The first of these starts that some values are made of, through none of those kept.
    fn reaches(&self, values: &[Id], starts: &BTreeSet<Id>, kept: &BTreeSet<Id>) -> Option<Id> {
        let found = self.graph.reachable_past(values, kept);
        found.into_iter().find(|id| starts.contains(id))
    }

    /// Whether all instances of a mechanism read the same.
    fn is_for_all(&self, input: Input) -> bool {
        match self.quantities.get(&input) {
            Some(
                Quantity::Time
                | Quantity::TimeStep
                | Quantity::Celsius
                | Quantity::Valence(_)
                | Quantity::InitialConcentration(_)
                | Quantity::Factor(..)
                | Quantity::UseTable(_),
            ) => true,
            Some(Quantity::Variable(index, name, _)) => {
                let variable = self.region.mechanisms[*index].variable(name);
                variable.is_some_and(|variable| is_shared(variable.visibility))
            }
            _ => false,
        }
    }
}

fn is_shared(visibility: Visibility) -> bool {
    matches!(visibility, Visibility::Global | Visibility::External | Visibility::File)
}

/// Whether another block than BREAKPOINT and INITIAL sets what all instances have together.
pub(in crate::step) fn is_set_elsewhere(mechanism: &Mechanism) -> bool {
    let is_one = |name: &str| mechanism.variable(name).is_some_and(|variable| is_shared(variable.visibility));
    let sets = |one: &Statement| matches!(&one.kind, StatementKind::Assign(place, _) if is_one(&place.name.text));
    let before_after = mechanism.before_after.iter().map(|(_, block)| block);
    mechanism.blocks.values().chain(before_after).any(|block| statements(&block.body).any(sets))
}

/// The shared variables that a block has set to something else.
fn changed(mechanism: &Mechanism, before: &Values, after: &Values) -> BTreeSet<String> {
    let shared = mechanism.variables.values().filter(|variable| is_shared(variable.visibility));
    let names = shared.flat_map(Variable::elements);
    names.filter(|name| before.contains_key(name) && after.contains_key(name) && before[name] != after[name]).collect()
}
