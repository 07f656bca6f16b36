//! What a recorder says of its frames, for people.

use crate::emit::reverse::frame::layout::Slot;
use crate::emit::reverse::reversed::Reversed;
use crate::emit::text::lines;

/// The numbers of a frame, or the fixed ones, in their order.
pub fn notes(reversed: &Reversed, slots: &[Slot]) -> Vec<String> {
    let names: Vec<String> = slots.iter().map(|slot| note(reversed, slot)).collect();
    lines::list(":  ", &names)
}

fn note(reversed: &Reversed, slot: &Slot) -> String {
    match slot {
        Slot::Voltage => "v".to_owned(),
        Slot::Pointer(name) => name.clone(),
        Slot::Landed(name) => format!("{name} before events"),
        Slot::Own(state) => reversed.linearised.states[*state].public.clone(),
        Slot::Element(array, index) => format!("{}[{index}]", reversed.linearised.arrays[*array].name),
    }
}
