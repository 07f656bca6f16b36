//! The state phase: every SOLVE at the new voltage.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Id, Input, Scope};
use crate::model::{Mechanism, Variable, skipped};
use crate::step::method::{derivimplicit, euler, linear, nonlinear, runge, sparse};
use crate::step::time_scheme::Extent;
use crate::step::{Quantity, Refused, Step, When};
use crate::syntax::ast::{Block, BlockKind, Solve, StatementKind};
use crate::syntax::visit::statements;
use crate::trace::{Primes, Scheme, Trace, Traced, Values, keeps_cnexp};

/// How NEURON advances the states of a block.
pub(in crate::step) enum Method {
    Cnexp,
    Derivimplicit,
    Euler,
    Runge,
    Sparse,
    Linear,
    Nonlinear,
    /// The code itself advances them.
    Procedure,
}

impl Method {
    /// Whether NEURON halves the time step for it with `secondorder`.
    const fn is_halved(&self) -> bool {
        match self {
            Self::Derivimplicit | Self::Euler | Self::Runge | Self::Sparse => true,
            Self::Cnexp | Self::Linear | Self::Nonlinear | Self::Procedure => false,
        }
    }
}

/// What blocks of a kind are called, and how they may be solved.
fn methods_of(kind: &BlockKind) -> (&'static str, &'static str) {
    match kind {
        BlockKind::Derivative(_) => ("DERIVATIVE", "METHOD cnexp, derivimplicit, euler and runge are differentiated"),
        BlockKind::Kinetic(..) => ("KINETIC", "METHOD sparse is differentiated"),
        BlockKind::Linear(..) => ("LINEAR", "it is differentiated without a METHOD"),
        BlockKind::Nonlinear(..) => ("NONLINEAR", "it is differentiated without a METHOD"),
        BlockKind::Procedure(_) => ("PROCEDURE", "it is differentiated without a METHOD"),
        _ => ("this block", "solve a DERIVATIVE, KINETIC, LINEAR or NONLINEAR block, or a PROCEDURE"),
    }
}

fn by_method(method: Option<&str>) -> String {
    method.map_or("without a METHOD".to_owned(), |method| format!("by METHOD {method}"))
}

impl<'a> Step<'a> {
    pub(in crate::step) fn states(&mut self) -> Result<(), Refused> {
        let region = self.region;
        self.set_early = self.ions_set();
        let half = self.graph.number(0.5);
        let half_step = self.graph.mul(half, self.dt);
        let t = self.graph.add(self.t, half_step);
        for (index, mechanism) in region.mechanisms.iter().enumerate() {
            let scope = self.enter(index);
            let before = self.own_values(index, scope);
            let mut values = before.clone();
            self.show_ions(mechanism, &mut values);
            let shown = values.clone();
            let v = self.graph.read(self.v_after);
            values.insert("v".to_owned(), v);
            self.see(index, &mut values, When::After);
            values.insert("t".to_owned(), t);
            let whole_step = self.begin_solves(index, &mut values);
            for statement in &mechanism.breakpoint {
                let result = match &statement.kind {
                    StatementKind::Solve(solve) => self.solve(index, solve, values, scope),
                    // Without a current, all of BREAKPOINT runs here.
                    _ if mechanism.currents.is_empty() => {
                        let mut trace = self.trace(mechanism, values, scope);
                        trace.sequence(std::slice::from_ref(statement)).map(|()| trace.values)
                    }
                    _ => continue,
                };
                values = result.map_err(|diagnostic| Refused { mechanism: index, diagnostic: *diagnostic })?;
            }
            self.dt = whole_step;
            values.insert("dt".to_owned(), whole_step);
            self.anchor_states(index, &shown, &mut values);
            self.share(index, &solved_blocks(mechanism), &shown, &mut values);
            self.leave(index, scope, &shown, &mut values);
            self.take_ions(mechanism, &values);
            self.values[index] = values;
        }
        Ok(())
    }

