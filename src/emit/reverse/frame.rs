//! What reverse mode remembers of a run, and where.
//!
//! Each time step has a *frame*: the time, the voltages, then of every place what
//! changes along the run ("moving": the voltage first, which is the node's where
//! all is gathered). What does not change ("fixed")
//! is kept once. The recorder writes both, the adjoint reads them.

use std::collections::BTreeSet;

use super::adjoint::element;
use crate::emit::manifest::PointerManifest;
use crate::emit::region::pointer_names::pointed_source;
use crate::graph::{Id, Input};
use crate::model::{Kind, Role};
use crate::step::{Linearised, Quantity, State, StateKind, When};

/// One remembered number of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    Voltage,
    /// Read through the POINTER of this name.
    Pointer(String),
    /// The same at the end of the step, before the events that follow it.
    Landed(String),
    /// A value that NEURON does not show; by index into `Linearised::states`.
    Own(usize),
}

/// What a change of a fixed value means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A script may set it until the first step; a later change is refused.
    OfParameter,
    /// The same, but INITIAL has made it: what depends on that has no gradient if a script sets it before the first step.
    OfState,
    /// It is written into the log, and taken back on the way.
    Logged,
}

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
    /// The log has it where an event came; see [`super::record`].
    Landed {
        landed: usize,
        moving: usize,
    },
    Rise,
    Time,
    Nothing,
}

pub struct Frame<'a> {
    linearised: &'a Linearised,
    /// Somewhere in the model events set the voltage: what it was before them is kept beside.
    jumps: bool,
    /// Where all is gathered, what drives a point process may be played along the run: a change is written into the log.
    logs_changes: bool,
    pub pointers: Vec<PointerManifest>,
    pub moving: Vec<Slot>,
    pub fixed: Vec<Slot>,
    /// States that only an event can change between two steps, where all is gathered: the log of events has their values
    /// at the end of the step.
    pub landed: Vec<String>,
    /// States that NEURON does not show and that only INITIAL sets, from what does not change along a run: they are
    /// computed from that.
    pub still: Vec<usize>,
    /// Pointers whose value counts when INITIAL runs.
    pub at_initial: BTreeSet<String>,
    /// Moving pointers whose value counts before BREAKPOINT, which may change it.
    pub early: BTreeSet<String>,
}

impl<'a> Frame<'a> {
    /// The slots that inputs need: those of the step, of the start, and of events, which
    /// keep their own.
    pub fn new(
        linearised: &'a Linearised,
        jumps: bool,
        step: &BTreeSet<Input>,
        start: &BTreeSet<Input>,
        events: &BTreeSet<Input>,
    ) -> Self {
        let mut frame = Self::with(linearised, jumps, true, step, start, events);
        if !frame.is_gathered() {
            return Self::with(linearised, jumps, false, step, start, events);
        }
        frame.leave_to_the_log();
        frame
    }

    fn with(
        linearised: &'a Linearised,
        jumps: bool,
        logs_changes: bool,
        step: &BTreeSet<Input>,
        start: &BTreeSet<Input>,
        events: &BTreeSet<Input>,
    ) -> Self {
        let mut frame = Self {
            linearised,
            jumps,
            logs_changes,
            pointers: Vec::new(),
            moving: vec![Slot::Voltage],
            fixed: Vec::new(),
            landed: Vec::new(),
            still: Vec::new(),
            at_initial: BTreeSet::new(),
            early: BTreeSet::new(),
        };
        let own = || linearised.states.iter().enumerate().filter_map(|(index, state)| Some((index, state.own?)));
        let is_constant =
            |(index, (_, start)): (usize, _)| linearised.states[index].is_settled && frame.is_made_of_constants(start);
        let is_point = linearised.region.kind() == Kind::Point;
        let slots = own().map(|(index, _)| Slot::Own(index));
        // What a recorder computes in each step may read the others.
        match own().all(is_constant) {
            true if !is_point => frame.still = own().map(|(index, _)| index).collect(),
            true if logs_changes => frame.fixed.extend(slots),
            _ => frame.moving.extend(slots),
        }
        for input in step.union(start) {
            let quantity = &linearised.quantities[input];
            let Some((pointer, moves)) = frame.pointer(quantity) else { continue };
            let name = pointer.name.clone();
            let only_at_start = !step.contains(input) && frame.is_of_process(quantity);
            let slot = if frame.lands(quantity) { Slot::Landed(name.clone()) } else { Slot::Pointer(name.clone()) };
            let moves = moves && !only_at_start;
            let slots = if moves { &mut frame.moving } else { &mut frame.fixed };
            if !slots.contains(&slot) {
                slots.push(slot);
                if moves && frame.is_early(quantity) {
                    frame.early.insert(name);
                } else if only_at_start {
                    frame.at_initial.insert(name);
                }
            }
            frame.point(pointer);
        }
        for input in events {
            if let Some((pointer, _)) = frame.pointer(&linearised.quantities[input]) {
                frame.point(pointer);
            }
        }
        frame
    }

