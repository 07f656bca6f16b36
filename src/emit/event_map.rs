//! What the events of one step together do to the gradients.

use std::collections::BTreeSet;

use super::code::Code;
use super::lines;
use super::moved::{self, Moved};
use super::procedures::product;
use super::region::Writer;
use super::sources::KEPT;
use crate::graph::Id;
use crate::step::{Receive, Row};

/// `Dx+ = M Dx + m W + B`: rows are the states that events change, and the voltage if they set it.
pub(super) struct Map<'a> {
    pub rows: Vec<&'a Row>,
    /// What each row is of; `None` is the voltage, the last one.
    pub targets: Vec<Option<usize>>,
    /// The states that they are made of.
    pub columns: Vec<usize>,
}

impl<'a> Map<'a> {
    pub fn new(receive: &'a Receive) -> Self {
        let states = receive.states.iter().map(|change| (&change.row, Some(change.target)));
        let voltage = receive.voltage.iter().map(|(_, row)| (row, None));
        let (rows, targets): (Vec<&Row>, Vec<Option<usize>>) = states.chain(voltage).unzip();
        let read = rows.iter().flat_map(|row| row.states.iter().map(|(state, _)| *state));
        let columns: BTreeSet<usize> = targets.iter().copied().flatten().chain(read).collect();
        Self { rows, targets, columns: columns.into_iter().collect() }
    }

    pub fn indices(&self) -> std::ops::Range<usize> {
        0..self.rows.len()
    }

    pub fn row_of(&self, state: usize) -> Option<usize> {
        self.targets.iter().position(|target| *target == Some(state))
    }

    pub fn sets_voltage(&self) -> bool {
        self.targets.contains(&None)
    }

    /// The coefficients of a row by what the map has rows of.
    pub fn inner(&self, row: &Row) -> Vec<(usize, Id)> {
        let states = row.states.iter().filter_map(|(state, id)| Some((self.row_of(*state)?, *id)));
        let voltage = row.v_before.filter(|_| self.sets_voltage()).map(|id| (self.rows.len() - 1, id));
        states.chain(voltage).collect()
    }

    pub fn entry(&self, row: usize, column: usize) -> usize {
        row * self.columns.len() + column
    }

    pub fn identity(&self, last: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for (i, target) in self.targets.iter().enumerate() {
            for (j, column) in self.columns.iter().enumerate() {
                let value = u8::from(*target == Some(*column));
                lines.push(format!("pm[{}] = {value}", self.entry(i, j)));
            }
            lines.push(format!("pv[{i}] = {}", u8::from(target.is_none())));
            lines.push(format!("FROM k = 0 TO {last} {{ P{i}[k] = 0 }}"));
        }
        lines
    }

    pub fn take(&self, last: usize) -> Vec<String> {
        let entries = self.rows.len() * self.columns.len();
        let mut lines: Vec<String> = (0..entries).map(|m| format!("qm[{m}] = pm[{m}]")).collect();
        for i in self.indices() {
            lines.push(format!("qv[{i}] = pv[{i}]"));
            lines.push(format!("FROM k = 0 TO {last} {{ Q{i}[k] = P{i}[k] }}"));
        }
        lines
    }

    pub fn assigned(&self, directions: usize, copies: usize) -> Vec<String> {
        let entries = (self.rows.len() * self.columns.len()).max(1);
        let rows = self.rows.len().max(1);
        let mut names = vec![
            format!("pm[{entries}]"),
            format!("qm[{entries}]"),
            format!("pv[{rows}]"),
            format!("qv[{rows}]"),
            format!("copy[{}]", copies.max(1)),
            format!("landed[{}]", copies.max(1)),
        ];
        names.extend(["arrived", "due", "settle", "event_time", "event_flag"].map(str::to_owned));
        if self.sets_voltage() {
            names.extend([KEPT, "t_boundary"].map(str::to_owned));
        }
        for i in self.indices() {
            names.extend([format!("P{i}[{directions}]"), format!("Q{i}[{directions}]")]);
        }
        names
    }
}

