//! The mechanism that remembers a run.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::json;

use super::frame::{Change, Moment, Slot, column};
use super::{CELSIUS, Phase, Reversed, locals, unnamed, verbatim};
use crate::emit::error::EmitError;
use crate::emit::file::File;
use crate::emit::text::{lines, template};
use crate::step::{State, StateKind};

/// `changed` is less than this by the index of a state.
const STATE: usize = 100;

pub(super) fn render(reversed: &Reversed) -> Result<File, EmitError> {
    if reversed.frame.is_gathered() {
        return gathered(reversed);
    }
    let frame = &reversed.frame;
    let linearised = reversed.linearised;
    let name = unnamed("rec", linearised);
    let pointers: Vec<String> = frame.pointers.iter().map(|pointer| pointer.name.clone()).collect();
    let has_own = reversed.frame.has_own();
    let mut phases: Vec<&Phase> = Vec::new();
    let events = reversed.events();
    if has_own {
        phases.extend([&reversed.own_step, &reversed.own_start]);
    }
    if events.is_some() {
        phases.push(&reversed.at_event);
    }
    let computes = !phases.is_empty();
    let phases = phases.as_slice();
    let watches_celsius = reversed.reads_celsius();
    let mut assigned = reversed.builtins(phases);
    if watches_celsius && !assigned.iter().any(|name| name == CELSIUS) {
        assigned.push(CELSIUS.to_owned());
    }
    assigned.extend(pointers.iter().cloned());
    let functions = phases.iter().flat_map(|phase| phase.code(linearised).functions(&phase.roots));
    let functions: BTreeSet<&str> = functions.collect();
    let text = template::render(
        "recorder.mod",
        json!({
        "name": name,
        "kind": reversed.kind(),
        "region": linearised.region.name,
        "mechanisms": reversed.mechanisms(),
        "moving": notes(reversed, &frame.moving),
        "fixed": notes(reversed, &frame.fixed),
        "pointers": lines::list("POINTER", &pointers),
        "range": if computes { lines::list("RANGE", &super::setting_names(linearised)) } else { Vec::new() },
        "settings": if computes { super::settings(linearised) } else { Vec::new() },
        "units": reversed.units(phases),
        "assigned": assigned,
        "initial": initial(reversed),
        "early": remember(reversed, true),
        "remember": remember(reversed, false),
        "unchanged": unchanged(reversed, |state| format!("changed = -{}.", STATE + state)),
        "moved": unchanged(reversed, |_| "moved = 1.".to_owned()),
        "watches_celsius": watches_celsius,
        "fix": fix(reversed, |index, name| match frame.change_of(name) {
            Change::OfState => {
                format!("if (is_initial != 0. && gm_fixed[{index}] != {name}) moved = 1.; gm_fixed[{index}] = {name};")
            }
            Change::OfParameter | Change::Logged => format!("gm_fixed[{index}] = {name};"),
        }),
        "compare": fix(reversed, compare),
        "glances": fix(reversed, compare),
        "own_start": if has_own { own(reversed, true) } else { Vec::new() },
        "own_step": if has_own { own(reversed, false) } else { Vec::new() },
        "events": events,
        "jumps": reversed.jumps,
        "functions": functions.into_iter().collect::<Vec<_>>(),}),
    )?;
    Ok(File { name: format!("{name}.mod"), text })
}

/// A number of a frame, or a fixed one, and what it is in the model.
#[derive(Serialize)]
struct Source {
    index: usize,
    source: String,
}

/// Those slots that something is read for.
fn sources(slots: &[Slot], source: impl Fn(&Slot) -> Option<String>) -> Vec<Source> {
    slots.iter().enumerate().filter_map(|(index, slot)| Some(Source { index, source: source(slot)? })).collect()
}

