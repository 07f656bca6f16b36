//! What a step reads, in NEURON's terms, and the inputs that stand for it.

use crate::graph::{Comparison, Id, Input};
use crate::step::Step;

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

impl Step<'_> {
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
}
