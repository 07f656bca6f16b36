//! The derivative of the step: what both forward and reverse mode are made of.
//!
//! ```text
//! S        = source . (V_n, x_n, p)
//! Dx_{n+1} = row . (V_n, V_{n+1}, x_n, p)
//! Dx_0     = start . (V_0, p)
//! ```

use std::collections::BTreeSet;

use super::linear_form::{FormInputs, Source};
use super::membrane;
use super::state_vector::Candidate;
use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Id, Input, Node};
use crate::model::{Ion, Kind, is_kept_slope};
use crate::step::event::traced_event::TracedEvent;
use crate::step::field;
use crate::step::guard::unread::Run;
use crate::step::{
    EventTimes, LinearForm, Linearised, Parameter, Quantity, Receive, Refused, Region, State, StateKind, Step,
    TimeScheme,
};
use crate::trace::{FAILED, Values};

/// Differentiates the step of a region with respect to the voltage, the states
/// and those parameters whose public names are wanted.
pub fn linearise(region: &Region, wanted: &dyn Fn(&str) -> bool, times: EventTimes) -> Result<Linearised, Refused> {
    refuse_point_process(region)?;
    if region.scheme == TimeScheme::Variable {
        return field::differentiate(region, wanted);
    }
    match linearise_with(region, wanted, true, times) {
        // Element by element it may be possible.
        Err(refused) if refused.diagnostic.code == Code::EventArray => {
            linearise_with(region, wanted, false, times).map_err(|_| refused)
        }
        other => other,
    }
}

/// The values of the first mechanism.
fn first(values: &[Values]) -> Values {
    values.first().cloned().unwrap_or_default()
}

/// The parameters, and which of them a run must not change: not those that are states after the start.
fn steady(parameters: Vec<(Input, Parameter)>, initial: &BTreeSet<Input>) -> Vec<Parameter> {
    let stay = |(input, parameter): (Input, Parameter)| Parameter {
        steady: parameter.steady.filter(|_| !initial.contains(&input)),
        ..parameter
    };
    parameters.into_iter().map(stay).collect()
}

