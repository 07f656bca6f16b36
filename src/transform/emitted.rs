//! Emitted files, and the manifest that tells what is where in them.

use super::Besides;
use super::model::Model;
use super::steps::Steps;
use crate::emit::{self, EmitError, File, HomeostatManifest, Pointers, ReverseManifest, VariableManifest};
use crate::step::EventTimes;

/// What was made of a model.
#[derive(Clone, Debug)]
pub struct Emitted {
    /// The mechanisms.
    pub files: Vec<File>,
    pub manifest: Manifest,
}

/// What is where in emitted mechanisms.
#[derive(Clone, Debug)]
pub enum Manifest {
    /// Of forward and online mode.
    Forward(Box<emit::Manifest>),
    Reverse(Box<ReverseManifest>),
    Variable(Box<VariableManifest>),
    Homeostat(Box<HomeostatManifest>),
}

impl Manifest {
    /// `gradmod.json` or `homeostat.json`, which Python reads.
    ///
    /// # Errors
    ///
    /// The manifest can't be written as JSON.
    pub fn file(&self) -> Result<File, serde_json::Error> {
        let (name, text) = match self {
            Self::Forward(manifest) => ("gradmod.json", serde_json::to_string_pretty(manifest)?),
            Self::Reverse(manifest) => ("gradmod.json", serde_json::to_string_pretty(manifest)?),
            Self::Variable(manifest) => ("gradmod.json", serde_json::to_string_pretty(manifest)?),
            Self::Homeostat(manifest) => ("homeostat.json", serde_json::to_string_pretty(manifest)?),
        };
        Ok(File { name: name.to_owned(), text: text + "\n" })
    }
}

pub(super) fn emit(steps: &Steps, model: &Model) -> Result<Emitted, EmitError> {
    let passed_over: Vec<String> = model.passed_over.iter().cloned().collect();
    let watchers = model.watchers.clone();
    let forward = |(files, manifest): (Vec<File>, emit::Manifest)| {
        let manifest = emit::Manifest { passed_over: passed_over.clone(), watchers: watchers.clone(), ..manifest };
        Emitted { files, manifest: Manifest::Forward(Box::new(manifest)) }
    };
    match steps {
        Steps::Forward { regions, directions, besides, scheme, medium } => {
            let (times, pointers) = match besides {
                Besides::Nothing => (EventTimes::Fixed, Pointers::ToVoltages),
                Besides::EventTimes => (EventTimes::Differentiated, Pointers::ToVoltages),
                Besides::PointedVariables => (EventTimes::Fixed, Pointers::ToVariables),
            };
            emit::emit_forward(regions, usize::from(directions.get()), (times, *scheme, *medium), pointers).map(forward)
        }
        Steps::Online { regions, directions } => emit::emit_online(regions, usize::from(directions.get())).map(forward),
        Steps::Reverse { regions, scheme, medium } => {
            let (files, manifest) = emit::emit_reverse(regions, *scheme, *medium)?;
            let manifest = ReverseManifest { passed_over, watchers, ..manifest };
            Ok(Emitted { files, manifest: Manifest::Reverse(Box::new(manifest)) })
        }
        Steps::Variable { regions } => {
            let (files, manifest) = emit::emit_variable(regions)?;
            let manifest = VariableManifest { passed_over, watchers, ..manifest };
            Ok(Emitted { files, manifest: Manifest::Variable(Box::new(manifest)) })
        }
    }
}
