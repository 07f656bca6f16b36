//! RANGE variables that are targets of `ParallelContext.setup_transfer`.
//!
//! NEURON copies the voltage of another place into such a variable before the states are advanced: what the mechanism
//! reads is then, at every moment of the step, what a POINTER to that voltage shows.

use crate::syntax::ast::{Item, Name, NeuronStatement, Program};

/// A variable of a mechanism.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transferred {
    pub mechanism: String,
    pub variable: String,
}

/// The program with those of its variables declared as POINTERs in place of RANGE.
pub(super) fn pointing(program: &Program, mechanism: Option<&str>, transferred: &[Transferred]) -> Program {
    let mut program = program.clone();
    let is_target = |name: &Name| {
        transferred.iter().any(|one| Some(one.mechanism.as_str()) == mechanism && one.variable == name.text)
    };
    for item in &mut program.items {
        let Item::Neuron(statements, _) = item else { continue };
        let mut targets = Vec::new();
        for statement in &mut *statements {
            if let NeuronStatement::Range(names) = statement {
                targets.extend(names.iter().filter(|name| is_target(name)).cloned());
                names.retain(|name| !is_target(name));
            }
        }
        if !targets.is_empty() {
            statements.push(NeuronStatement::Pointer(targets));
        }
    }
    program
}
