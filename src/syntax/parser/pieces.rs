//! Names, numbers, units and lengths: what all blocks are made of.

use super::{Failure, Parse, Parser};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{Length, Name, Number, Opaque, Unit};
use crate::syntax::span::Span;
use crate::syntax::token::{Token, TokenKind};

impl Parser<'_> {
    pub(super) fn name(&mut self, what: &str) -> Parse<Name> {
        if self.token.kind == TokenKind::Name {
            let token = self.advance();
            return Ok(self.named(token));
        }
        Err(self.expected_after(what))
    }

    pub(super) fn named(&self, token: Token) -> Name {
        Name { text: self.text(token).to_owned(), span: token.span }
    }

    /// `a, b, c`
    pub(super) fn names(&mut self, what: &str) -> Parse<Vec<Name>> {
        let mut names = vec![self.name(what)?];
        while self.accept(",") {
            names.push(self.name(what)?);
        }
        Ok(names)
    }

    pub(super) fn opaque(&self, span: Span) -> Opaque {
        Opaque { text: self.lexer.text(span).to_owned(), span }
    }

    /// The body of VERBATIM or COMMENT; the keyword is the next token.
    pub(super) fn opaque_lines(&mut self, end: &str) -> Parse<Opaque> {
        let keyword = self.token.span;
        let Some(body) = self.lexer.lines_until(end) else {
            self.advance();
            let word = self.lexer.text(keyword);
            let message = format!("expected a line that begins with {end}, found the end of the file");
            let diagnostic =
                Diagnostic::error(Code::SyntaxUnclosed, keyword, message).label(format!("this {word} is never closed"));
            return Err(Failure { diagnostic: Box::new(diagnostic), fatal: true });
        };
        self.advance();
        Ok(self.opaque(body))
    }

    /// `(mA/cm2)`, if there is one.
    pub(super) fn unit(&mut self) -> Parse<Option<Unit>> {
        if self.at("(") { self.required_unit().map(Some) } else { Ok(None) }
    }

    pub(super) fn required_unit(&mut self) -> Parse<Unit> {
        if !self.at("(") {
            return Err(self.expected_after("a unit in parentheses"));
        }
        let open = self.token.span;
        let Some(span) = self.lexer.unit() else {
            let message = "expected `)` to close the unit, found the end of the line";
            let diagnostic = Diagnostic::error(Code::SyntaxUnclosed, open, message).label("this unit is never closed");
            return Err(self.fail(diagnostic));
        };
        self.advance();
        self.previous.span = Span::new(open.start, span.end + 1);
        Ok(Unit { text: self.lexer.text(span).to_owned(), span })
    }

    /// `[3]` or `[N]`, if there is one.
    pub(super) fn length(&mut self) -> Parse<Option<Length>> {
        if !self.accept("[") {
            return Ok(None);
        }
        let length = self.count("the length of the array")?;
        self.expect("]", "after the length of the array")?;
        Ok(Some(length))
    }

    pub(super) fn count(&mut self, what: &str) -> Parse<Length> {
        match self.token.kind {
            TokenKind::Name => self.name(what).map(Length::Define),
            TokenKind::Integer => {
                let Ok(count) = self.text(self.token).parse() else {
                    return Err(self.bad_number());
                };
                self.advance();
                Ok(Length::Number(count))
            }
            _ => Err(self.expected(what)),
        }
    }

    pub(super) fn bad_number(&self) -> Failure {
        let message = format!("`{}` is no number that can be used here", self.text(self.token));
        self.fail(Diagnostic::error(Code::SyntaxNumber, self.here(), message).label("bad number"))
    }

    /// An integer or a real without a sign, as written; the name of a DEFINE stands for its number.
    pub(super) fn number(&mut self) -> Parse<Number> {
        let text = self.text(self.token);
        let number = match self.token.kind {
            TokenKind::Integer | TokenKind::Real => {
                let Some(value) = text.parse().ok().filter(|value: &f64| value.is_finite()) else {
                    return Err(self.bad_number());
                };
                Number { text: text.to_owned(), value, span: self.token.span }
            }
            TokenKind::Name if self.defines.contains_key(text) => {
                let Some(number) = self.defines.get(text).cloned() else {
                    return Err(self.bad_number());
                };
                Number { span: self.token.span, ..number }
            }
            _ => return Err(self.expected_after("a number")),
        };
        self.advance();
        Ok(number)
    }

    pub(super) fn signed(&mut self) -> Parse<f64> {
        let negative = self.accept("-");
        let value = self.number()?.value;
        Ok(if negative { -value } else { value })
    }
}
