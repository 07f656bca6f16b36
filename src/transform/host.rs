//! Whoever the compiler works for: it finds included files, hears messages, and may look at what each stage made.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use super::{Message, Source};
use crate::model::Mechanism;
use crate::step::Linearised;
use crate::syntax::ast::Program;
use crate::syntax::sources::Sources;
use crate::syntax::span::Span;

/// What is worked on from now on.
#[derive(Clone, Copy, Debug)]
pub enum Stage<'a> {
    Parse(&'a Arc<Sources>),
    Check(&'a Arc<Sources>),
    /// A region; the place is that of its first mechanism.
    Linearise(&'a Arc<Sources>, Span),
    Emit,
}

/// What the compiler asks of its caller, and tells it. By default nobody answers and nobody listens.
pub trait Host {
    /// Why the host wants the work to end.
    type Error;

    /// The file that `name` means in an INCLUDE of the file `including`.
    fn included(&mut self, including: &Path, name: &str) -> Option<Source> {
        let _ = (including, name);
        None
    }

    /// Called before the work, so that the host can bound or measure it.
    fn begins(&mut self, stage: Stage<'_>) {
        let _ = stage;
    }

    /// Called as soon as there is something to say.
    ///
    /// # Errors
    ///
    /// The work ends.
    fn hears(&mut self, message: &Message) -> Result<(), Self::Error> {
        let _ = message;
        Ok(())
    }

    /// A mechanism has been accepted.
    ///
    /// # Errors
    ///
    /// The work ends.
    fn checked(&mut self, program: &Program, mechanism: &Mechanism) -> Result<(), Self::Error> {
        let _ = (program, mechanism);
        Ok(())
    }

    /// A region has been accepted.
    ///
    /// # Errors
    ///
    /// The work ends.
    fn linearised(&mut self, step: &Linearised) -> Result<(), Self::Error> {
        let _ = step;
        Ok(())
    }
}

/// A host for whoever wants the result only, of files that include no others.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unattended;

impl Host for Unattended {
    type Error = Infallible;
}
