//! The mechanisms of a model, all of them accepted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::RequestError;
use crate::diagnostic::Diagnostic;
use crate::model::{Kind, Mechanism};
use crate::syntax::sources::Sources;

/// A mechanism and its file.
pub(super) struct Checked {
    pub source: Arc<Sources>,
    pub mechanism: Mechanism,
    /// What may be said instead of a refusal: that it acts on nothing.
    pub bystander: Option<Diagnostic>,
}

/// A receipt: [`Reading::model`](super::reading::Reading::model) makes it where no file was refused.
pub(super) struct Model {
    pub checked: Vec<Checked>,
    /// Mechanisms that act on no membrane, so that nothing need be made for them.
    pub passed_over: BTreeSet<String>,
    /// All that can act on no membrane, with the POINTERs that they set.
    pub watchers: BTreeMap<String, Vec<String>>,
}

impl Model {
    pub fn find(&self, name: &str) -> Option<&Checked> {
        self.checked.iter().find(|known| known.mechanism.name == name)
    }

    pub fn mechanism(&self, name: &str) -> Result<Mechanism, RequestError> {
        let found = self.find(name).map(|known| known.mechanism.clone());
        found.ok_or_else(|| RequestError::NoMechanism(name.to_owned()))
    }

    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = Mechanism> + '_ {
        let mechanisms = self.checked.iter().map(|known| &known.mechanism);
        mechanisms.filter(move |mechanism| mechanism.kind == kind).cloned()
    }
}
