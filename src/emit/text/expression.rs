//! Expressions as NMODL or C.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::code::{Code, Language};
use crate::graph::{Builtin, Comparison, Id, Input, Node};

/// How tightly an expression binds; a looser one inside needs parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
    Comparison,
    Sum,
    Product,
    Atom,
}

impl Code<'_> {
    /// The value of a root as an expression.
    pub fn value(&self, id: Id) -> String {
        self.expression(id, Binding::Or)
    }

    /// The value of a root as a factor.
    pub fn factor(&self, id: Id) -> String {
        self.expression(id, Binding::Product)
    }

    pub(super) fn write_name(&self, id: Id, out: &mut String) {
        let number = self.plan.names.get(&id).copied().unwrap_or_default();
        // Writing to a String can't fail.
        let _ = write!(out, "{}{number}", self.prefix);
    }

    fn expression(&self, id: Id, around: Binding) -> String {
        let mut text = String::new();
        self.write(id, around, &mut text);
        text
    }

    fn write(&self, id: Id, around: Binding, out: &mut String) {
        if let Some(name) = self.given.get(&id) {
            out.push_str(name);
        } else if self.plan.names.contains_key(&id) {
            self.write_name(id, out);
        } else if self.binding(id) < around {
            out.push('(');
            self.write_node(id, out);
            out.push(')');
        } else {
            self.write_node(id, out);
        }
    }

    fn binding(&self, id: Id) -> Binding {
        match self.graph.node(id) {
            Node::Number(bits) if is_negative(f64::from_bits(*bits)) => Binding::Sum,
            Node::Neg(_) | Node::Add(..) | Node::Sub(..) => Binding::Sum,
            Node::Mul(..) | Node::Div(..) => Binding::Product,
            Node::Compare(..) => Binding::Comparison,
            Node::And(..) => Binding::And,
            Node::Or(..) => Binding::Or,
            _ => Binding::Atom,
        }
    }

    pub(super) fn write_node(&self, id: Id, out: &mut String) {
        let mut binary = |a: &Id, sign: &str, b: &Id, right: Binding| {
            self.write(*a, self.binding(id), out);
            out.push_str(sign);
            self.write(*b, right, out);
        };
        match self.graph.node(id) {
            Node::Add(a, b) => binary(a, " + ", b, Binding::Product),
            Node::Sub(a, b) => binary(a, " - ", b, Binding::Product),
            Node::Mul(a, b) => binary(a, "*", b, Binding::Atom),
            Node::Div(a, b) => binary(a, "/", b, Binding::Atom),
            Node::Compare(comparison, a, b) => binary(a, sign(*comparison), b, Binding::Sum),
            // && and || bind alike in NMODL, so they are never mixed without parentheses.
            Node::And(a, b) => binary(a, " && ", b, Binding::Comparison),
            Node::Or(a, b) => binary(a, " || ", b, Binding::Comparison),
            Node::Number(bits) => self.write_number(f64::from_bits(*bits), out),
            Node::Input(input) => out.push_str(&self.input(*input)),
            Node::Neg(a) => {
                out.push('-');
                self.write(*a, Binding::Atom, out);
            }
            Node::Call(builtin, arguments) => {
                out.push_str(&self.function(*builtin));
                for (index, argument) in arguments.iter().enumerate() {
                    out.push_str(if index == 0 { "(" } else { ", " });
                    self.write(*argument, Binding::Or, out);
                }
                out.push(')');
            }
            Node::Not(a) => {
                out.push_str("!(");
                self.write(*a, Binding::Or, out);
                out.push(')');
            }
            Node::Phi(..) | Node::AfterLoop(..) => self.write_name(id, out),
            Node::Element(array, index) => self.write_element(*array, *index, out),
            Node::Anchored { value, .. } => self.write(*value, Binding::Atom, out),
            Node::Unknown(system, index) => {
                out.push_str(&self.input(self.graph.system(*system).unknowns[*index]));
            }
        }
    }

    pub(super) fn function(&self, builtin: Builtin) -> Cow<'static, str> {
        match self.language {
            Language::C if builtin.is_ours() => format!("gm_{}", builtin.name()).into(),
            _ => builtin.name().into(),
        }
    }

    /// Where the value of an input is.
    fn input(&self, input: Input) -> Cow<'_, str> {
        let name = self.graph.input_name(input);
        match self.sources.get(&input) {
            Some(source) => source.into(),
            None if self.language == Language::C && !self.graph.is_inner(input) => {
                crate::emit::text::c::local(name).into()
            }
            None => name.into(),
        }
    }

    /// The shortest text that reads back as the same number.
    fn write_number(&self, value: f64, out: &mut String) {
        let one = if self.language == Language::C { "1." } else { "1" };
        if !value.is_finite() {
            let zero = one.replace('1', "0");
            let above = if value.is_nan() {
                zero.clone()
            } else if value > 0.0 {
                one.to_owned()
            } else {
                format!("-{one}")
            };
            let _ = write!(out, "({above}/{zero})");
            return;
        }
        let _ = write!(out, "{value:?}");
        if self.language == Language::Nmodl && out.ends_with(".0") {
            out.truncate(out.len() - 2);
        }
    }
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Lt => " < ",
        Comparison::Le => " <= ",
        Comparison::Gt => " > ",
        Comparison::Ge => " >= ",
        Comparison::Eq => " == ",
        Comparison::Ne => " != ",
    }
}

/// Whether a number is written with a sign.
fn is_negative(value: f64) -> bool {
    value.is_finite() && value < 0.0
}
