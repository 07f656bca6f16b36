//! The linear form of a gradient: what it is made of after a step, an event or INITIAL.
//!
//! A gradient is a sum of coefficients times other gradients, the same in each direction. What a coefficient multiplies
//! is a [`Source`]. Whoever reads a form matches on it without a default: for a new kind of source each consumer must
//! say what it does with it, since a term that one forgets is a wrong gradient.

use std::collections::BTreeSet;

use crate::graph::{Id, Input, LinearId};
use crate::step::Step;

/// What a coefficient multiplies: the gradient of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    VBefore,
    VAfter,
    /// The voltage or variable that a POINTER sees, by index into [`crate::step::Linearised::pointed`].
    PointerBefore(usize),
    PointerAfter(usize),
    /// By index into [`crate::step::Linearised::states`].
    State(usize),
    /// By index into [`crate::step::Linearised::parameters`].
    Parameter(usize),
    /// A solution of linear equations, by solve and row.
    Unknown(usize, usize),
    /// An argument of `NET_RECEIVE`.
    Argument(usize),
    /// The time of an event.
    Time,
    /// All that comes through arrays: its factor is no coefficient, but the product in one direction.
    Arrays,
}

impl Source {
    /// The order of a form: that of the variants.
    fn kind(self) -> u8 {
        match self {
            Self::VBefore => 0,
            Self::VAfter => 1,
            Self::PointerBefore(_) => 2,
            Self::PointerAfter(_) => 3,
            Self::State(_) => 4,
            Self::Parameter(_) => 5,
            Self::Unknown(..) => 6,
            Self::Argument(_) => 7,
            Self::Time => 8,
            Self::Arrays => 9,
        }
    }
}

/// Coefficients by what they multiply, in the order of its variants; zeros are left out.
#[derive(Clone, Debug, Default)]
pub struct LinearForm(Vec<(Source, Id)>);

impl LinearForm {
    pub fn iter(&self) -> impl Iterator<Item = (Source, Id)> + '_ {
        self.0.iter().copied()
    }

    /// The terms as sums have them: those of the voltages after those of the states.
    pub fn in_order_of_sums(&self) -> impl Iterator<Item = (Source, Id)> {
        let mut terms = self.0.clone();
        terms.sort_by_key(|(source, _)| match source {
            Source::State(_) => 0,
            Source::VAfter => 1,
            Source::VBefore => 2,
            Source::PointerAfter(_) => 3,
            Source::PointerBefore(_) => 4,
            other => other.kind(),
        });
        terms.into_iter()
    }

    pub fn get(&self, source: Source) -> Option<Id> {
        self.iter().find_map(|(known, id)| (known == source).then_some(id))
    }

    /// What is the same in all directions.
    pub fn coefficients(&self) -> Vec<Id> {
        self.iter().filter(|(source, _)| *source != Source::Arrays).map(|(_, id)| id).collect()
    }

    /// The states that it reads.
    pub fn states(&self) -> impl Iterator<Item = usize> + '_ {
        self.iter().filter_map(|(source, _)| match source {
            Source::State(index) => Some(index),
            _ => None,
        })
    }

    /// The parameters that it reads.
    pub fn parameters(&self) -> impl Iterator<Item = usize> + '_ {
        self.iter().filter_map(|(source, _)| match source {
            Source::Parameter(index) => Some(index),
            _ => None,
        })
    }

    /// The voltage of its own place, before the step or event.
    pub fn reads_voltage(&self) -> bool {
        self.get(Source::VBefore).is_some()
    }

    /// Whether a state or a weight has a part in it.
    pub fn reads_states_or_weights(&self) -> bool {
        self.iter().any(|(source, _)| match source {
            Source::State(_) | Source::Argument(_) => true,
            Source::VBefore
            | Source::VAfter
            | Source::PointerBefore(_)
            | Source::PointerAfter(_)
            | Source::Parameter(_)
            | Source::Unknown(..)
            | Source::Time
            | Source::Arrays => false,
        })
    }

    /// Whether nothing but parameters has a part in it.
    pub fn reads_parameters_only(&self) -> bool {
        self.iter().all(|(source, _)| match source {
            Source::Parameter(_) => true,
            Source::VBefore
            | Source::VAfter
            | Source::PointerBefore(_)
            | Source::PointerAfter(_)
            | Source::State(_)
            | Source::Unknown(..)
            | Source::Argument(_)
            | Source::Time
            | Source::Arrays => false,
        })
    }

    /// Whether it depends on nothing but the time of the event.
    pub(in crate::step) fn is_free_of_model(&self) -> bool {
        self.iter().all(|(source, _)| source == Source::Time)
    }

    /// Whether no voltage has a part in it.
    pub(in crate::step) fn is_free_of_voltages(&self) -> bool {
        self.iter().all(|(source, _)| match source {
            Source::VAfter | Source::VBefore | Source::PointerAfter(_) | Source::PointerBefore(_) => false,
            Source::State(_)
            | Source::Parameter(_)
            | Source::Unknown(..)
            | Source::Argument(_)
            | Source::Time
            | Source::Arrays => true,
        })
    }

    pub(in crate::step) fn retain(&mut self, keep: impl Fn(Source) -> bool) {
        self.0.retain(|(source, _)| keep(*source));
    }

    /// Takes the place of the coefficient that is there.
    pub(in crate::step) fn set(&mut self, source: Source, coefficient: Option<Id>) {
        self.retain(|known| known != source);
        self.0.extend(coefficient.map(|id| (source, id)));
        self.0.sort_by_key(|(source, _)| source.kind());
    }

    pub(in crate::step) fn ids_mut(&mut self) -> impl Iterator<Item = &mut Id> {
        self.0.iter_mut().map(|(_, id)| id)
    }
}

