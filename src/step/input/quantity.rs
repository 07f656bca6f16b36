//! What a step reads, and where it is found.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::array::whole_arrays;
use super::ion;
use crate::diff::Differentiator;
use crate::graph::{Comparison, Graph, Id, Input};
use crate::model::{Role, Variable, Visibility};
use crate::step::{Names, Region, Step};
use crate::trace::{Constants, Discontinuities, FAILED, USETABLE, Values};

/// At the start (`t_n`) or at the end (`t_{n+1}`) of the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum When {
    Before,
    After,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    Voltage(When),
    /// `V_{n+1} - V_n`, as a number without a derivative
    Rise,
    /// Time as the current phase sees it.
    Time,
    TimeStep,
    Celsius,
    Area,
    Diameter,
    /// A variable of mechanism `0`
    Variable(usize, String, When),
    /// What POINTER `1` of mechanism `0` sees
    Pointed(usize, String, When),
    /// `cai`, `eca`, ...
    Ion(String, When),
    /// `cai0_ca_ion`
    InitialConcentration(String),
    /// A 0/1 setting of the region's own: its name
    Setting(String),
    /// The charge of an ion: its name
    Valence(String),
    /// A UNITS factor of mechanism `0`
    Factor(usize, String),
    /// An argument of `NET_RECEIVE`
    Argument(String),
    /// An array that is one value: its name
    Array(String),
    /// Which of mechanism `0`'s tables are used
    UseTable(usize),
}

impl Quantity {
    /// What a mechanism calls it.
    pub(in crate::step) fn own_name(&self) -> Option<&str> {
        match self {
            Self::Voltage(_) | Self::Rise => Some("v"),
            Self::Area => Some("area"),
            Self::Diameter => Some("diam"),
            Self::Time => Some("t"),
            Self::TimeStep => Some("dt"),
            Self::Celsius => Some("celsius"),
            Self::Variable(_, name, _)
            | Self::Pointed(_, name, _)
            | Self::Factor(_, name)
            | Self::Ion(name, _)
            | Self::InitialConcentration(name)
            | Self::Array(name)
            | Self::Argument(name) => Some(name),
            Self::Setting(_) | Self::Valence(_) | Self::UseTable(_) => None,
        }
    }
}

impl<'a> Step<'a> {
    /// With `whole`, arrays that events write are one value each.
    pub(in crate::step) fn new(region: &'a Region, whole: bool) -> Self {
        let mut graph = Graph::default();
        let mut quantities = BTreeMap::new();
        let mut inputs = FxHashMap::default();
        let mut new = |graph: &mut Graph, name: &str, quantity: Quantity| {
            let input = graph.input(name);
            inputs.insert(quantity.clone(), input);
            quantities.insert(input, quantity);
            input
        };
        let v_before = new(&mut graph, "v_n", Quantity::Voltage(When::Before));
        let v_after = new(&mut graph, "v_n1", Quantity::Voltage(When::After));
        let dt = new(&mut graph, "dt", Quantity::TimeStep);
        let t = new(&mut graph, "t_n", Quantity::Time);
        let celsius = new(&mut graph, "celsius", Quantity::Celsius);
        let ions = ion::region_ions(region);
        let mut constants = Constants::default();
        constants.insert(dt);
        constants.insert(celsius);
        constants.called.extend([v_before, v_after].map(|input| (input, "v".to_owned())));
        constants.called.insert(t, "t".to_owned());
        let mut step = Self {
            region,
            names: Names::new(region, &ions),
            diff: Differentiator::default(),
            quantities,
            inputs,
            constants,
            ions,
            arrays: Vec::new(),
            v_before,
            v_after,
            dt: graph.read(dt),
            t: graph.read(t),
            celsius: graph.read(celsius),
            values: Vec::new(),
            ion_values: Values::new(),
            remembering: BTreeSet::new(),
            set_by_currents: BTreeSet::new(),
            set_early: BTreeSet::new(),
            set_at_begin: BTreeSet::new(),
            foreigns: crate::step::guard::shared_variables::Foreigns::new(),
            discontinuities: Discontinuities::Heeded,
            graph,
        };
        for index in 0..region.mechanisms.len() {
            let values = step.declared(index, whole);
            step.values.push(values);
        }
        step.declare_ions();
        step
    }

