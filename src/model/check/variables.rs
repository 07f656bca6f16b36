//! The variables of a mechanism: those that it declares, and those that it has without saying so.

use super::builder::Builder;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::kept_slope::{kept_slope, kept_slope_is_set, skipped};
use crate::model::mechanism::{Role, SEEN_VOLTAGE, Variable, Visibility};
use crate::syntax::ast::{Length, Name, Statement, StatementKind};
use crate::syntax::span::Span;
use crate::syntax::visit::statements;

/// Elements of one array; each is followed by itself.
pub const LONGEST: usize = 10_000;

impl Builder {
    pub(super) fn declare(&mut self, name: &Name, role: Role, length: Option<&Length>) {
        let length = match length {
            None => None,
            Some(Length::Number(length)) => Some(*length),
            Some(Length::Define(define)) => {
                let value = self.defines.get(&define.text);
                if value.is_none() {
                    self.errors.push(Diagnostic::error(
                        Code::UnknownDefine,
                        define.span,
                        format!("no DEFINE gives `{}` a value", define.text),
                    ));
                }
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                value.map(|value| *value as usize)
            }
        };
        if length.is_some_and(|length| length > LONGEST) {
            let message = format!("`{}` has more than {LONGEST} elements", name.text);
            self.errors.push(Diagnostic::refusal(Code::TooLarge, name.span, message).help("a shorter array"));
        }
        if self.variables.contains_key(&name.text) {
            let message = format!("`{}` is declared twice", name.text);
            self.errors.push(
                Diagnostic::error(Code::DeclaredTwice, name.span, message)
                    .label("again here")
                    .help("leave one of the two out"),
            );
            return;
        }
        let variable =
            Variable { name: name.text.clone(), role, visibility: Visibility::Hidden, length, span: name.span };
        self.variables.insert(name.text.clone(), variable);
    }

    /// The values that STATEs have before INITIAL: `m0` is 0 where it is not declared. It may still be RANGE or GLOBAL, and
    /// a variable of the file if code sets it.
    pub(super) fn defaults(&mut self, set: &[String]) {
        for state in self.states.clone() {
            let Some(span) = self.variables.get(&state).map(|variable| variable.span) else { continue };
            let name = Name { text: format!("{state}0"), span };
            if self.variables.contains_key(&name.text) {
                continue;
            }
            let is_named = |names: &[Name]| names.iter().any(|known| known.text == name.text);
            if is_named(&self.range) || is_named(&self.global) {
                self.declare(&name, Role::Parameter, None);
            } else if set.contains(&name.text) {
                self.declare(&name, Role::Assigned, None);
                self.variables.entry(name.text).and_modify(|variable| variable.visibility = Visibility::File);
            } else {
                self.declare(&name, Role::Constant(0.0), None);
            }
        }
    }

    /// What a mechanism keeps besides what it declares: its part of an ion's current, which stays where BREAKPOINT
    /// does not set it; a voltage that is not the present one; right sides that not every step computes.
    pub(super) fn declare_own(&mut self, span: Span) {
        let mut own: Vec<String> = Vec::new();
        for ion in self.ions.iter().filter(|ion| !ion.read.contains(&ion.current())) {
            own.extend(ion.write.iter().filter(|name| **name == ion.current()).cloned());
        }
        let is_hint = |one: &Statement| matches!(one.kind, StatementKind::Conductance(..));
        let is_solve = |one: &Statement| matches!(one.kind, StatementKind::Solve(_));
        let heeds = self.is_thread_safe && statements(&self.breakpoint).any(is_hint);
        if heeds && !statements(&self.breakpoint).any(is_solve) {
            own.push(SEEN_VOLTAGE.to_owned());
        }
        for statement in &self.breakpoint {
            let StatementKind::Solve(solve) = &statement.kind else { continue };
            let is_explicit =
                solve.method.as_ref().is_some_and(|method| ["euler", "runge"].contains(&method.text.as_str()));
            let Some(block) = self.blocks.get(&solve.block.text).filter(|_| is_explicit) else { continue };
            for state in skipped(block).iter().filter_map(|state| self.variables.get(state)) {
                for element in state.elements() {
                    own.extend([kept_slope(&element), kept_slope_is_set(&element)]);
                }
            }
        }
        for name in own {
            let is_shown = self.range.iter().any(|known| known.text == name);
            let visibility = if is_shown { Visibility::Range } else { Visibility::Hidden };
            let variable = Variable { name: name.clone(), role: Role::Assigned, visibility, length: None, span };
            self.variables.entry(name).or_insert(variable);
        }
    }
}
