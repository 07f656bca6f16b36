//! Declarations that NEURON accepts and gradmod does not differentiate.

use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{Block, BlockKind, Item, Name, NeuronStatement, Program, Signature};
use crate::syntax::visit::neuron_statements;

/// All refusals that declarations alone call for.
pub fn refusals(program: &Program) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for item in &program.items {
        match item {
            Item::Neuron(statements, _) => {
                found.extend(statements.iter().filter_map(neuron_statement));
            }
            Item::Block(block) => found.extend(block_kind(block)),
            Item::State(list, _) | Item::Assigned(list, _) => {
                found.extend(list.iter().filter_map(|one| declared_derivative(&one.name)));
            }
            Item::FunctionTable(signature) => found.extend(function_table(signature, program)),
            Item::Include(text) => {
                found.push(Diagnostic::refusal(Code::Include, text.span, "the included file has not been read"));
            }
            _ => {}
        }
    }
    found
}

fn neuron_statement(statement: &NeuronStatement) -> Option<Diagnostic> {
    let (code, name, reason) = match statement {
        NeuronStatement::ArtificialCell(name) => {
            (Code::ArtificialCell, name, "an ARTIFICIAL_CELL that sets what a POINTER points to")
        }
        _ => return None,
    };
    Some(named(code, name, reason))
}

/// `y'` as a variable: part of an equation of second order, which NEURON's translator refuses too.
fn declared_derivative(name: &Name) -> Option<Diagnostic> {
    let is_derivative = name.text.ends_with('\'');
    is_derivative.then(|| named(Code::SecondOrder, name, "equations of second order are not differentiated"))
}

/// A script calls it by name where it has one argument and is not the function of one point process.
fn function_table(signature: &Signature, program: &Program) -> Option<Diagnostic> {
    let is_density = neuron_statements(program).any(|one| matches!(one, NeuronStatement::Suffix(_)));
    let reason = match signature.arguments.len() {
        1 if is_density => return None,
        1 => "a FUNCTION_TABLE of a point process is not differentiated",
        _ => "a FUNCTION_TABLE of more than one variable is not differentiated",
    };
    Some(named(Code::FunctionTable, &signature.name, reason))
}

fn block_kind(block: &Block) -> Option<Diagnostic> {
    let (code, what) = match &block.kind {
        BlockKind::Discrete(_) => (Code::Discrete, "DISCRETE"),
        BlockKind::Constructor | BlockKind::Destructor => (Code::Constructor, "CONSTRUCTOR and DESTRUCTOR"),
        _ => return None,
    };
    let message = format!("{what} blocks are not differentiated");
    Some(Diagnostic::refusal(code, block.span, message).label("this block"))
}

fn named(code: Code, name: &Name, reason: &str) -> Diagnostic {
    Diagnostic::refusal(code, name.span, format!("`{}`: {reason}", name.text)).label("declared here")
}
