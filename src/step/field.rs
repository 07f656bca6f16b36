//! The differential equations of a region, as CVODE integrates them: the current through the membrane and the slopes of
//! the states at one moment, and their derivatives there.
//!
//! ```text
//! C dV/dt = -I(V, x, p) - A V        source = (dI/dx, dI/dp), conductance = dI/dV
//! dx/dt   = F(V, x, p)               row = (dF/dV, dF/dx, dF/dp)
//! x(0)    = start(V, p)
//! ```
//!
//! NEURON evaluates them in this order: Nernst's equation, the BREAKPOINTs, the blocks that they SOLVE. All that these
//! read must be a function of the voltage, the states, the parameters and t: what one evaluation would leave to the next
//! is refused.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Id, Input, LinearId, Node};
use crate::model::Mechanism;
use crate::step::event::traced_event::{TracedEvent, argument_key};
use crate::step::linear_map::linear_form::FormInputs;
use crate::step::phase::initial::Start;
use crate::step::phase::state::{Method, state_elements};
use crate::step::{Change, Linearised, Parameter, Quantity, Receive, Refused, Region, State, StateKind, Step, When};
use crate::syntax::ast::{Block, BlockKind, Expr, ExprKind, Statement, StatementKind};
use crate::syntax::span::Span;
use crate::syntax::visit::{expressions, statements};
use crate::trace::{Discontinuities, Primes, Traced, Values};

/// A state with its equation.
struct Equation {
    kind: StateKind,
    input: Input,
    slope: Id,
    start: Id,
}

/// A variable: its mechanism and its name.
type Place = (usize, String);

/// The derivatives of solutions of linear equations, by what they are taken.
type Solved = BTreeMap<(LinearId, Input), Vec<Id>>;

