//! Diagnostics, shown.

use std::io::Write;

use anyhow::{Context, Result};
use gradmod::diagnostic::Diagnostic;
use gradmod::render;
use gradmod::syntax::sources::Sources;
use gradmod::transform::Message;

use crate::cli::arguments::MessageFormat;

/// A line on standard error, which may be closed or full.
pub fn say(text: &str) -> Result<()> {
    writeln!(std::io::stderr(), "{text}").context("can't write to standard error")
}

/// Writes diagnostics to standard error.
pub fn report(source: &Sources, diagnostics: &[Diagnostic], format: MessageFormat) -> Result<()> {
    for diagnostic in diagnostics {
        let (file, span) = source.place(diagnostic.span);
        let (path, text) = (file.path.display().to_string(), &file.text);
        let diagnostic = Diagnostic { span, ..diagnostic.clone() };
        match format {
            MessageFormat::Human => say(&render::human(&path, text, &diagnostic))?,
            MessageFormat::Json => say(&render::json(&path, text, &diagnostic).to_string())?,
        }
    }
    Ok(())
}

/// Writes a message to standard error.
pub fn show(message: &Message, format: MessageFormat) -> Result<()> {
    match (message, format) {
        (Message::Located { source, diagnostic }, _) => report(source, std::slice::from_ref(diagnostic), format),
        (Message::UnknownParameter { name, known }, MessageFormat::Human) => {
            let known = known.join(", ");
            say(&format!("warning: --wrt {name}: nothing here depends on a parameter of this name, but on {known}"))
        }
        // A program knows what it asked for.
        (Message::UnknownParameter { .. }, MessageFormat::Json) => Ok(()),
    }
}
