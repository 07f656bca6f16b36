//! Whether NEURON's translator makes thread-safe code of a file: only then does it
//! take notice of CONDUCTANCE. Otherwise `dI/dV` is the difference over 0.001 mV.

use std::collections::BTreeSet;

use crate::syntax::ast::{
    Block, BlockKind, Expr, ExprKind, Item, NeuronStatement, Program, Solve, Statement, StatementKind,
};

/// Follows the translator of NEURON 9.0.2, which decides some of it in the order of the text.
pub(super) fn is_thread_safe(program: &Program) -> bool {
    let mut found = Found::default();
    for item in &program.items {
        match item {
            Item::Neuron(statements, _) => statements.iter().for_each(|statement| found.declare(statement)),
            Item::Verbatim(_) => found.see_code(),
            Item::Block(block) => {
                found.see(&block.body, matches!(block.kind, BlockKind::NetReceive(_)));
            }
            _ => {}
        }
    }
    let is_safe = |solve: &&Solve| block_of(program, solve).is_none_or(|block| has_safe_method(block, solve));
    let sets_global = found.set.iter().any(|name| found.global.contains(name));
    let is_unsafe = found.is_unsafe || (!found.is_declared && (found.has_pointer || sets_global));
    !is_unsafe && found.solved.iter().all(is_safe)
}

#[derive(Default)]
struct Found<'a> {
    /// THREADSAFE
    is_declared: bool,
    /// Whatever is declared.
    is_unsafe: bool,
    has_pointer: bool,
    global: BTreeSet<&'a str>,
    set: BTreeSet<&'a str>,
    solved: Vec<&'a Solve>,
}

impl<'a> Found<'a> {
    fn declare(&mut self, statement: &'a NeuronStatement) {
        match statement {
            NeuronStatement::ThreadSafe(_) => self.is_declared = true,
            NeuronStatement::Pointer(_) | NeuronStatement::BbcorePointer(_) | NeuronStatement::External(_) => {
                self.has_pointer = true;
            }
            NeuronStatement::Global(names) => self.global.extend(names.iter().map(|name| name.text.as_str())),
            _ => {}
        }
    }

    fn see_code(&mut self) {
        self.is_unsafe |= !self.is_declared;
    }

    fn see(&mut self, statements: &'a [Statement], in_receive: bool) {
        for statement in statements {
            match &statement.kind {
                StatementKind::Verbatim(_) => self.see_code(),
                StatementKind::Assign(place, _) => {
                    self.set.insert(&place.name.text);
                }
                StatementKind::Expression(Expr { kind: ExprKind::Call(name, _), .. }) => {
                    self.is_unsafe |= name.text == "state_discontinuity" && !in_receive;
                }
                StatementKind::If(branches, otherwise) => {
                    branches.iter().map(|(_, body)| body).chain(otherwise).for_each(|body| self.see(body, in_receive));
                }
                StatementKind::While(_, body)
                | StatementKind::From { body, .. }
                | StatementKind::ForNetcons(_, body)
                | StatementKind::Initial(body)
                | StatementKind::Group(body) => self.see(body, in_receive),
                StatementKind::Solve(solve) => self.solved.push(solve),
                // What PROTECT sets counts as safe.
                _ => {}
            }
        }
    }
}

fn block_of<'a>(program: &'a Program, solve: &Solve) -> Option<&'a Block> {
    program.items.iter().find_map(|item| match item {
        Item::Block(block) if name_of(block) == Some(&solve.block.text) => Some(block),
        _ => None,
    })
}

fn name_of(block: &Block) -> Option<&str> {
    match &block.kind {
        BlockKind::Derivative(name)
        | BlockKind::Kinetic(name, _)
        | BlockKind::Linear(name, _)
        | BlockKind::Nonlinear(name, _)
        | BlockKind::Discrete(name) => Some(&name.text),
        BlockKind::Procedure(signature) => Some(&signature.name.text),
        _ => None,
    }
}

fn has_safe_method(block: &Block, solve: &Solve) -> bool {
    let method = solve.method.as_ref().map(|method| method.text.as_str());
    solve.if_error.is_none()
        && match block.kind {
            BlockKind::Derivative(_) => matches!(method, None | Some("cnexp" | "derivimplicit" | "euler")),
            BlockKind::Kinetic(..) => method == Some("sparse"),
            BlockKind::Linear(..) | BlockKind::Nonlinear(..) | BlockKind::Discrete(_) => false,
            _ => true,
        }
}
