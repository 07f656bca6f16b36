//! What a companion does where the times of its events have derivatives.
//!
//! A `NetCon` of a companion brings, besides the weights and their gradients, the table
//! of its source's spikes, its delay, and how each direction changes the delay. See
//! `step::event::event_time` for what is made of them.

use serde::Serialize;

use super::load::Phase;
use super::writer::Writer;
use crate::emit::text::code::Code;
use crate::emit::text::fault::Fault;
use crate::emit::text::lines;
use crate::emit::text::lines::product;
use crate::graph::Id;
use crate::step;
use crate::step::{LinearForm, Receive, Sent, Source};

#[derive(Serialize)]
pub(in crate::emit) struct TimedEvent {
    /// The table, the delay, and the changes of the delay.
    #[serde(skip)]
    pub arguments: Vec<String>,
    table: &'static str,
    delay: &'static str,
    delay_changes: Vec<String>,
    /// The point process sends events to itself.
    sends: bool,
    room: usize,
    flow: Option<Flow>,
    #[serde(skip)]
    pub assigned: Vec<String>,
}

/// What the point process does when no event comes.
#[derive(Serialize)]
struct Flow {
    /// How fast the voltage changes, from its remembered value.
    remembered_voltage: String,
    locals: String,
    code: Vec<String>,
    /// The slopes from before the event.
    keep: Vec<String>,
    #[serde(skip)]
    assigned: Vec<String>,
}

/// How many events that it sends to itself may be on their way.
const ROOM: usize = 64;
const TABLE: &str = "spikes_at";
const DELAY: &str = "wait";

/// What an event whose time moves adds to the gradient of a state, per ms; `row` is its place among the rows.
pub(in crate::emit) fn rate(row: usize) -> String {
    format!("u{row}")
}

/// By how much the event moves, for direction `k`.
pub(in crate::emit) fn shift(k: usize) -> String {
    format!("shift[{k}]")
}

impl Writer<'_> {
    pub(in crate::emit) fn timed(&self, receive: &Receive) -> Option<TimedEvent> {
        let Some(Ok(timed)) = &receive.timed else { return None };
        let delay_changes: Vec<String> = (0..self.directions).map(|k| format!("late{k}")).collect();
        let flow = timed.flow.as_ref().map(|flow| self.flow(flow));
        let k = self.directions;
        let mut assigned = vec![
            format!("shift[{k}]"),
            "is_known".to_owned(),
            format!("next_shift[{k}]"),
            format!("sent_time[{ROOM}]"),
            format!("sent_flag[{ROOM}]"),
            format!("sent_shift[{}]", ROOM * k),
        ];
        assigned.extend(flow.iter().flat_map(|flow| flow.assigned.iter().cloned()));
        Some(TimedEvent {
            arguments: [TABLE, DELAY].map(str::to_owned).into_iter().chain(delay_changes.clone()).collect(),
            table: TABLE,
            delay: DELAY,
            delay_changes,
            sends: !(receive.sent.is_empty() && receive.start_sent.is_empty()),
            room: ROOM,
            flow,
            assigned,
        })
    }

    fn flow(&self, step::Flow { current, slopes }: &step::Flow) -> Flow {
        let graph = &self.linearised.graph;
        let roots: Vec<Id> = slopes.iter().copied().chain([*current]).collect();
        let code = Code::new(graph, &roots);
        let (mut locals, mut body) = self.sources.load(&graph.reachable_inputs(&roots, false), Phase::Moment);
        locals.extend(code.locals());
        body.extend(code.statements());
        for (row, slope) in slopes.iter().enumerate() {
            body.push(format!("slope[{row}] = {}", code.value(*slope)));
        }
        body.push(format!("i_moment = {}", code.value(*current)));
        let (k, rows) = (self.directions, slopes.len().max(1));
        Flow {
            remembered_voltage: self.sources.remembered("v_now").unwrap_or_else(|| "v_now".to_owned()),
            locals: lines::locals(&locals),
            code: body,
            keep: (0..slopes.len()).map(|row| format!("slope_before[{row}] = slope[{row}]")).collect(),
            assigned: vec![
                format!("slope[{rows}]"),
                format!("slope_before[{rows}]"),
                format!("charge[{k}]"),
                "i_moment".to_owned(),
                "i_before".to_owned(),
                "v_moment (mV)".to_owned(),
                "v_slope".to_owned(),
            ],
        }
    }
}

impl Writer<'_> {
    /// What is remembered of a self-event: when it comes, and how that changes.
    pub(in crate::emit) fn later(&self, sent: &Sent, code: &Code) -> Vec<String> {
        let Some(row) = &sent.late else { return Vec::new() };
        let mut lines = Vec::new();
        for k in 0..self.directions {
            let mut terms = vec![shift(k)];
            terms.extend(row.get(Source::Time).map(|id| product(&code.factor(id), &shift(k))));
            terms.extend(self.known_terms(row, code, k));
            lines.extend(lines::sum(&format!("next_shift[{k}]"), &terms));
        }
        let [delay, flag] = [0, 1].map(|index| code.value(sent.arguments[index]));
        if sent.flag.is_none() {
            // An event with flag 0 would be taken for one of a NetCon.
            lines.push(format!("IF (({flag}) == 0) {{ fault = {} }}", Fault::Unflagged));
        }
        lines.push(format!("keep_sent(t + ({delay}), {flag})"));
        lines
    }
}

impl TimedEvent {
    /// Lines that set the [`rate`] of a row; `inner` are its coefficients by what the map has rows of.
    pub(in crate::emit) fn rate_lines(
        &self,
        row: usize,
        of: &LinearForm,
        inner: &[(usize, Id)],
        code: &Code,
    ) -> Vec<String> {
        let mut terms: Vec<String> = of.get(Source::Time).map(|id| code.factor(id)).into_iter().collect();
        if self.flow.is_some() {
            let inner = inner.iter();
            terms.extend(inner.map(|(other, id)| product(&code.factor(*id), &format!("slope_before[{other}]"))));
            terms.extend(of.get(Source::VBefore).map(|id| product(&code.factor(id), "v_slope")));
        }
        lines::sum(&rate(row), &terms)
    }
}
