//! `NET_RECEIVE` of a row: at the time of an event the gradients are those of that time.

use serde::Serialize;

use super::in_c::Arrays;
use crate::emit::region::event_time::{TimedEvent, rate};
use crate::emit::region::events::{Watches, ordered, sent, take_arguments};
use crate::emit::region::load::Phase;
use crate::emit::region::pointer_names::to;
use crate::emit::region::roots;
use crate::emit::region::writer::Writer;
use crate::emit::text::code::Code;
use crate::emit::text::fault::Fault;
use crate::emit::text::lines;
use crate::graph::Id;
use crate::step::{LinearForm, Receive, Sent, Source};

#[derive(Serialize)]
pub(in crate::emit) struct Received {
    arguments: String,
    argument_count: usize,
    ordered: String,
    /// The voltage after an event that sets it.
    pub voltage: Option<String>,
    /// An event's effect depends on the gradient of the voltage, or sets it.
    pub reads_voltage: bool,
    locals: String,
    initial_locals: String,
    initial: Vec<String>,
    code: Vec<String>,
    /// NMODL: the coefficients of the map.
    coefficients: Vec<String>,
    /// C: the map for direction `k`, and the arrays that it uses.
    arrays: Vec<String>,
    gradients: Vec<String>,
    finish: Vec<String>,
    sync: Vec<String>,
    check: Vec<String>,
    start_locals: String,
    start: Vec<String>,
    timed: Option<TimedEvent>,
    /// What goes on until the event's own time is not yet in the states.
    settle: Vec<String>,
    #[serde(skip)]
    pub assigned: Vec<String>,
    #[serde(skip)]
    pub copies: usize,
    #[serde(skip)]
    pub weights: usize,
}

/// The gradients of the voltage, in the row of the segment.
const VOLTAGE: &str = "W";

impl Received {
    /// The POINTER to the gradients of the voltage, if the companion needs them.
    pub fn voltage_pointer(&self) -> Option<String> {
        self.reads_voltage.then(|| to(VOLTAGE))
    }
}