    /// Sets how far the SOLVEs of a mechanism go; returns the whole time step.
    ///
    /// NEURON halves `dt` for all of them, those by cnexp too, where one is by a METHOD that goes half a step.
    fn begin_solves(&mut self, index: usize, values: &mut Values) -> Id {
        let whole_step = self.dt;
        let solves =
            statements(&self.region.mechanisms[index].breakpoint).filter_map(|statement| match &statement.kind {
                StatementKind::Solve(solve) => self.method(index, solve).ok(),
                _ => None,
            });
        let is_any_halved = solves.into_iter().any(|(method, _)| method.is_halved());
        self.extent = if is_any_halved { self.region.scheme.extent() } else { Extent::Whole };
        if self.extent == Extent::Half {
            let half = self.graph.number(0.5);
            self.dt = self.graph.mul(half, whole_step);
            values.insert("dt".to_owned(), self.dt);
        }
        whole_step
    }

    /// The block that a SOLVE names, and how NEURON advances it.
    pub(in crate::step) fn method(&self, index: usize, solve: &Solve) -> Traced<(Method, &'a Block)> {
        let region = self.region;
        let mechanism = &region.mechanisms[index];
        let refuse = |message: String| {
            Box::new(Diagnostic::refusal(Code::Method, solve.block.span, message).label("solved here"))
        };
        if solve.steady_state {
            return Err(refuse("SOLVE ... STEADYSTATE is not differentiated".to_owned()));
        }
        let Some(block) = mechanism.blocks.get(&solve.block.text) else {
            return Err(refuse(format!("there is no block `{}` to solve", solve.block.text)));
        };
        let method = solve.method.as_ref().map(|method| method.text.as_str());
        let method = match (&block.kind, method) {
            (BlockKind::Derivative(_), Some("cnexp")) if keeps_cnexp(block) => Method::Cnexp,
            (BlockKind::Derivative(_), None | Some("cnexp" | "derivimplicit")) => Method::Derivimplicit,
            (BlockKind::Derivative(_), Some("euler")) => Method::Euler,
            (BlockKind::Derivative(_), Some("runge")) => Method::Runge,
            (BlockKind::Kinetic(..), Some("sparse")) => Method::Sparse,
            (BlockKind::Linear(..), None | Some("simeq")) => Method::Linear,
            (BlockKind::Nonlinear(..), None | Some("newton")) => Method::Nonlinear,
            (BlockKind::Procedure(_), None | Some("after_cvode" | "cvode_t" | "cvode_v")) => Method::Procedure,
            (_, method) => {
                let (kind, help) = methods_of(&block.kind);
                let how = by_method(method);
                let refused = refuse(format!("`{}`: {kind} {how} is not differentiated", solve.block.text));
                return Err(Box::new(refused.help(help)));
            }
        };
        if matches!(method, Method::Runge) && region.scheme.secondorder() != 0 {
            // What NEURON adds is the slope of the last evaluation, and not what the states have changed by.
            let order = region.scheme.secondorder();
            let refused = refuse(format!("METHOD runge is not differentiated with secondorder {order}"));
            return Err(Box::new(refused.help("set h.secondorder to 0, or use another METHOD")));
        }
        if let (Method::Derivimplicit, Some(state)) = (&method, skipped(block).first()) {
            let refused = refuse(format!(
                "the equation of `{state}` is in an IF: where it is left out, NEURON takes what the right side was before"
            ));
            return Err(Box::new(
                refused.help(format!("give an equation of `{state}` whatever holds, with the IF in a PROCEDURE")),
            ));
        }
        Ok((method, block))
    }

