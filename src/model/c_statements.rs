//! C statements that NMODL has not, as NMODL: `switch` on the counter of a FROM loop, an assignment inside the condition
//! of an `if`, statements without braces, elements of arrays; what prints is left out.
//!
//! Other text than the code's has no places in it, so all that comes of it gets the place of the VERBATIM.

use crate::syntax::ast::{Expr, ExprKind, Place, Statement, StatementKind};
use crate::syntax::c::{is_word, only_looks};
use crate::syntax::span::Span;

/// What turns a token into NMODL, by the tokens before and after it.
pub(super) type Spelling<'a> = dyn Fn(&'a str, &str, &str) -> Option<&'a str> + 'a;

/// The code as NMODL; `is_counter` knows the counters of FROM loops, by their names in C.
pub(super) fn spelled<'a>(
    tokens: &[&'a str],
    spelling: &Spelling<'a>,
    is_counter: &dyn Fn(&str) -> bool,
) -> Option<String> {
    let mut reader = Reader { tokens, at: 0, spelling, is_counter, text: String::new() };
    while reader.at < tokens.len() {
        reader.statement()?;
    }
    Some(reader.text)
}

struct Reader<'t, 'a> {
    tokens: &'t [&'a str],
    at: usize,
    spelling: &'t Spelling<'a>,
    is_counter: &'t dyn Fn(&str) -> bool,
    text: String,
}

impl<'a> Reader<'_, 'a> {
    fn next(&self) -> &'a str {
        self.tokens.get(self.at).copied().unwrap_or_default()
    }

    fn take(&mut self, token: &str) -> Option<()> {
        (self.next() == token).then(|| self.at += 1)
    }

    fn statement(&mut self) -> Option<()> {
        match self.next() {
            ";" => self.take(";"),
            "{" => self.braces(),
            "if" => self.conditional(false),
            "switch" => self.switch(),
            "printf" | "fprintf" | "fflush" | "assert" => self.idle(),
            _ => {
                let end = self.end_of(";", self.at)?;
                self.spell(";", end)?;
                self.text.push('\n');
                self.take(";")
            }
        }
    }

    fn braces(&mut self) -> Option<()> {
        self.take("{")?;
        while self.next() != "}" {
            if self.next().is_empty() {
                return None;
            }
            self.statement()?;
        }
        self.take("}")
    }

    /// Printing changes nothing.
    fn idle(&mut self) -> Option<()> {
        let end = self.end_of(";", self.at)?;
        let looks = only_looks(&self.tokens[self.at..=end]);
        self.at = end + 1;
        looks.then_some(())
    }

    fn conditional(&mut self, is_else: bool) -> Option<()> {
        self.take("if")?;
        self.take("(")?;
        let close = self.end_of(")", self.at)?;
        // `if ((place = value) < limit)`
        let mut set = String::new();
        if self.next() == "(" && !is_else {
            let inner = self.end_of(")", self.at + 1)?;
            let middle = (self.at + 1..inner).find(|at| self.tokens[*at] == "=");
            if let Some(middle) = middle {
                let place = &self.tokens[self.at + 1..middle];
                if self.tokens[inner..close].contains(place.first()?) {
                    return None;
                }
                self.at += 1;
                set = self.spelled(";", middle)?;
                self.take("=")?;
                let value = self.spelled("(", inner)?;
                self.text.push_str(&format!("{set} = {value}\n"));
                self.take(")")?;
            }
        }
        self.text.push_str(&format!("IF ({set}"));
        self.spell(if set.is_empty() { "(" } else { "0" }, close)?;
        self.text.push_str(") {\n");
        self.take(")")?;
        self.statement()?;
        self.text.push_str("}\n");
        if self.take("else").is_some() {
            self.text.push_str("ELSE ");
            if self.next() == "if" {
                return self.conditional(true);
            }
            self.text.push_str("{\n");
            self.statement()?;
            self.text.push_str("}\n");
        }
        Some(())
    }

    /// Each case ends with `break`, or is the last.
    fn switch(&mut self) -> Option<()> {
        self.take("switch")?;
        self.take("(")?;
        let counter = self.next();
        if !(self.is_counter)(counter) {
            return None;
        }
        let name = self.spelled("(", self.at + 1)?;
        self.take(")")?;
        self.take("{")?;
        let mut is_first = true;
        while self.take("}").is_none() {
            let mut labels = Vec::new();
            let mut is_default = false;
            loop {
                if self.take("case").is_some() {
                    labels.push(format!("{name} == {}", whole(self.next())?));
                    self.at += 1;
                } else if self.take("default").is_some() {
                    is_default = true;
                } else {
                    break;
                }
                self.take(":")?;
            }
            self.text.push_str(match (is_first, is_default) {
                (true, true) => return None,
                (false, true) => "ELSE {\n",
                (true, false) => "",
                (false, false) => "ELSE ",
            });
            if !is_default {
                if labels.is_empty() {
                    return None;
                }
                self.text.push_str(&format!("IF ({}) {{\n", labels.join(" || ")));
            }
            while !["break", "}"].contains(&self.next()) {
                if ["", "case", "default"].contains(&self.next()) {
                    return None;
                }
                self.statement()?;
            }
            self.text.push_str("}\n");
            if self.take("break").is_some() {
                self.take(";")?;
            }
            if is_default {
                return self.take("}");
            }
            is_first = false;
        }
        Some(())
    }

    /// The tokens up to `end`, which follow `before`.
    fn spell(&mut self, before: &str, end: usize) -> Option<()> {
        let text = self.spelled(before, end)?;
        self.text.push_str(&text);
        Some(())
    }

    fn spelled(&mut self, before: &str, end: usize) -> Option<String> {
        let mut text = String::new();
        let first = self.at;
        while self.at < end {
            let token = self.next();
            let before = if self.at == first { before } else { self.tokens[self.at - 1] };
            let after = self.tokens.get(self.at + 1).copied().unwrap_or_default();
            let written = match token {
                "[" | "]" => token,
                _ => (self.spelling)(token, before, after)?,
            };
            text.push_str(written);
            text.push(' ');
            self.at += 1;
        }
        Some(text)
    }

    /// Where a token stands next, outside of any parentheses that open here.
    fn end_of(&self, token: &str, from: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for (at, found) in self.tokens.iter().enumerate().skip(from) {
            match *found {
                found if found == token && depth == 0 => return Some(at),
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.checked_sub(1)?,
                "{" | "}" => return None,
                _ => {}
            }
        }
        None
    }
}

