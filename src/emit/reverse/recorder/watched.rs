//! Remembered states that nothing but a step, or nothing but INITIAL, may change.

use crate::emit::reverse::frame::fixed::FixedValue;
use crate::emit::reverse::frame::layout::Slot;
use crate::emit::reverse::reversed::Reversed;
use crate::step::{State, StateKind};

/// The numbers of a frame with states that nothing but steps changes: which number, which state.
pub fn watched(reversed: &Reversed) -> Vec<(usize, usize)> {
    let linearised = reversed.linearised;
    let states = linearised.states.iter().enumerate();
    let watched = states.filter(|(_, state)| state.is_watched && !linearised.set_by_currents.contains(&state.kind));
    let place = |(state, watched): (usize, &State)| {
        let name = match &watched.kind {
            StateKind::Ion(name) => format!("{name}_now"),
            StateKind::Variable(mechanism, name) => linearised.names.of(*mechanism, name).to_owned(),
        };
        let is_early = reversed.frame.early.contains(&name);
        let slot = Slot::Pointer(name);
        let index = reversed.frame.moving.iter().position(|known| !is_early && *known == slot)?;
        Some((reversed.place(index), state))
    };
    watched.filter_map(place).collect()
}

/// Which fixed values are states that INITIAL makes.
pub fn settled(reversed: &Reversed) -> Vec<usize> {
    let frame = &reversed.frame;
    let is_settled = |slot: &Slot| match slot {
        Slot::Pointer(name) => frame.fixed_value(name) == FixedValue::Settled && !frame.at_initial.contains(name),
        Slot::Voltage | Slot::Landed(_) | Slot::Own(_) | Slot::Element(..) => false,
    };
    frame.fixed.iter().enumerate().filter(|(_, slot)| is_settled(slot)).map(|(index, _)| index).collect()
}
