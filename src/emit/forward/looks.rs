//! How a row looks at the model: by addresses that are kept while NEURON moves nothing, else by its POINTERs.

use serde::Serialize;

use super::pointer_gradient;
use super::received::Received;
use super::row::VOLTAGE;
use crate::emit::region::writer::Writer;
use crate::emit::text::sources::{AREA, to, unset};
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
    far_start: Vec<String>,
    far_before: Vec<String>,
    far_after: Vec<String>,
}

impl Writer<'_> {
    pub(in crate::emit) fn looks(&self, events: Option<&Received>) -> Looks {
        let addresses = Addresses::new(self);
        let watched = self.watched();
        let is_watched = |name: &str| watched.iter().any(|(other, _)| other == name);
        let gradient_of =
            |name: &str| watched.iter().find(|(other, _)| other == name).map_or("", |(_, gradient)| gradient);
        let after = |far: &pointer_gradient::Far| format!("{}[k] = at[{}][k];", far.new, addresses.of(&far.new));
        let before = |far: &pointer_gradient::Far| format!("{}[k] = at[{}][k];", far.gradient, addresses.before(far));
        Looks {
            pointer_count: addresses.names.len(),
            fetch: self
                .sources
                .pointers_in_c(|_| true, |name| format!("at[{}] = &{};", addresses.of(name), to(name)))
                .into_iter()
                .chain(self.far.iter().flat_map(|far| addresses.fetch(far)))
                .chain(self.own_area().then(|| format!("{AREA} = GM_AREA(node);")))
                .collect(),
            look: self.sources.pointers_in_c(|_| true, |name| format!("{name} = *at[{}];", addresses.of(name))),
            look_up: self.sources.each_pointer(|_| true, |name| format!("{name} = {}", to(name))),
            look_wired: self.wired(events),
            unchanged: self.sources.pointers_in_c(is_watched, |name| {
                format!("if (fault == 0 && {name} != *at[{}]) {{ fault = 5; }}", addresses.of(name))
            }),
            unchanged_start: self.sources.pointers_in_c(is_watched, |name| {
                let act = format!(
                    "int k; for (k = 0; k < GM_K; ++k) {{ if ({}[k] != 0) {{ fault = 5; }} }}",
                    gradient_of(name)
                );
                format!("if (fault == 0 && {name} != *at[{}]) {{ {act} }}", addresses.of(name))
            }),
            unchanged_up: self.sources.each_pointer(is_watched, |name| {
                format!("IF (begun == 1 && fault == 0 && {name} != {}) {{ fault = 5 }}", to(name))
            }),
            far_start: self.far.iter().map(after).chain(self.far.iter().map(before)).collect(),
            far_before: self.far.iter().map(before).collect(),
            far_after: self.far.iter().map(after).collect(),
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
        let far = self.far.iter().flat_map(|far| far.pointers().into_iter().map(|name| far.guarded(unset(&name))));
        lines.extend(far);
        lines.extend(events.filter(|events| events.reads_voltage).map(|_| unset(&to(VOLTAGE))));
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
        let far = writer.far.iter().flat_map(|far| {
            let before = far.old.as_ref().map(|_| far.gradient.clone());
            [far.new.clone()].into_iter().chain(before)
        });
        Self { names: model.chain(far).collect() }
    }

    fn of(&self, name: &str) -> usize {
        self.names.iter().position(|other| other == name).unwrap_or_default()
    }

    /// Of the gradient at the start of a step.
    fn before(&self, far: &pointer_gradient::Far) -> usize {
        self.of(if far.old.is_some() { &far.gradient } else { &far.new })
    }

    /// C: where no mechanism looks, what is seen is its own and stays 0.
    fn fetch(&self, far: &pointer_gradient::Far) -> Vec<String> {
        let names = [Some(&far.new), far.old.as_ref().map(|_| &far.gradient)];
        let lines = names.into_iter().flatten().map(|name| {
            let address = format!("&{}", to(name));
            let found = match &far.switch {
                Some(switch) => format!("{switch} != 0 ? {address} : &{}[0]", far.new),
                None => address,
            };
            format!("at[{}] = {found};", self.of(name))
        });
        lines.collect()
    }
}