    /// The input that stands for a quantity.
    pub(in crate::step) fn input(&mut self, quantity: Quantity, name: impl Into<String>) -> Input {
        if let Some(input) = self.inputs.get(&quantity) {
            return *input;
        }
        let input = self.graph.input(name);
        if let Some(own) = quantity.own_name() {
            self.constants.called.insert(input, own.to_owned());
        }
        self.inputs.insert(quantity.clone(), input);
        self.quantities.insert(input, quantity);
        input
    }

    pub(in crate::step) fn read(&mut self, quantity: Quantity, name: impl Into<String>) -> Id {
        let input = self.input(quantity, name);
        self.graph.read(input)
    }

    pub(in crate::step) fn variable(&mut self, mechanism: usize, name: &str, when: When) -> Input {
        let (mechanism, name) = self.region.as_known(mechanism, name);
        let emitted = self.names.of(mechanism, &name);
        let suffix = if when == When::Before { "n" } else { "n1" };
        let emitted = format!("{emitted}_{suffix}");
        self.input(Quantity::Variable(mechanism, name, when), emitted)
    }

    pub(in crate::step) fn switch(&mut self, mechanism: usize) -> Id {
        let name = format!("has_{}", self.region.mechanisms[mechanism].name);
        let switch = self.read(Quantity::Setting(name.clone()), name);
        let zero = self.graph.number(0.0);
        self.graph.compare(Comparison::Ne, switch, zero)
    }

    /// Every declared variable of a mechanism with its value before the step.
    fn declared(&mut self, index: usize, whole: bool) -> Values {
        let region = self.region;
        let mechanism = &region.mechanisms[index];
        let mut values = Values::new();
        let arrays = if whole { whole_arrays(mechanism) } else { Vec::new() };
        for (name, length) in &arrays {
            let array = self.new_array(index, name, *length);
            values.insert(name.clone(), self.graph.read(array));
        }
        for variable in mechanism.variables.values() {
            if self.is_whole(&variable.name) {
                continue;
            }
            match variable.role {
                Role::Constant(value) => {
                    values.insert(variable.name.clone(), self.graph.number(value));
                }
                Role::Factor => {
                    let name = self.names.of(index, &variable.name).to_owned();
                    let input = self.input(Quantity::Factor(index, variable.name.clone()), name);
                    self.constants.insert_fixed(input);
                    values.insert(variable.name.clone(), self.graph.read(input));
                }
                Role::Pointed => {
                    let input = self.pointed(index, &variable.name, When::Before);
                    values.insert(variable.name.clone(), self.graph.read(input));
                }
                _ => {
                    for name in elements(variable) {
                        let input = self.variable(index, &name, When::Before);
                        if is_constant_in_tables(variable) {
                            self.constants.insert(input);
                        } else if variable.role == Role::Parameter {
                            self.constants.insert_range(input);
                        }
                        values.insert(name, self.graph.read(input));
                    }
                }
            }
        }
        let usetable = self.input(Quantity::UseTable(index), format!("{}_usetable", mechanism.name));
        // Wherever a table is filled or used it is not 0.
        self.constants.insert_fixed(usetable);
        values.insert(USETABLE.to_owned(), self.graph.read(usetable));
        let zero = self.graph.number(0.0);
        values.insert(FAILED.to_owned(), zero);
        values.insert("celsius".to_owned(), self.celsius);
        values.insert("dt".to_owned(), self.dt);
        let [area, diameter] = if self.region.has_size() { ["area", "diam"] } else { ["area_here", "diam_here"] };
        values.insert("area".to_owned(), self.read(Quantity::Area, area));
        values.insert("diam".to_owned(), self.read(Quantity::Diameter, diameter));
        values
    }
}

/// `name`, or `name[0]`, `name[1]`, ...
pub fn elements(variable: &Variable) -> Vec<String> {
    match variable.length {
        None => vec![variable.name.clone()],
        Some(length) => (0..length).map(|i| format!("{}[{i}]", variable.name)).collect(),
    }
}

fn is_constant_in_tables(variable: &Variable) -> bool {
    matches!(variable.visibility, Visibility::Global | Visibility::External)
        && matches!(variable.role, Role::Parameter | Role::Assigned)
}