/// A whole number.
fn whole(token: &str) -> Option<&str> {
    (!is_word(token) && token.chars().all(|digit| digit.is_ascii_digit())).then_some(token)
}

/// Gives all of some statements one place.
pub(super) fn place(statements: &mut [Statement], span: Span) {
    for statement in statements {
        statement.span = span;
        match &mut statement.kind {
            StatementKind::Assign(Place { name, index }, value) => {
                name.span = span;
                if let Some(index) = index {
                    place_expression(index, span);
                }
                place_expression(value, span);
            }
            StatementKind::If(branches, otherwise) => {
                for (condition, body) in branches {
                    place_expression(condition, span);
                    place(body, span);
                }
                if let Some(body) = otherwise {
                    place(body, span);
                }
            }
            // Nothing else comes of C code.
            _ => {}
        }
    }
}

fn place_expression(expression: &mut Expr, span: Span) {
    expression.span = span;
    match &mut expression.kind {
        ExprKind::Index(_, operand) | ExprKind::Unary(_, operand) => place_expression(operand, span),
        ExprKind::Binary(_, left, right) => {
            place_expression(left, span);
            place_expression(right, span);
        }
        ExprKind::Call(name, arguments) => {
            name.span = span;
            for argument in arguments {
                place_expression(argument, span);
            }
        }
        ExprKind::Number(number, _) => number.span = span,
        ExprKind::Name(_) | ExprKind::Prime(..) | ExprKind::String(_) => {}
    }
}
