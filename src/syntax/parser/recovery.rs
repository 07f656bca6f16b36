//! What to say when something is wrong, and where to go on.

use super::{BLOCK_WORDS, Failure, MAX_DEPTH, MAX_ERRORS, Parse, Parser};
use crate::diagnostic::{Code, Diagnostic, line_column};
use crate::syntax::span::Span;
use crate::syntax::token::TokenKind;

impl Parser<'_> {
    pub(super) fn expected(&self, what: &str) -> Failure {
        let message = format!("expected {}, found {}", what.trim_end(), self.found());
        let label = format!("expected {}", what.split(" (").next().unwrap_or(what).trim_end());
        let mut diagnostic = Diagnostic::error(Code::SyntaxExpected, self.here(), message).label(label);
        diagnostic.help = self.hint().map(str::to_owned);
        self.fail(diagnostic)
    }

    /// What to do about a character that is no part of NMODL.
    pub(super) fn hint(&self) -> Option<&'static str> {
        if self.token.kind != TokenKind::Unknown {
            return None;
        }
        match self.text(self.token) {
            ";" => Some("statements end without `;`"),
            "\"" => Some("this string is never closed"),
            "&" => Some("and is written `&&`"),
            "|" => Some("or is written `||`"),
            text if !text.is_ascii() => Some("names have only ASCII letters, digits and `_`"),
            _ => None,
        }
    }

    pub(super) fn expected_after(&self, what: &str) -> Failure {
        match self.previous.kind {
            TokenKind::End => self.expected(what),
            _ => self.expected(&format!("{what} after `{}`", self.text(self.previous))),
        }
    }

    // A method, so that it reads like the others.
    #[allow(clippy::unused_self)]
    pub(super) fn fail(&self, diagnostic: Diagnostic) -> Failure {
        Failure { diagnostic: Box::new(diagnostic), fatal: false }
    }

    pub(super) fn found(&self) -> String {
        match self.token.kind {
            TokenKind::End => "the end of the file".to_owned(),
            TokenKind::Keyword(word) => format!("the keyword {word}"),
            _ => format!("`{}`", self.text(self.token)),
        }
    }

    /// The next token; at the end of the file, the last one.
    pub(super) fn here(&self) -> Span {
        if self.at_end() { self.previous.span } else { self.token.span }
    }

    pub(super) fn unclosed(&self, owner: &str, open: Span) -> Failure {
        let (line, _) = line_column(self.source, open.start);
        let what = format!("`}}` to close {owner} (opened at line {line})");
        let message = format!("expected {what}, found {}", self.found());
        let diagnostic =
            Diagnostic::error(Code::SyntaxUnclosed, self.here(), message).label(format!("{owner} is still open here"));
        Failure { diagnostic: Box::new(diagnostic), fatal: true }
    }

    pub(super) fn misplaced(&self, span: Span, message: &str) -> Failure {
        self.fail(Diagnostic::error(Code::SyntaxMisplaced, span, message).label("not allowed here"))
    }

    pub(super) fn deeper(&mut self, levels: usize) -> Parse<()> {
        if self.depth + levels > MAX_DEPTH {
            return Err(self.too_deep());
        }
        self.depth += levels;
        Ok(())
    }

    pub(super) fn too_deep(&self) -> Failure {
        let message = "nested too deeply";
        let diagnostic = Diagnostic::error(Code::SyntaxNesting, self.here(), message)
            .label("too deep")
            .help("compute a part of it in an assignment of its own");
        self.fail(diagnostic)
    }

    /// `false` when there are enough errors.
    pub(super) fn report(&mut self, failure: Failure) -> bool {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(*failure.diagnostic);
        }
        self.errors.len() < MAX_ERRORS
    }

    /// Skips to the first token of a later line, or to a brace or keyword that ends the block.
    pub(super) fn skip_line(&mut self) {
        let mut depth = 0_usize;
        let mut first = true;
        loop {
            let between = Span::new(self.previous.span.end, self.token.span.start);
            let new_line = !first && self.lexer.text(between).contains('\n');
            if self.at_end() || self.at_block_word() || (depth == 0 && (new_line || self.at("}"))) {
                return;
            }
            first = false;
            if self.at("{") {
                depth += 1;
            } else if self.at("}") {
                depth -= 1;
            }
            self.skip_token();
        }
    }

    /// Skips to a word that begins something at file level.
    pub(super) fn skip_block(&mut self) {
        while !self.at_end() && !self.at_block_word() {
            self.skip_token();
        }
    }

    /// The bodies of VERBATIM and COMMENT are no tokens.
    pub(super) fn skip_token(&mut self) {
        let end = match self.token.kind {
            TokenKind::Keyword("VERBATIM") => "ENDVERBATIM",
            TokenKind::Keyword("COMMENT") => "ENDCOMMENT",
            _ => "",
        };
        if !end.is_empty() {
            self.lexer.lines_until(end);
        }
        self.advance();
    }
}

/// The block word that `word` is in another case, or with two letters wrong.
pub(super) fn near_block_word(word: &str) -> Option<&'static str> {
    let upper = word.to_ascii_uppercase();
    BLOCK_WORDS.iter().copied().find(|known| {
        let same_length = known.len() == upper.len();
        let wrong = known.bytes().zip(upper.bytes()).filter(|(a, b)| a != b).count();
        same_length && wrong <= 2
    })
}
