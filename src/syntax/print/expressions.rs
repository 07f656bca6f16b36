//! Expressions, with as few parentheses as the reader allows.

use super::{BREAK, unit};
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, UnaryOp};
use crate::syntax::precedence::{UNARY, groups_right, precedence, symbol};

pub fn text(expr: &Expr) -> String {
    let mut text = String::new();
    write(expr, &mut text);
    text
}

fn write(expr: &Expr, out: &mut String) {
    match &expr.kind {
        ExprKind::Number(number, of) => {
            out.push_str(&number.text);
            out.push_str(&unit(of.as_ref()));
        }
        ExprKind::Name(name) => out.push_str(name),
        ExprKind::Index(name, index) => {
            out.push_str(name);
            out.push('[');
            write(index, out);
            out.push(']');
        }
        ExprKind::Prime(name, order) => {
            out.push_str(name);
            (0..*order).for_each(|_| out.push('\''));
        }
        ExprKind::String(text) => {
            out.push('"');
            out.push_str(text);
            out.push('"');
        }
        ExprKind::Unary(op, operand) => {
            out.push(match op {
                UnaryOp::Minus => '-',
                UnaryOp::Not => '!',
            });
            // `--a` reads right, but not well.
            let twice = matches!(operand.kind, ExprKind::Unary(..));
            enclosed(operand, twice || level(operand) < UNARY, out);
        }
        ExprKind::Binary(op, left, right) => binary(*op, left, right, out),
        ExprKind::Call(name, arguments) => {
            out.push_str(&name.text);
            out.push('(');
            for (index, argument) in arguments.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                    out.push(BREAK);
                }
                write(argument, out);
            }
            out.push(')');
        }
    }
}

fn binary(op: BinaryOp, left: &Expr, right: &Expr, out: &mut String) {
    let own = precedence(op);
    let loose = |expr: &Expr, equal: bool| level(expr) < own || (equal && level(expr) == own);
    enclosed(left, loose(left, groups_right(op)), out);
    if op == BinaryOp::Pow {
        out.push('^');
    } else {
        out.push(BREAK);
        out.push_str(symbol(op));
        out.push(' ');
    }
    // `a - -b` reads right, but not well.
    let arithmetic = own > precedence(BinaryOp::Eq);
    let signed = arithmetic && matches!(right.kind, ExprKind::Unary(UnaryOp::Minus, _));
    enclosed(right, signed || loose(right, !groups_right(op)), out);
}

fn enclosed(expr: &Expr, parentheses: bool, out: &mut String) {
    if parentheses {
        out.push('(');
        write(expr, out);
        out.push(')');
    } else {
        write(expr, out);
    }
}

fn level(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::Binary(op, ..) => precedence(*op),
        ExprKind::Unary(..) => UNARY,
        _ => u8::MAX,
    }
}
