//! States that no direction changes. Where gradients act on a run it may be long: no work is done for what stays 0.

use crate::step::{LinearForm, Linearised, Receive, Source};

/// What may have a gradient that is not 0.
struct Moving {
    states: Vec<bool>,
    /// Arguments of `NET_RECEIVE`.
    arguments: Vec<bool>,
}

impl Moving {
    fn moves(&self, form: &LinearForm) -> bool {
        form.iter().any(|(source, _)| match source {
            Source::State(index) => self.states[index],
            Source::Argument(index) => self.arguments[index],
            Source::VAfter
            | Source::VBefore
            | Source::PointerAfter(_)
            | Source::PointerBefore(_)
            | Source::Parameter(_)
            | Source::Unknown(..)
            | Source::Time
            | Source::Arrays => true,
        })
    }

    /// Whether a term stays in a form.
    fn keeps(&self, source: Source) -> bool {
        !matches!(source, Source::State(index) if !self.states[index])
    }

    /// One round; whether something was found.
    fn spread(&mut self, linearised: &Linearised) -> bool {
        let mut found = false;
        for (index, state) in linearised.states.iter().enumerate() {
            if !self.states[index] && (self.moves(&state.row) || self.moves(&state.start)) {
                self.states[index] = true;
                found = true;
            }
        }
        if let Some(receive) = &linearised.receive {
            for change in &receive.states {
                if !self.states[change.target] && self.moves(&change.row) {
                    self.states[change.target] = true;
                    found = true;
                }
            }
            for change in receive.weights.iter().chain(&receive.start_weights) {
                if !self.arguments[change.target] && self.moves(&change.row) {
                    self.arguments[change.target] = true;
                    found = true;
                }
            }
        }
        found
    }
}

impl Linearised {
    /// Leaves what does not depend on any direction out of all rows of the step.
    ///
    /// `weights`: those of `NetCons` may be directions.
    pub fn prune_inactive(&mut self, weights: bool) {
        let arguments = self.receive.as_ref().map_or(0, |receive| receive.arguments.len());
        let mut moving = Moving { states: vec![false; self.states.len()], arguments: vec![weights; arguments] };
        while moving.spread(self) {}
        let implicit_solves = self.implicit_solves.iter_mut().chain(&mut self.start_implicit_solves);
        for row in implicit_solves.flat_map(|solve| &mut solve.rows) {
            row.row.retain(|source| moving.keeps(source));
        }
        self.source.retain(|source| moving.keeps(source));
        for (state, is_moving) in self.states.iter_mut().zip(&moving.states) {
            state.row.retain(|source| moving.keeps(source));
            state.start.retain(|source| moving.keeps(source));
            state.is_inactive = !is_moving;
        }
        if !moving.states.contains(&true) && !self.receive.as_ref().is_some_and(|receive| self.follows(receive)) {
            // Unheard events change the states; that is no fault where no gradient is made of them.
            if self.receive.take().is_some() {
                self.checks.clear();
            }
        }
    }

    /// Whether events must be heard though they change the gradient of no state: for that of the voltage, or for what
    /// the companion has of its own, arrays and streams of random numbers.
    fn follows(&self, receive: &Receive) -> bool {
        let is_own = receive.states.iter().any(|change| self.states[change.target].own.is_some());
        receive.voltage.is_some() || receive.timed.is_some() || !receive.stores.is_empty() || is_own
    }
}
