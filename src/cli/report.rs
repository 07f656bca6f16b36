//! Diagnostics, shown.

use gradmod::diagnostic::Diagnostic;
use gradmod::render;

use super::arguments::MessageFormat;

/// A source file as it was read.
pub struct Source {
    pub path: String,
    pub text: String,
}

/// Writes diagnostics to standard error.
pub fn report(source: &Source, diagnostics: &[Diagnostic], format: MessageFormat) {
    for diagnostic in diagnostics {
        match format {
            MessageFormat::Human => {
                eprintln!("{}", render::human(&source.path, &source.text, diagnostic));
            }
            MessageFormat::Json => {
                eprintln!("{}", render::json(&source.path, &source.text, diagnostic));
            }
        }
    }
}
