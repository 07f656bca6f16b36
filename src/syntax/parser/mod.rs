//! A parser by recursive descent that looks one token ahead.

mod blocks;
mod declarations;
mod expressions;
mod neuron;
mod reactions;
mod statements;

use std::collections::HashMap;

use super::ast::{Length, Name, Number, Opaque, Program, Unit};
use super::lexer::Lexer;
use super::span::Span;
use super::token::{Token, TokenKind};
use crate::diagnostic::{line_column, Diagnostic};

/// Nested parentheses and blocks; keeps the stack small.
const MAX_DEPTH: usize = 150;
/// More would be noise.
const MAX_ERRORS: usize = 20;

/// Words that begin something at file level and can stand nowhere in a block.
const BLOCK_WORDS: &[&str] = &[
    "TITLE", "NEURON", "UNITS", "PARAMETER", "CONSTANT", "ASSIGNED", "STATE", "INDEPENDENT",
    "BREAKPOINT", "EQUATION", "DERIVATIVE", "KINETIC", "LINEAR", "NONLINEAR", "DISCRETE",
    "PROCEDURE", "FUNCTION", "FUNCTION_TABLE", "NET_RECEIVE", "BEFORE", "AFTER", "CONSTRUCTOR",
    "DESTRUCTOR", "DEFINE", "INCLUDE", "INITIAL",
];

struct Failure {
    diagnostic: Box<Diagnostic>,
    /// The enclosing block is lost too.
    fatal: bool,
}

type Parse<T> = Result<T, Failure>;

/// The kind of block around a statement, as far as it decides what may stand there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Kinetic,
    /// LINEAR, NONLINEAR and DERIVATIVE: `~` begins an equation.
    Equations,
    NetReceive,
    /// FUNCTION and PROCEDURE: TABLE is allowed.
    Callable,
    Other,
}

struct Parser<'a> {
    source: &'a str,
    lexer: Lexer<'a>,
    /// The next token, not yet consumed; the lexer stands right after it.
    token: Token,
    previous: Token,
    errors: Vec<Diagnostic>,
    context: Context,
    depth: usize,
    /// Height of the expression parsed last.
    height: usize,
    /// DEFINE names and their numbers.
    defines: HashMap<&'a str, Number>,
}

pub fn program(source: &str) -> Result<Program, Vec<Diagnostic>> {
    let mut lexer = Lexer::new(source);
    let token = lexer.next_token();
    let previous = Token { kind: TokenKind::End, span: Span::new(0, 0) };
    let mut parser = Parser {
        source,
        lexer,
        token,
        previous,
        errors: Vec::new(),
        context: Context::Other,
        depth: 0,
        height: 0,
        defines: HashMap::new(),
    };
    let items = parser.items();
    if parser.errors.is_empty() {
        Ok(Program { items, comments: parser.lexer.into_comments() })
    } else {
        Err(parser.errors)
    }
}

