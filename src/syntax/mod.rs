//! NMODL as text and as a tree.

pub mod ast;
pub mod c;
pub mod lexer;
mod parser;
pub mod precedence;
pub mod print;
pub mod sources;
pub mod span;
pub mod token;
pub mod visit;

use crate::diagnostic::Diagnostic;

/// Parses the text of one `.mod` file.
///
/// # Errors
///
/// All that is wrong with its syntax, in the order of the file (at most 20).
pub fn parse(text: &str) -> Result<ast::Program, Vec<Diagnostic>> {
    parser::program(text)
}

/// Parses one expression.
///
/// # Errors
///
/// What is wrong with it.
pub fn parse_expression(text: &str) -> Result<ast::Expr, Vec<Diagnostic>> {
    parser::expression(text)
}

/// The text of a file: UTF-8, else Latin-1; line ends become `\n`.
#[must_use]
pub fn decode(bytes: &[u8]) -> String {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    };
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text }
}
