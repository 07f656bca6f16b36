//! What emitted code calls the parts of one region's step.

use std::collections::BTreeSet;

use super::pointer_gradient::{PointerGradient, Pointers};
use super::roots;
use super::sources::Sources;
use crate::graph::{Id, Input};
use crate::step::{Linearised, StateKind};

pub(in crate::emit) struct Writer<'a> {
    pub linearised: &'a Linearised,
    pub directions: usize,
    pub sources: Sources<'a>,
    pub step_inputs: BTreeSet<Input>,
    pub start_inputs: BTreeSet<Input>,
    pub event_inputs: BTreeSet<Input>,
    pub step_roots: Vec<Id>,
    pub start_roots: Vec<Id>,
    pub event_roots: Vec<Id>,
    pub array_terms: Vec<Id>,
    /// The gradient array of each state, `D_hh_m`.
    pub gradients: Vec<String>,
    /// For each parameter the array that says how much each direction changes it, `w_gnabar_hh`.
    pub seeds: Vec<String>,
    pub pointer_gradients: Vec<PointerGradient>,
    /// POINTERs may see variables.
    pub variables: bool,
    /// The gradients act on the run, which then changes what directions change.
    pub is_online: bool,
    /// Coefficients that may be infinite.
    pub infinite: BTreeSet<Id>,
}

impl<'a> Writer<'a> {
    pub fn new(linearised: &'a Linearised, directions: usize, pointers: Pointers, is_online: bool) -> Self {
        let variables = pointers == Pointers::ToVariables;
        let reached = |roots: &[Id]| linearised.graph.reachable_inputs(roots, false);
        let step_roots = roots::step(linearised);
        let start_roots = roots::start(linearised);
        let array_terms = roots::array_terms(linearised);
        let mut event_roots = Vec::new();
        let mut event_inputs = reached(&array_terms);
        if let Some(receive) = &linearised.receive {
            // INITIAL inside NET_RECEIVE and conditions of WATCH are code of the companion, too.
            event_roots.extend([roots::event(receive), roots::flow(receive)].concat());
            event_roots.extend([roots::event_start(receive), roots::watched(receive)].concat());
            event_inputs.extend(reached(&event_roots));
            event_inputs.extend(roots::changed_inputs(linearised));
        }
        let step_inputs = reached(&step_roots);
        let start_inputs = reached(&start_roots);
        let mut all: BTreeSet<Input> = step_inputs.iter().chain(&start_inputs).chain(&event_inputs).copied().collect();
        if !is_online {
            all.extend(roots::steady(linearised));
        }
        let gradients = linearised.states.iter().map(|state| gradient_name(linearised, &state.kind));
        let mut names = linearised.names.clone();
        let parameters = linearised.parameters.iter();
        let seeds = parameters.map(|parameter| names.new_name(&format!("w_{}", parameter.public)));
        let infinite = linearised.graph.infinite(step_roots.iter().chain(&start_roots).copied());
        Self {
            linearised,
            directions,
            sources: Sources::new(linearised, &all, variables),
            step_inputs,
            start_inputs,
            event_inputs,
            step_roots,
            start_roots,
            event_roots,
            array_terms,
            gradients: gradients.collect(),
            seeds: seeds.collect(),
            pointer_gradients: PointerGradient::of(linearised, variables),
            variables,
            is_online,
            infinite,
        }
    }

    pub(in crate::emit) fn switches(&self) -> Vec<String> {
        if self.linearised.region.switched { self.mechanism_names() } else { Vec::new() }
    }

    pub(in crate::emit) fn mechanism_names(&self) -> Vec<String> {
        self.linearised.region.mechanisms.iter().map(|mechanism| mechanism.name.clone()).collect()
    }
}

fn gradient_name(linearised: &Linearised, kind: &StateKind) -> String {
    match kind {
        StateKind::Ion(name) => format!("D_{name}"),
        StateKind::Variable(mechanism, name) => {
            format!("D_{}", linearised.names.of(*mechanism, name))
        }
    }
}