/// Differentiates the equations of a region. In the result a state's `row` is that of its slope, which is its `after`.
pub(super) fn differentiate(region: &Region, wanted: &dyn Fn(&str) -> bool) -> Result<Linearised, Refused> {
    for (index, mechanism) in region.mechanisms.iter().enumerate() {
        refuse_constructs(index, mechanism)?;
    }
    let mut unsettled = BTreeSet::new();
    let (mut step, start, settled, received, current, slopes) = loop {
        let mut step = Step::new(region, false);
        let start = step.start()?;
        let settled = step.settle(&start, &unsettled);
        let received = step.received_event(&start)?;
        let current = step.membrane_current()?;
        let slopes = step.slopes_of_states()?;
        let is_set = |(place, value): &(Place, Id)| step.values[place.0][&place.1] != *value;
        let set: Vec<Place> = settled.iter().filter(|one| is_set(one)).map(|(place, _)| place.clone()).collect();
        if set.is_empty() {
            break (step, start, settled, received, current, slopes);
        }
        unsettled.extend(set);
    };
    let equations = step.equations(&start, &slopes)?;
    let mut constant = step.untouched(&start, received.as_ref());
    // A PARAMETER that INITIAL corrects is what it is afterwards, and what scripts set.
    for ((index, name), _) in &settled {
        if is_parameter(&region.mechanisms[*index], name) {
            constant.insert(step.variable(*index, name, When::Before));
        }
    }
    let changes = step.changes(&equations, received.as_ref());
    let ends: Vec<Id> = equations.iter().map(|equation| equation.slope).chain([current]).collect();
    let starts: Vec<Id> = equations.iter().map(|equation| equation.start).collect();
    step.refuse_foreign(&[&ends[..], &starts[..]].concat())?;
    let states: BTreeSet<Input> = equations.iter().map(|equation| equation.input).collect();
    step.refuse_leftover(&ends, &constant.union(&states).copied().collect(), false)?;
    step.refuse_leftover(&starts, &constant, true)?;
    step.refuse_time(&ends)?;
    let events: Vec<Id> = changes.iter().map(|(_, value)| *value).collect();
    let arguments = received.as_ref().map(TracedEvent::inputs).unwrap_or_default();
    let known = constant.iter().chain(&states).chain(&arguments).copied().collect();
    step.refuse_leftover(&events, &known, false)?;
    let roots = [&ends[..], &starts[..], &events[..]].concat();
    let mut parameters = step.parameters(&roots, &constant, wanted);
    let special_values = step.special_values(&roots, &parameters);
    let inputs = FormInputs {
        states: equations.iter().map(|equation| equation.input).collect(),
        parameters: parameters.iter().map(|(input, _)| *input).collect(),
        ..FormInputs::default()
    };
    if let Some(equation) = equations.iter().find(|equation| step.starts_by_iteration(equation.start)) {
        let (mechanism, span) = step.declaration(&equation.kind);
        let what = format!("`{}` starts from equations that INITIAL solves by iteration", equation.kind.name());
        return Err(refused(mechanism, span, &what));
    }
    let mut solved = Solved::new();
    let conductance = step.derivative(current, step.v_before);
    let mut source = step.form(current, &inputs);
    source.retain(|known| known != crate::step::Source::VBefore);
    let mut rows = Vec::new();
    for equation in &equations {
        step.refuse_full()?;
        let row = step.form(equation.slope, &inputs);
        let start = step.form_by(&inputs, |step, by| {
            let derivative = step.start_derivative(equation.start, by, &mut solved);
            (!step.graph.is_zero(derivative)).then_some(derivative)
        });
        rows.push(State {
            public: step.public_name(&equation.kind),
            own: None,
            is_watched: false,
            kind: equation.kind.clone(),
            after: equation.slope,
            initial: equation.start,
            row,
            start,
            is_inactive: false,
            is_settled: false,
        });
    }
    let receive = received.map(|_| step.receive_of(&changes, &FormInputs { arguments, ..inputs.clone() }));
    let mut own: Vec<Parameter> = parameters.drain(..).map(|(_, parameter)| parameter).collect();
    if region.kind() == crate::model::Kind::Density && wanted("cm") {
        let rise = step.read(Quantity::Rise, "rise");
        step.add_capacitance(&mut source, &mut own, rise);
    }
    step.refuse_full()?;
    step.refuse_leftovers(&roots)?;
    let failed: Vec<Id> = step.values.iter().filter_map(|values| values.get(crate::trace::FAILED).copied()).collect();
    let failed = failed.into_iter().filter(|count| !step.graph.is_zero(*count)).collect();
    Ok(Linearised {
        region: region.clone(),
        constants: step.visible(&constant),
        stale: step.stale_tables(),
        special_values,
        shared: step.shared_tables(&constant)?,
        unfollowed: std::mem::take(&mut step.findings.unfollowed),
        checks: Vec::new(),
        graph: step.graph,
        quantities: step.quantities,
        ions: step.ions,
        names: step.names,
        current,
        conductance,
        current_size: current,
        source,
        states: rows,
        parameters: own,
        pointed: Vec::new(),
        implicit_solves: Vec::new(),
        start_implicit_solves: Vec::new(),
        receive,
        arrays: Vec::new(),
        corrected: Vec::new(),
        passing: BTreeSet::new(),
        set_by_currents: BTreeSet::new(),
        set_early: BTreeSet::new(),
        set_at_begin: BTreeSet::new(),
        failed,
        failed_start: Vec::new(),
    })
}

fn refused(mechanism: usize, span: Span, what: &str) -> Refused {
    let message = format!("{what}: that is not differentiated under the variable step");
    let diagnostic = Diagnostic::refusal(Code::VariableStep, span, message)
        .help("use the fixed step (h.cvode_active(0)) with gradmod.attach or gradmod.Reverse");
    Refused { mechanism, diagnostic }
}

/// What a mechanism may not contain.
fn refuse_constructs(index: usize, mechanism: &Mechanism) -> Result<(), Refused> {
    let whole = mechanism.span;
    let pointed = mechanism.variables.values().find(|variable| variable.role == crate::model::Role::Pointed);
    let found = [
        mechanism.randoms.first().map(|name| (whole, format!("the stream of random numbers `{name}`"))),
        mechanism.function_tables.first().map(|name| (whole, format!("the FUNCTION_TABLE `{name}`"))),
        pointed.map(|variable| (variable.span, format!("the POINTER `{}`", variable.name))),
        mechanism.before_after.first().map(|(moment, block)| (block.span, moment.name().to_owned())),
    ];
    match found.into_iter().flatten().next() {
        Some((span, what)) => Err(refused(index, span, &what)),
        None => Ok(()),
    }
}

