//! Rows: one linear form of the gradients of everything that it depends on.

use std::collections::BTreeSet;

use super::Step;
use crate::graph::{Id, Input, LinearId};

/// The coefficients of one linear form; zeros are left out.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub v_before: Option<Id>,
    pub v_after: Option<Id>,
    /// By index into [`super::Linearised::pointed`].
    pub far_before: Vec<(usize, Id)>,
    pub far_after: Vec<(usize, Id)>,
    /// By index into [`super::Linearised::states`].
    pub states: Vec<(usize, Id)>,
    /// By index into [`super::Linearised::parameters`].
    pub parameters: Vec<(usize, Id)>,
    /// By stage and row of the stage.
    pub unknowns: Vec<((usize, usize), Id)>,
    /// By argument of `NET_RECEIVE`.
    pub arguments: Vec<(usize, Id)>,
    /// Of an event: by its time.
    pub time: Option<Id>,
    /// All that comes through arrays, in one direction: it reads their gradients.
    pub arrays: Option<Id>,
}

impl Row {
    /// What is the same in all directions.
    pub fn coefficients(&self) -> Vec<Id> {
        let voltages = self.v_before.into_iter().chain(self.v_after);
        let far = self.far_before.iter().chain(&self.far_after);
        let rest = far.chain(&self.states).chain(&self.parameters).map(|(_, id)| *id);
        let arguments = self.arguments.iter().map(|(_, id)| *id);
        let unknowns = self.unknowns.iter().map(|(_, id)| *id);
        voltages.chain(rest).chain(unknowns).chain(arguments).chain(self.time).collect()
    }

    /// Whether it depends on nothing but the time of the event.
    pub(super) fn is_free_of_model(&self) -> bool {
        Self { time: None, ..self.clone() }.coefficients().is_empty() && self.arrays.is_none()
    }

    /// Whether no voltage has a part in it.
    pub(super) fn is_free_of_voltages(&self) -> bool {
        self.v_before.is_none() && self.v_after.is_none() && self.far_before.is_empty() && self.far_after.is_empty()
    }

    pub(super) fn coefficients_mut(&mut self) -> impl Iterator<Item = &mut Id> {
        let voltages = self.v_before.iter_mut().chain(&mut self.v_after);
        let far = self.far_before.iter_mut().chain(&mut self.far_after);
        let rest = far.chain(&mut self.states).chain(&mut self.parameters).map(|(_, id)| id);
        let unknowns = self.unknowns.iter_mut().map(|(_, id)| id);
        voltages.chain(rest).chain(unknowns).chain(&mut self.arrays)
    }
}

/// The inputs that rows refer to, in their order.
#[derive(Clone, Default)]
pub(super) struct Order {
    pub far: Vec<[Input; 2]>,
    pub states: Vec<Input>,
    pub parameters: Vec<Input>,
    /// With their stages and rows.
    pub unknowns: Vec<(Input, (usize, usize))>,
    /// Of `NET_RECEIVE`.
    pub arguments: Vec<Input>,
    /// Of an event whose time has a derivative.
    pub time: Option<Input>,
    pub arrays: Vec<Input>,
}

impl Order {
    /// Lets `nothing` stand for some of the parameters.
    pub fn forget(&mut self, parameters: &BTreeSet<Input>, nothing: Input) {
        for input in self.parameters.iter_mut().filter(|input| parameters.contains(*input)) {
            *input = nothing;
        }
    }
}

impl Step<'_> {
    pub(super) fn row(&mut self, of: Id, order: &Order) -> Row {
        let (v_before, v_after) = (self.v_before, self.v_after);
        let mut row =
            Row { v_before: self.nonzero(of, v_before), v_after: self.nonzero(of, v_after), ..Row::default() };
        for (index, [before, after]) in order.far.iter().enumerate() {
            row.far_before.extend(self.nonzero(of, *before).map(|id| (index, id)));
            row.far_after.extend(self.nonzero(of, *after).map(|id| (index, id)));
        }
        for (index, input) in order.states.iter().enumerate() {
            row.states.extend(self.nonzero(of, *input).map(|id| (index, id)));
        }
        for (index, input) in order.parameters.iter().enumerate() {
            row.parameters.extend(self.nonzero(of, *input).map(|id| (index, id)));
        }
        for (input, place) in &order.unknowns {
            row.unknowns.extend(self.nonzero(of, *input).map(|id| (*place, id)));
        }
        for (index, input) in order.arguments.iter().enumerate() {
            row.arguments.extend(self.nonzero(of, *input).map(|id| (index, id)));
        }
        row.time = order.time.and_then(|time| self.nonzero(of, time));
        row.arrays = self.through_arrays(order, |step, array| step.derivative(of, array));
        row
    }

    /// The sum over all arrays, unless it is 0.
    pub(super) fn through_arrays(&mut self, order: &Order, mut term: impl FnMut(&mut Self, Input) -> Id) -> Option<Id> {
        let mut sum = self.graph.number(0.0);
        for array in &order.arrays {
            let term = term(self, *array);
            sum = self.graph.add(sum, term);
        }
        (!self.graph.is_zero(sum)).then_some(sum)
    }

    /// The linear equations that some values are made of.
    pub(super) fn systems(&self, roots: &[Id]) -> Vec<LinearId> {
        self.graph.linear_systems(&self.graph.reachable_inputs(roots, true))
    }

    pub(super) fn nonzero(&mut self, of: Id, by: Input) -> Option<Id> {
        let derivative = self.derivative(of, by);
        (!self.graph.is_zero(derivative)).then_some(derivative)
    }
}