    fn solve(&mut self, index: usize, solve: &Solve, values: Values, scope: Scope) -> Traced<Values> {
        let mechanism = &self.region.mechanisms[index];
        let (method, block) = self.method(index, solve)?;
        let (dt, extent) = (self.dt, self.extent);
        match method {
            Method::Cnexp => {
                let mut trace = self.trace(mechanism, values, scope);
                trace.primes = Primes::Exponential { dt };
                trace.run_block(block)?;
                Ok(trace.values)
            }
            Method::Procedure => {
                let mut trace = self.trace(mechanism, values, scope);
                trace.run_block(block)?;
                Ok(trace.values)
            }
            Method::Sparse => {
                let scheme = Scheme::new(mechanism, block);
                let own: BTreeMap<String, Input> =
                    scheme.states.into_iter().map(|name| (name.clone(), self.state_after(index, &name))).collect();
                let mut trace = self.trace(mechanism, values, scope);
                sparse::advance(&mut trace, block, (dt, extent), |name| own[name])?;
                Ok(trace.values)
            }
            Method::Linear => {
                let mut trace = self.trace(mechanism, values, scope);
                linear::solve(&mut trace, block)?;
                Ok(trace.values)
            }
            Method::Nonlinear => nonlinear::advance(self, index, block, values, scope),
            Method::Euler => euler::advance(self, index, block, values, scope),
            Method::Runge => runge::advance(self, index, block, values, scope),
            Method::Derivimplicit => derivimplicit::advance(self, index, block, values, scope),
        }
    }

    /// The states' values at the end of the step are NEURON's own.
    fn anchor_states(&mut self, index: usize, before: &Values, values: &mut Values) {
        let mechanism = &self.region.mechanisms[index];
        let mut names = state_elements(mechanism);
        names.extend(self.findings.kept(&mechanism.name));
        for name in names {
            if values.get(&name) != before.get(&name) {
                let own = self.state_after(index, &name);
                let own = self.graph.read(own);
                if let Some(value) = values.get_mut(&name) {
                    *value = self.graph.anchor(own, *value);
                }
            }
        }
    }

    /// NEURON's value of a state at the end of the step; a state may be an ion's concentration.
    pub(in crate::step) fn state_after(&mut self, index: usize, name: &str) -> crate::graph::Input {
        let mechanism = &self.region.mechanisms[index];
        if mechanism.ions.iter().any(|ion| ion.uses(name)) {
            self.input(Quantity::Ion(name.to_owned(), When::After), format!("{name}_n1"))
        } else {
            self.variable(index, name, When::After)
        }
    }
}

/// SOLVE in INITIAL.
pub(in crate::step) fn solve_at_start(trace: &mut Trace, solve: &Solve) -> Traced<()> {
    let method = solve.method.as_ref().map(|method| method.text.as_str());
    let Some(block) = trace.mechanism.blocks.get(&solve.block.text) else {
        return Err(not_differentiated(solve));
    };
    match (&block.kind, method) {
        (BlockKind::Kinetic(..), Some("sparse")) if solve.steady_state => sparse::steady_state(trace, block),
        (BlockKind::Linear(..), None | Some("simeq")) => linear::solve(trace, block),
        _ => Err(not_differentiated(solve)),
    }
}

fn not_differentiated(solve: &Solve) -> Box<Diagnostic> {
    let how = by_method(solve.method.as_ref().map(|method| method.text.as_str()));
    let message = format!("`{}` {how} is not differentiated here", solve.block.text);
    Box::new(Diagnostic::refusal(Code::Method, solve.block.span, message).label("solved here"))
}

/// The names of all states, array elements one by one.
pub(in crate::step) fn state_elements(mechanism: &Mechanism) -> Vec<String> {
    mechanism.states.iter().filter_map(|name| mechanism.variable(name)).flat_map(Variable::elements).collect()
}

/// What NEURON runs in the state phase, for a message.
fn solved_blocks(mechanism: &Mechanism) -> String {
    let solved = mechanism.breakpoint.iter().filter_map(|statement| match &statement.kind {
        StatementKind::Solve(solve) => Some(&solve.block.text),
        _ => None,
    });
    let names = solved.map(|name| match mechanism.blocks.get(name).map(|block| &block.kind) {
        Some(BlockKind::Derivative(_)) => format!("DERIVATIVE {name}"),
        Some(BlockKind::Kinetic(..)) => format!("KINETIC {name}"),
        Some(BlockKind::Linear(..)) => format!("LINEAR {name}"),
        Some(BlockKind::Nonlinear(..)) => format!("NONLINEAR {name}"),
        _ => format!("PROCEDURE {name}"),
    });
    let names: Vec<String> = names.collect();
    if names.is_empty() { "BREAKPOINT".to_owned() } else { names.join(" and ") }
}
