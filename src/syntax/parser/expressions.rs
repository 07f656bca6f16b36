//! Expressions, by precedence climbing.

use super::{Parse, Parser};
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, Name, Number, Place, UnaryOp};
use crate::syntax::precedence::{UNARY, groups_right, precedence};
use crate::syntax::token::TokenKind;

/// Height of an expression's tree; passes over trees recurse this deep.
const MAX_HEIGHT: usize = 500;

fn operator(symbol: &str) -> Option<BinaryOp> {
    Some(match symbol {
        "+" => BinaryOp::Add,
        "-" => BinaryOp::Sub,
        "*" => BinaryOp::Mul,
        "/" => BinaryOp::Div,
        "%" => BinaryOp::Mod,
        "^" => BinaryOp::Pow,
        "<" => BinaryOp::Lt,
        "<=" => BinaryOp::Le,
        ">" => BinaryOp::Gt,
        ">=" => BinaryOp::Ge,
        "==" => BinaryOp::Eq,
        "!=" => BinaryOp::Ne,
        "&&" => BinaryOp::And,
        "||" => BinaryOp::Or,
        _ => return None,
    })
}

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Parse<Expr> {
        self.binary(0)
    }

    fn binary(&mut self, least: u8) -> Parse<Expr> {
        self.deeper(1)?;
        let mut left = self.prefix()?;
        while let TokenKind::Symbol(symbol) = self.token.kind {
            let Some(op) = operator(symbol) else { break };
            let level = precedence(op);
            if level < least {
                break;
            }
            self.advance();
            let height = self.height;
            let right = self.binary(if groups_right(op) { level } else { level + 1 })?;
            self.grow(height.max(self.height))?;
            let span = left.span.to(right.span);
            left = Expr { kind: ExprKind::Binary(op, Box::new(left), Box::new(right)), span };
        }
        self.depth -= 1;
        Ok(left)
    }

    fn grow(&mut self, height: usize) -> Parse<()> {
        if height >= MAX_HEIGHT {
            return Err(self.too_deep());
        }
        self.height = height + 1;
        Ok(())
    }

    fn prefix(&mut self) -> Parse<Expr> {
        let op = match self.token.kind {
            TokenKind::Symbol("-") => UnaryOp::Minus,
            TokenKind::Symbol("!") => UnaryOp::Not,
            _ => return self.primary(),
        };
        let sign = self.advance();
        let operand = self.binary(UNARY)?;
        self.grow(self.height)?;
        let span = sign.span.to(operand.span);
        Ok(Expr { kind: ExprKind::Unary(op, Box::new(operand)), span })
    }

    fn primary(&mut self) -> Parse<Expr> {
        self.height = 1;
        match self.token.kind {
            TokenKind::Integer | TokenKind::Real => self.literal(),
            TokenKind::Symbol("(") => self.parenthesized(),
            // INT(x) gives an integer; it stands in indices and loops.
            TokenKind::Keyword("INT") => self.integer_part(),
            TokenKind::Name => self.variable_or_call(),
            TokenKind::Primed(order) => self.prime(order),
            _ => Err(self.expected_after("an expression")),
        }
    }

    fn literal(&mut self) -> Parse<Expr> {
        let number = self.number()?;
        self.quantity(number)
    }

    fn integer_part(&mut self) -> Parse<Expr> {
        let token = self.advance();
        let name = self.named(token);
        self.call(name)
    }

    fn variable_or_call(&mut self) -> Parse<Expr> {
        let token = self.advance();
        let name = self.named(token);
        if !self.at("(") {
            return self.variable(name);
        }
        match self.defines.get(self.text(token)).cloned() {
            // After a number, and so after its DEFINE name, parentheses hold a unit.
            Some(number) => self.quantity(Number { span: token.span, ..number }),
            None => self.call(name),
        }
    }

    fn prime(&mut self, order: u32) -> Parse<Expr> {
        let token = self.advance();
        let name = self.named(token);
        if self.at("[") {
            return self.variable(name);
        }
        let text = name.text.trim_end_matches('\'').to_owned();
        Ok(Expr { kind: ExprKind::Prime(text, order), span: token.span })
    }

    fn quantity(&mut self, number: Number) -> Parse<Expr> {
        let start = number.span;
        let unit = self.unit()?;
        let span = if unit.is_some() { start.to(self.previous.span) } else { start };
        Ok(Expr { kind: ExprKind::Number(number, unit), span })
    }

    fn parenthesized(&mut self) -> Parse<Expr> {
        let open = self.advance();
        let inner = self.expression()?;
        let close = self.expect(")", "to close `(`")?;
        Ok(Expr { kind: inner.kind, span: open.span.to(close.span) })
    }

    pub(super) fn call(&mut self, name: Name) -> Parse<Expr> {
        self.expect("(", "before the arguments")?;
        let mut arguments = Vec::new();
        let mut height = 0;
        self.deeper(1)?;
        if !self.at(")") {
            loop {
                arguments.push(self.argument()?);
                height = height.max(self.height);
                if !self.accept(",") {
                    break;
                }
            }
        }
        self.depth -= 1;
        let close = self.expect(")", "to close the arguments")?;
        self.grow(height)?;
        let span = name.span.to(close.span);
        Ok(Expr { kind: ExprKind::Call(name, arguments), span })
    }

    fn argument(&mut self) -> Parse<Expr> {
        if self.token.kind != TokenKind::String {
            return self.expression();
        }
        let token = self.advance();
        self.height = 1;
        let text = self.text(token).trim_matches('"').to_owned();
        Ok(Expr { kind: ExprKind::String(text), span: token.span })
    }

    fn variable(&mut self, name: Name) -> Parse<Expr> {
        let place = self.place(name)?;
        let start = place.name.span;
        Ok(match place.index {
            None => Expr { kind: ExprKind::Name(place.name.text), span: start },
            Some(index) => {
                self.grow(self.height)?;
                let span = start.to(self.previous.span);
                Expr { kind: ExprKind::Index(place.name.text, index), span }
            }
        })
    }

    /// What may follow the name of a variable: `@1` in old files, `[index]`.
    pub(super) fn place(&mut self, mut name: Name) -> Parse<Place> {
        if self.accept("@") {
            if self.token.kind != TokenKind::Integer {
                return Err(self.expected_after("an integer"));
            }
            let step = self.advance();
            name.text = format!("{}@{}", name.text, self.text(step));
            name.span = name.span.to(step.span);
        }
        if !self.accept("[") {
            return Ok(Place { name, index: None });
        }
        self.deeper(1)?;
        let index = self.expression()?;
        self.depth -= 1;
        self.expect("]", "to close the index")?;
        Ok(Place { name, index: Some(Box::new(index)) })
    }
}