fn gathered(reversed: &Reversed) -> Result<File, EmitError> {
    let frame = &reversed.frame;
    let name = unnamed("rec", reversed.linearised);
    let pointers: Vec<String> = frame.pointers.iter().map(|pointer| pointer.name.clone()).collect();
    let moving = |is_landed: bool| {
        sources(&frame.moving, |slot| match slot {
            Slot::Pointer(name) if !is_landed => Some(name.clone()),
            Slot::Landed(name) if is_landed => Some(name.clone()),
            _ => None,
        })
        .into_iter()
        .map(|source| Source { index: column(source.index), ..source })
        .collect::<Vec<_>>()
    };
    let fixed = |change: Change| {
        sources(&frame.fixed, |slot| match slot {
            Slot::Pointer(name) if frame.change_of(name) == change && !frame.at_initial.contains(name) => {
                Some(name.clone())
            }
            _ => None,
        })
    };
    let kept = frame.kept_at_initial();
    let kept_slots =
        kept.iter().enumerate().map(|(number, index)| Source { index: *index, source: kept_value(number) });
    let events = reversed.events();
    let mut phases: Vec<&Phase> = events.iter().map(|_| &reversed.at_event).collect();
    if !kept.is_empty() {
        phases.push(&reversed.own_start);
    }
    let computes = !phases.is_empty();
    let functions = phases.iter().flat_map(|phase| phase.code(reversed.linearised).functions(&phase.roots));
    let functions: BTreeSet<&str> = functions.collect();
    let mut assigned = reversed.builtins(&phases);
    assigned.extend(pointers.iter().cloned());
    let text = template::render(
        "recorder_gathered.mod",
        json!({
        "name": name,
        "kind": reversed.kind(),
        "region": reversed.linearised.region.name,
        "mechanisms": reversed.mechanisms(),
        "moving": notes(reversed, &frame.moving),
        "fixed": notes(reversed, &frame.fixed),
        "pointers": lines::list("POINTER", &pointers),
        "range": if computes { lines::list("RANGE", &super::setting_names(reversed.linearised)) } else { Vec::new() },
        "settings": if computes { super::settings(reversed.linearised) } else { Vec::new() },
        "units": reversed.units(&phases),
        "assigned": assigned,
        "watches_celsius": reversed.reads_celsius(),
        "slots": moving(false),
        "landed_slots": moving(true),
        "fixed_slots": fixed(Change::OfParameter),
        "settled_slots": fixed(Change::OfState).into_iter().chain(kept_slots).collect::<Vec<_>>(),
        "kept": kept.len(),
        "keep": keep(reversed, &kept),
        "logged_slots": fixed(Change::Logged),
        "copies": if events.is_some() { reversed.shown() } else { Vec::new() },
        "events": events,
        "functions": functions.into_iter().collect::<Vec<_>>(),}),
    )?;
    Ok(File { name: format!("{name}.mod"), text })
}

/// Which fixed values are states that INITIAL makes.
pub(super) fn settled(reversed: &Reversed) -> Vec<usize> {
    let frame = &reversed.frame;
    let is_settled = |slot: &Slot| match slot {
        Slot::Pointer(name) => frame.change_of(name) == Change::OfState && !frame.at_initial.contains(name),
        Slot::Voltage | Slot::Landed(_) | Slot::Own(_) => false,
    };
    frame.fixed.iter().enumerate().filter(|(_, slot)| is_settled(slot)).map(|(index, _)| index).collect()
}

fn kept_value(number: usize) -> String {
    format!("kept[{number}]")
}

/// What the recorder keeps when INITIAL runs.
fn keep(reversed: &Reversed, kept: &[usize]) -> Vec<String> {
    if kept.is_empty() {
        return Vec::new();
    }
    let phase = &reversed.own_start;
    let code = phase.code(reversed.linearised);
    let loads = reversed.load_event(&phase.inputs, false);
    let mut text = locals(loads.names, &code);
    text.extend(loads.lines);
    text.extend(code.statements());
    for (number, index) in kept.iter().enumerate() {
        let value = match &reversed.frame.fixed[*index] {
            Slot::Own(state) => reversed.linearised.states[*state].own.map(|(_, start)| code.value(start)),
            Slot::Pointer(name) => Some(name.clone()),
            Slot::Voltage | Slot::Landed(_) => None,
        };
        text.extend(value.map(|value| format!("{} = {value}", kept_value(number))));
        if let Slot::Own(state) = reversed.frame.fixed[*index] {
            if reversed.is_copied(state) {
                text.push(format!("{} = {}", reversed.copy(state), kept_value(number)));
            }
        }
    }
    text
}