fn is_parameter(mechanism: &Mechanism, name: &str) -> bool {
    mechanism.variable(name).is_some_and(|known| known.role == crate::model::Role::Parameter)
}

/// Whether the code tells CVODE of moments at which it changes.
fn calls_at_time(mechanism: &Mechanism) -> bool {
    let is_call = |expression: &Expr| {
        expressions(expression).any(|one| matches!(&one.kind, ExprKind::Call(name, _) if name.text == "at_time"))
    };
    let blocks = mechanism.blocks.values().flat_map(|block| statements(&block.body));
    statements(&mechanism.breakpoint).chain(blocks).any(|statement| match &statement.kind {
        StatementKind::Expression(expression) | StatementKind::Assign(_, expression) => is_call(expression),
        StatementKind::If(branches, _) => branches.iter().any(|(condition, _)| is_call(condition)),
        _ => false,
    })
}

impl Step<'_> {
    /// Lets variables that INITIAL makes of parameters be what it makes of them, but for some; returns which.
    fn settle(&mut self, start: &Start, unsettled: &BTreeSet<Place>) -> Vec<(Place, Id)> {
        let region = self.region;
        let mut settled = Vec::new();
        for (index, mechanism) in region.mechanisms.iter().enumerate() {
            let states = state_elements(mechanism);
            for name in mechanism.variables.values().flat_map(crate::model::Variable::elements) {
                let place = (index, name);
                let name = &place.1;
                let (Some(before), Some(value)) = (self.values[index].get(name), start.values[index].get(name)) else {
                    continue;
                };
                let is_shown = mechanism.ions.iter().any(|ion| ion.uses(name));
                if before == value || states.contains(name) || is_shown || unsettled.contains(&place) {
                    continue;
                }
                let moves = |input: &Input| match self.quantities.get(input) {
                    Some(Quantity::Voltage(_) | Quantity::Time | Quantity::TimeStep | Quantity::Ion(..)) | None => true,
                    Some(Quantity::Variable(index, name, _)) => {
                        let before = self.values[*index].get(name);
                        let is_parameter = is_parameter(&region.mechanisms[*index], name);
                        before.and_then(|id| self.graph.as_input(*id)) != Some(*input)
                            || (!is_parameter && start.values[*index].get(name) != before)
                    }
                    Some(_) => false,
                };
                let inputs = self.graph.reachable_inputs(&[*value], true);
                if !inputs.iter().any(moves) {
                    settled.push((place, *value));
                }
            }
        }
        for ((index, name), value) in &settled {
            self.values[*index].insert(name.clone(), *value);
        }
        settled
    }

    /// The sum of all currents, positive outward; mA/cm2 or nA.
    fn membrane_current(&mut self) -> Result<Id, Refused> {
        let region = self.region;
        let mut sum = self.graph.number(0.0);
        for (index, mechanism) in region.mechanisms.iter().enumerate() {
            if mechanism.currents.is_empty() {
                continue;
            }
            let mut before = self.own_values(index, None);
            self.show_ions(mechanism, &mut before);
            let v = self.graph.read(self.v_before);
            let (mut after, jumps) = self.breakpoint(index, before.clone(), (v, Discontinuities::Heeded), None)?;
            let set = state_elements(mechanism).into_iter().find(|name| before.get(name) != after.get(name));
            if jumps || set.is_some() {
                let what = format!("the BREAKPOINT of {} sets a state", mechanism.name);
                return Err(refused(index, mechanism.span, &what));
            }
            self.share(index, "BREAKPOINT", &before, &mut after);
            for ion in &mechanism.ions {
                let name = ion.current();
                if ion.write.contains(&name) {
                    let total = self.graph.add(self.ion_values[&name], after[&name]);
                    self.ion_values.insert(name, total);
                }
            }
            let own = self.sum(mechanism, &after);
            sum = self.graph.add(sum, own);
            after.retain(|name, _| !name.ends_with(" (LOCAL)"));
            self.take_ions(mechanism, &after);
            self.values[index] = after;
        }
        Ok(sum)
    }

    /// The right sides of all equations, by mechanism.
    fn slopes_of_states(&mut self) -> Result<Vec<Vec<(String, Id)>>, Refused> {
        let region = self.region;
        let mut all = Vec::new();
        for (index, mechanism) in region.mechanisms.iter().enumerate() {
            let before = self.own_values(index, None);
            let mut values = before.clone();
            self.show_ions(mechanism, &mut values);
            let shown = values.clone();
            let v = self.graph.read(self.v_before);
            values.insert("v".to_owned(), v);
            values.insert("t".to_owned(), self.t);
            let mut slopes = Vec::new();
            for statement in &mechanism.breakpoint {
                match &statement.kind {
                    StatementKind::Solve(solve) => {
                        let (found, after) = self
                            .method(index, solve)
                            .and_then(|(method, block)| self.right_sides(index, &method, block, values))
                            .map_err(|diagnostic| Refused { mechanism: index, diagnostic: *diagnostic })?;
                        slopes.extend(found);
                        values = after;
                    }
                    StatementKind::Local(_) | StatementKind::UnitsSwitch(_) | StatementKind::Comment(_) => {}
                    _ if mechanism.currents.is_empty() => {
                        let what = "BREAKPOINT of a mechanism without a current does more than SOLVE";
                        return Err(refused(index, statement.span, what));
                    }
                    _ => {}
                }
            }
            if let Some(name) = state_elements(mechanism).into_iter().find(|name| shown.get(name) != values.get(name)) {
                let what = format!("a block that BREAKPOINT solves sets `{name}` itself");
                return Err(refused(index, mechanism.span, &what));
            }
            self.share(index, "BREAKPOINT", &shown, &mut values);
            self.values[index] = values;
            all.push(slopes);
        }
        Ok(all)
    }

    /// The right sides of a block, and all values after it.
    fn right_sides(
        &mut self,
        index: usize,
        method: &Method,
        block: &Block,
        values: Values,
    ) -> Traced<(Vec<(String, Id)>, Values)> {
        let mechanism = &self.region.mechanisms[index];
        let mut trace = self.trace(mechanism, values, None);
        match (method, &block.kind) {
            (_, BlockKind::Derivative(_)) => {
                trace.primes = Primes::Collect(Vec::new());
                trace.run_block(block)?;
                let slopes = trace.collected(block);
                Ok((slopes, trace.values))
            }
            (Method::Sparse, _) => {
                let slopes = trace.kinetic_rates(block)?;
                Ok((slopes, trace.values))
            }
            _ => {
                let refusal =
                    refused(index, block.span, "a PROCEDURE, LINEAR or NONLINEAR block that BREAKPOINT solves");
                Err(Box::new(refusal.diagnostic))
            }
        }
    }

    /// All states with their slopes and starts.
    fn equations(&mut self, start: &Start, slopes: &[Vec<(String, Id)>]) -> Result<Vec<Equation>, Refused> {
        let region = self.region;
        let mut found: Vec<Equation> = Vec::new();
        for (index, mechanism) in region.mechanisms.iter().enumerate() {
            for name in state_elements(mechanism) {
                let slope = slopes[index].iter().rev().find(|(known, _)| *known == name).map(|(_, slope)| *slope);
                let slope = slope.unwrap_or_else(|| self.graph.number(0.0));
                let is_ion = mechanism.ions.iter().any(|ion| ion.uses(&name));
                let (kind, input, start) = if is_ion {
                    let input = self.input(Quantity::Ion(name.clone(), When::Before), String::new());
                    (StateKind::Ion(name.clone()), input, start.ions[&name])
                } else {
                    let input = self.variable(index, &name, When::Before);
                    (StateKind::Variable(index, name.clone()), input, start.values[index][&name])
                };
                if found.iter().any(|known| known.kind == kind) {
                    let what = format!("two mechanisms have an equation for `{name}`");
                    return Err(refused(index, mechanism.span, &what));
                }
                found.push(Equation { kind, input, slope, start });
            }
        }
        for ion in &self.ions {
            let lacking =
                ion.carried().find(|name| !found.iter().any(|known| known.kind == StateKind::Ion(name.clone())));
            if let Some(name) = lacking {
                let writer =
                    region.mechanisms.iter().position(|known| known.ions.iter().any(|own| own.write.contains(&name)));
                let index = writer.unwrap_or_default();
                let what = format!("`{name}` is set without an equation of its own (make it a STATE)");
                return Err(refused(index, region.mechanisms[index].span, &what));
            }
        }
        Ok(found)
    }

    /// What NET_RECEIVE makes of everything.
    fn received_event(&mut self, start: &Start) -> Result<Option<TracedEvent>, Refused> {
        let region = self.region;
        let Some(mechanism) = region.mechanisms.first() else { return Ok(None) };
        let Some(receive) = &mechanism.receive else { return Ok(None) };
        let declared = self.values[0].clone();
        let Some(event) = self.received(&declared, &start.values[0])? else { return Ok(None) };
        let is_changed = |name: &String| {
            let input = self.inputs.get(&Quantity::Argument(name.clone())).copied();
            input.is_none() || self.graph.as_input(event.values[&argument_key(name)]) != input
        };
        let what = if !start.sent.is_empty() || event.acts_on_more() {
            "NET_RECEIVE or INITIAL that sends an event, watches, sets `v` or writes an array"
        } else if receive.arguments.iter().any(is_changed) {
            "NET_RECEIVE that changes a weight"
        } else {
            return Ok(Some(event));
        };
        Err(refused(0, receive.span, what))
    }

    /// The states that an event changes, with what they become.
    fn changes(&mut self, equations: &[Equation], received: Option<&TracedEvent>) -> Vec<(usize, Id)> {
        let Some(received) = received else { return Vec::new() };
        let mut changes = Vec::new();
        for (target, equation) in equations.iter().enumerate() {
            let before = self.graph.read(equation.input);
            let after = received.values.get(equation.kind.name()).copied();
            changes.extend(after.filter(|after| *after != before).map(|after| (target, after)));
        }
        changes
    }

    fn receive_of(&mut self, changes: &[(usize, Id)], inputs: &FormInputs) -> Receive {
        let states = changes.iter().map(|(target, value)| {
            let row = self.form(*value, inputs);
            Change { target: *target, value: *value, row }
        });
        let states = states.collect();
        let names = inputs.arguments.iter().map(|input| self.graph.input_name(*input).to_owned());
        Receive {
            arguments: names.collect(),
            states,
            weights: Vec::new(),
            voltage: None,
            sent: Vec::new(),
            stores: Vec::new(),
            start_weights: Vec::new(),
            start_sent: Vec::new(),
            ordered: self.graph.number(0.0),
            currents: Vec::new(),
            timed: None,
        }
    }

    /// Whether a start depends on linear equations that are solved in an arm of a conditional, as iterations are.
    fn starts_by_iteration(&self, start: Id) -> bool {
        self.systems(&[start]).into_iter().any(|system| self.graph.linear_system(system).scope.is_some())
    }

    /// The derivative of a start, through linear equations that INITIAL solves: `A z = db - dA x`.
    fn start_derivative(&mut self, of: Id, by: Input, solved: &mut Solved) -> Id {
        let mut sum = self.derivative(of, by);
        for system in self.systems(&[of]) {
            let unknowns = self.graph.linear_system(system).unknowns.clone();
            let derivatives = self.solution_derivative(system, by, solved);
            for (unknown, derivative) in unknowns.into_iter().zip(derivatives) {
                let coefficient = self.derivative(of, unknown);
                let term = self.graph.mul(coefficient, derivative);
                sum = self.graph.add(sum, term);
            }
        }
        sum
    }

    fn solution_derivative(&mut self, system: LinearId, by: Input, solved: &mut Solved) -> Vec<Id> {
        if let Some(known) = solved.get(&(system, by)) {
            return known.clone();
        }
        let equations = self.graph.linear_system(system).clone();
        let mut right = Vec::new();
        for (row, value) in equations.matrix.iter().zip(&equations.right) {
            let mut sum = self.start_derivative(*value, by, solved);
            for (column, coefficient) in row {
                let derivative = self.start_derivative(*coefficient, by, solved);
                let term = self.graph.mul(derivative, equations.values[*column]);
                sum = self.graph.sub(sum, term);
            }
            right.push(sum);
        }
        let factors = self.graph.factorise(equations.matrix);
        let found = factors.map_or_else(|| right.clone(), |factors| self.graph.substitute(&factors, right.clone()));
        solved.insert((system, by), found.clone());
        found
    }

    /// The inputs of variables that no code changes, and of ions' values that none sets.
    fn untouched(&mut self, start: &Start, received: Option<&TracedEvent>) -> BTreeSet<Input> {
        let region = self.region;
        let mut untouched = BTreeSet::new();
        for (index, mechanism) in region.mechanisms.iter().enumerate() {
            for name in mechanism.variables.values().flat_map(crate::model::Variable::elements) {
                let input = self.variable(index, &name, When::Before);
                let before = self.graph.read(input);
                let is_same = |values: &[Values]| values[index].get(&name).is_none_or(|value| *value == before);
                let is_left = received.and_then(|event| event.values.get(&name)).is_none_or(|value| *value == before);
                if is_left && is_same(&self.values) && is_same(&start.values) {
                    untouched.insert(input);
                }
            }
        }
        let carried: BTreeSet<String> = self.ions.iter().flat_map(|ion| ion.carried().collect::<Vec<_>>()).collect();
        let quantities = self.quantities.iter();
        untouched.extend(quantities.filter_map(|(input, quantity)| match quantity {
            Quantity::Ion(name, When::Before) => (!carried.contains(name)).then_some(*input),
            _ => None,
        }));
        untouched
    }

    /// Nothing may depend on what an evaluation before has left.
    fn refuse_leftover(&self, roots: &[Id], known: &BTreeSet<Input>, at_start: bool) -> Result<(), Refused> {
        for input in self.graph.reachable_inputs(roots, true) {
            let Some(quantity) = self.quantities.get(&input) else { continue };
            let (index, what) = match quantity {
                _ if known.contains(&input) => continue,
                Quantity::Voltage(When::Before)
                | Quantity::Time
                | Quantity::Celsius
                | Quantity::Area
                | Quantity::Diameter
                | Quantity::InitialConcentration(_)
                | Quantity::Setting(_)
                | Quantity::Valence(_)
                | Quantity::Factor(..)
                | Quantity::Argument(_)
                | Quantity::UseTable(_) => continue,
                Quantity::Variable(index, name, _) => {
                    let block = if at_start { "INITIAL reads" } else { "the equations read" };
                    (*index, format!("{block} `{name}` as other code has left it"))
                }
                Quantity::TimeStep => (0, "`dt` in an equation".to_owned()),
                Quantity::Ion(name, _) if at_start => (0, format!("INITIAL reads `{name}`")),
                other => (0, format!("`{}`", other.own_name().unwrap_or_default())),
            };
            let mechanism = &self.region.mechanisms[index];
            let span = match quantity {
                Quantity::Variable(_, name, _) => mechanism.variable(name).map_or(mechanism.span, |known| known.span),
                _ => mechanism.span,
            };
            return Err(refused(index, span, &what));
        }
        Ok(())
    }

    /// A condition on t of which CVODE is not told changes the equations within a step.
    fn refuse_time(&self, roots: &[Id]) -> Result<(), Refused> {
        let conditions = self.graph.reachable(roots, true).into_iter().filter_map(|id| match self.graph.node(id) {
            Node::Phi(branch, _) => Some(self.graph.branch(*branch).condition),
            _ => None,
        });
        let conditions: Vec<Id> = conditions.collect();
        let Some(time) = self.graph.as_input(self.t) else { return Ok(()) };
        if !self.graph.reachable_inputs(&conditions, false).contains(&time) {
            return Ok(());
        }
        let reads_time = |mechanism: &Mechanism| {
            let blocks = mechanism.blocks.values().flat_map(|block| &block.body);
            let all: Vec<&Statement> = mechanism.breakpoint.iter().chain(blocks).collect();
            all.iter().any(|statement| {
                statements(std::slice::from_ref(*statement)).any(|inner| match &inner.kind {
                    StatementKind::If(branches, _) => branches.iter().any(|(condition, _)| {
                        expressions(condition).any(|one| matches!(&one.kind, ExprKind::Name(name) if name == "t"))
                    }),
                    _ => false,
                })
            })
        };
        let untold =
            self.region.mechanisms.iter().enumerate().find(|(_, known)| reads_time(known) && !calls_at_time(known));
        match untold {
            Some((index, mechanism)) => {
                let what = format!("{} compares t without telling CVODE of the moment (at_time)", mechanism.name);
                Err(refused(index, mechanism.span, &what))
            }
            None => Ok(()),
        }
    }
}
