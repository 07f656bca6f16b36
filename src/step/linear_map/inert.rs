//! Point processes whose gradients are 0 as long as no direction acts on themselves: nothing that they do depends on
//! the voltage but a current that is linear in it, whose conductance stands in NEURON's matrix.

use crate::model::Kind;
use crate::step::{Change, LinearForm, Linearised};

impl Linearised {
    /// Whether that is so: then an instance needs no row of its own.
    pub fn is_inert(&self) -> bool {
        let states = self.states.iter().flat_map(|state| [&state.row, &state.start]);
        let received = self.receive.iter().flat_map(|receive| {
            let changes = receive.states.iter().chain(&receive.weights).chain(&receive.start_weights);
            changes.map(|change: &Change| &change.row)
        });
        let is_quiet = self
            .receive
            .as_ref()
            .is_none_or(|receive| receive.voltage.is_none() && receive.timed.is_none() && receive.stores.is_empty());
        let stands_alone = self.ions.is_empty()
            && self.pointed.is_empty()
            && self.arrays.is_empty()
            && self.unfollowed.is_empty()
            // Where these speak, the step is another one, which the voltage may act on: only a row hears it.
            && self.failed.is_empty()
            && self.failed_start.is_empty()
            && self.implicit_solves.is_empty()
            && self.start_implicit_solves.is_empty();
        self.region.kind() == Kind::Point
            && stands_alone
            && is_quiet
            && states.chain(received).chain([&self.source]).all(LinearForm::is_free_of_voltages)
    }
}
