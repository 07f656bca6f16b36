//! What a companion does where the times of its events have derivatives.
//!
//! A `NetCon` of a companion brings, besides the weights and their gradients, the table
//! of its source's spikes, its delay, and how each direction changes the delay. See
//! `step::moved` for what is made of them.

use std::collections::BTreeSet;

use serde::Serialize;

use super::code::Code;
use super::lines;
use super::manifest::MovedManifest;
use super::procedures::{locals_statement, product};
use super::region::Writer;
use super::sources::Phase;
use crate::graph::Id;
use crate::step::{self, Receive, Row, Sent};

#[derive(Serialize)]
pub(super) struct Moved {
    /// The table, the delay, and the changes of the delay.
    #[serde(skip)]
    pub arguments: Vec<String>,
    table: &'static str,
    delay: &'static str,
    late: Vec<String>,
    /// It sends itself events.
    sends: bool,
    room: usize,
    /// How fast the voltage changes, from its remembered value.
    remembered_voltage: String,
    locals: String,
    code: Vec<String>,
    /// The slopes from before the event.
    keep: Vec<String>,
    /// What it adds to the gradients after it, in the loop over the directions.
    settle: Vec<String>,
    #[serde(skip)]
    pub assigned: Vec<String>,
}

/// How many events that it sends to itself may be on their way.
const ROOM: usize = 64;
const TABLE: &str = "spikes_at";
const DELAY: &str = "wait";

/// Everything that it computes.
pub(super) fn roots(receive: &Receive) -> Vec<Id> {
    match &receive.moved {
        Some(Ok(moved)) => moved.slopes.iter().copied().chain([moved.current]).collect(),
        _ => Vec::new(),
    }
}

/// What a moved event adds to the gradient of a state, per ms; `row` is its place among the rows.
pub(super) fn rate(row: usize) -> String {
    format!("u{row}")
}

/// By how much the event moves, for direction `k`.
pub(super) fn shift(k: usize) -> String {
    format!("shift[{k}]")
}

impl Writer<'_> {
    pub(super) fn moved(&self, receive: &Receive) -> Option<Moved> {
        let Some(Ok(step::Moved { current, slopes })) = &receive.moved else { return None };
        let graph = &self.linearised.graph;
        let roots = roots(receive);
        let code = Code::new(graph, &roots);
        let (mut locals, mut body) =
            self.sources.load(&graph.reachable_inputs(&roots, false), Phase::Moment);
        locals.extend(code.locals());
        body.extend(code.statements());
        for (row, slope) in slopes.iter().enumerate() {
            body.push(format!("slope[{row}] = {}", code.value(*slope)));
        }
        body.push(format!("i_moment = {}", code.value(*current)));
        let late: Vec<String> = (0..self.directions).map(|k| format!("late{k}")).collect();
        let (k, rows) = (self.directions, slopes.len().max(1));
        Some(Moved {
            arguments: [TABLE, DELAY].map(str::to_owned).into_iter().chain(late.clone()).collect(),
            table: TABLE,
            delay: DELAY,
            late,
            sends: !(receive.sent.is_empty() && receive.start_sent.is_empty()),
            room: ROOM,
            remembered_voltage: self.sources.remembered("v_now").unwrap_or_else(|| "v_now".to_owned()),
            locals: locals_statement(&locals),
            code: body,
            keep: (0..slopes.len()).map(|row| format!("slope_before[{row}] = slope[{row}]")).collect(),
            settle: (0..slopes.len()).map(|row| format!("P{row}[k] = P{row}[k] - slope[{row}]*shift[k]")).collect(),
            assigned: vec![
                format!("slope[{rows}]"),
                format!("slope_before[{rows}]"),
                format!("shift[{k}]"),
                format!("charge[{k}]"),
                format!("charge_due[{k}]"),
                format!("impulse[{k}]"),
                "i_moment".to_owned(),
                "i_before".to_owned(),
                "v_moment (mV)".to_owned(),
                "v_slope".to_owned(),
                "is_known".to_owned(),
                format!("next_shift[{k}]"),
                format!("sent_time[{ROOM}]"),
                format!("sent_flag[{ROOM}]"),
                format!("sent_shift[{}]", ROOM * k),
            ],
        })
    }
}

impl Writer<'_> {
    /// What is remembered of a self-event: when it comes, and how that changes.
    pub(super) fn later(&self, sent: &Sent, code: &Code) -> Vec<String> {
        let Some(row) = &sent.late else { return Vec::new() };
        let mut lines = Vec::new();
        for k in 0..self.directions {
            let mut terms = vec![shift(k)];
            terms.extend(row.time.map(|id| product(&code.factor(id), &shift(k))));
            terms.extend(self.known_terms(row, code, k));
            lines.extend(lines::sum(&format!("next_shift[{k}]"), &terms));
        }
        let [delay, flag] = [0, 1].map(|index| code.value(sent.arguments[index]));
        lines.push(format!("keep_sent(t + ({delay}), {flag})"));
        lines
    }
}

impl Writer<'_> {
    pub(super) fn moved_manifest(&self) -> MovedManifest {
        let receive = self.linearised.receive.as_ref();
        let moved = receive.and_then(|receive| receive.moved.as_ref());
        MovedManifest {
            is: moved.is_some_and(Result::is_ok),
            reason: moved.and_then(|moved| moved.as_ref().err().cloned()),
            watches: receive.is_some_and(|receive| receive.sent.iter().any(Sent::is_watch)),
            timed_by: self.timed_by(),
        }
    }

    fn timed_by(&self) -> Vec<String> {
        let receive = self.linearised.receive.iter();
        let sent = receive.flat_map(|receive| receive.sent.iter().chain(&receive.start_sent));
        let rows = sent.flat_map(|sent| &sent.late).flat_map(|row| &row.parameters);
        let names: BTreeSet<&String> = rows.map(|(index, _)| &self.linearised.parameters[*index].public).collect();
        names.into_iter().cloned().collect()
    }
}

impl Moved {
    /// Lines that set the [`rate`] of a row; `inner` are its coefficients by what the map has rows of.
    pub(super) fn rate_lines(row: usize, of: &Row, inner: &[(usize, Id)], code: &Code) -> Vec<String> {
        let mut terms: Vec<String> =
            inner.iter().map(|(other, id)| product(&code.factor(*id), &format!("slope_before[{other}]"))).collect();
        terms.extend(of.v_before.map(|id| product(&code.factor(id), "v_slope")));
        terms.extend(of.time.map(|id| code.factor(id)));
        lines::sum(&rate(row), &terms)
    }
}
