//! Declarations that NEURON accepts and gradmod does not differentiate.

use crate::diagnostic::Diagnostic;
use crate::syntax::ast::{Block, BlockKind, Item, Name, NeuronStatement, Program};

/// All refusals that declarations alone call for.
pub fn refusals(program: &Program) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for item in &program.items {
        match item {
            Item::Neuron(statements, _) => {
                found.extend(statements.iter().filter_map(neuron_statement));
            }
            Item::Block(block) => found.extend(block_kind(block)),
            Item::FunctionTable(signature) => found.push(named(
                "function-table",
                &signature.name,
                "a FUNCTION_TABLE has its values from outside the file",
            )),
            Item::Include(text) => found.push(Diagnostic::refusal(
                "include",
                text.span,
                "the included file has not been read",
            )),
            _ => {}
        }
    }
    found
}

fn neuron_statement(statement: &NeuronStatement) -> Option<Diagnostic> {
    let (code, name, reason) = match statement {
        NeuronStatement::ArtificialCell(name) => {
            ("artificial-cell", name, "an ARTIFICIAL_CELL that sets what a POINTER points to")
        }
        NeuronStatement::External(names) => {
            ("external", names.first()?, "an EXTERNAL variable belongs to another mechanism")
        }
        _ => return None,
    };
    Some(named(code, name, reason))
}

fn block_kind(block: &Block) -> Option<Diagnostic> {
    let (code, what) = match &block.kind {
        BlockKind::Discrete(_) => ("discrete", "DISCRETE"),
        BlockKind::Constructor | BlockKind::Destructor => ("constructor", "CONSTRUCTOR and DESTRUCTOR"),
        _ => return None,
    };
    let message = format!("{what} blocks are not differentiated");
    Some(Diagnostic::refusal(code, block.span, message).label("this block"))
}

fn named(code: &'static str, name: &Name, reason: &str) -> Diagnostic {
    Diagnostic::refusal(code, name.span, format!("`{}`: {reason}", name.text)).label("declared here")
}