impl<'a> Parser<'a> {
    fn text(&self, token: Token) -> &'a str {
        self.lexer.text(token.span)
    }

    fn at(&self, text: &str) -> bool {
        matches!(self.token.kind, TokenKind::Keyword(it) | TokenKind::Symbol(it) if it == text)
    }

    /// A word that is a keyword only at this place.
    fn at_word(&self, word: &str) -> bool {
        self.token.kind == TokenKind::Name && self.text(self.token) == word
    }

    fn at_end(&self) -> bool {
        self.token.kind == TokenKind::End
    }

    fn at_block_word(&self) -> bool {
        matches!(self.token.kind, TokenKind::Keyword(word) if BLOCK_WORDS.contains(&word))
    }

    fn advance(&mut self) -> Token {
        self.previous = self.token;
        self.token = self.lexer.next_token();
        self.previous
    }

    fn accept(&mut self, text: &str) -> bool {
        let found = self.at(text);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, text: &str, why: &str) -> Parse<Token> {
        if self.at(text) {
            return Ok(self.advance());
        }
        Err(self.expected(&format!("`{text}` {why}")))
    }

    fn expected(&self, what: &str) -> Failure {
        let message = format!("expected {}, found {}", what.trim_end(), self.found());
        let label = format!("expected {}", what.split(" (").next().unwrap_or(what).trim_end());
        self.fail(Diagnostic::error("syntax-expected", self.here(), message).label(label))
    }

    fn expected_after(&self, what: &str) -> Failure {
        match self.previous.kind {
            TokenKind::End => self.expected(what),
            _ => self.expected(&format!("{what} after `{}`", self.text(self.previous))),
        }
    }

    // A method, so that it reads like the others.
    #[allow(clippy::unused_self)]
    fn fail(&self, diagnostic: Diagnostic) -> Failure {
        Failure { diagnostic: Box::new(diagnostic), fatal: false }
    }

    fn found(&self) -> String {
        match self.token.kind {
            TokenKind::End => "the end of the file".to_owned(),
            TokenKind::Keyword(word) => format!("the keyword {word}"),
            _ => format!("`{}`", self.text(self.token)),
        }
    }

    /// The next token; at the end of the file, the last one.
    fn here(&self) -> Span {
        if self.at_end() { self.previous.span } else { self.token.span }
    }

    fn unclosed(&self, owner: &str, open: Span) -> Failure {
        let (line, _) = line_column(self.source, open.start);
        let what = format!("`}}` to close {owner} (opened at line {line})");
        let message = format!("expected {what}, found {}", self.found());
        let diagnostic = Diagnostic::error("syntax-unclosed", self.here(), message)
            .label(format!("{owner} is still open here"));
        Failure { diagnostic: Box::new(diagnostic), fatal: true }
    }

    fn misplaced(&self, span: Span, message: &str) -> Failure {
        self.fail(Diagnostic::error("syntax-misplaced", span, message).label("not allowed here"))
    }

    fn deeper(&mut self) -> Parse<()> {
        if self.depth >= MAX_DEPTH {
            return Err(self.too_deep());
        }
        self.depth += 1;
        Ok(())
    }

    fn too_deep(&self) -> Failure {
        let message = format!("nested too deeply (more than {MAX_DEPTH} levels)");
        self.fail(Diagnostic::error("syntax-nesting", self.here(), message).label("too deep"))
    }

    /// `false` when there are enough errors.
    fn report(&mut self, failure: Failure) -> bool {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(*failure.diagnostic);
        }
        self.errors.len() < MAX_ERRORS
    }

    /// Skips to the first token of a later line, or to a brace or keyword that ends the block.
    fn skip_line(&mut self) {
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
    fn skip_block(&mut self) {
        while !self.at_end() && !self.at_block_word() {
            self.skip_token();
        }
    }

    /// The bodies of VERBATIM and COMMENT are no tokens.
    fn skip_token(&mut self) {
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

    fn name(&mut self, what: &str) -> Parse<Name> {
        if self.token.kind == TokenKind::Name {
            let token = self.advance();
            return Ok(self.named(token));
        }
        Err(self.expected_after(what))
    }

    fn named(&self, token: Token) -> Name {
        Name { text: self.text(token).to_owned(), span: token.span }
    }

    /// `a, b, c`
    fn names(&mut self, what: &str) -> Parse<Vec<Name>> {
        let mut names = vec![self.name(what)?];
        while self.accept(",") {
            names.push(self.name(what)?);
        }
        Ok(names)
    }

    fn opaque(&self, span: Span) -> Opaque {
        Opaque { text: self.lexer.text(span).to_owned(), span }
    }

    /// The body of VERBATIM or COMMENT; the keyword is the next token.
    fn opaque_lines(&mut self, end: &str) -> Parse<Opaque> {
        let keyword = self.token.span;
        let Some(body) = self.lexer.lines_until(end) else {
            self.advance();
            let word = self.lexer.text(keyword);
            let message = format!("expected a line that begins with {end}, found the end of the file");
            let diagnostic = Diagnostic::error("syntax-unclosed", keyword, message)
                .label(format!("this {word} is never closed"));
            return Err(Failure { diagnostic: Box::new(diagnostic), fatal: true });
        };
        self.advance();
        Ok(self.opaque(body))
    }

    /// `(mA/cm2)`, if there is one.
    fn unit(&mut self) -> Parse<Option<Unit>> {
        if self.at("(") { self.required_unit().map(Some) } else { Ok(None) }
    }

    fn required_unit(&mut self) -> Parse<Unit> {
        if !self.at("(") {
            return Err(self.expected_after("a unit in parentheses"));
        }
        let open = self.token.span;
        let Some(span) = self.lexer.unit() else {
            let message = "expected `)` to close the unit, found the end of the line";
            let diagnostic = Diagnostic::error("syntax-unclosed", open, message)
                .label("this unit is never closed");
            return Err(self.fail(diagnostic));
        };
        self.advance();
        self.previous.span = Span::new(open.start, span.end + 1);
        Ok(Unit { text: self.lexer.text(span).to_owned(), span })
    }

    /// `[3]` or `[N]`, if there is one.
    fn length(&mut self) -> Parse<Option<Length>> {
        if !self.accept("[") {
            return Ok(None);
        }
        let length = self.count("the length of the array")?;
        self.expect("]", "after the length of the array")?;
        Ok(Some(length))
    }

    fn count(&mut self, what: &str) -> Parse<Length> {
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

    fn bad_number(&self) -> Failure {
        let message = format!("`{}` is no number that can be used here", self.text(self.token));
        self.fail(Diagnostic::error("syntax-number", self.here(), message).label("bad number"))
    }

    /// An integer or a real without a sign, as written; the name of a DEFINE stands for its number.
    fn number(&mut self) -> Parse<Number> {
        let text = self.text(self.token);
        let number = match self.token.kind {
            TokenKind::Integer | TokenKind::Real => {
                let Ok(value) = text.parse() else { return Err(self.bad_number()) };
                Number { text: text.to_owned(), value, span: self.token.span }
            }
            TokenKind::Name if self.defines.contains_key(text) => {
                let Some(number) = self.defines.get(text).cloned() else { return Err(self.bad_number()) };
                Number { span: self.token.span, ..number }
            }
            _ => return Err(self.expected_after("a number")),
        };
        self.advance();
        Ok(number)
    }

    fn signed(&mut self) -> Parse<f64> {
        let negative = self.accept("-");
        let value = self.number()?.value;
        Ok(if negative { -value } else { value })
    }
}
