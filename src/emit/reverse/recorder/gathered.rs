//! The recorder that only tells a gatherer where to read, and writes events down.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::json;

use super::notes::notes;
use super::own::locals;
use crate::emit::error::EmitError;
use crate::emit::file::{File, unnamed};
use crate::emit::region::declarations::names_of;
use crate::emit::region::function_tables::function_tables;
use crate::emit::region::streams::streams;
use crate::emit::reverse::frame::fixed::FixedValue;
use crate::emit::reverse::frame::layout::Slot;
use crate::emit::reverse::frame::reader::column;
use crate::emit::reverse::phase::Phase;
use crate::emit::reverse::reversed::Reversed;
use crate::emit::reverse::streams::recorder_settings;
use crate::emit::text::{lines, template};

/// A number of a frame, or a fixed one, and what it is in the model.
#[derive(Serialize)]
struct Source {
    index: usize,
    source: String,
}

/// The slots for which something is read.
fn sources(slots: &[Slot], source: impl Fn(&Slot) -> Option<String>) -> Vec<Source> {
    slots.iter().enumerate().filter_map(|(index, slot)| Some(Source { index, source: source(slot)? })).collect()
}

pub fn render(reversed: &Reversed) -> Result<File, EmitError> {
    let frame = &reversed.frame;
    let name = unnamed(&format!("rec_{}", reversed.linearised.region.name));
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
    let fixed = |kind: FixedValue| {
        sources(&frame.fixed, |slot| match slot {
            Slot::Pointer(name) if frame.fixed_value(name) == kind && !frame.at_initial.contains(name) => {
                Some(name.clone())
            }
            _ => None,
        })
    };
    let saved = frame.saved_at_initial();
    let saved_slots =
        saved.iter().enumerate().map(|(number, index)| Source { index: *index, source: saved_value(number) });
    let events = reversed.events();
    let mut phases: Vec<&Phase> = events.iter().map(|_| &reversed.at_event).collect();
    if !saved.is_empty() {
        phases.push(&reversed.own_start);
    }
    let computes = !phases.is_empty();
    let functions = phases.iter().flat_map(|phase| phase.code(reversed.linearised).functions(&phase.roots));
    let functions: BTreeSet<&str> = functions.collect();
    let mut assigned = reversed.builtins(&phases);
    assigned.extend(pointers.iter().cloned());
    let settings = recorder_settings(reversed.linearised, computes);
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
        "range": lines::list("RANGE", &names_of(&settings)),
        "settings": settings,
        "streams": streams(reversed.linearised),
        "units": reversed.units(&phases),
        "assigned": assigned,
        "watches_celsius": reversed.reads_celsius(),
        "slots": moving(false),
        "landed_slots": moving(true),
        "fixed_slots": fixed(FixedValue::Parameter),
        "settled_slots": fixed(FixedValue::Settled).into_iter().chain(saved_slots).collect::<Vec<_>>(),
        "saved": saved.len(),
        "save": save(reversed, &saved),
        "logged_slots": fixed(FixedValue::Logged),
        "copies": if events.is_some() { reversed.shown() } else { Vec::new() },
        "events": events,
        "function_tables": function_tables(reversed.linearised),
        "functions": functions.into_iter().collect::<Vec<_>>(),}),
    )?;
    Ok(File { name: format!("{name}.mod"), text })
}

fn saved_value(number: usize) -> String {
    format!("kept[{number}]")
}

/// What the recorder saves when INITIAL runs.
fn save(reversed: &Reversed, saved: &[usize]) -> Vec<String> {
    if saved.is_empty() {
        return Vec::new();
    }
    let phase = &reversed.own_start;
    let code = phase.code(reversed.linearised);
    let loads = reversed.load_event(&phase.inputs, false);
    let mut text = locals(loads.names, &code);
    text.extend(loads.lines);
    text.extend(code.statements());
    for (number, index) in saved.iter().enumerate() {
        let value = match &reversed.frame.fixed[*index] {
            Slot::Own(state) => reversed.linearised.states[*state].own.map(|(_, start)| code.value(start)),
            Slot::Pointer(name) => Some(name.clone()),
            Slot::Voltage | Slot::Landed(_) | Slot::Element(..) => None,
        };
        text.extend(value.map(|value| format!("{} = {value}", saved_value(number))));
        if let Slot::Own(state) = reversed.frame.fixed[*index] {
            if reversed.is_copied(state) {
                text.push(format!("{} = {}", reversed.copy(state), saved_value(number)));
            }
        }
    }
    text
}
