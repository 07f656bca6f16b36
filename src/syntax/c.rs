//! C code in VERBATIM, as far as anything asks what it does: its tokens.

use nom::branch::alt;
use nom::bytes::complete::{escaped, is_not, tag, take, take_until, take_while, take_while1};
use nom::character::complete::{anychar, char, digit0, digit1, none_of, one_of};
use nom::combinator::{opt, recognize, rest};
use nom::multi::many0;
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

/// What may be called: it prints, ends the run, or winds a stream of random numbers back, which
/// shows only where one is drawn.
const CALLS: [&str; 6] = ["printf", "fprintf", "fflush", "assert", "hoc_execerror", "nrnran123_setseq"];
/// Operators that only read.
const READING: [&str; 18] =
    ["==", "!=", "<=", ">=", "&&", "||", "->", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", "."];
const PUNCTUATION: [&str; 8] = ["(", ")", "{", "}", "[", "]", ",", ";"];
/// Words that begin something else than an expression.
const WORDS: [&str; 10] = ["return", "goto", "break", "continue", "asm", "for", "while", "do", "switch", "case"];

/// The tokens of C code. What `#if` leaves out is not left out.
pub fn tokens(code: &str) -> Option<Vec<&str>> {
    let (left, tokens) = many0(delimited(idle, token, idle)).parse(code).ok()?;
    let (left, ()) = idle(left).ok()?;
    left.is_empty().then_some(tokens)
}

/// A name or a keyword.
pub fn is_word(token: &str) -> bool {
    token.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
}

/// A number, with its suffix.
pub fn is_number(token: &str) -> bool {
    token.trim_start_matches('.').starts_with(|first: char| first.is_ascii_digit())
}

/// Whether code sets no variable, declares none and leaves nothing.
pub fn only_looks(tokens: &[&str]) -> bool {
    let mut open = Vec::new();
    for (i, token) in tokens.iter().copied().enumerate() {
        let before = i.checked_sub(1).map_or("", |before| tokens[before]);
        let fits = match token {
            "(" if is_word(before) => CALLS.contains(&before) || before == "if",
            // Else a call through a pointer.
            "(" => before != ")",
            "else" => [";", "}"].contains(&before),
            "if" => ["", ";", "}", "{", ")", "else"].contains(&before),
            _ if is_word(token) => !WORDS.contains(&token) && (!is_word(before) || before == "else"),
            _ => {
                READING.contains(&token)
                    || PUNCTUATION.contains(&token)
                    || is_number(token)
                    || token.starts_with(['"', '\''])
            }
        };
        let balanced = match token {
            "(" | "{" | "[" => {
                open.push(token);
                true
            }
            ")" => open.pop() == Some("("),
            "}" => open.pop() == Some("{"),
            "]" => open.pop() == Some("["),
            _ => true,
        };
        if !fits || !balanced {
            return false;
        }
    }
    open.is_empty() && matches!(tokens.last(), None | Some(&(";" | "}")))
}

fn token(input: &str) -> IResult<&str, &str> {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let quoted = |mark: char, inside: &'static str| {
        recognize((char(mark), opt(escaped(none_of(inside), '\\', anychar)), char(mark)))
    };
    alt((
        number,
        take_while1(letter),
        quoted('"', "\\\""),
        quoted('\'', "\\'"),
        alt((tag("<<="), tag(">>="), tag("=="), tag("!="), tag("<="), tag(">="), tag("&&"), tag("||"), tag("->"))),
        alt((tag("++"), tag("--"), tag("+="), tag("-="), tag("*="), tag("/="), tag("<<"), tag(">>"))),
        take(1usize),
    ))
    .parse(input)
}

fn number(input: &str) -> IResult<&str, &str> {
    let digits = alt((recognize((digit1, opt((char('.'), digit0)))), recognize((char('.'), digit1))));
    let exponent = (one_of("eE"), opt(one_of("+-")), digit1);
    recognize((digits, opt(exponent), take_while(|c: char| c.is_ascii_alphanumeric()))).parse(input)
}

/// Blanks, comments and conditional compilation.
fn idle(input: &str) -> IResult<&str, ()> {
    let blank = take_while1(|c: char| c.is_ascii_whitespace());
    let long = recognize((tag("/*"), take_until("*/"), tag("*/")));
    let open = recognize((tag("/*"), rest));
    let short = recognize((tag("//"), opt(is_not("\n"))));
    let conditional = preceded(
        (char('#'), take_while(|c| c == ' ' || c == '\t')),
        recognize((
            alt((tag("ifdef"), tag("ifndef"), tag("if"), tag("elif"), tag("else"), tag("endif"))),
            opt(is_not("\n")),
        )),
    );
    let (left, _) = many0(alt((blank, long, open, short, conditional))).parse(input)?;
    Ok((left, ()))
}
