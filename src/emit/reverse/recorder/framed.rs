//! The recorder that writes frames itself: where something has to be computed, or changes before it could be gathered.

use std::collections::BTreeSet;

use serde_json::json;

use super::notes::notes;
use super::own::own;
use super::watched::watched;
use crate::emit::error::EmitError;
use crate::emit::file::{File, unnamed};
use crate::emit::region::declarations::names_of;
use crate::emit::region::function_tables::function_tables;
use crate::emit::region::streams::streams;
use crate::emit::reverse::frame::fixed::FixedValue;
use crate::emit::reverse::frame::layout::Slot;
use crate::emit::reverse::phase::Phase;
use crate::emit::reverse::reversed::{CELSIUS, Reversed};
use crate::emit::reverse::streams::recorder_settings;
use crate::emit::text::fault::Seen;
use crate::emit::text::{lines, template};

pub fn render(reversed: &Reversed) -> Result<File, EmitError> {
    let frame = &reversed.frame;
    let linearised = reversed.linearised;
    let name = unnamed(&format!("rec_{}", linearised.region.name));
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
    let settings = recorder_settings(linearised, computes);
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
        "range": lines::list("RANGE", &names_of(&settings)),
        "settings": settings,
        "streams": streams(linearised),
        "units": reversed.units(phases),
        "assigned": assigned,
        "initial": initial(reversed),
        "early": remember(reversed, true),
        "remember": remember(reversed, false),
        "unchanged": unchanged(reversed, |state| format!("changed = {}.", Seen::of_state(state))),
        "moved": unchanged(reversed, |_| "moved = 1.".to_owned()),
        "watches_celsius": watches_celsius,
        "fix": fix(reversed, |index, name| match frame.fixed_value(name) {
            FixedValue::Settled => {
                format!("if (is_initial != 0. && gm_fixed[{index}] != {name}) moved = 1.; gm_fixed[{index}] = {name};")
            }
            FixedValue::Parameter | FixedValue::Logged => format!("gm_fixed[{index}] = {name};"),
        }),
        "compare": fix(reversed, compare),
        "glances": fix(reversed, compare),
        "own_start": if has_own { own(reversed, true) } else { Vec::new() },
        "own_step": if has_own { own(reversed, false) } else { Vec::new() },
        "events": events,
        "jumps": reversed.jumps,
        "function_tables": function_tables(linearised),
        "functions": functions.into_iter().collect::<Vec<_>>(),}),
    )?;
    Ok(File { name: format!("{name}.mod"), text })
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
