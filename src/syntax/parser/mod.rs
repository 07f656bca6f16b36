//! A parser by recursive descent that looks one token ahead.

mod blocks;
mod declarations;
mod events;
mod expressions;
mod neuron;
mod pieces;
mod reactions;
mod recovery;
mod statements;

use std::collections::HashMap;

use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{Expr, Item, Number, Opaque, Program};
use crate::syntax::lexer::Lexer;
use crate::syntax::span::Span;
use crate::syntax::token::{Token, TokenKind};

/// Nested parentheses, operands and blocks; keeps the stack small.
const MAX_DEPTH: usize = 240;
/// More would be noise.
const MAX_ERRORS: usize = 20;

/// Words that begin something at file level and can stand nowhere in a block.
const BLOCK_WORDS: &[&str] = &[
    "TITLE",
    "NEURON",
    "UNITS",
    "PARAMETER",
    "CONSTANT",
    "ASSIGNED",
    "STATE",
    "INDEPENDENT",
    "BREAKPOINT",
    "EQUATION",
    "DERIVATIVE",
    "KINETIC",
    "LINEAR",
    "NONLINEAR",
    "DISCRETE",
    "PROCEDURE",
    "FUNCTION",
    "FUNCTION_TABLE",
    "NET_RECEIVE",
    "BEFORE",
    "AFTER",
    "CONSTRUCTOR",
    "DESTRUCTOR",
    "DEFINE",
    "INCLUDE",
    "INITIAL",
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
    // NEURON would silently stop there; the printer uses it as a mark.
    if let Some(at) = source.find('\0') {
        let span = Span::new(at, at + 1);
        let message = "the file holds a NUL character; it is no text";
        return Err(vec![Diagnostic::error(Code::SyntaxCharacter, span, message)]);
    }
    let mut parser = parser(source);
    let items = parser.items();
    if parser.errors.is_empty() {
        Ok(Program { items, comments: parser.lexer.into_comments() })
    } else {
        Err(parser.errors)
    }
}

pub fn expression(source: &str) -> Result<Expr, Vec<Diagnostic>> {
    let mut parser = parser(source);
    let parsed = parser
        .expression()
        .and_then(|expr| if parser.at_end() { Ok(expr) } else { Err(parser.expected("the end of the expression")) });
    parsed.map_err(|failure| vec![*failure.diagnostic])
}

/// INCLUDE statements and the names in them, whatever else is wrong.
pub fn includes(source: &str) -> Vec<(Span, Span)> {
    let items = parser(source).items();
    let statement = |item| match item {
        Item::Include(Opaque { span, .. }) => {
            let start = source.get(..span.start)?.rfind("INCLUDE")?;
            Some((Span::new(start, span.end + 1), span))
        }
        _ => None,
    };
    items.into_iter().filter_map(statement).collect()
}

fn parser(source: &str) -> Parser<'_> {
    let mut lexer = Lexer::new(source);
    let token = lexer.next_token();
    let previous = Token { kind: TokenKind::End, span: Span::new(0, 0) };
    Parser {
        source,
        lexer,
        token,
        previous,
        errors: Vec::new(),
        context: Context::Other,
        depth: 0,
        height: 0,
        defines: HashMap::new(),
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
}