/// The inputs that linear forms are made by, in their order.
#[derive(Clone, Default)]
pub(in crate::step) struct FormInputs {
    pub pointers: Vec<[Input; 2]>,
    pub states: Vec<Input>,
    pub parameters: Vec<Input>,
    /// With their stages and rows.
    pub unknowns: Vec<(Input, (usize, usize))>,
    /// The arguments of `NET_RECEIVE`.
    pub arguments: Vec<Input>,
    /// The time of an event, if it has a derivative.
    pub time: Option<Input>,
    pub arrays: Vec<Input>,
}

impl FormInputs {
    /// Lets `nothing` stand for some of the parameters.
    pub fn forget(&mut self, parameters: &BTreeSet<Input>, nothing: Input) {
        for input in self.parameters.iter_mut().filter(|input| parameters.contains(*input)) {
            *input = nothing;
        }
    }

    /// All but the arrays, and the voltages, which every step has.
    fn sources(&self) -> impl Iterator<Item = (Source, Input)> + '_ {
        let pointers = || self.pointers.iter().enumerate();
        let before = pointers().map(|(index, [before, _])| (Source::PointerBefore(index), *before));
        let after = pointers().map(|(index, [_, after])| (Source::PointerAfter(index), *after));
        let states = self.states.iter().enumerate().map(|(index, input)| (Source::State(index), *input));
        let parameters = self.parameters.iter().enumerate().map(|(index, input)| (Source::Parameter(index), *input));
        let unknowns = self.unknowns.iter().map(|(input, (solve, row))| (Source::Unknown(*solve, *row), *input));
        let arguments = self.arguments.iter().enumerate().map(|(index, input)| (Source::Argument(index), *input));
        let time = self.time.map(|input| (Source::Time, input));
        before.chain(after).chain(states).chain(parameters).chain(unknowns).chain(arguments).chain(time)
    }
}

impl Step<'_> {
    /// The derivative of a value.
    pub(in crate::step) fn form(&mut self, of: Id, inputs: &FormInputs) -> LinearForm {
        self.form_by(inputs, |step, by| step.nonzero(of, by))
    }

    /// A form whose coefficients `derivative` finds; None where it is 0.
    pub(in crate::step) fn form_by(
        &mut self,
        inputs: &FormInputs,
        mut derivative: impl FnMut(&mut Self, Input) -> Option<Id>,
    ) -> LinearForm {
        let mut terms: Vec<(Source, Id)> = Vec::new();
        let voltages = [(Source::VBefore, self.v_before), (Source::VAfter, self.v_after)];
        for (source, input) in voltages.into_iter().chain(inputs.sources()) {
            terms.extend(derivative(self, input).map(|id| (source, id)));
        }
        let mut through = self.graph.number(0.0);
        for array in &inputs.arrays {
            if let Some(term) = derivative(self, *array) {
                through = self.graph.add(through, term);
            }
        }
        if !self.graph.is_zero(through) {
            terms.push((Source::Arrays, through));
        }
        LinearForm(terms)
    }

    /// The linear equations that some values are made of.
    pub(in crate::step) fn systems(&self, roots: &[Id]) -> Vec<LinearId> {
        self.graph.linear_systems(&self.graph.reachable_inputs(roots, true))
    }

    pub(in crate::step) fn nonzero(&mut self, of: Id, by: Input) -> Option<Id> {
        let derivative = self.derivative(of, by);
        (!self.graph.is_zero(derivative)).then_some(derivative)
    }
}
