//! What reverse mode remembers of a run, and where.
//!
//! Each time step has a *frame*: the time, the voltages, then of every place what changes along the run ("moving": the
//! voltage first, which is the node's where all is gathered). What does not change ("fixed") is remembered once. The
//! recorder writes both, the adjoint reads them.

use std::collections::BTreeSet;

use crate::emit::manifest::PointerManifest;
use crate::emit::region::pointer_names::pointed_source;
use crate::emit::reverse::record;
use crate::graph::{Id, Input};
use crate::model::{Kind, Role};
use crate::step::{Linearised, Quantity, State, StateKind, When};

/// One remembered number of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    Voltage,
    /// Read through the POINTER of this name.
    Pointer(String),
    /// Read through the POINTER of this name at the end of the step, before the events that follow it.
    Landed(String),
    /// A value that NEURON does not show; by index into `Linearised::states`.
    Own(usize),
    /// An element of an array that events write; by array, of `Linearised::arrays`, and place in it.
    Element(usize, usize),
}

/// What is remembered of a region, and where.
pub struct Frame<'a> {
    pub(super) linearised: &'a Linearised,
    /// Somewhere in the model events set the voltage: what it was before them stands beside.
    pub(super) jumps: bool,
    /// Where all is gathered, what drives a point process may be played along the run: a change is written into the log.
    logs_changes: bool,
    pub pointers: Vec<PointerManifest>,
    pub moving: Vec<Slot>,
    pub fixed: Vec<Slot>,
    /// States that only an event can change between two steps, where all is gathered: the log of events has their values
    /// at the end of the step.
    pub landed: Vec<String>,
    /// States that NEURON does not show and that only INITIAL sets, from fixed values: no frame has them, they are
    /// computed again from these.
    pub recomputed: Vec<usize>,
    /// Pointers whose value counts when INITIAL runs.
    pub at_initial: BTreeSet<String>,
    /// Moving pointers whose value counts before BREAKPOINT, which may change it.
    pub early: BTreeSet<String>,
}

