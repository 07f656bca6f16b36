//! The streams of random numbers of a region.

use crate::emit::manifest::StreamManifest;
use crate::step::{Linearised, StateKind};

/// Those that something depends on.
pub fn streams(linearised: &Linearised) -> Vec<StreamManifest> {
    let mut names = linearised.names.clone();
    let own = linearised.states.iter().filter(|state| state.own.is_some());
    own.enumerate()
        .filter_map(|(index, state)| {
            let number = linearised.region.stream(&state.kind)?;
            let StateKind::Variable(mechanism, name) = &state.kind else { return None };
            let mechanism = &linearised.region.mechanisms[*mechanism];
            Some(StreamManifest {
                name: names.new_name(&format!("stream_{}_{name}", mechanism.name)),
                start: names.new_name(&format!("place_{}_{name}", mechanism.name)),
                mechanism: mechanism.name.clone(),
                source: name.clone(),
                own: "own",
                index,
                number,
            })
        })
        .collect()
}
