//! The variables that a row declares: RANGE and ASSIGNED.

use super::pointer_variable::PointedVariables;
use super::received::Received;
use super::step_code::Stored;
use crate::emit::manifest::StreamManifest;
use crate::emit::region::declarations::Setting;
use crate::emit::region::pointer_names::to;
use crate::emit::region::sources::AREA;
use crate::emit::region::writer::Writer;
use crate::model::Kind;
use crate::step::Quantity;

impl Writer<'_> {
    /// What scripts can see.
    pub fn range(
        &self,
        settings: &[Setting],
        streams: &[StreamManifest],
        pointed: Option<&PointedVariables>,
        is_steady: bool,
    ) -> Vec<String> {
        let is_density = self.linearised.region.kind() == Kind::Density;
        let mut range: Vec<String> = ["fault", "jumps", "v_solved", "v_now"].map(str::to_owned).to_vec();
        if is_density {
            range.extend(["W", "W_start"].map(str::to_owned));
        }
        range.extend(settings.iter().map(|setting| setting.name.clone()));
        range.extend(self.gradients.iter().chain(&self.seeds).cloned());
        range.extend(self.pointer_gradients.iter().flat_map(|pointer| [pointer.gradient.clone(), pointer.new.clone()]));
        range.extend(pointed.iter().flat_map(|pointed| pointed.arrays.clone()));
        range.extend(self.sources.pointers.iter().map(|pointer| pointer.name.clone()));
        if is_steady {
            range.extend(["changed", "changed_t"].map(str::to_owned));
        }
        if !streams.is_empty() {
            range.push("own".to_owned());
            range.extend(streams.iter().map(|stream| stream.start.clone()));
        }
        range
    }

    /// What the row computes or is given, with their sizes and units.
    pub fn row_variables(&self, stored: &Stored, events: Option<&Received>, streams: &[StreamManifest]) -> Vec<String> {
        let k = self.directions;
        let own = self.linearised.states.iter().filter(|state| state.own.is_some()).count();
        let mut names = vec![
            "v (mV)".to_owned(),
            "v_now (mV)".to_owned(),
            "v_solved (mV)".to_owned(),
            format!("W[{k}]"),
            format!("was[{}]", self.sources.memory_size()),
            format!("c[{}]", stored.ids.len().max(1)),
            format!("own[{}]", own.max(1)),
            "fault".to_owned(),
            "wired".to_owned(),
            "begun".to_owned(),
            "jumps".to_owned(),
            "dt (ms)".to_owned(),
        ];
        if self.linearised.region.kind() == Kind::Density {
            names.push(format!("W_start[{k}]"));
        }
        if self.is_online {
            names.extend(["faded", "keep"].map(str::to_owned));
        }
        if let Some(events) = events {
            names.push(format!("copy[{}]", events.copies.max(1)));
            names.extend(["arrived", "event_time", "event_flag"].map(str::to_owned));
            names.extend(events.voltage.iter().map(|_| "v_kept".to_owned()));
            names.extend(events.assigned.iter().cloned());
            names.extend(events.voltage_pointer());
        }
        names.extend(self.array_variables());
        names.extend(streams.iter().map(|stream| stream.start.clone()));
        names.extend(self.gradients.iter().chain(&self.seeds).map(|name| format!("{name}[{k}]")));
        for pointer in &self.sources.pointers {
            names.extend([pointer.name.clone(), to(&pointer.name)]);
        }
        for pointer in &self.pointer_gradients {
            names.extend([&pointer.gradient, &pointer.new].map(|name| format!("{name}[{k}]")));
            names.extend(pointer.pointers());
        }
        let size = if self.linearised.region.has_size() {
            vec![(Quantity::Area, "area (micron2)"), (Quantity::Diameter, "diam (micron)")]
        } else {
            vec![(Quantity::Area, AREA)]
        };
        for (input, name) in [(Quantity::Celsius, "celsius (degC)")].into_iter().chain(size) {
            if self.reads(&input) {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// The arrays that fade, each by itself.
    pub fn fading(&self) -> Vec<String> {
        let is_density = self.linearised.region.kind() == Kind::Density;
        let states = self.linearised.states.iter().zip(&self.gradients);
        let active = states.filter(|(state, _)| !state.is_inactive).map(|(_, gradient)| gradient.clone());
        is_density.then(|| "W".to_owned()).into_iter().chain(active).collect()
    }
}
