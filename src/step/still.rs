//! States that no direction changes. Where gradients act on a run it may be long: no work is done for what stays 0.

use super::{Linearised, Receive, Row};

/// What may have a gradient that is not 0.
struct Moving {
    states: Vec<bool>,
    /// Arguments of `NET_RECEIVE`.
    arguments: Vec<bool>,
}

impl Moving {
    fn moves(&self, row: &Row) -> bool {
        let far = !row.far_before.is_empty() || !row.far_after.is_empty();
        let itself = row.v_before.is_some() || row.v_after.is_some() || row.time.is_some() || row.arrays.is_some();
        let others = row.states.iter().any(|(state, _)| self.states[*state])
            || row.arguments.iter().any(|(argument, _)| self.arguments[*argument]);
        itself || far || others || !row.parameters.is_empty() || !row.unknowns.is_empty()
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
    pub fn drop_still(&mut self, weights: bool) {
        let arguments = self.receive.as_ref().map_or(0, |receive| receive.arguments.len());
        let mut moving = Moving { states: vec![false; self.states.len()], arguments: vec![weights; arguments] };
        while moving.spread(self) {}
        let stages = self.stages.iter_mut().chain(&mut self.start_stages);
        for row in stages.flat_map(|stage| &mut stage.rows) {
            row.row.states.retain(|(state, _)| moving.states[*state]);
        }
        self.source.states.retain(|(state, _)| moving.states[*state]);
        for (state, is_moving) in self.states.iter_mut().zip(&moving.states) {
            state.row.states.retain(|(state, _)| moving.states[*state]);
            state.start.states.retain(|(state, _)| moving.states[*state]);
            state.is_still = !is_moving;
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
        receive.voltage.is_some() || receive.moved.is_some() || !receive.stores.is_empty() || is_own
    }
}
