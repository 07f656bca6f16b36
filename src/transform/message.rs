//! What is said about a model, and to whom.

use std::sync::Arc;

use super::{Host, Stopped};
use crate::diagnostic::Diagnostic;
use crate::syntax::sources::Sources;

/// What is said about a model.
#[derive(Clone, Debug)]
pub enum Message {
    /// Of a place in a file.
    Located { source: Arc<Sources>, diagnostic: Diagnostic },
    /// Nothing depends on a parameter that was asked for: that may be meant, or a mistake in its name.
    UnknownParameter { name: String, known: Vec<String> },
}

/// Messages on their way to the host.
pub(super) struct Messages<'a, H> {
    host: &'a mut H,
    heard: Vec<Message>,
}

impl<'a, H: Host> Messages<'a, H> {
    pub fn to(host: &'a mut H) -> Self {
        Self { host, heard: Vec::new() }
    }

    pub fn host(&mut self) -> &mut H {
        self.host
    }

    pub fn heard(self) -> Vec<Message> {
        self.heard
    }

    pub fn tell(&mut self, message: Message) -> Result<(), Stopped<H::Error>> {
        self.host.hears(&message).map_err(Stopped::Host)?;
        self.heard.push(message);
        Ok(())
    }

    pub fn tell_of(&mut self, source: &Arc<Sources>, diagnostic: Diagnostic) -> Result<(), Stopped<H::Error>> {
        self.tell(Message::Located { source: Arc::clone(source), diagnostic })
    }

    pub fn tell_all(&mut self, source: &Arc<Sources>, diagnostics: Vec<Diagnostic>) -> Result<(), Stopped<H::Error>> {
        diagnostics.into_iter().try_for_each(|diagnostic| self.tell_of(source, diagnostic))
    }
}

/// Why what is passed over would be refused.
pub(super) fn with_reasons(note: Diagnostic, refused: &[Diagnostic]) -> Diagnostic {
    refused.iter().fold(note, |note, reason| note.note(format!("else it would be refused: {}", reason.message)))
}
