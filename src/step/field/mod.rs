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

mod equations;
mod event;
mod refusals;
mod start;

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Id, Input};
use crate::model::Mechanism;
use crate::step::event::traced_event::TracedEvent;
use crate::step::linear_map::linear_form::FormInputs;
use crate::step::phase::initial::Start;
use crate::step::{Linearised, Parameter, Quantity, Refused, Region, State, StateKind, Step, When};
use crate::syntax::span::Span;
use refusals::refuse_constructs;
use start::Solved;

/// A state with its equation.
struct Equation {
    kind: StateKind,
    input: Input,
    slope: Id,
    start: Id,
}

/// A variable: its mechanism and its name.
type Place = (usize, String);

/// What the code of a region has shown.
struct Traced<'a> {
    step: Step<'a>,
    start: Start,
    /// Variables that INITIAL has made of parameters.
    settled: Vec<(Place, Id)>,
    received: Option<TracedEvent>,
    current: Id,
    /// By mechanism.
    slopes: Vec<Vec<(String, Id)>>,
}

pub(super) fn differentiate(region: &Region, wanted: &dyn Fn(&str) -> bool) -> Result<Linearised, Refused> {
    for (index, mechanism) in region.mechanisms.iter().enumerate() {
        refuse_constructs(index, mechanism)?;
    }
    let Traced { mut step, start, settled, received, current, slopes } = traced(region)?;
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
    let moving: BTreeSet<Input> = equations.iter().map(|equation| equation.input).collect();
    step.refuse_leftover(&ends, &constant.union(&moving).copied().collect(), false)?;
    step.refuse_leftover(&starts, &constant, true)?;
    step.refuse_time(&ends)?;
    let events: Vec<Id> = changes.iter().map(|(_, value)| *value).collect();
    let arguments = received.as_ref().map(TracedEvent::inputs).unwrap_or_default();
    let known = constant.iter().chain(&moving).chain(&arguments).copied().collect();
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
    let conductance = step.derivative(current, step.v_before);
    let mut source = step.form(current, &inputs);
    source.retain(|known| known != crate::step::Source::VBefore);
    let states = step.rows(&equations, &inputs)?;
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
        states,
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

/// Runs all code, again where a variable that INITIAL makes of parameters turns out to be set by other code too.
fn traced(region: &Region) -> Result<Traced<'_>, Refused> {
    let mut unsettled = BTreeSet::new();
    loop {
        let mut step = Step::new(region, false);
        let start = step.start()?;
        let settled = step.settle(&start, &unsettled);
        let received = step.received_event(&start)?;
        let current = step.membrane_current()?;
        let slopes = step.slopes_of_states()?;
        let is_set = |(place, value): &(Place, Id)| step.values[place.0][&place.1] != *value;
        let set: Vec<Place> = settled.iter().filter(|one| is_set(one)).map(|(place, _)| place.clone()).collect();
        if set.is_empty() {
            return Ok(Traced { step, start, settled, received, current, slopes });
        }
        unsettled.extend(set);
    }
}

impl Step<'_> {
    fn rows(&mut self, equations: &[Equation], inputs: &FormInputs) -> Result<Vec<State>, Refused> {
        let mut solved = Solved::new();
        let mut rows = Vec::new();
        for equation in equations {
            self.refuse_full()?;
            let row = self.form(equation.slope, inputs);
            let start = self.form_by(inputs, |step, by| {
                let derivative = step.start_derivative(equation.start, by, &mut solved);
                (!step.graph.is_zero(derivative)).then_some(derivative)
            });
            rows.push(State {
                public: self.public_name(&equation.kind),
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
        Ok(rows)
    }
}

fn refused(mechanism: usize, span: Span, what: &str) -> Refused {
    let message = format!("{what}: that is not differentiated under the variable step");
    let diagnostic = Diagnostic::refusal(Code::VariableStep, span, message)
        .help("use the fixed step (h.cvode_active(0)) with gradmod.attach or gradmod.Reverse");
    Refused { mechanism, diagnostic }
}
fn is_parameter(mechanism: &Mechanism, name: &str) -> bool {
    mechanism.variable(name).is_some_and(|known| known.role == crate::model::Role::Parameter)
}