fn notes(reversed: &Reversed, slots: &[Slot]) -> Vec<String> {
    let names: Vec<String> = slots.iter().map(|slot| note(reversed, slot)).collect();
    lines::list(":  ", &names)
}

fn note(reversed: &Reversed, slot: &Slot) -> String {
    match slot {
        Slot::Voltage => "v".to_owned(),
        Slot::Pointer(name) => name.clone(),
        Slot::Landed(name) => format!("{name} before events"),
        Slot::Own(state) => reversed.linearised.states[*state].public.clone(),
    }
}

fn remember(reversed: &Reversed, early: bool) -> Vec<String> {
    let slots = reversed.frame.moving.iter().enumerate();
    let value = |slot: &Slot| match slot {
        Slot::Voltage if !early => Some("v_now".to_owned()),
        Slot::Own(state) if !early && reversed.is_copied(*state) => Some(reversed.copy(*state)),
        Slot::Pointer(name) if reversed.frame.early.contains(name) == early => Some(name.clone()),
        _ => None,
    };
    slots.filter_map(|(index, slot)| Some(format!("gm_now[{index}] = {};", value(slot)?))).collect()
}

/// What the first frame of a window has already must not have changed: the states that nothing but steps changes.
fn unchanged(reversed: &Reversed, act: impl Fn(usize) -> String) -> Vec<String> {
    let statement = |(index, state): (usize, usize)| {
        let Slot::Pointer(name) = &reversed.frame.moving[index] else { return None };
        Some(format!("if (gm_now[{index}] != {name}) {};", act(state)))
    };
    watched(reversed).into_iter().filter_map(statement).collect()
}

/// Which numbers of a frame are such states, and which.
pub(super) fn watched(reversed: &Reversed) -> Vec<(usize, usize)> {
    let linearised = reversed.linearised;
    let states = linearised.states.iter().enumerate();
    let watched = states.filter(|(_, state)| state.is_watched && !linearised.set_by_currents.contains(&state.kind));
    let place = |(state, watched): (usize, &State)| {
        let name = match &watched.kind {
            StateKind::Ion(name) => format!("{name}_now"),
            StateKind::Variable(mechanism, name) => linearised.names.of(*mechanism, name).to_owned(),
        };
        let is_late = !reversed.frame.early.contains(&name);
        let slot = Slot::Pointer(name);
        let index = reversed.frame.moving.iter().position(|known| is_late && *known == slot)?;
        Some((reversed.place(index), state))
    };
    watched.filter_map(place).collect()
}

/// One statement for each fixed value that is known from the first step on.
fn fix(reversed: &Reversed, statement: impl Fn(usize, &str) -> String) -> Vec<String> {
    let slots = reversed.frame.fixed.iter().enumerate();
    slots
        .filter_map(|(index, slot)| match slot {
            Slot::Pointer(name) if !reversed.frame.at_initial.contains(name) => Some(statement(index, name)),
            _ => None,
        })
        .collect()
}

fn compare(index: usize, name: &str) -> String {
    format!("if (gm_fixed[{index}] != {name}) changed = {};", index + 1)
}

/// What counts when INITIAL runs.
fn initial(reversed: &Reversed) -> Vec<String> {
    let slots = reversed.frame.fixed.iter().enumerate();
    slots
        .filter_map(|(index, slot)| match slot {
            Slot::Pointer(name) if reversed.frame.at_initial.contains(name) => {
                Some(format!("gm_fixed[{index}] = {name};"))
            }
            _ => None,
        })
        .collect()
}

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
fn own(reversed: &Reversed, at_start: bool) -> Vec<String> {
    let linearised = reversed.linearised;
    let phase = if at_start { &reversed.own_start } else { &reversed.own_step };
    let code = phase.code(linearised);
    let moment = if at_start { Moment::Initial } else { Moment::Step };
    let (names, loads) = super::loads(&reversed.frame, &phase.inputs, moment);
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
