//! A checked mechanism as text for people.

use std::fmt::Write as _;

use super::{Kind, Mechanism, Role, Variable, Visibility};
use crate::syntax::ast::BlockKind;

/// What was understood of a file: its variables, ions, currents and blocks.
#[must_use]
pub fn describe(mechanism: &Mechanism) -> String {
    let kind = match mechanism.kind {
        Kind::Density => "density mechanism",
        Kind::Point => "point process",
    };
    let mut text = format!("{kind} {}\n\nvariables\n", mechanism.name);
    // Writing to a String can't fail.
    for variable in mechanism.variables.values() {
        let _ = writeln!(text, "    {}", line(variable));
    }
    text.push_str("\nions\n");
    for ion in &mechanism.ions {
        let _ = writeln!(text, "    {}: reads {}; writes {}", ion.name, list(&ion.read), list(&ion.write));
    }
    text.push_str("\ncurrents\n");
    for current in &mechanism.currents {
        let direction = if current.electrode { "inward" } else { "outward" };
        let _ = writeln!(text, "    {} (positive {direction})", current.name);
    }
    text.push_str("\nblocks\n");
    for (name, block) in &mechanism.blocks {
        let _ = writeln!(text, "    {} {name}", keyword(&block.kind));
    }
    text
}

fn line(variable: &Variable) -> String {
    let length = variable.length.map_or_else(String::new, |length| format!("[{length}]"));
    let role = match variable.role {
        Role::Parameter => "parameter".to_owned(),
        Role::Assigned => "assigned".to_owned(),
        Role::State => "state".to_owned(),
        Role::Constant(value) => format!("constant {value}"),
        Role::Factor => "unit factor".to_owned(),
        Role::Stream => "stream of random numbers".to_owned(),
        Role::Pointed => "what a POINTER sees".to_owned(),
    };
    let visibility = match variable.visibility {
        Visibility::Range => "RANGE",
        Visibility::Global => "GLOBAL",
        Visibility::External => "EXTERNAL",
        Visibility::Hidden => "one per segment, hidden",
        Visibility::File => "one for all, hidden",
    };
    format!("{}{length}: {role}, {visibility}", variable.name)
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

fn keyword(kind: &BlockKind) -> &'static str {
    match kind {
        BlockKind::Derivative(_) => "DERIVATIVE",
        BlockKind::Procedure(_) => "PROCEDURE",
        BlockKind::Function(_) => "FUNCTION",
        BlockKind::Kinetic(..) => "KINETIC",
        BlockKind::Linear(..) => "LINEAR",
        BlockKind::Nonlinear(..) => "NONLINEAR",
        BlockKind::Discrete(_) => "DISCRETE",
        _ => "other block",
    }
}
