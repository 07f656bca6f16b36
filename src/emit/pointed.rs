//! POINTERs that see variables: what the mechanism that looks, and the one that is seen, need besides.
//!
//! The gradient of a variable at the end of a step is there after AFTER SOLVE of its mechanism. A
//! mechanism whose states are advanced from it is `late`: it sets its own in BEFORE STEP. What of
//! it does not wait for others is there in time for those that see it, in `trial` arrays.
//!
//! What currents see is the gradient after the events since, whenever these are applied: `past`.

use serde::Serialize;

use super::declarations::Setting;
use super::event_map::Map;
use super::events::Events;
use super::far::{seen_by, Far};
use super::manifest::SeenManifest;
use super::region::Writer;
use crate::step::{State, When};

#[derive(Serialize)]
pub(super) struct PointedVariables {
    /// It looks at something.
    looks: bool,
    /// Events change what may be seen.
    posts: bool,
    /// Statements that keep what states saw after the step.
    keep: Vec<String>,
    #[serde(skip)]
    olds: Vec<String>,
    /// Of gradients, over the directions.
    #[serde(skip)]
    pub arrays: Vec<String>,
}

impl PointedVariables {
    /// RANGE settings.
    pub fn settings(&self) -> Vec<Setting> {
        let mut names = self.olds.clone();
        if self.looks {
            names.extend(["late", "tried", "late_start"].map(str::to_owned));
        }
        if self.posts {
            names.push("posts".to_owned());
        }
        names.into_iter().map(|name| Setting::new(name, "0")).collect()
    }

    pub fn assigned(&self, directions: usize, seen: impl Iterator<Item = String>) -> Vec<String> {
        let mut names: Vec<String> = self.arrays.iter().map(|array| format!("{array}[{directions}]")).collect();
        names.extend(seen);
        if self.looks {
            names.extend(["waits", "trying"].map(str::to_owned));
        }
        names
    }
}

impl Writer<'_> {
    pub fn pointed_variables(&self, events: Option<&Events>) -> PointedVariables {
        let states = self.linearised.states.iter().zip(&self.gradients);
        let seen = states.clone().map(|(state, gradient)| self.seen_state(state, gradient));
        let past = seen.clone().map(|seen| seen.past).filter(|past| !self.gradients.contains(past));
        PointedVariables {
            looks: self.may_be_late(),
            posts: events.is_some_and(Events::posts),
            keep: self.sources.keep_seen(0),
            olds: self.far.iter().filter_map(Far::setting).map(str::to_owned).collect(),
            arrays: past.chain(seen.filter_map(|seen| seen.trial)).collect(),
        }
    }

    /// Whether it has POINTERs that may see variables.
    pub fn may_be_late(&self) -> bool {
        self.variables && !self.far.is_empty()
    }

    /// The new gradients, kept apart for others to see or set.
    pub fn tried_or_set(&self, set: &[String]) -> Vec<String> {
        let tried = self.gradients.iter().enumerate().map(|(index, gradient)| {
            format!("    {}[k] = y{index}", self.trial(gradient))
        });
        let mut lines = vec!["IF (trying == 1) {".to_owned()];
        lines.extend(tried);
        lines.push("} ELSE {".to_owned());
        lines.extend(set.iter().map(|line| format!("    {line}")));
        lines.push("}".to_owned());
        lines
    }

    fn trial(&self, gradient: &str) -> String {
        self.linearised.names.clone().new_name(&format!("trial_{gradient}"))
    }

    /// Where the gradient is after the events that are due.
    pub fn past(&self, gradient: &str) -> String {
        self.linearised.names.clone().new_name(&format!("past_{gradient}"))
    }

    pub fn seen_state(&self, state: &State, gradient: &str) -> SeenManifest {
        let linearised = self.linearised;
        let map = linearised.receive.as_ref().filter(|receive| receive.voltage.is_none()).map(Map::new);
        let is_changed = map.is_some_and(|map| {
            map.targets.iter().flatten().any(|target| linearised.states[*target].kind == state.kind)
        });
        SeenManifest {
            past: if is_changed { self.past(gradient) } else { gradient.to_owned() },
            trial: self.may_be_late().then(|| self.trial(gradient)),
            early: linearised.set_by_currents.contains(&state.kind) || linearised.set_early.contains(&state.kind),
            through: seen_by(linearised, [state.after].into_iter(), When::After),
            started_through: seen_by(linearised, [state.initial].into_iter(), When::Before),
        }
    }
}
