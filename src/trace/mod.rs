//! Runs NMODL code on expressions instead of numbers.
//!
//! Calls are entered, loops with known bounds unrolled, conditionals become
//! branches of the graph. What remains after a block is, for every variable, the
//! expression of its value: NEURON's step as a function of what it reads.

mod array;
mod calls;
mod conditional;
mod constants;
mod effect;
mod equations;
mod expression;
mod findings;
mod loops;
mod memo;
mod refused;
mod repeat;
mod returns;
mod statement;
mod verbatim;

use std::collections::BTreeMap;

pub use array::Store;
pub use calls::neuron_function::nernst;
pub use calls::table::USETABLE;
pub use constants::Constants;
pub use effect::{Effect, EffectKind};
pub use equations::kinetic::Equations;
pub use equations::linear::{LinearEquations, unknowns_of_nonlinear};
pub use equations::linear_ode::{keeps_cnexp, times_listed};
pub use equations::scheme::Scheme;
pub use findings::Findings;
pub use memo::Memos;

use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Graph, Id, Scope};
use crate::model::{Mechanism, kept_slope, kept_slope_is_set};
use crate::syntax::ast::{Block, Solve, Statement, StatementKind};
use crate::syntax::span::Span;

/// The values of variables by name; an array element is `name[2]`.
pub type Values = BTreeMap<String, Id>;

pub type Traced<T> = Result<T, Box<Diagnostic>>;

/// Statements that one block may run, loops unrolled.
const STATEMENT_LIMIT: usize = 100_000;
/// Rounds of a loop that are written out, if the simulation tells how many there are.
const LOOP_LIMIT: usize = 12;
/// The variable that counts what went wrong in a step.
pub const FAILED: &str = "~failed";
/// Calls within calls.
const CALL_LIMIT: usize = 50;

/// What `m' = ...` does.
#[derive(Clone, Debug, PartialEq)]
pub enum Primes {
    /// There is no integration going on.
    None,
    /// Each state is advanced at once by NEURON's exact solution of a linear
    /// equation, with this time step.
    Exponential { dt: Id },
    /// The right sides are collected.
    Collect(Vec<(String, Id)>),
}

/// What a SOLVE does where code runs that has one.
pub type Solver = fn(&mut Trace<'_>, &Solve) -> Traced<()>;

/// What `state_discontinuity` does where code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discontinuities {
    /// `state_discontinuity` sets its state.
    Heeded,
    Ignored,
}

/// One mechanism's code being run.
pub struct Trace<'a> {
    pub graph: &'a mut Graph,
    pub mechanism: &'a Mechanism,
    pub values: Values,
    pub primes: Primes,
    pub constants: &'a Constants,
    /// What has been found so far, here and in other code.
    pub findings: &'a mut Findings,
    pub solver: Option<Solver>,
    /// Random numbers may be drawn: NEURON runs this code just once.
    pub may_draw: bool,
    /// What `state_discontinuity` does.
    pub discontinuities: Discontinuities,
    /// The voltage that PROCEDUREs and FUNCTIONs see, if it is another than that of the block.
    pub called_voltage: Option<Id>,
    /// There was a `state_discontinuity`.
    pub has_jumped: bool,
    /// No arm of a conditional may be left out.
    pub follows_all: bool,
    /// Self-events, where code may send them.
    pub effects: Option<Vec<Effect>>,
    /// What a WATCH sees whenever it is looked at, where code may have one.
    pub watched: Option<Values>,
    /// Elements of whole arrays, where code may set them.
    pub stores: Option<Vec<Store>>,
    /// The reactions of the KINETIC block that is being run.
    scheme: Option<Scheme>,
    /// The equations of the LINEAR block that is being run.
    equations: Option<LinearEquations>,
    /// Where the NONLINEAR block that is being run stands, and its residuals.
    residuals: Option<(Scope, Vec<Id>)>,
    frames: Vec<Values>,
    scope: Scope,
    calls: Vec<String>,
    /// The tabulated blocks whose tables are being filled.
    filling: Vec<(String, Span)>,
    statements: usize,
    /// Arms of conditionals around the code that runs.
    arms: usize,
    /// Loops around the code that runs.
    depth: usize,
    /// Where the memo begins whose code runs.
    memo: Option<usize>,
}

