//! POINTER: only those that are read.
//!
//! What a POINTER sees is the script's choice. See `step::pointed` and `emit::pointed` for what can be followed.

use crate::diagnostic::{Code, Diagnostic};
use crate::model::bystander::{deeds, pointers};
use crate::syntax::ast::{Item, NeuronStatement, Program};

/// POINTERs that code sets. VERBATIM that does is refused where it runs.
pub(super) fn refusals(program: &Program) -> Vec<Diagnostic> {
    let statements = program.items.iter().filter_map(|item| match item {
        Item::Neuron(statements, _) => Some(statements),
        _ => None,
    });
    let declared: Vec<&NeuronStatement> = statements.flatten().collect();
    let set = deeds(program).set;
    pointers(&declared)
        .filter(|name| set.contains(&name.text))
        .map(|name| {
            let message =
                format!("`{}`: a POINTER that the mechanism sets: what else depends on it is unknown", name.text);
            Diagnostic::refusal(Code::Pointer, name.span, message).label("declared here")
        })
        .collect()
}
