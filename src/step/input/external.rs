//! EXTERNAL variables: one input for all mechanisms of a region that see one.

use crate::model::Visibility;
use crate::step::Region;

impl Region {
    /// The first mechanism, and the variable of it, that is what NEURON shows by the name of this one.
    pub(in crate::step) fn as_known(&self, mechanism: usize, name: &str) -> (usize, String) {
        let own = (mechanism, name.to_owned());
        if !self.is_shared(mechanism, name) {
            return own;
        }
        let shown = self.mechanisms[mechanism].shown_as(name);
        let found = self.mechanisms.iter().enumerate().find_map(|(index, known)| {
            let variable = known.variables.keys().find(|variable| known.shown_as(variable) == shown)?;
            Some((index, variable.clone()))
        });
        found.unwrap_or(own)
    }

    /// Whether it is a variable that another mechanism of the region, or this one, sees as EXTERNAL.
    pub fn is_shared(&self, mechanism: usize, name: &str) -> bool {
        let Some((public, "global")) = self.mechanisms[mechanism].shown_as(name) else { return false };
        self.mechanisms.iter().any(|known| {
            known.variables.get(&public).is_some_and(|variable| variable.visibility == Visibility::External)
        })
    }
}
