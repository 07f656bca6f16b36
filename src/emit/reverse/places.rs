//! The loop over all places of a region: arrays with an element for each place, and code that runs at one.

use std::collections::BTreeMap;

use super::phase::Phase;
use super::streams::adjoint_settings;
use crate::emit::text::c::{declared, local, statements};
use crate::emit::text::code::Code;
use crate::graph::Input;
use crate::step::{Linearised, Quantity};

/// An element of an array that has one for each place.
pub(super) fn element(array: &str, index: usize) -> String {
    match index {
        0 => format!("{array}[i]"),
        1 => format!("{array}[n + i]"),
        _ => format!("{array}[{index}*n + i]"),
    }
}

/// The adjoint of a state.
pub(super) fn adjoint_of(state: usize) -> String {
    element("m", state)
}

/// Where inputs are that no frame has.
pub(super) fn sources(linearised: &Linearised) -> BTreeMap<Input, String> {
    let settings = adjoint_settings(linearised);
    let place = |(input, quantity): (&Input, &Quantity)| {
        let name = linearised.graph.input_name(*input);
        let source = match quantity {
            Quantity::TimeStep => "run->timestep".to_owned(),
            Quantity::Celsius => "run->temperature".to_owned(),
            Quantity::Area => "area[i]".to_owned(),
            Quantity::Diameter => "diameter[i]".to_owned(),
            Quantity::Factor(..) => name.to_owned(),
            Quantity::Setting(_) | Quantity::Valence(_) => {
                let index = settings.iter().position(|setting| setting == name)?;
                element("settings", index)
            }
            _ => return None,
        };
        Some((*input, source))
    };
    linearised.quantities.iter().filter_map(place).collect()
}

/// The code of a phase in C.
pub(super) fn code<'a>(linearised: &'a Linearised, phase: &Phase) -> Code<'a> {
    Code::in_c(&linearised.graph, &phase.roots, sources(linearised), BTreeMap::new())
}

/// What a phase reads, what its code computes, and names that are set later.
pub(super) fn loaded(loads: Vec<(String, String)>, code: &Code, more: &[String]) -> Vec<String> {
    let given = |(name, value): (String, String)| format!("const double {} = {value};", local(&name));
    let mut text: Vec<String> = loads.into_iter().map(given).collect();
    text.extend(declared(&code.locals().into_iter().chain(more.iter().cloned()).collect::<Vec<_>>()));
    text.extend(statements(&code.statements()));
    text
}
