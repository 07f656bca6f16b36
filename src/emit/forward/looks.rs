//! How a row looks at the model: by addresses that are kept while NEURON moves nothing, else by its POINTERs.

use serde::Serialize;

use super::received::Received;
use crate::emit::region::pointer_gradient::PointerGradient;
use crate::emit::region::pointer_names::{to, unset};
use crate::emit::region::sources::AREA;
use crate::emit::region::writer::Writer;
use crate::emit::text::fault::Fault;
use crate::step::Quantity;

#[derive(Serialize)]
pub(in crate::emit) struct Looks {
    pointer_count: usize,
    /// C: the addresses of what POINTERs see; the values there.
    fetch: Vec<String>,
    look: Vec<String>,
    /// NMODL: the same values.
    look_up: Vec<String>,
    look_wired: Vec<String>,
    /// C and NMODL: between steps no such state changes.
    unchanged: Vec<String>,
    unchanged_up: Vec<String>,
    /// C: the same of what is set between INITIAL and the first step.
    unchanged_start: Vec<String>,
    /// C, for direction `k`: the gradients of what POINTERs see, at the start of a run, before and after a step.
    pointer_start: Vec<String>,
    pointer_before: Vec<String>,
    pointer_after: Vec<String>,
}

impl Writer<'_> {
    pub(in crate::emit) fn looks(&self, events: Option<&Received>) -> Looks {
        let addresses = Addresses::new(self);
        let watched = self.watched();
        let is_watched = |name: &str| watched.iter().any(|(other, _)| other == name);
        let gradient_of =
            |name: &str| watched.iter().find(|(other, _)| other == name).map_or("", |(_, gradient)| gradient);
        let after = |pointer: &PointerGradient| format!("{}[k] = at[{}][k];", pointer.new, addresses.of(&pointer.new));
        let before =
            |pointer: &PointerGradient| format!("{}[k] = at[{}][k];", pointer.gradient, addresses.before(pointer));
        Looks {
            pointer_count: addresses.names.len(),
            fetch: self
                .sources
                .pointers_in_c(|_| true, |name| format!("at[{}] = &{};", addresses.of(name), to(name)))
                .into_iter()
                .chain(self.pointer_gradients.iter().flat_map(|pointer| addresses.fetch(pointer)))
                .chain(self.own_area().then(|| format!("{AREA} = GM_AREA(node);")))
                .collect(),
            look: self.sources.pointers_in_c(|_| true, |name| format!("{name} = *at[{}];", addresses.of(name))),
            look_up: self.sources.each_pointer(|_| true, |name| format!("{name} = {}", to(name))),
            look_wired: self.wired(events),
            unchanged: self.sources.pointers_in_c(is_watched, |name| {
                format!("if (fault == 0 && {name} != *at[{}]) {{ fault = {}; }}", addresses.of(name), Fault::State)
            }),
            unchanged_start: self.sources.pointers_in_c(is_watched, |name| {
                let act = format!(
                    "int k; for (k = 0; k < GM_K; ++k) {{ if ({}[k] != 0) {{ fault = {}; }} }}",
                    gradient_of(name),
                    Fault::State,
                );
                format!("if (fault == 0 && {name} != *at[{}]) {{ {act} }}", addresses.of(name))
            }),
            unchanged_up: self.sources.each_pointer(is_watched, |name| {
                format!("IF (begun == 1 && fault == 0 && {name} != {}) {{ fault = {} }}", to(name), Fault::State)
            }),
            pointer_start: self
                .pointer_gradients
                .iter()
                .map(after)
                .chain(self.pointer_gradients.iter().map(before))
                .collect(),
            pointer_before: self.pointer_gradients.iter().map(before).collect(),
            pointer_after: self.pointer_gradients.iter().map(after).collect(),
        }
    }

    fn own_area(&self) -> bool {
        !self.linearised.region.has_size() && self.reads(&Quantity::Area)
    }

    /// Statements that look whether all is set that must be.
    fn wired(&self, events: Option<&Received>) -> Vec<String> {
        let untold = self.untold();
        let mut lines: Vec<String> = untold.iter().map(|name| format!("IF ({name} < 0) {{ wired = 0 }}")).collect();
        lines.extend(self.sources.each_pointer(|_| true, |name| unset(&to(name))));
        let pointer = self
            .pointer_gradients
            .iter()
            .flat_map(|pointer| pointer.pointers().into_iter().map(|name| pointer.guarded(unset(&name))));
        lines.extend(pointer);
        lines.extend(events.and_then(Received::voltage_pointer).map(|pointer| unset(&pointer)));
        lines
    }
}

/// What the addresses of a row are of, by number.
struct Addresses {
    names: Vec<String>,
}

impl Addresses {
    fn new(writer: &Writer) -> Self {
        let model = writer.sources.pointers.iter().map(|pointer| pointer.name.clone());
        let pointer = writer.pointer_gradients.iter().flat_map(|pointer| {
            let before = pointer.old.as_ref().map(|_| pointer.gradient.clone());
            [pointer.new.clone()].into_iter().chain(before)
        });
        Self { names: model.chain(pointer).collect() }
    }

    fn of(&self, name: &str) -> usize {
        self.names.iter().position(|other| other == name).unwrap_or_default()
    }

    /// Of the gradient at the start of a step.
    fn before(&self, pointer: &PointerGradient) -> usize {
        self.of(if pointer.old.is_some() { &pointer.gradient } else { &pointer.new })
    }

    /// C: where no mechanism looks, what is seen is its own and stays 0.
    fn fetch(&self, pointer: &PointerGradient) -> Vec<String> {
        let names = [Some(&pointer.new), pointer.old.as_ref().map(|_| &pointer.gradient)];
        let lines = names.into_iter().flatten().map(|name| {
            let address = format!("&{}", to(name));
            let found = match &pointer.switch {
                Some(switch) => format!("{switch} != 0 ? {address} : &{}[0]", pointer.new),
                None => address,
            };
            format!("at[{}] = {found};", self.of(name))
        });
        lines.collect()
    }
}
