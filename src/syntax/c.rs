//! C code in VERBATIM, as far as anything asks what it does: its tokens.

use nom::branch::alt;
use nom::bytes::complete::{escaped, is_not, tag, take, take_until, take_while, take_while1};
use nom::character::complete::{anychar, char, digit0, digit1, none_of, one_of};
use nom::combinator::{opt, recognize, rest};
use nom::multi::many0;
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

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