    /// Whether all that is remembered stands in the model when a step begins, and nothing has to be computed.
    pub fn is_gathered(&self) -> bool {
        let receive = self.linearised.receive.as_ref();
        let acts = receive.is_some_and(|receive| receive.voltage.is_some());
        let is_fixed = |name: &String| self.fixed.contains(&Slot::Pointer(name.clone()));
        self.logs_changes && !self.has_own() && !acts && self.early.is_empty() && self.at_initial.iter().all(is_fixed)
    }

    /// Which fixed values the recorder keeps itself when INITIAL runs, where all is gathered: what NEURON does not show, and
    /// what may change after it.
    pub fn kept_at_initial(&self) -> Vec<usize> {
        let is_kept = |slot: &Slot| match slot {
            Slot::Own(_) => true,
            Slot::Pointer(name) => self.at_initial.contains(name),
            Slot::Voltage | Slot::Landed(_) => false,
        };
        self.fixed.iter().enumerate().filter(|(_, slot)| is_kept(slot)).map(|(index, _)| index).collect()
    }

    /// Whether a recorder computes what NEURON does not show.
    pub fn has_own(&self) -> bool {
        self.moving.iter().any(|slot| matches!(slot, Slot::Own(_)))
    }

    /// Events are rare: what they change is not remembered twice in each step.
    fn leave_to_the_log(&mut self) {
        let names: Vec<String> = super::record::shown(self.linearised).map(|(_, name)| name).collect();
        let (landed, rest) = std::mem::take(&mut self.moving)
            .into_iter()
            .partition(|slot| matches!(slot, Slot::Landed(name) if names.contains(name)));
        self.moving = rest;
        for slot in landed {
            let Slot::Landed(name) = slot else { continue };
            let moving = Slot::Pointer(name.clone());
            if !self.moving.contains(&moving) {
                self.moving.push(moving);
            }
            self.landed.push(name);
        }
    }

    /// Whether a value of INITIAL depends only on what does not change after it.
    fn is_made_of_constants(&self, start: Id) -> bool {
        let linearised = self.linearised;
        let inputs = linearised.graph.reachable_inputs(&[start], false);
        let is_still = |input: &Input| match &linearised.quantities[input] {
            Quantity::Variable(mechanism, name, _) => self.variable(*mechanism, name).is_some_and(|(_, moves)| !moves),
            other => is_known(other),
        };
        inputs.iter().all(is_still)
    }

    /// Which of `still` a quantity is.
    pub fn still(&self, quantity: &Quantity) -> Option<usize> {
        let Quantity::Variable(mechanism, name, _) = quantity else { return None };
        let kind = StateKind::Variable(*mechanism, name.clone());
        self.still.iter().position(|index| self.linearised.states[*index].kind == kind)
    }

    fn point(&mut self, pointer: PointerManifest) {
        if !self.pointers.iter().any(|known| known.name == pointer.name) {
            self.pointers.push(pointer);
        }
    }

    /// Whether it is a value at the end of a step that events may change before the next one.
    fn lands(&self, quantity: &Quantity) -> bool {
        self.linearised.receive.is_some()
            && matches!(quantity, Quantity::Variable(_, _, When::After))
            && !(self.logs_changes && self.is_parameter(quantity))
    }

    fn is_parameter(&self, quantity: &Quantity) -> bool {
        let Quantity::Variable(mechanism, name, _) = quantity else { return false };
        let variable = self.linearised.region.mechanisms[*mechanism].variable(name);
        variable.is_some_and(|variable| variable.role == Role::Parameter) && self.is_of_process(quantity)
    }