impl Writer<'_> {
    pub(in crate::emit) fn received(&self, arrays: &Arrays) -> Option<Received> {
        let receive = self.linearised.receive.as_ref()?;
        let graph = &self.linearised.graph;
        let event_roots = roots::event(receive);
        let code = Code::at_event(graph, &event_roots);
        let inputs = graph.reachable_inputs(&event_roots, false);
        let (mut locals, mut body) = self.sources.load(&inputs, Phase::Event);
        take_arguments(receive, &mut locals, &mut body);
        locals.extend(code.locals());
        body.extend(code.statements());
        let timed = self.timed(receive);
        let mut finish = self.array_stores(&receive.stores, &code);
        finish.extend(self.weights(&receive.weights, &code, &mut locals, timed.is_some()));
        let conditions = graph.reachable_inputs(&roots::watched(receive), false);
        let watches = Watches {
            conditions: &Code::inline(graph, self.sources.at_event(&conditions)),
            copy: &|state| self.copy(state),
        };
        let later = |sent: &Sent| timed.as_ref().map_or_else(Vec::new, |_| self.later(sent, &code));
        finish.extend(sent(&receive.sent, &code, &watches, &later));
        for change in &receive.states {
            finish.push(format!("{} = {}", self.copy(change.target), code.value(change.value)));
        }
        let initial_roots = roots::start_weights(receive);
        let initial_code = Code::at_event(graph, &initial_roots);
        let (mut initial_locals, mut initial) =
            self.sources.load(&graph.reachable_inputs(&initial_roots, false), Phase::Event);
        take_arguments(receive, &mut initial_locals, &mut initial);
        initial_locals.extend(initial_code.locals());
        initial.extend(initial_code.statements());
        initial.extend(self.weights(&receive.start_weights, &initial_code, &mut initial_locals, false));
        let (coefficients, map, made) = self.map(receive, &code, timed.as_ref());
        locals.extend(made);
        let (arrays, gradients) = arrays.used(&map, true);
        let gradients = gradients.into_iter().map(|line| line.replace("newV[", "gradV[")).collect();
        let start_roots = roots::sent_at_start(receive);
        let start_code = Code::new(graph, &start_roots);
        let (mut start_locals, load) = self.sources.load(&graph.reachable_inputs(&start_roots, false), Phase::Start);
        let mut start = [self.start_arrays(), load].concat();
        start_locals.extend(start_code.locals());
        start.extend(start_code.statements());
        let later = |sent: &Sent| timed.as_ref().map_or_else(Vec::new, |_| self.later(sent, &start_code));
        start.extend(sent(&receive.start_sent, &start_code, &watches, &later));
        let mut arguments = self.argument_names(receive);
        arguments.extend(timed.iter().flat_map(|timed| timed.arguments.iter().cloned()));
        let targets = receive.states.iter().enumerate();
        let settle = targets.map(|(row, change)| {
            let gradient = &self.gradients[change.target];
            format!("{gradient}[k] = {gradient}[k] - slope[{row}]*shift[k]")
        });
        Some(Received {
            argument_count: arguments.len(),
            arguments: lines::one_list(&arguments),
            ordered: ordered(receive, &code),
            voltage: receive.voltage.as_ref().map(|(value, _)| code.value(*value)),
            reads_voltage: receive.voltage.is_some() || receive.states.iter().any(|change| change.row.reads_voltage()),
            locals: lines::locals(&locals),
            initial_locals: lines::locals(&initial_locals),
            initial,
            code: body,
            coefficients,
            arrays,
            gradients,
            finish,
            sync: self.shown(receive).map(|(index, shown)| format!("copy[{index}] = {shown}")).collect(),
            check: self
                .shown(receive)
                .map(|(index, shown)| {
                    format!(
                        "IF (fabs(copy[{index}] - {shown}) > 1e-9*fabs({shown}) + 1e-30) {{ fault = {} }}",
                        Fault::Missed
                    )
                })
                .collect(),
            start_locals: lines::locals(&start_locals),
            start,
            settle: settle.collect(),
            assigned: timed.iter().flat_map(|timed| timed.assigned.iter().cloned()).collect(),
            timed,
            copies: receive.states.len(),
            weights: receive.arguments.len(),
        })
    }

    /// The map of the gradients: NMODL that sets its coefficients, C that applies it in direction `k`, and the LOCALs
    /// of both.
    fn map(
        &self,
        receive: &Receive,
        code: &Code,
        timed: Option<&TimedEvent>,
    ) -> (Vec<String>, Vec<String>, Vec<String>) {
        let (mut coefficients, mut locals) = (Vec::new(), Vec::new());
        let (mut sums, mut set) = (Vec::new(), Vec::new());
        let states = receive.states.iter().map(|change| (&change.row, Some(change.target)));
        let voltage = receive.voltage.iter().map(|(_, row)| (row, None));
        for (number, (row, target)) in states.chain(voltage).enumerate() {
            let mut terms = Vec::new();
            for (id, factor) in self.factors(row, receive) {
                let name = format!("m{}", coefficients.len());
                coefficients.push(format!("{name} = {}", code.value(id)));
                terms.push(format!("_l{name}*{factor}"));
                locals.push(name);
            }
            if let Some(timed) = timed {
                coefficients.extend(timed.rate_lines(number, row, &inner(row, receive), code));
                terms.push(format!("_l{}*shift[k]", rate(number)));
                locals.push(rate(number));
            }
            sums.extend(lines::whole_sum(&format!("const double e{number}"), &terms));
            set.push(match target {
                Some(state) => format!("{}[k] = e{number}", self.gradients[state]),
                None => format!("W_new[k] = e{number}"),
            });
        }
        sums.extend(set);
        (coefficients, sums, locals)
    }

    /// Coefficients, and what they multiply in direction `k`.
    fn factors(&self, form: &LinearForm, receive: &Receive) -> Vec<(Id, String)> {
        let first = receive.arguments.len();
        let factor = |(source, id): (Source, Id)| {
            let gradient = match source {
                Source::State(index) => format!("{}[k]", self.gradients[index]),
                Source::VBefore => "W_new[k]".to_owned(),
                Source::Parameter(index) => format!("{}[k]", self.seeds[index]),
                Source::Argument(index) => format!("_args[{} + k]", first + index * self.directions),
                // That of the time is its rate; the others an event does not have, or is refused for.
                Source::Time
                | Source::VAfter
                | Source::PointerAfter(_)
                | Source::PointerBefore(_)
                | Source::Unknown(..)
                | Source::Arrays => return None,
            };
            Some((id, gradient))
        };
        form.in_order_of_sums().filter_map(factor).collect()
    }
}

/// The coefficients of a form by the place of what they multiply among all that the event changes.
fn inner(form: &LinearForm, receive: &Receive) -> Vec<(usize, Id)> {
    let place = |source: Source| match source {
        Source::State(state) => receive.states.iter().position(|change| change.target == state),
        Source::VBefore => receive.voltage.is_some().then_some(receive.states.len()),
        // An event does not change them.
        Source::VAfter
        | Source::PointerAfter(_)
        | Source::PointerBefore(_)
        | Source::Parameter(_)
        | Source::Unknown(..)
        | Source::Argument(_)
        | Source::Time
        | Source::Arrays => None,
    };
    form.in_order_of_sums().filter_map(|(source, id)| Some((place(source)?, id))).collect()
}
