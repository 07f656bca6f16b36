//! How large a mechanism may be: what is made of it grows faster than it does.

use crate::diagnostic::{Code, Diagnostic};
use crate::model::mechanism::{Mechanism, Role};
use crate::syntax::span::Span;

/// Characters of a name: emitted names are made of two, and NEURON reads lines of 511.
const LONGEST_NAME: usize = 80;
/// Elements of all variables together.
const ELEMENTS: usize = 50_000;
/// Elements of all STATEs together.
const STATES: usize = 1_000;
/// USEION statements: each ion has variables that every mechanism of a region shares.
const IONS: usize = 40;
const CURRENTS: usize = 400;

/// Everything in which a mechanism is too large.
pub fn refusals(mechanism: &Mechanism) -> Vec<Diagnostic> {
    let variables = || mechanism.variables.values();
    let names = variables().map(|variable| (&variable.name, variable.span));
    let ions = mechanism.ions.iter().map(|ion| (&ion.name, ion.span));
    let tables = mechanism.function_tables.iter().map(|name| (name, mechanism.span));
    let arguments = mechanism.receive.iter().flat_map(|receive| &receive.arguments);
    let arguments = arguments.map(|name| (name, mechanism.span));
    let long = names
        .chain(ions)
        .chain(arguments)
        .chain(tables)
        .chain([(&mechanism.name, mechanism.span)])
        .filter(|(name, _)| name.len() > LONGEST_NAME);
    let mut found: Vec<Diagnostic> = long.map(|(name, span)| long_name(name, span)).collect();
    let elements = |is_counted: &dyn Fn(Role) -> bool| -> usize {
        let counted = variables().filter(|variable| is_counted(variable.role));
        counted.map(|variable| variable.length.unwrap_or(1)).fold(0, usize::saturating_add)
    };
    let counts = [
        (elements(&|role| role == Role::State), STATES, "STATEs"),
        (elements(&|_| true), ELEMENTS, "variables, elements of arrays counted one by one"),
        (mechanism.ions.len(), IONS, "ions"),
        (mechanism.currents.len(), CURRENTS, "currents"),
    ];
    for (count, most, what) in counts.into_iter().filter(|(count, most, _)| count > most) {
        let message = format!("`{}` has {count} {what}; at most {most} are followed", mechanism.name);
        found.push(Diagnostic::refusal(Code::TooLarge, mechanism.span, message).label("this mechanism"));
    }
    found
}

fn long_name(name: &str, span: Span) -> Diagnostic {
    let start: String = name.chars().take(20).collect();
    let message = format!("the name `{start}...` has {} characters; at most {LONGEST_NAME} are followed", name.len());
    Diagnostic::refusal(Code::TooLong, span, message).help("a shorter name")
}