fn linearise_with(
    region: &Region,
    wanted: &dyn Fn(&str) -> bool,
    whole: bool,
    times: EventTimes,
) -> Result<Linearised, Refused> {
    let mut step = Step::new(region, whole);
    let declared = step.values.clone();
    let mut start = step.start()?;
    let received = step.received(&first(&declared), &first(&start.values))?;
    let slopes = step.slopes(&declared, received.as_ref(), times)?;
    let rise = step.read(Quantity::Rise, "rise");
    let membrane = step.currents()?;
    let currents = step.shown_currents();
    step.states()?;
    step.end_of_step()?;
    let reset = step.reset(&start);
    step.after_start(&mut start)?;

    let (dynamic, constant) = step.candidates(&start, received.as_ref());
    let gone = step.gone(&dynamic, reset);
    let mut roots = step.first_weights(received.as_ref(), &dynamic, [membrane.current, membrane.conductance]);
    roots.extend(received.iter().flat_map(TracedEvent::needs).chain(step.kept_slopes()));
    let chosen = step.carried(dynamic, &mut roots);
    roots.extend(chosen.iter().map(|candidate| candidate.start));
    step.refuse_foreign(&roots)?;
    roots.extend(received.iter().flat_map(|received| received.values.values().copied()));
    step.refuse_large(&chosen)?;
    let initial = step.set_at_start(&chosen);
    let parameters = step.parameters(&roots, &constant.union(&initial).copied().collect(), wanted);
    let special_values = step.special_values(&roots, &parameters);

    let pointed = step.pointed_by(&roots);
    let mut inputs = FormInputs {
        pointers: pointed.iter().map(|(inputs, _)| *inputs).collect(),
        states: chosen.iter().map(|candidate| candidate.input).collect(),
        parameters: parameters.iter().map(|(input, _)| *input).collect(),
        ..FormInputs::default()
    };
    let mut start_inputs = inputs.clone();
    // After the start they are states, not parameters.
    inputs.forget(&initial, step.graph.input("nothing"));
    let arguments = received.as_ref().map(TracedEvent::inputs).unwrap_or_default();
    let event_inputs = FormInputs { arguments, time: step.time(), ..inputs.clone() };
    let settled = step.settled(&chosen);
    // What an array keeps of the time of an event counts as a number, but in the limit of small steps.
    let store_inputs = FormInputs { time: slopes.as_ref().and_then(|_| step.time()), ..event_inputs.clone() };
    let stores = received.as_ref().map(|received| step.stores_of_events(received, &chosen, &store_inputs, &settled));
    let stores = stores.transpose()?.unwrap_or_default();
    inputs.arrays = step.active_arrays();
    let ends: Vec<Id> = chosen.iter().map(|candidate| candidate.after).collect();
    let implicit_solves = step.implicit_solves(&step.systems(&ends), &mut inputs);
    let starts: Vec<Id> = chosen.iter().map(|candidate| candidate.start).collect();
    let start_implicit_solves = step.implicit_solves(&step.systems(&starts), &mut start_inputs);
    let mut source = step.form(membrane.current, &inputs);
    step.without_conductance(&mut source, membrane.current, membrane.conductance);
    let states = step.state_rows(&chosen, &inputs, &start_inputs)?;
    let corrected = corrected(&chosen, &initial, &parameters);
    let mut parameters = steady(parameters, &initial);
    if region.kind() == Kind::Density && wanted("cm") {
        step.add_capacitance(&mut source, &mut parameters, rise);
    }
    let history =
        Run { received: received.as_ref(), sent: &start.sent, membrane: [membrane.current, membrane.conductance] };
    let history = step.refuse_history(&chosen, &gone, &history)?;
    let receive = match &received {
        Some(received) => {
            let changed = step.changed(&chosen, received, slopes.is_some())?;
            step.refuse_late(&start.sent)?;
            let mut receive = step.receive(received, &changed, &event_inputs, &settled, stores, start.sent)?;
            step.refuse_pointed(&receive)?;
            let roots = [&ends[..], &[membrane.current, membrane.conductance]].concat();
            let timed = step.times_of_events(slopes.as_ref(), &mut receive, &chosen, &roots)?;
            Some(Receive { currents, timed, ..receive })
        }
        None => None,
    };
    let (failed, failed_start) = (step.failed(&step.values), [step.failed(&start.values), history].concat());
    step.refuse_leftovers(&roots)?;
    Ok(Linearised {
        region: region.clone(),
        constants: step.visible(&constant),
        stale: step.stale_tables(),
        special_values,
        shared: step.shared_tables(&constant)?,
        unfollowed: std::mem::take(&mut step.findings.unfollowed),
        checks: step.checks(&chosen),
        graph: step.graph,
        quantities: step.quantities,
        ions: step.ions,
        names: step.names,
        current: membrane.current,
        conductance: membrane.conductance,
        current_size: membrane.size,
        source,
        states,
        parameters,
        pointed: pointed.into_iter().map(|(_, pointed)| pointed).collect(),
        implicit_solves,
        start_implicit_solves,
        receive,
        arrays: step.arrays,
        corrected,
        passing: gone.passing(&chosen),
        set_by_currents: step.set_by_currents,
        set_early: step.set_early,
        set_at_begin: step.set_at_begin,
        failed,
        failed_start,
    })
}

fn corrected(chosen: &[Candidate], initial: &BTreeSet<Input>, parameters: &[(Input, Parameter)]) -> Vec<StateKind> {
    let is_asked_for = |input: &Input| parameters.iter().any(|(parameter, _)| parameter == input);
    let set = chosen.iter().filter(|candidate| initial.contains(&candidate.input) && is_asked_for(&candidate.input));
    set.map(|candidate| candidate.kind.clone()).collect()
}

/// The pool of an ion is another region's.
fn refuse_point_process(region: &Region) -> Result<(), Refused> {
    let Some(mechanism) = region.mechanisms.first().filter(|first| first.kind == Kind::Point) else {
        return Ok(());
    };
    let refused = |ion: &Ion, code: Code, what: &str| {
        let message = format!("a point process that sets {what} of `{}` is not differentiated", ion.name);
        Err(Refused { mechanism: 0, diagnostic: Diagnostic::refusal(code, ion.span, message) })
    };
    if let Some(ion) = mechanism.ions.iter().find(|ion| ion.writes_concentration()) {
        return refused(ion, Code::PointConcentration, "a concentration");
    }
    match mechanism.ions.iter().find(|ion| ion.write.contains(&ion.reversal())) {
        Some(ion) => refused(ion, Code::WritesReversalPotential, "the reversal potential"),
        None => Ok(()),
    }
}