    /// Whether it is a variable of a point process that code does not change.
    fn is_of_process(&self, quantity: &Quantity) -> bool {
        let Quantity::Variable(mechanism, name, _) = quantity else { return false };
        self.linearised.region.kind() == Kind::Point && self.state(*mechanism, name).is_none()
    }

    fn state(&self, mechanism: usize, name: &str) -> Option<&'a State> {
        let kind = StateKind::Variable(mechanism, name.to_owned());
        self.linearised.states.iter().find(|state| state.kind == kind)
    }

    /// The POINTER that a quantity is read through, and whether it changes along a run.
    fn pointer(&mut self, quantity: &Quantity) -> Option<(PointerManifest, bool)> {
        let linearised = self.linearised;
        let global = |name: String, source: String| PointerManifest { name, source, scope: "global" };
        match quantity {
            Quantity::Variable(mechanism, name, _) => self.variable(*mechanism, name),
            Quantity::Pointed(mechanism, name, _) => {
                let source = pointed_source(linearised, *mechanism, name);
                let name = linearised.names.of(*mechanism, name).to_owned();
                Some((PointerManifest { name, source, scope: "pointed" }, true))
            }
            Quantity::Ion(name, _) => {
                let ion = linearised.ions.iter().find(|ion| ion.ion.uses(name) || ion_names(ion, name));
                let written = ion.map_or(&[][..], |ion| &ion.written);
                let is_reversal = ion.is_some_and(|ion| ion.ion.reversal() == *name);
                if ion.is_some_and(|ion| ion.ion.current() == *name) {
                    self.at_initial.insert(format!("{name}_now"));
                }
                let moves = written.contains(name) || (is_reversal && !written.is_empty());
                let scope = if linearised.region.kind() == Kind::Point { "segment" } else { "range" };
                let pointer = PointerManifest { name: format!("{name}_now"), source: name.clone(), scope };
                Some((pointer, moves))
            }
            Quantity::UseTable(mechanism) => {
                let name = &linearised.region.mechanisms[*mechanism].name;
                Some((global(format!("{name}_usetable"), format!("usetable_{name}")), false))
            }
            Quantity::InitialConcentration(name) => Some((global(name.clone(), name.clone()), false)),
            _ => None,
        }
    }

    fn variable(&self, mechanism: usize, name: &str) -> Option<(PointerManifest, bool)> {
        let linearised = self.linearised;
        let description = &linearised.region.mechanisms[mechanism];
        let state = self.state(mechanism, name);
        if state.is_some_and(|state| state.own.is_some()) {
            return None;
        }
        let (source, scope) = description.shown_as(name)?;
        let is_driven = description.kind == Kind::Point && scope == "range";
        let is_logged =
            self.logs_changes && description.variable(name).is_some_and(|known| known.role == Role::Parameter);
        let moves = state.map_or(is_driven && !is_logged, |state| !state.is_settled);
        Some((PointerManifest { name: linearised.names.of(mechanism, name).to_owned(), source, scope }, moves))
    }

    /// Whether BREAKPOINT may change it: a variable that is carried along and not changed by INITIAL only, or a STATE
    /// or a concentration that BREAKPOINT sets.
    fn is_early(&self, quantity: &Quantity) -> bool {
        if let Quantity::Ion(name, _) = quantity {
            return self.linearised.set_early.contains(&StateKind::Ion(name.clone()));
        }
        let Quantity::Variable(mechanism, name, _) = quantity else { return false };
        let kind = StateKind::Variable(*mechanism, name.clone());
        let variable = self.linearised.region.mechanisms[*mechanism].variable(name);
        self.linearised.states.iter().any(|state| state.kind == kind)
            && !self.linearised.corrected.contains(&kind)
            && (variable.is_some_and(|variable| variable.role != Role::State)
                || self.linearised.set_by_currents.contains(&kind))
    }

    /// What a change of a fixed value means.
    pub fn change_of(&self, name: &str) -> Change {
        let linearised = self.linearised;
        let is_kept = |state: &State| {
            let StateKind::Variable(mechanism, own) = &state.kind else { return false };
            state.is_settled && linearised.names.of(*mechanism, own) == name
        };
        let of_process = |pointer: &PointerManifest| pointer.name == name && pointer.scope == "range";
        if linearised.states.iter().any(is_kept) {
            Change::OfState
        } else if linearised.region.kind() == Kind::Point && self.pointers.iter().any(of_process) {
            Change::Logged
        } else {
            Change::OfParameter
        }
    }

    fn find(&self, quantity: &Quantity) -> Option<Found> {
        let named = |name: String, when: When| {
            let slot = Slot::Pointer(name);
            let moving = self.moving.iter().position(|known| *known == slot);
            let fixed = self.fixed.iter().position(|known| *known == slot);
            moving.map(|index| Found::Moving(index, when)).or(fixed.map(Found::Fixed)).unwrap_or(Found::Nothing)
        };
        Some(match quantity {
            Quantity::Voltage(when) => Found::Moving(0, *when),
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
            if moment == Moment::Step && self.still(quantity).is_some() {
                continue;
            }
            let name = self.linearised.graph.input_name(*input);
            let value = match found {
                Found::Moving(0, When::After) if !at_start => self.voltage_after(reader),
                Found::Moving(index, When::After) if !at_start => reader.next(index),
                // What NEURON does not show is taken as 0 before INITIAL; the first frame has what INITIAL made of it.
                Found::Moving(index, _) if at_start && matches!(self.moving[index], Slot::Own(_)) => "0.".to_owned(),
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
}

/// Which code reads a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// A mechanism at the place, in NEURON's run.
    Recorder,
    /// The loop over all places of a region, where each place has its numbers one after the other.
    Places,
    /// The same where each number has all places one after the other, so that a compiler takes several at once.
    Columns,
}

impl Reader {
    fn time_step(self) -> &'static str {
        match self {
            Self::Recorder => "dt",
            Self::Places | Self::Columns => "run->timestep",
        }
    }

    fn now(self, index: usize) -> String {
        match self {
            Self::Recorder => format!("gm_now[{index}]"),
            Self::Columns if index == 0 => "gm_head[voltage]".to_owned(),
            Self::Columns => format!("gm_head[{}]", self.from("now", column(index))),
            Self::Places => format!("gm_head[{}]", self.from("now", index)),
        }
    }

    fn next(self, index: usize) -> String {
        match self {
            Self::Recorder => format!("gm_next[{index}]"),
            Self::Columns if index == 0 => "gm_head[voltage + stride]".to_owned(),
            Self::Columns => format!("gm_head[{}]", self.from("next", column(index))),
            Self::Places => format!("gm_head[{}]", self.from("next", index)),
        }
    }

    fn fixed(self, index: usize) -> String {
        match self {
            Self::Recorder => format!("gm_fixed[{index}]"),
            Self::Places | Self::Columns => format!("run->fixed[{}]", self.from("fixed", index)),
        }
    }

    fn from(self, place: &str, index: usize) -> String {
        match (self, index) {
            (_, 0) => place.to_owned(),
            (Self::Columns, 1) => format!("{place} + n"),
            (Self::Columns, _) => format!("{place} + {index}*n"),
            _ => format!("{place} + {index}"),
        }
    }
}

/// Where a number of a gathered frame is among the region's columns: the voltages stand together, node by node.
pub fn column(index: usize) -> usize {
    index - 1
}

impl Frame<'_> {
    /// Whether a quantity does not change along a run.
    pub fn is_fixed(&self, quantity: &Quantity) -> bool {
        match self.find(quantity) {
            Some(found) => matches!(found, Found::Fixed(_)) || self.still(quantity).is_some(),
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

/// Whether it is known at each place, and the same in all steps.
fn is_known(quantity: &Quantity) -> bool {
    matches!(
        quantity,
        Quantity::TimeStep
            | Quantity::Celsius
            | Quantity::Area
            | Quantity::Diameter
            | Quantity::Setting(_)
            | Quantity::Valence(_)
            | Quantity::Factor(..)
    )
}

fn fixed(index: usize, quantity: &Quantity, reader: Reader) -> String {
    let value = reader.fixed(index);
    let is_table = reader != Reader::Recorder && matches!(quantity, Quantity::UseTable(_));
    if is_table { format!("tables ? {value} : 0.") } else { value }
}

fn ion_names(ion: &crate::step::RegionIon, name: &str) -> bool {
    [ion.ion.reversal(), ion.ion.inside(), ion.ion.outside(), ion.ion.current()].iter().any(|own| own == name)
}
