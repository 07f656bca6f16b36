//! What a recorder computes because NEURON does not show it.

use std::collections::BTreeSet;

use crate::emit::reverse::frame::layout::{Frame, Slot};
use crate::emit::reverse::frame::load::Moment;
use crate::emit::reverse::frame::reader::Reader;
use crate::emit::reverse::reversed::Reversed;
use crate::emit::text::c::{local, verbatim};
use crate::emit::text::code::Code;
use crate::emit::text::lines;
use crate::graph::Input;

/// The frames before and after the step that was just made.
const STEP_BEFORE: [&str; 7] = [
    "if (steps_done - first < 1.) {",
    "    return 0;",
    "}",
    "const double* gm_now = (const double*)(size_t) at + (size_t) (steps_done - first - 1.)*(size_t) stride;",
    "const double* gm_next = gm_now + (size_t) stride; (void) gm_next;",
    "const double* gm_fixed = (const double*)(size_t) fixed_at; (void) gm_fixed;",
    "const double* gm_head = (const double*)(size_t) head + (size_t) (steps_done - first - 1.)*(size_t) stride; (void) gm_head;",
];

/// The code that computes what NEURON does not show.
pub fn own(reversed: &Reversed, at_start: bool) -> Vec<String> {
    let linearised = reversed.linearised;
    let phase = if at_start { &reversed.own_start } else { &reversed.own_step };
    let code = phase.code(linearised);
    let moment = if at_start { Moment::Initial } else { Moment::Step };
    let (names, loads) = loads(&reversed.frame, &phase.inputs, moment);
    let slots: Vec<(usize, usize)> = reversed
        .frame
        .moving
        .iter()
        .enumerate()
        .filter_map(|(index, slot)| if let Slot::Own(state) = slot { Some((index, *state)) } else { None })
        .collect();
    let mut values = Vec::new();
    let mut copies = Vec::new();
    let mut results = Vec::new();
    let mut stores = Vec::new();
    for (number, (index, state)) in slots.iter().enumerate() {
        let Some((after, start)) = linearised.states[*state].own else { continue };
        let name = format!("own{number}");
        if reversed.is_copied(*state) {
            // A frame has the copy, which events change.
            if at_start {
                copies.push(format!("{} = {}", reversed.copy(*state), code.value(start)));
            }
            continue;
        }
        let value = match (at_start, after) {
            (true, _) => code.value(start),
            (false, Some(after)) => code.value(after),
            // What only INITIAL sets stays what it was.
            (false, None) => {
                stores.push(format!("gm_out[{index}] = gm_out[(long) {index} - (long) stride];"));
                continue;
            }
        };
        values.push(format!("{name} = {value}"));
        stores.push(format!("gm_out[{index}] = _l{name};"));
        results.push(name);
    }
    let mut text = locals(names.into_iter().chain(results).collect(), &code);
    let now = "double* gm_now = (double*)(size_t) at + (size_t) (steps_done - first)*(size_t) stride;";
    let fixed = "const double* gm_fixed = (const double*)(size_t) fixed_at; (void) gm_fixed;";
    if at_start {
        let head = "const double* gm_head = (const double*)(size_t) head; (void) gm_head;";
        let mut statements: Vec<String> = slots.iter().map(|(index, _)| format!("gm_now[{index}] = 0.;")).collect();
        statements.extend(loads);
        text.extend(verbatim(&[now, fixed, head], statements));
    } else {
        text.extend(verbatim(&STEP_BEFORE, loads));
    }
    text.extend(code.statements());
    text.extend(values);
    text.extend(copies);
    if stores.is_empty() {
        return text;
    }
    let out = "double* gm_out = (double*)(size_t) at + (size_t) (steps_done - first)*(size_t) stride;";
    text.extend(verbatim(&[out], stores));
    text
}

/// The names that [`Frame::load`] finds, and statements that set them.
fn loads(frame: &Frame, inputs: &BTreeSet<Input>, moment: Moment) -> (Vec<String>, Vec<String>) {
    let found = frame.load(inputs, moment, Reader::Recorder);
    found.into_iter().map(|(name, value)| (name.clone(), format!("{} = {value};", local(&name)))).unzip()
}

/// LOCAL names of a phase: what it loads, and what its code computes.
pub fn locals(loaded: Vec<String>, code: &Code) -> Vec<String> {
    let names: Vec<String> = loaded.into_iter().chain(code.locals()).collect();
    if names.is_empty() { Vec::new() } else { vec![lines::locals(&names)] }
}
