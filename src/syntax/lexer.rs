//! Text to tokens, one at a time.
//!
//! What a piece of NMODL text is depends on where it stands (a unit, a title,
//! a VERBATIM body), so the parser pulls tokens and asks for raw text itself.

use nom::branch::alt;
use nom::bytes::complete::{take_till, take_while, take_while1};
use nom::character::complete::{char, digit0, digit1, one_of, satisfy};
use nom::combinator::{opt, recognize};
use nom::sequence::delimited;
use nom::{IResult, Parser};

use crate::syntax::ast::Comment;
use crate::syntax::span::Span;
use crate::syntax::token::{SYMBOLS, Token, TokenKind, keyword};

pub struct Lexer<'a> {
    source: &'a str,
    position: usize,
    comments: Vec<Comment>,
}

fn word(input: &str) -> IResult<&str, &str> {
    let rest = take_while(|c: char| c.is_ascii_alphanumeric() || c == '_');
    recognize((satisfy(|c| c.is_ascii_alphabetic()), rest)).parse(input)
}

fn exponent(input: &str) -> IResult<&str, &str> {
    recognize((one_of("eE"), opt(one_of("+-")), digit1)).parse(input)
}

fn real(input: &str) -> IResult<&str, &str> {
    alt((
        recognize((digit1, char('.'), digit0, opt(exponent))),
        recognize((char('.'), digit1, opt(exponent))),
        recognize((digit1, exponent)),
    ))
    .parse(input)
}

fn quoted(input: &str) -> IResult<&str, &str> {
    recognize(delimited(char('"'), take_till(|c| c == '"'), char('"'))).parse(input)
}

fn blank(input: &str) -> IResult<&str, &str> {
    take_while1(|c: char| matches!(c, ' ' | '\t' | '\r' | '\n' | '\x0b' | '\x0c')).parse(input)
}

fn comment(input: &str) -> IResult<&str, &str> {
    recognize((one_of(":?"), take_till(|c| c == '\n' || c == '\r'))).parse(input)
}

/// `CHEBI:29108` or `[CHEBI:29108]`: here the colon begins no comment.
fn ontology(input: &str) -> IResult<&str, &str> {
    let identifier = (word, char(':'), take_while(|c: char| c.is_ascii_alphanumeric() || c == '_'));
    let bare = (word, char(':'), take_while(|c: char| c.is_ascii_alphanumeric() || c == '_'));
    alt((recognize(delimited(char('['), identifier, char(']'))), recognize(bare))).parse(input)
}

/// One token at the start of `input`, and its length.
fn token(input: &str) -> (TokenKind, usize) {
    if let Ok((rest, text)) = word(input) {
        let primes = rest.bytes().take_while(|&b| b == b'\'').count();
        let kind = match keyword(text) {
            _ if primes > 0 => TokenKind::Primed(u32::try_from(primes).unwrap_or(u32::MAX)),
            Some(keyword) => TokenKind::Keyword(keyword),
            None => TokenKind::Name,
        };
        return (kind, text.len() + primes);
    }
    if let Ok((_, text)) = real(input) {
        return (TokenKind::Real, text.len());
    }
    if let Ok((_, text)) = digit1::<&str, nom::error::Error<&str>>(input) {
        return (TokenKind::Integer, text.len());
    }
    if let Some(symbol) = SYMBOLS.iter().find(|symbol| input.starts_with(**symbol)) {
        return (TokenKind::Symbol(symbol), symbol.len());
    }
    if let Ok((_, text)) = quoted(input) {
        return (TokenKind::String, text.len());
    }
    match input.chars().next() {
        // Control-D and control-Z end a file for NEURON.
        None | Some('\x04' | '\x1a') => (TokenKind::End, 0),
        Some(other) => (TokenKind::Unknown, other.len_utf8()),
    }
}

impl<'a> Lexer<'a> {
    #[must_use]
    pub fn new(source: &'a str) -> Self {
        Self { source, position: 0, comments: Vec::new() }
    }

    #[must_use]
    pub fn into_comments(self) -> Vec<Comment> {
        self.comments
    }

    #[must_use]
    pub fn text(&self, span: Span) -> &'a str {
        self.source.get(span.start..span.end).unwrap_or("")
    }

    fn rest(&self) -> &'a str {
        self.source.get(self.position..).unwrap_or("")
    }

    fn skip_trivia(&mut self) {
        loop {
            let rest = self.rest();
            if let Ok((_, text)) = blank(rest) {
                self.position += text.len();
            } else if let Ok((_, text)) = comment(rest) {
                let span = Span::new(self.position, self.position + text.len());
                self.comments.push(Comment { text: text.trim_end().to_owned(), span });
                self.position = span.end;
            } else {
                return;
            }
        }
    }

    pub fn next_token(&mut self) -> Token {
        self.skip_trivia();
        let (kind, length) = token(self.rest());
        let span = Span::new(self.position, self.position + length);
        self.position = span.end;
        Token { kind, span }
    }

    /// The text up to the next `)`, which must be on the same line; the position is then after it.
    pub fn unit(&mut self) -> Option<Span> {
        let rest = self.rest();
        let length = rest.find([')', '\n'])?;
        if rest.as_bytes().get(length) != Some(&b')') {
            return None;
        }
        let span = self.trimmed(self.position, self.position + length);
        self.position += length + 1;
        Some(span)
    }

    /// The rest of the line.
    pub fn line(&mut self) -> Span {
        let rest = self.rest();
        let length = rest.find('\n').unwrap_or(rest.len());
        let start = self.position;
        self.position += length;
        self.trimmed(start, self.position)
    }

    pub fn ontology(&mut self) -> Option<Span> {
        let rest = self.rest();
        let start = self.position + rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let (_, text) = ontology(self.source.get(start..).unwrap_or("")).ok()?;
        self.position = start + text.len();
        Some(Span::new(start, self.position))
    }

    /// Whole lines up to the one that begins with `end`. As in NEURON, what
    /// follows `end` on its line is ignored. Without such a line, nothing is left.
    pub fn lines_until(&mut self, end: &str) -> Option<Span> {
        let start = self.position;
        let mut at = start;
        for line in self.rest().split_inclusive('\n') {
            let word = line.trim_start_matches([' ', '\t']);
            let letters = word.bytes().take_while(u8::is_ascii_alphabetic).count();
            if word.get(..letters) == Some(end) {
                self.position = at + line.trim_end_matches('\n').len();
                return Some(self.body(start, at));
            }
            at += line.len();
        }
        self.position = self.source.len();
        None
    }

    /// A body without the end of the keyword's line (if blank) and without its last line end.
    fn body(&self, start: usize, end: usize) -> Span {
        let text = self.text(Span::new(start, end));
        let first = text.split_inclusive('\n').next().unwrap_or("");
        let start = if first.trim().is_empty() { start + first.len() } else { start };
        let text = self.text(Span::new(start, end));
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        Span::new(start, start + text.len())
    }

    fn trimmed(&self, start: usize, end: usize) -> Span {
        let text = self.text(Span::new(start, end));
        let start = start + text.len() - text.trim_start().len();
        Span::new(start, start + text.trim().len())
    }
}
