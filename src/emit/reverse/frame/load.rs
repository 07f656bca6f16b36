//! Where code finds its inputs in the frames of a run.

use std::collections::BTreeSet;

use super::layout::{Frame, Slot, is_known};
use super::reader::Reader;
use crate::emit::reverse::places::element;
use crate::emit::reverse::streams::start_place;
use crate::graph::Input;
use crate::step::{Quantity, StateKind, When};

/// When code runs that reads frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// INITIAL has just run: the first frame has its time.
    Initial,
    /// Long after it: the first frame has the time in the middle of the first step.
    Start,
    Step,
}

/// Where the value of an input is found.
enum Found {
    Moving(usize, When),
    Fixed(usize),
    /// The log has it where an event came; see [`crate::emit::reverse::record`].
    Landed {
        landed: usize,
        moving: usize,
    },
    Rise,
    Time,
    Nothing,
}

impl Frame<'_> {
    fn find(&self, quantity: &Quantity) -> Option<Found> {
        let named = |name: String, when: When| {
            let slot = Slot::Pointer(name);
            let moving = self.moving.iter().position(|known| *known == slot);
            let fixed = self.fixed.iter().position(|known| *known == slot);
            moving.map(|index| Found::Moving(index, when)).or(fixed.map(Found::Fixed)).unwrap_or(Found::Nothing)
        };
        Some(match quantity {
            Quantity::Voltage(when) => Found::Moving(0, *when),
            // Reverse mode refuses `secondorder`.
            Quantity::Rise => Found::Rise,
            Quantity::Time => Found::Time,
            Quantity::Variable(mechanism, name, when) => {
                let kind = StateKind::Variable(*mechanism, name.clone());
                let own = self.linearised.states.iter().position(|state| state.kind == kind && state.own.is_some());
                let known = self.linearised.names.of(*mechanism, name).to_owned();
                let landed = self.landed.iter().position(|name| self.lands(quantity) && *name == known);
                if let Some(landed) = landed {
                    let slot = Slot::Pointer(known);
                    let moving = self.moving.iter().position(|known| *known == slot);
                    return Some(moving.map_or(Found::Nothing, |moving| Found::Landed { landed, moving }));
                }
                let slot = match own {
                    Some(own) => Slot::Own(own),
                    None if self.lands(quantity) => Slot::Landed(known.clone()),
                    None => return Some(named(known, *when)),
                };
                let moving = self.moving.iter().position(|known| *known == slot);
                let fixed = self.fixed.iter().position(|known| *known == slot);
                moving.map(|index| Found::Moving(index, *when)).or(fixed.map(Found::Fixed)).unwrap_or(Found::Nothing)
            }
            Quantity::Ion(name, when) => named(format!("{name}_now"), *when),
            Quantity::Pointed(mechanism, name, when) => {
                named(self.linearised.names.of(*mechanism, name).to_owned(), *when)
            }
            Quantity::UseTable(mechanism) => {
                named(format!("{}_usetable", self.linearised.region.mechanisms[*mechanism].name), When::Before)
            }
            Quantity::InitialConcentration(name) => named(name.clone(), When::Before),
            // Read by their own names.
            _ => return None,
        })
    }

    /// The names of inputs, and in C where the frames `now` and `next` and `fixed` have them; at the start there is
    /// `now` only.
    pub fn load(&self, inputs: &BTreeSet<Input>, moment: Moment, reader: Reader) -> Vec<(String, String)> {
        let at_start = moment != Moment::Step;
        let mut found_at = Vec::new();
        let step = reader.time_step();
        for input in inputs {
            let quantity = &self.linearised.quantities[input];
            let Some(found) = self.find(quantity) else { continue };
            if moment == Moment::Step && self.recomputed_as(quantity).is_some() {
                continue;
            }
            let name = self.linearised.graph.input_name(*input);
            let value = match found {
                Found::Moving(0, When::After) if !at_start => self.voltage_after(reader),
                Found::Moving(index, When::After) if !at_start => reader.next(index),
                // What NEURON does not show is taken as 0 before INITIAL; the first frame has what INITIAL made of it.
                Found::Moving(index, _) if at_start && matches!(self.moving[index], Slot::Own(_)) => {
                    self.before_initial(quantity, reader)
                }
                Found::Fixed(index) if at_start && matches!(self.fixed[index], Slot::Own(_)) => "0.".to_owned(),
                Found::Moving(index, _) => reader.now(index),
                Found::Landed { moving, .. } if at_start => reader.now(moving),
                Found::Landed { landed, moving } => {
                    format!(
                        "landed_step[i] == step + 1 ? {} : {}",
                        element("landed_value", landed),
                        reader.next(moving)
                    )
                }
                Found::Fixed(index) => fixed(index, quantity, reader),
                Found::Rise if at_start => "0.".to_owned(),
                Found::Rise => format!("{} - {}", self.voltage_after(reader), reader.now(0)),
                Found::Time if moment == Moment::Start => format!("gm_head[0] - 0.5*{step}"),
                Found::Time => "gm_head[0]".to_owned(),
                Found::Nothing => "0.".to_owned(),
            };
            found_at.push((name.to_owned(), value));
        }
        found_at
    }

    /// What a value that NEURON does not show is before INITIAL: of streams of random numbers their place.
    fn before_initial(&self, quantity: &Quantity, reader: Reader) -> String {
        let Quantity::Variable(mechanism, name, _) = quantity else { return "0.".to_owned() };
        let kind = StateKind::Variable(*mechanism, name.clone());
        match (start_place(self.linearised, &kind), reader) {
            (None, _) => "0.".to_owned(),
            (Some([recorders, _]), Reader::Recorder) => recorders,
            (Some([_, adjoints]), Reader::Places | Reader::Columns) => adjoints,
        }
    }

    /// Which of the `recomputed` states a quantity is.
    pub fn recomputed_as(&self, quantity: &Quantity) -> Option<usize> {
        let Quantity::Variable(mechanism, name, _) = quantity else { return None };
        let kind = StateKind::Variable(*mechanism, name.clone());
        self.recomputed.iter().position(|index| self.linearised.states[*index].kind == kind)
    }

    /// Whether a quantity does not change along a run.
    pub fn is_fixed(&self, quantity: &Quantity) -> bool {
        match self.find(quantity) {
            Some(found) => matches!(found, Found::Fixed(_)) || self.recomputed_as(quantity).is_some(),
            None => is_known(quantity),
        }
    }

    /// The voltage at the end of a step, before the events that follow it.
    fn voltage_after(&self, reader: Reader) -> String {
        let text = match (self.jumps, reader) {
            (false, _) => return reader.next(0),
            (true, Reader::Recorder) => "gm_head[(size_t) stride + (size_t) landed_place]",
            (true, Reader::Places | Reader::Columns) => "gm_head[run->stride + places->landed[i]]",
        };
        text.to_owned()
    }
}

fn fixed(index: usize, quantity: &Quantity, reader: Reader) -> String {
    let value = reader.fixed(index);
    let is_table = reader != Reader::Recorder && matches!(quantity, Quantity::UseTable(_));
    if is_table { format!("tables ? {value} : 0.") } else { value }
}
