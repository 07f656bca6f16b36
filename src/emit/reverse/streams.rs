//! Streams of random numbers in reverse mode: what goes backwards draws the numbers of the run again, by the ids of their
//! streams and their places.

use serde::Serialize;

use super::places::element;
use crate::emit::region::declarations::{Setting, setting_names, settings};
use crate::emit::region::streams::streams;
use crate::step::{Linearised, StateKind};

/// How many numbers say of which stream a number is.
const IDS: usize = 3;

/// Where the adjoint finds the ids of a stream among the settings of a place.
#[derive(Serialize)]
pub struct StreamIds {
    number: usize,
    ids: usize,
}

/// What the adjoint has one of for each place: 0/1 settings and charges, then of each stream its ids, and its place before
/// INITIAL.
pub fn adjoint_settings(linearised: &Linearised) -> Vec<String> {
    let mut names = setting_names(linearised);
    for stream in streams(linearised) {
        names.extend((1..=IDS).map(|id| format!("{}_id{id}", stream.name)));
        names.push(stream.start);
    }
    names
}

/// What the recorder has one of for each place: settings if it computes anything, and the place before INITIAL of each
/// stream, which INITIAL may draw from where no step does.
pub fn recorder_settings(linearised: &Linearised, computes: bool) -> Vec<Setting> {
    let mut found = if computes { settings(linearised) } else { Vec::new() };
    found.extend(streams(linearised).into_iter().map(|stream| Setting::untold(stream.start)));
    found
}

pub fn stream_ids(linearised: &Linearised) -> Vec<StreamIds> {
    let first = setting_names(linearised).len();
    let found = streams(linearised).into_iter().enumerate();
    found.map(|(index, stream)| StreamIds { number: stream.number, ids: first + index * (IDS + 1) }).collect()
}

/// What holds the place in a stream before INITIAL: in the recorder, and in the adjoint.
pub fn start_place(linearised: &Linearised, kind: &StateKind) -> Option<[String; 2]> {
    let number = linearised.region.stream(kind)?;
    let stream = streams(linearised).into_iter().find(|stream| stream.number == number)?;
    let index = adjoint_settings(linearised).iter().position(|name| *name == stream.start)?;
    Some([stream.start, element("settings", index)])
}
