//! The words and signs of NMODL.

use crate::syntax::span::Span;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Name,
    /// A name with this many primes: `m'`.
    Primed(u32),
    Integer,
    Real,
    /// Text in double quotes.
    String,
    Keyword(&'static str),
    Symbol(&'static str),
    /// A character that begins no token of NMODL.
    Unknown,
    End,
}

#[derive(Clone, Copy, Debug)]
pub struct Token {
    pub kind: TokenKind,
    pub span: Span,
}

/// Sorted, so that they can be searched.
const KEYWORDS: &[&str] = &[
    "AFTER",
    "ARTIFICIAL_CELL",
    "ASSIGNED",
    "BBCOREPOINTER",
    "BEFORE",
    "BREAKPOINT",
    "BY",
    "CHARGE",
    "COMMENT",
    "COMPARTMENT",
    "CONDUCTANCE",
    "CONSERVE",
    "CONSTANT",
    "CONSTRUCTOR",
    "DEFINE",
    "DEL",
    "DEL2",
    "DEPEND",
    "DERIVATIVE",
    "DESTRUCTOR",
    "DISCRETE",
    "ELECTRODE_CURRENT",
    "ELSE",
    "EQUATION",
    "EXTERNAL",
    "FOR_NETCONS",
    "FROM",
    "FUNCTION",
    "FUNCTION_TABLE",
    "GLOBAL",
    "IF",
    "INCLUDE",
    "INDEPENDENT",
    "INITIAL",
    "INT",
    "KINETIC",
    "LAG",
    "LINEAR",
    "LOCAL",
    "LONGITUDINAL_DIFFUSION",
    "METHOD",
    "MUTEXLOCK",
    "MUTEXUNLOCK",
    "NET_RECEIVE",
    "NEURON",
    "NONLINEAR",
    "NONSPECIFIC_CURRENT",
    "PARAMETER",
    "POINTER",
    "POINT_PROCESS",
    "PROCEDURE",
    "PROTECT",
    "RANDOM",
    "RANGE",
    "READ",
    "REPRESENTS",
    "SOLVE",
    "SOLVEFOR",
    "START",
    "STATE",
    "STEADYSTATE",
    "STEP",
    "SUFFIX",
    "SWEEP",
    "TABLE",
    "THREADSAFE",
    "TITLE",
    "TO",
    "UNITS",
    "UNITSOFF",
    "UNITSON",
    "USEION",
    "VALENCE",
    "VERBATIM",
    "VS",
    "WATCH",
    "WHILE",
    "WITH",
    "WRITE",
];

/// The keyword a word is. Only IF, ELSE and WHILE may be in lower case.
#[must_use]
pub fn keyword(word: &str) -> Option<&'static str> {
    match word {
        "if" => return Some("IF"),
        "else" => return Some("ELSE"),
        "while" => return Some("WHILE"),
        _ => {}
    }
    let found = KEYWORDS.binary_search(&word).ok()?;
    KEYWORDS.get(found).copied()
}

/// Longer ones first.
pub const SYMBOLS: &[&str] = &[
    "<->", "<=", ">=", "==", "!=", "&&", "||", "~+", "<", ">", "!", "~", "{", "}", "(", ")", "[", "]", "@", "+", "-",
    "*", "/", "%", "=", "^", ",",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_sorted() {
        assert!(KEYWORDS.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
