//! Diagnostics, shown.

use gradmod::diagnostic::Diagnostic;
use gradmod::render;
use gradmod::syntax::sources::Sources;

use super::arguments::MessageFormat;

/// Writes diagnostics to standard error.
pub fn report(source: &Sources, diagnostics: &[Diagnostic], format: MessageFormat) {
    for diagnostic in diagnostics {
        let (file, span) = source.place(diagnostic.span);
        let (path, text) = (file.path.display().to_string(), &file.text);
        let diagnostic = Diagnostic { span, ..diagnostic.clone() };
        match format {
            MessageFormat::Human => eprintln!("{}", render::human(&path, text, &diagnostic)),
            MessageFormat::Json => eprintln!("{}", render::json(&path, text, &diagnostic)),
        }
    }
}
