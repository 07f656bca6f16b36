//! Where gradients act on the run: no POINTER is read twice in a step, no gradient for nothing.

use super::region::Writer;
use crate::model::Kind;
use crate::step::{Quantity, Row, When};

impl Writer<'_> {
    /// Values that `linearise` reads through POINTERs and the next step wants remembered, as (element of `was`, LOCAL).
    pub fn known_ends(&self) -> Vec<(usize, String)> {
        if self.is_online && !self.linearised.region.switched {
            self.sources.loaded(&self.step_inputs)
        } else {
            Vec::new()
        }
    }

    pub fn remember_ends(&self) -> Vec<String> {
        self.known_ends().into_iter().map(|(index, name)| format!("was[{index}] = {name}")).collect()
    }

    /// Whether anything here happens at the end of a step. That the voltage was not set is seen by the mechanism of the
    /// segment too.
    pub fn ends_steps(&self) -> bool {
        let linearised = self.linearised;
        let moves = linearised.states.iter().any(|state| !state.is_still || state.own.is_some());
        let reads_end = self.step_inputs.iter().any(|input| {
            matches!(linearised.quantities[input], Quantity::Voltage(When::After) | Quantity::Rise)
        });
        self.needs_cables() || linearised.receive.is_some() || moves || reads_end
    }

    /// Whether a step depends on the voltage here, or its gradients fade here.
    pub fn needs_cables(&self) -> bool {
        let linearised = self.linearised;
        let reads = |row: &Row| row.v_before.is_some() || row.v_after.is_some();
        let stages = linearised.stages.iter().chain(&linearised.start_stages).flat_map(|stage| &stage.rows);
        let mut rows = stages.map(|row| &row.row).chain(linearised.states.iter().map(|state| &state.row));
        let is_density = linearised.region.kind() == Kind::Density;
        let events = linearised.receive.iter().any(|receive| {
            receive.voltage.is_some() || receive.states.iter().chain(&receive.weights).any(|change| reads(&change.row))
        });
        !self.is_online || is_density || events || !linearised.pointed.is_empty() || reads(&linearised.source) || rows.any(reads)
    }
}
