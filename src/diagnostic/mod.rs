//! What gradmod has to say about a place in a file.

mod code;

use serde::Serialize;

pub use code::{Code, Text};

use crate::syntax::span::Span;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The file is wrong.
    Error,
    /// The file may be right, but gradmod does not differentiate it.
    Refusal,
    Warning,
    /// Nothing is wrong.
    Note,
}

#[derive(Clone, Debug, Serialize)]
pub struct Diagnostic {
    pub code: Code,
    pub level: Level,
    pub message: String,
    #[serde(serialize_with = "span_as_pair")]
    pub span: Span,
    /// What stands at the span, in few words; may be empty.
    pub label: String,
    pub help: Option<String>,
    pub notes: Vec<String>,
}

// serde hands over a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn span_as_pair<S: serde::Serializer>(span: &Span, serializer: S) -> Result<S::Ok, S::Error> {
    (span.start, span.end).serialize(serializer)
}

impl Diagnostic {
    fn new(code: Code, level: Level, span: Span, message: String) -> Self {
        Self { code, level, message, span, label: String::new(), help: None, notes: Vec::new() }
    }

    #[must_use]
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Level::Error, span, message.into())
    }

    #[must_use]
    pub fn refusal(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Level::Refusal, span, message.into())
    }

    #[must_use]
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Level::Warning, span, message.into())
    }

    #[must_use]
    pub fn remark(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self::new(code, Level::Note, span, message.into())
    }

    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

/// Line and column of a byte offset, both from 1; columns count characters.
#[must_use]
pub fn line_column(text: &str, offset: usize) -> (usize, usize) {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = text.get(..offset).unwrap_or("");
    let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    (line, before.get(start..).unwrap_or("").chars().count() + 1)
}
