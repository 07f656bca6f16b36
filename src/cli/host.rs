//! What the command does while the compiler works: it shows messages, bounds the work, and writes what stages made.

use std::path::Path;

use anyhow::{Result, anyhow};
use gradmod::model::Mechanism;
use gradmod::step::Linearised;
use gradmod::syntax::ast::Program;
use gradmod::syntax::span::Span;
use gradmod::transform::{Host, Message, RequestError, Source, Stage, Stopped};

use crate::cli::arguments::MessageFormat;
use crate::cli::passes::Passes;
use crate::cli::report::show;
use crate::cli::source;
use crate::cli::watch::Watch;

/// Of `gradmod transform`.
pub struct CommandHost<'a> {
    pub format: MessageFormat,
    pub passes: &'a Passes,
    pub watch: &'a Watch,
}

impl Host for CommandHost<'_> {
    type Error = anyhow::Error;

    fn included(&mut self, including: &Path, name: &str) -> Option<Source> {
        source::included(including, name)
    }

    fn begins(&mut self, stage: Stage<'_>) {
        match stage {
            Stage::Parse(source) | Stage::Check(source) => self.watch.see(source, Span::default()),
            Stage::Linearise(source, span) => self.watch.see(source, span),
            // The last region is what is emitted.
            Stage::Emit => {}
        }
    }

    fn hears(&mut self, message: &Message) -> Result<()> {
        show(message, self.format)
    }

    fn checked(&mut self, program: &Program, mechanism: &Mechanism) -> Result<()> {
        self.passes.checked(program, mechanism)
    }

    fn linearised(&mut self, step: &Linearised) -> Result<()> {
        self.passes.linearised(step)
    }
}

/// Of commands whose work is short: it shows messages only.
pub struct Listener(pub MessageFormat);

impl Host for Listener {
    type Error = anyhow::Error;

    fn hears(&mut self, message: &Message) -> Result<()> {
        show(message, self.0)
    }
}

/// Why a command can't be carried out, in terms of its options.
pub fn stopped(stopped: Stopped<anyhow::Error>) -> anyhow::Error {
    match stopped {
        Stopped::Host(error) => error,
        Stopped::Emit(error) => error.into(),
        Stopped::Request(RequestError::PointInRegion { region, point }) => {
            anyhow!("--region {region}: {point} is a point process, use --point")
        }
        Stopped::Request(RequestError::DensityAsPoint(name)) => {
            anyhow!("--point {name}: this is a density mechanism")
        }
        Stopped::Request(
            error @ (RequestError::RegionName(_) | RequestError::NoMechanism(_) | RequestError::Unsupported(_)),
        ) => error.into(),
    }
}
