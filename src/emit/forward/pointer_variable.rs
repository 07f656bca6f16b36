//! POINTERs that see variables: what the mechanism that looks, and the one that is seen, need besides.
//!
//! A row whose states are advanced from what others have at the end of the same step is `late`: it sets its
//! gradients when all others have set theirs. What of it does not wait for others is there in time for those
//! that see it, in `trial` arrays.

use serde::Serialize;

use crate::emit::manifest::SeenManifest;
use crate::emit::region::declarations::Setting;
use crate::emit::region::pointer_gradient::seen_by;
use crate::emit::region::writer::Writer;
use crate::step::{State, When};

#[derive(Serialize)]
pub(in crate::emit) struct PointedVariables {
    /// The region has POINTERs that may see variables.
    pub looks: bool,
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
        names.into_iter().map(|name| Setting::new(name, "0")).collect()
    }

    pub fn assigned(&self, directions: usize, seen: impl Iterator<Item = String>) -> Vec<String> {
        let mut names: Vec<String> = self.arrays.iter().map(|array| format!("{array}[{directions}]")).collect();
        names.extend(seen);
        if self.looks {
            names.push("trying".to_owned());
        }
        names
    }
}

impl Writer<'_> {
    pub fn pointed_variables(&self) -> PointedVariables {
        let tried = self.gradients.iter().filter_map(|gradient| self.seen_trial(gradient));
        PointedVariables {
            looks: self.may_be_late(),
            keep: self.sources.keep_seen(0),
            olds: self.pointer_gradients.iter().filter_map(|pointer| pointer.old.clone()).collect(),
            arrays: tried.collect(),
        }
    }

    /// Whether it has POINTERs that may see variables.
    pub fn may_be_late(&self) -> bool {
        self.variables && !self.pointer_gradients.is_empty()
    }

    /// The new gradients, kept apart for others to see or set.
    pub fn tried_or_set(&self, set: &[String]) -> Vec<String> {
        let tried = self
            .gradients
            .iter()
            .enumerate()
            .map(|(index, gradient)| format!("    {}[k] = y{index}", self.trial(gradient)));
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

    /// The array of a gradient that others may see in the middle of a step.
    pub fn seen_trial(&self, gradient: &str) -> Option<String> {
        self.may_be_late().then(|| self.trial(gradient))
    }

    pub fn seen_state(&self, state: &State, gradient: &str) -> SeenManifest {
        let linearised = self.linearised;
        SeenManifest {
            trial: self.seen_trial(gradient),
            early: linearised.set_by_currents.contains(&state.kind) || linearised.set_early.contains(&state.kind),
            through: seen_by(linearised, [state.after].into_iter(), When::After),
            started_through: seen_by(linearised, [state.initial].into_iter(), When::Before),
        }
    }
}