impl<'a> Frame<'a> {
    /// The slots that inputs need: those of the step, of the start, and of events, which
    /// have their own.
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
            recomputed: Vec::new(),
            at_initial: BTreeSet::new(),
            early: BTreeSet::new(),
        };
        let own = || linearised.states.iter().enumerate().filter_map(|(index, state)| Some((index, state.own?)));
        let is_fixed =
            |(index, (_, start)): (usize, _)| linearised.states[index].is_settled && frame.is_made_of_fixed(start);
        let is_point = linearised.region.kind() == Kind::Point;
        let slots = own().map(|(index, _)| Slot::Own(index));
        // What a recorder computes in each step may read the others.
        match own().all(is_fixed) {
            true if !is_point => frame.recomputed = own().map(|(index, _)| index).collect(),
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
        // An event writes into the log what it replaces.
        for (array, description) in linearised.arrays.iter().enumerate() {
            frame.fixed.extend((0..description.start.len()).map(|index| Slot::Element(array, index)));
        }
        frame
    }

    /// Whether all that is remembered stands in the model when a step begins, and nothing has to be computed.
    pub fn is_gathered(&self) -> bool {
        let receive = self.linearised.receive.as_ref();
        let acts = receive.is_some_and(|receive| receive.voltage.is_some());
        let is_fixed = |name: &String| self.fixed.contains(&Slot::Pointer(name.clone()));
        let has_arrays = !self.linearised.arrays.is_empty();
        self.logs_changes
            && !self.has_own()
            && !acts
            && !has_arrays
            && self.early.is_empty()
            && self.at_initial.iter().all(is_fixed)
    }

    /// Which fixed values the recorder saves itself when INITIAL runs, where all is gathered: what NEURON does not show, and
    /// what may change after it.
    pub fn saved_at_initial(&self) -> Vec<usize> {
        let is_saved = |slot: &Slot| match slot {
            Slot::Own(_) => true,
            Slot::Pointer(name) => self.at_initial.contains(name),
            Slot::Voltage | Slot::Landed(_) | Slot::Element(..) => false,
        };
        self.fixed.iter().enumerate().filter(|(_, slot)| is_saved(slot)).map(|(index, _)| index).collect()
    }

    /// Where the first element of an array is among the fixed values.
    pub fn first_element(&self, array: usize) -> usize {
        self.fixed.iter().position(|slot| *slot == Slot::Element(array, 0)).unwrap_or_default()
    }

    /// Whether a recorder computes what NEURON does not show.
    pub fn has_own(&self) -> bool {
        self.moving.iter().any(|slot| matches!(slot, Slot::Own(_)))
    }

    /// Takes the landed values of states from the frames: events are rare, and the log has them.
    fn leave_to_the_log(&mut self) {
        let names: Vec<String> = record::shown(self.linearised).map(|(_, name)| name).collect();
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

    /// Whether a value that INITIAL makes depends on fixed values only.
    fn is_made_of_fixed(&self, start: Id) -> bool {
        let linearised = self.linearised;
        let inputs = linearised.graph.reachable_inputs(&[start], false);
        let is_fixed = |input: &Input| match &linearised.quantities[input] {
            Quantity::Variable(mechanism, name, _) => self.variable(*mechanism, name).is_some_and(|(_, moves)| !moves),
            other => is_known(other),
        };
        inputs.iter().all(is_fixed)
    }

    fn point(&mut self, pointer: PointerManifest) {
        if !self.pointers.iter().any(|known| known.name == pointer.name) {
            self.pointers.push(pointer);
        }
    }

    /// Whether a quantity is a value at the end of a step that events may change before the next one.
    pub(super) fn lands(&self, quantity: &Quantity) -> bool {
        self.linearised.receive.is_some()
            && matches!(quantity, Quantity::Variable(_, _, When::After))
            && !(self.logs_changes && self.is_parameter(quantity))
    }

    fn is_parameter(&self, quantity: &Quantity) -> bool {
        let Quantity::Variable(mechanism, name, _) = quantity else { return false };
        let variable = self.linearised.region.mechanisms[*mechanism].variable(name);
        variable.is_some_and(|variable| variable.role == Role::Parameter) && self.is_of_process(quantity)
    }

    /// Whether a quantity is a variable of a point process that code does not change.
    fn is_of_process(&self, quantity: &Quantity) -> bool {
        let Quantity::Variable(mechanism, name, _) = quantity else { return false };
        self.linearised.region.kind() == Kind::Point && self.state(*mechanism, name).is_none()
    }

    fn state(&self, mechanism: usize, name: &str) -> Option<&'a State> {
        let kind = StateKind::Variable(mechanism, name.to_owned());
        self.linearised.states.iter().find(|state| state.kind == kind)
    }

    /// The POINTER that a quantity is read through, and whether it is moving.
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
                let is_carried = ion.is_some_and(|ion| ion.carried().any(|carried| carried == *name));
                let is_reversal = ion.is_some_and(|ion| ion.ion.reversal() == *name);
                if ion.is_some_and(|ion| ion.ion.current() == *name) {
                    self.at_initial.insert(format!("{name}_now"));
                }
                let moves = is_carried || (is_reversal && !written.is_empty());
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

    /// The POINTER that a variable is read through, and whether it is moving.
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

    /// Whether BREAKPOINT may change a quantity: a variable that is carried along and not changed by INITIAL only, or a STATE
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
}

/// Whether a quantity is known at each place, and the same in all steps.
pub(super) fn is_known(quantity: &Quantity) -> bool {
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

fn ion_names(ion: &crate::step::RegionIon, name: &str) -> bool {
    [ion.ion.reversal(), ion.ion.inside(), ion.ion.outside(), ion.ion.current()].iter().any(|own| own == name)
}
