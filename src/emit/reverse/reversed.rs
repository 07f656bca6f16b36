//! One region, ready to be written for reverse mode.

use std::collections::BTreeSet;

use super::frame::layout::Frame;
use super::frame::reader::{Reader, column};
use super::phase::Phase;
use super::{invariant, roots};
use crate::emit::region::declarations::units;
use crate::emit::region::roots::{array_terms, changed_inputs};
use crate::graph::{Id, Input};
use crate::model::Kind;
use crate::step::{Linearised, Quantity, Receive};

/// The temperature among the ASSIGNED variables.
pub(super) const CELSIUS: &str = "celsius (degC)";

/// One region, ready to be written.
pub struct Reversed<'a> {
    pub linearised: &'a Linearised,
    /// Somewhere in the model events set the voltage.
    pub jumps: bool,
    pub frame: Frame<'a>,
    /// Values of the step that do not change along the run.
    pub invariants: Vec<Id>,
    pub step: Phase,
    /// What the step takes from arrays.
    pub through: Phase,
    pub start: Phase,
    pub own_step: Phase,
    pub own_start: Phase,
    /// The map that an event is, and INITIAL inside `NET_RECEIVE`.
    pub event: Phase,
    pub start_weights: Phase,
    /// What the recorder computes at events.
    pub at_event: Phase,
}

impl<'a> Reversed<'a> {
    pub fn new(linearised: &'a Linearised, jumps: bool) -> Self {
        let step = Phase::new(linearised, roots::step(linearised));
        let through = Phase::new(linearised, array_terms(linearised));
        let start = Phase::new(linearised, roots::start(linearised));
        let own_step = Phase::new(linearised, roots::own_step(linearised));
        let own_start = Phase::new(linearised, roots::own_start(linearised));
        let of_events = |roots: fn(&Receive) -> Vec<Id>| {
            Phase::new(linearised, linearised.receive.as_ref().map(roots).unwrap_or_default())
        };
        let event = of_events(roots::event_map);
        let start_weights = of_events(|receive| roots::coefficients(&receive.start_weights));
        let at_event = of_events(roots::of_recorder);
        let together = |phases: &[&Phase]| phases.iter().flat_map(|phase| phase.inputs.iter().copied()).collect();
        let mut event_inputs: BTreeSet<Input> = together(&[&event, &at_event]);
        event_inputs.extend(changed_inputs(linearised));
        let frame = Frame::new(
            linearised,
            jumps,
            &together(&[&step, &through, &own_step]),
            &together(&[&start, &own_start, &start_weights]),
            &event_inputs,
        );
        let is_fixed =
            |input: Input| linearised.quantities.get(&input).is_some_and(|quantity| frame.is_fixed(quantity));
        let invariants = invariant::invariants(&linearised.graph, &step.roots, is_fixed);
        Self {
            linearised,
            jumps,
            frame,
            invariants,
            step,
            through,
            start,
            own_step,
            own_start,
            event,
            start_weights,
            at_event,
        }
    }

    pub fn kind(&self) -> &'static str {
        match self.linearised.region.kind() {
            Kind::Density => "SUFFIX",
            Kind::Point => "POINT_PROCESS",
        }
    }

    /// How the adjoint reads a frame.
    pub fn reader(&self) -> Reader {
        if self.frame.is_gathered() { Reader::Columns } else { Reader::Places }
    }

    /// Where a number of a frame, other than the voltage, is among those of its place.
    pub fn place(&self, index: usize) -> usize {
        if self.frame.is_gathered() { column(index) } else { index }
    }

    pub fn mechanisms(&self) -> Vec<String> {
        self.linearised.region.mechanisms.iter().map(|mechanism| mechanism.name.clone()).collect()
    }

    /// What NEURON knows by itself and the code of some phases reads.
    pub fn builtins(&self, phases: &[&Phase]) -> Vec<String> {
        let known =
            [(Quantity::Celsius, CELSIUS), (Quantity::Area, "area (micron2)"), (Quantity::Diameter, "diam (micron)")];
        let reads = |quantity: &Quantity| {
            phases.iter().any(|phase| phase.inputs.iter().any(|input| self.linearised.quantities[input] == *quantity))
        };
        known.iter().filter(|(quantity, _)| reads(quantity)).map(|(_, name)| (*name).to_owned()).collect()
    }

    /// Whether anything depends on the temperature.
    pub fn reads_celsius(&self) -> bool {
        let inputs = self.step.inputs.iter().chain(&self.start.inputs);
        inputs.into_iter().any(|input| self.linearised.quantities[input] == Quantity::Celsius)
    }

    pub fn units(&self, phases: &[&Phase]) -> Vec<String> {
        let inputs = phases.iter().flat_map(|phase| phase.inputs.iter().copied());
        let inputs: BTreeSet<Input> = inputs.collect();
        units(self.linearised, inputs.into_iter())
    }
}