impl Step<'_> {
    fn stores_of_events(
        &mut self,
        received: &TracedEvent,
        chosen: &[Candidate],
        inputs: &FormInputs,
        settled: &[bool],
    ) -> Result<Vec<crate::step::ArrayStore>, Refused> {
        let stores = self.array_stores(&received.stores, inputs, settled)?;
        let events: Vec<Id> = chosen.iter().map(|candidate| candidate.event).chain(received.needs()).collect();
        self.refuse_arrays(&events, self.region.mechanisms[0].span)?;
        Ok(stores)
    }

    fn state_rows(
        &mut self,
        chosen: &[Candidate],
        inputs: &FormInputs,
        start_inputs: &FormInputs,
    ) -> Result<Vec<State>, Refused> {
        self.refuse_full()?;
        let mut states = Vec::new();
        for (candidate, is_settled) in chosen.iter().zip(self.settled(chosen)) {
            let row = self.form(candidate.after, inputs);
            self.refuse_full()?;
            let mut start = self.form(candidate.start, start_inputs);
            start.retain(|source| match source {
                // There is nothing before it, and no step.
                Source::State(_) | Source::VAfter | Source::PointerAfter(_) => false,
                Source::VBefore
                | Source::PointerBefore(_)
                | Source::Parameter(_)
                | Source::Unknown(..)
                | Source::Argument(_)
                | Source::Time
                | Source::Arrays => true,
            });
            self.refuse_full()?;
            states.push(State {
                public: self.public_name(&candidate.kind),
                own: self.is_hidden(&candidate.kind).then(|| {
                    let before = self.graph.read(candidate.input);
                    ((candidate.after != before).then_some(candidate.after), candidate.start)
                }),
                is_watched: self.is_watched(candidate),
                kind: candidate.kind.clone(),
                after: candidate.after,
                initial: candidate.start,
                row,
                start,
                is_inactive: false,
                is_settled,
            });
        }
        Ok(states)
    }

    /// What tells whether a run has come by an equation yet, and what it was.
    fn kept_slopes(&self) -> Vec<Id> {
        let values = self.values.iter().flatten().filter(|(name, _)| is_kept_slope(name));
        values.map(|(_, id)| *id).collect()
    }

    fn failed(&self, values: &[Values]) -> Vec<Id> {
        let counts = values.iter().filter_map(|values| values.get(FAILED).copied());
        counts.filter(|count| !self.graph.is_zero(*count)).collect()
    }

    /// The cable's own current is `d W`, so `S` holds `dJ/dV - d`: nothing for
    /// a current that is linear in the voltage.
    fn without_conductance(&mut self, source: &mut LinearForm, current: Id, conductance: Id) {
        let slope = self.derivative(current, self.v_before);
        let rest = self.graph.sub(slope, conductance);
        source.set(Source::VBefore, (!self.graph.is_zero(rest)).then_some(rest));
    }

    /// The parameter `cm`, by `(V_{n+1} - V_n) / dt` in the unit of the current: mA/cm2 per uF/cm2.
    pub(in crate::step) fn add_capacitance(
        &mut self,
        source: &mut LinearForm,
        parameters: &mut Vec<Parameter>,
        rise: Id,
    ) {
        let scale = self.graph.number(membrane::CAPACITIVE);
        let per_step = self.graph.div(rise, self.dt);
        source.set(Source::Parameter(parameters.len()), Some(self.graph.mul(scale, per_step)));
        parameters.push(Parameter { public: "cm".to_owned(), scope: "cable", steady: None });
    }

    fn is_watched(&mut self, candidate: &Candidate) -> bool {
        matches!(self.graph.node(candidate.after), Node::Anchored { .. }) && self.is_untouched(candidate)
    }
}