impl Writer<'_> {
    pub fn compose(&self, map: &Map, code: &Code, locals: &mut Vec<String>, moved: Option<&Moved>) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(moved) = moved {
            for (i, row) in map.rows.iter().enumerate() {
                lines.extend(moved.rate_lines(i, row, &map.inner(row), code));
                locals.push(moved::rate(i));
            }
        }
        let mut set = Vec::new();
        for (i, row) in map.rows.iter().enumerate() {
            // What this event maps, before it and after those of the same step.
            let inner = map.inner(row);
            for (j, column) in map.columns.iter().enumerate() {
                let mut terms: Vec<String> = inner
                    .iter()
                    .map(|(l, id)| product(&code.factor(*id), &format!("pm[{}]", map.entry(*l, j))))
                    .collect();
                if map.row_of(*column).is_none() {
                    let own = row.states.iter().find(|(state, _)| state == column);
                    terms.extend(own.map(|(_, id)| code.factor(*id)));
                }
                let name = format!("m{}", map.entry(i, j));
                lines.extend(lines::sum(&name, &terms));
                set.push(format!("pm[{}] = {name}", map.entry(i, j)));
                locals.push(name);
            }
            let mut terms: Vec<String> = inner
                .iter()
                .map(|(l, id)| product(&code.factor(*id), &format!("pv[{l}]")))
                .collect();
            let own = row.v_before.filter(|_| !map.sets_voltage());
            terms.extend(own.map(|id| code.factor(id)));
            lines.extend(lines::sum(&format!("mv{i}"), &terms));
            set.push(format!("pv[{i}] = mv{i}"));
            locals.push(format!("mv{i}"));
        }
        for k in 0..self.directions {
            for (i, row) in map.rows.iter().enumerate() {
                let inner = map.inner(row);
                let mut terms: Vec<String> = inner
                    .iter()
                    .map(|(l, id)| product(&code.factor(*id), &format!("P{l}[{k}]")))
                    .collect();
                terms.extend(self.terms_of(row, code, k));
                terms.extend(moved.map(|_| product(&moved::rate(i), &moved::shift(k))));
                lines.extend(lines::sum(&format!("b{i}"), &terms));
            }
            lines.extend(map.indices().map(|i| format!("P{i}[{k}] = b{i}")));
        }
        locals.extend(map.indices().map(|i| format!("b{i}")));
        lines.extend(set);
        lines
    }

    /// What POINTERs see of the gradients: those after the events that are due.
    pub fn post(&self, map: &Map) -> Vec<String> {
        let mut lines = vec!["IF (due == 1) {".to_owned()];
        lines.extend(self.after_events(map).into_iter().map(|line| format!("    {line}")));
        let states: Vec<usize> = map.targets.iter().copied().flatten().collect();
        for (i, state) in states.iter().enumerate() {
            lines.push(format!("        {}[k] = e{i}", self.past(&self.gradients[*state])));
        }
        lines.extend(["    }".to_owned(), "} ELSE {".to_owned(), format!("    FROM k = 0 TO {} {{", self.last())]);
        for state in states {
            let gradient = &self.gradients[state];
            lines.push(format!("        {}[k] = {gradient}[k]", self.past(gradient)));
        }
        lines.extend(["    }".to_owned(), "}".to_owned()]);
        lines
    }

    /// The head of a loop over the directions, and the gradients `e0`, ... after the events that are due.
    fn after_events(&self, map: &Map) -> Vec<String> {
        let mut lines = vec![format!("FROM k = 0 TO {} {{", self.last())];
        for i in map.indices() {
            let mut terms: Vec<String> = map
                .columns
                .iter()
                .enumerate()
                .map(|(j, state)| format!("qm[{}]*{}[k]", map.entry(i, j), self.gradients[*state]))
                .collect();
            terms.push(format!("qv[{i}]*W_new[k]"));
            terms.push(format!("Q{i}[k]"));
            lines.extend(lines::sum(&format!("    e{i}"), &terms));
        }
        lines
    }

    pub fn apply(&self, map: &Map) -> Vec<String> {
        let mut lines = self.after_events(map);
        for (i, target) in map.targets.iter().enumerate() {
            lines.push(match target {
                Some(state) => format!("    {}[k] = e{i}", self.gradients[*state]),
                None => format!("    W_new[k] = e{i}"),
            });
        }
        lines.push("}".to_owned());
        lines
    }
}
