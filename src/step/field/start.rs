//! What INITIAL makes: of the states, and of variables that the equations read.

use std::collections::{BTreeMap, BTreeSet};

use super::{Place, is_parameter};
use crate::graph::{Id, Input, LinearId};
use crate::step::phase::initial::Start;
use crate::step::phase::state::state_elements;
use crate::step::{Quantity, Step};

/// The derivatives of solutions of linear equations, by what they are taken.
pub(super) type Solved = BTreeMap<(LinearId, Input), Vec<Id>>;

impl Step<'_> {
    /// Lets variables that INITIAL makes of parameters be what it makes of them, but for some; returns which.
    pub(super) fn settle(&mut self, start: &Start, unsettled: &BTreeSet<Place>) -> Vec<(Place, Id)> {
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

    /// Whether a start depends on linear equations that are solved in an arm of a conditional, as iterations are.
    pub(super) fn starts_by_iteration(&self, start: Id) -> bool {
        self.systems(&[start]).into_iter().any(|system| self.graph.linear_system(system).scope.is_some())
    }

    /// The derivative of a start, through linear equations that INITIAL solves: `A z = db - dA x`.
    pub(super) fn start_derivative(&mut self, of: Id, by: Input, solved: &mut Solved) -> Id {
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

    pub(super) fn solution_derivative(&mut self, system: LinearId, by: Input, solved: &mut Solved) -> Vec<Id> {
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
}
