//! Diagnostics as text for people and as JSON for programs.

use annotate_snippets::{AnnotationKind, Level as Title, Renderer, Snippet};
use serde_json::{Value, json};

use crate::diagnostic::{Diagnostic, Level, line_column};
use crate::syntax::span::Span;

/// The message with the lines it is about, without colours.
#[must_use]
pub fn human(path: &str, text: &str, diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.level {
        Level::Error => Title::ERROR,
        Level::Refusal => Title::ERROR.with_name("refused"),
        Level::Warning => Title::WARNING,
        Level::Note => Title::NOTE,
    };
    let span = within(text, diagnostic.span);
    let label = (!diagnostic.label.is_empty()).then_some(diagnostic.label.as_str());
    let mark = AnnotationKind::Primary.span(span.start..span.end).label(label);
    let mut report = level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code.name())
        .element(Snippet::source(text).path(path).annotation(mark));
    for note in &diagnostic.notes {
        report = report.element(Title::NOTE.message(note.as_str()));
    }
    if let Some(help) = &diagnostic.help {
        report = report.element(Title::HELP.message(help.as_str()));
    }
    Renderer::plain().render(&[report])
}

#[must_use]
pub fn json(path: &str, text: &str, diagnostic: &Diagnostic) -> Value {
    let span = within(text, diagnostic.span);
    let (line, column) = line_column(text, span.start);
    let (end_line, end_column) = line_column(text, span.end);
    json!({
        "file": path,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "code": diagnostic.code,
        "level": diagnostic.level,
        "message": diagnostic.message,
        "label": diagnostic.label,
        "help": diagnostic.help,
        "notes": diagnostic.notes,
    })
}

/// The span, inside the text and between characters: the renderer relies on it.
fn within(text: &str, span: Span) -> Span {
    let boundary = |offset: usize| {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    };
    let start = boundary(span.start);
    Span::new(start, boundary(span.end).max(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;

    #[test]
    fn shows_the_place() {
        let text = "STATE { m }\nBREAKPOINT { x = é }\n";
        let at = text.find('é').unwrap_or(0);
        let diagnostic = Diagnostic::error(Code::SyntaxExpected, Span::new(at, at + 1), "no letter")
            .label("here")
            .help("write e")
            .note("a note");
        let shown = human("a.mod", text, &diagnostic);
        for piece in ["error[syntax-expected]: no letter", "a.mod:2:18", "here", "help: write e"] {
            assert!(shown.contains(piece), "{shown}");
        }
        let json = json("a.mod", text, &diagnostic);
        assert_eq!((&json["line"], &json["column"]), (&2.into(), &18.into()));
        assert_eq!(json["level"], "error");
    }

    #[test]
    fn spans_outside_the_text_do_no_harm() {
        for (start, end) in [(0, 0), (5, 2), (90, 99)] {
            let diagnostic = Diagnostic::refusal(Code::Order, Span::new(start, end), "m");
            assert!(human("a.mod", "", &diagnostic).contains("refused[order]"));
            assert!(human("a.mod", "abc", &diagnostic).contains("refused[order]"));
        }
    }
}