impl<'a> Trace<'a> {
    pub fn new(
        graph: &'a mut Graph,
        mechanism: &'a Mechanism,
        values: Values,
        constants: &'a Constants,
        findings: &'a mut Findings,
        scope: Scope,
    ) -> Self {
        Self {
            graph,
            mechanism,
            values,
            primes: Primes::None,
            constants,
            findings,
            solver: None,
            may_draw: true,
            discontinuities: Discontinuities::Heeded,
            called_voltage: None,
            has_jumped: false,
            follows_all: false,
            effects: None,
            watched: None,
            stores: None,
            scheme: None,
            equations: None,
            residuals: None,
            frames: vec![Values::new()],
            scope,
            calls: Vec::new(),
            filling: Vec::new(),
            statements: 0,
            arms: 0,
            depth: 0,
            memo: None,
        }
    }

    /// Runs the statements of a block that takes no arguments.
    pub fn run_block(&mut self, block: &Block) -> Traced<()> {
        self.frames.push(Values::new());
        let result = self.statements(&block.body);
        self.frames.pop();
        result
    }

    /// Runs statements with some LOCAL names, and returns what these are then.
    pub fn with_arguments(&mut self, frame: Values, statements: &[Statement]) -> Traced<Values> {
        self.frames.push(frame);
        let result = statements.iter().try_for_each(|statement| match &statement.kind {
            StatementKind::Initial(body) => self.statements(body),
            _ => Ok(()),
        });
        let rest: Vec<Statement> = statements
            .iter()
            .filter(|statement| !matches!(statement.kind, StatementKind::Initial(_)))
            .cloned()
            .collect();
        let result = result.and_then(|()| self.statements(&rest));
        let frame = self.frames.pop().unwrap_or_default();
        result.map(|()| frame)
    }

    /// Where the code runs now.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Where this is not 0 the code has not been followed to its end.
    pub fn fail_where(&mut self, condition: Id) {
        let (zero, one) = (self.graph.number(0.0), self.graph.number(1.0));
        let branch = self.graph.new_branch(condition, self.scope);
        let failed = self.graph.join(branch, one, zero);
        let before = self.values.get(FAILED).copied().unwrap_or(zero);
        let sum = self.graph.add(before, failed);
        self.values.insert(FAILED.to_owned(), sum);
    }

    /// The right sides of a block's equations: where a step has not run one, what NEURON keeps of it.
    pub fn collected(&mut self, block: &Block) -> Vec<(String, Id)> {
        let Primes::Collect(mut slopes) = std::mem::replace(&mut self.primes, Primes::None) else {
            return Vec::new();
        };
        let mut unset = None;
        for (state, slope) in &mut slopes {
            let Some(kept) = self.values.get(&kept_slope(state)) else {
                continue;
            };
            *slope = *kept;
            if let Some(is_set) = self.values.get(&kept_slope_is_set(state)).copied() {
                let is_unset = self.graph.not(is_set);
                self.fail_where(is_unset);
                unset = Some(state.clone());
            }
        }
        if let Some(state) = unset {
            let message = format!(
                "the equation of `{state}` is used before a run has computed it: NEURON then takes what the run before left"
            );
            let diagnostic =
                Diagnostic::refusal(Code::History, block.span, message).help("give the equation in each arm of the IF");
            self.findings.note_unfollowed(&self.mechanism.name, &diagnostic);
        }
        slopes
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
                self.note_assignment(name, span, value);
                self.findings.note_assigned(self.mechanism, name, value);
                Ok(())
            }
            None => Err(unknown(name, span)),
        }
    }
}

fn unknown(name: &str, span: Span) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(Code::UnknownName, span, format!("`{name}` is not declared")).label("not declared"))
}

fn refuse(code: Code, span: Span, message: impl Into<String>) -> Box<Diagnostic> {
    Box::new(Diagnostic::refusal(code, span, message))
}
