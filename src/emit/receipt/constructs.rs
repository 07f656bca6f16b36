//! Which constructs of [`crate::support`] a region contains, and where: what receipts are given or refused by.

use crate::diagnostic::{Code, Diagnostic};
use crate::emit::receipt::start::{corrected, read_and_changed, read_before_initial};
use crate::emit::region::roots::event;
use crate::step::{LinearForm, Linearised, Quantity, Receive, Refused, StateKind};
use crate::support::{Construct, Support, Way};
use crate::syntax::span::Span;

/// A construct of a region.
#[derive(Debug)]
pub struct Found {
    pub construct: Construct,
    mechanism: usize,
    span: Span,
    /// What it is called in a message.
    subject: String,
}

/// All constructs of a region, in the order of the table.
pub fn constructs(linearised: &Linearised) -> Vec<Found> {
    let mechanisms = &linearised.region.mechanisms;
    let place = |mechanism: usize, name: &str| {
        let of = &mechanisms[mechanism];
        of.variable(name).map_or(of.span, |variable| variable.span)
    };
    let mut all = Vec::new();
    let mut add = |construct, mechanism, span, subject| all.push(Found { construct, mechanism, span, subject });
    for array in &linearised.arrays {
        let construct = if array.is_active { Construct::ActiveEventArray } else { Construct::EventArray };
        add(construct, 0, place(0, &array.name), format!("an array that events write (`{}`)", array.name));
    }
    if let Some(name) = read_at_events(linearised) {
        let subject = format!("an event, or what is not shown, that reads an element of `{name}`");
        add(Construct::ReadAtEvents, 0, place(0, name), subject);
    }
    if let Some(name) = read_and_changed(linearised) {
        let subject = format!("INITIAL that reads `{name}`, which events change,");
        add(Construct::StartAfterEvents, 0, mechanisms[0].span, subject);
    }
    let corrected = corrected(linearised);
    let mut before = read_before_initial(linearised);
    if let Some((_, name)) = before.find(|(at, name)| !corrected.contains(&StateKind::Variable(*at, name.clone()))) {
        let subject = format!("a step that changes `{name}`, beside a start that reads what it was before,");
        add(Construct::StartFromBefore, 0, mechanisms[0].span, subject);
    }
    if let Some((construct, subject)) = linearised.receive.as_ref().and_then(timed) {
        let of = &mechanisms[0];
        let span = of.receive.as_ref().map_or(of.span, |receive| receive.span);
        add(construct, 0, span, subject.to_owned());
    }
    for (index, mechanism) in mechanisms.iter().enumerate() {
        if let Some(name) = mechanism.function_tables.first() {
            add(Construct::FunctionTable, index, mechanism.span, format!("a FUNCTION_TABLE (`{name}`)"));
        }
        if let Some(name) = mechanism.randoms.first() {
            let subject = format!("a stream of random numbers (`{name}`)");
            add(Construct::Random, index, place(index, name), subject);
        }
    }
    if let Some(index) = mechanisms.iter().position(|mechanism| !mechanism.randoms.is_empty()) {
        if computes_from_size(linearised) {
            let subject =
                "a stream of random numbers beside what is not shown and depends on `area` or `diam`".to_owned();
            add(Construct::RandomBesideSize, index, place(index, &mechanisms[index].randoms[0]), subject);
        }
    }
    for pointed in &linearised.pointed {
        let subject = format!("a POINTER that sees another place or mechanism (`{}`)", pointed.name);
        add(Construct::VoltagePointer, pointed.mechanism, place(pointed.mechanism, &pointed.name), subject);
    }
    if let Some(receive) = &linearised.receive {
        let span = mechanisms[0].receive.as_ref().map_or(mechanisms[0].span, |receive| receive.span);
        add(Construct::Events, 0, span, "NET_RECEIVE".to_owned());
        if receive.voltage.is_some() {
            add(Construct::VoltageEvents, 0, span, "NET_RECEIVE that sets v".to_owned());
        }
    }
    all
}

/// An array of which an event reads an element, or a variable that NEURON does not show and that has to be computed.
fn read_at_events(linearised: &Linearised) -> Option<&str> {
    let events = linearised.receive.iter().flat_map(event);
    let own = linearised.states.iter().filter_map(|state| state.own?.0);
    let read = linearised.graph.reachable_inputs(&events.chain(own).collect::<Vec<_>>(), true);
    linearised.arrays.iter().find(|array| read.contains(&array.input)).map(|array| array.name.as_str())
}

/// Whether a recorder has to compute something that depends on the size of the segment.
fn computes_from_size(linearised: &Linearised) -> bool {
    let events = linearised.receive.iter().flat_map(event);
    let own = linearised
        .states
        .iter()
        .filter_map(|state| state.own)
        .flat_map(|(after, start)| after.into_iter().chain([start]));
    let read = linearised.graph.reachable_inputs(&events.chain(own).collect::<Vec<_>>(), true);
    read.iter().any(|input| matches!(linearised.quantities[input], Quantity::Area | Quantity::Diameter))
}

/// Events whose time depends on something, and whose effect on t.
fn timed(receive: &Receive) -> Option<(Construct, &'static str)> {
    if receive.late().any(LinearForm::reads_states_or_weights) {
        let subject = "an event that reads t and comes at a time that depends on a weight or a variable";
        return Some((Construct::EventTimedByState, subject));
    }
    let subject = "an event whose effect depends on t, and whose time on a parameter,";
    matches!(receive.timed, Some(Ok(_))).then_some((Construct::TimedEvent, subject))
}

/// Refuses a region for the first of its constructs that a way does not support.
pub(in crate::emit) fn refuse(linearised: &Linearised, way: Way) -> Result<(), Refused> {
    for found in constructs(linearised) {
        if let Support::Refused(code) = found.construct.support(way) {
            return Err(found.refused(code, way));
        }
    }
    Ok(())
}

impl Found {
    fn refused(self, code: Code, way: Way) -> Refused {
        let subject = self.subject;
        let message = match way {
            Way::Reverse | Way::ReverseThreads => format!("{subject} is not differentiated in reverse mode"),
            Way::Online => format!("a gradient through {} can't act on the run", subject.trim_end_matches(',')),
            Way::Variable => format!("{subject} is not differentiated under the variable step"),
            Way::Forward | Way::ForwardThreads | Way::SpikeTimes => format!("{subject} is not differentiated"),
        };
        let mut diagnostic = Diagnostic::refusal(code, self.span, message);
        if way == Way::Reverse && self.construct.support(Way::Forward) == Support::Exact {
            diagnostic = diagnostic.help("forward mode does it");
        }
        Refused { mechanism: self.mechanism, diagnostic }
    }
}
