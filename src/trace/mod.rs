//! Runs NMODL code on expressions instead of numbers.
//!
//! Calls are entered, loops with known bounds unrolled, conditionals become
//! branches of the graph. What remains after a block is, for every variable, the
//! expression of its value: NEURON's step as a function of what it reads.

mod call;
mod expression;
mod linear_ode;
mod neuron_function;
mod statement;
mod table;
mod verbatim;

use std::collections::{BTreeMap, BTreeSet};

pub use linear_ode::keeps_cnexp;
pub use neuron_function::nernst;
pub use table::USETABLE;

use crate::diagnostic::Diagnostic;
use crate::graph::{Graph, Id, Input, Scope};
use crate::model::Mechanism;
use crate::syntax::ast::Block;
use crate::syntax::span::Span;

/// The values of variables by name; an array element is `name[2]`.
pub type Values = BTreeMap<String, Id>;

pub type Traced<T> = Result<T, Box<Diagnostic>>;

/// Statements that one block may run, loops unrolled.
const STATEMENT_LIMIT: usize = 100_000;
/// Calls within calls.
const CALL_LIMIT: usize = 50;

/// What `m' = ...` does.
#[derive(Clone, Debug)]
pub enum Primes {
    /// There is no integration going on.
    None,
    /// Each state is advanced at once by NEURON's exact solution of a linear
    /// equation, with this time step.
    Exponential { dt: Id },
    /// The right sides are collected.
    Collect(Vec<(String, Id)>),
}

/// One mechanism's code being run.
pub struct Trace<'a> {
    pub graph: &'a mut Graph,
    pub mechanism: &'a Mechanism,
    pub values: Values,
    pub primes: Primes,
    /// Inputs that can't change while a simulation runs, so that a TABLE may depend on them.
    pub constants: &'a BTreeSet<Input>,
    frames: Vec<Values>,
    scope: Scope,
    calls: Vec<String>,
    statements: usize,
}

impl<'a> Trace<'a> {
    pub fn new(
        graph: &'a mut Graph,
        mechanism: &'a Mechanism,
        values: Values,
        constants: &'a BTreeSet<Input>,
        scope: Scope,
    ) -> Self {
        Self {
            graph,
            mechanism,
            values,
            primes: Primes::None,
            constants,
            frames: vec![Values::new()],
            scope,
            calls: Vec::new(),
            statements: 0,
        }
    }

    /// Runs the statements of a block that takes no arguments.
    pub fn run_block(&mut self, block: &Block) -> Traced<()> {
        self.frames.push(Values::new());
        let result = self.statements(&block.body);
        self.frames.pop();
        result
    }

    fn frame(&mut self) -> &mut Values {
        if self.frames.is_empty() {
            self.frames.push(Values::new());
        }
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    fn lookup(&self, name: &str) -> Option<Id> {
        let local = self.frames.last().and_then(|frame| frame.get(name));
        local.or_else(|| self.values.get(name)).copied()
    }

    fn assign(&mut self, name: &str, value: Id, span: Span) -> Traced<()> {
        if let Some(local) = self.frame().get_mut(name) {
            *local = value;
            return Ok(());
        }
        match self.values.get_mut(name) {
            Some(variable) => {
                *variable = value;
                Ok(())
            }
            None => Err(unknown(name, span)),
        }
    }
}

fn unknown(name: &str, span: Span) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::error("unknown-name", span, format!("`{name}` is not declared"))
            .label("not declared"),
    )
}

fn refuse(code: &'static str, span: Span, message: impl Into<String>) -> Box<Diagnostic> {
    Box::new(Diagnostic::refusal(code, span, message))
}
