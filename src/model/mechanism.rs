//! What a `.mod` file declares.

use std::collections::BTreeMap;

use crate::syntax::ast::{Block, Statement};
use crate::syntax::span::Span;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SUFFIX: a density mechanism, currents in mA/cm2
    Density,
    /// `POINT_PROCESS`, currents in nA
    Point,
}

/// What a variable is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Role {
    Parameter,
    Assigned,
    State,
    /// CONSTANT, or a number defined in UNITS
    Constant(f64),
    /// A factor in UNITS, whose value NEURON's translator works out.
    Factor,
}

/// Who can see a variable from outside the mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// One per segment, `name_suffix` in a segment
    Range,
    /// One for all, `h.name_suffix`
    Global,
    /// One per segment, not visible
    Hidden,
    /// `LOCAL` at file level: one for all, not visible
    File,
}

#[derive(Clone, Debug)]
pub struct Variable {
    pub name: String,
    pub role: Role,
    pub visibility: Visibility,
    /// The length of an array.
    pub length: Option<usize>,
    pub span: Span,
}

/// What a mechanism does with an ion.
#[derive(Clone, Debug)]
pub struct Ion {
    pub name: String,
    pub read: Vec<String>,
    pub write: Vec<String>,
    pub valence: Option<f64>,
    pub span: Span,
}

impl Ion {
    pub fn current(&self) -> String {
        format!("i{}", self.name)
    }

    pub fn reversal(&self) -> String {
        format!("e{}", self.name)
    }

    pub fn inside(&self) -> String {
        format!("{}i", self.name)
    }

    pub fn outside(&self) -> String {
        format!("{}o", self.name)
    }

    /// Whether the mechanism sets a concentration of the ion.
    pub fn writes_concentration(&self) -> bool {
        self.write.iter().any(|name| *name == self.inside() || *name == self.outside())
    }

    pub fn uses(&self, name: &str) -> bool {
        self.read.iter().chain(&self.write).any(|known| known == name)
    }
}

/// A current that a mechanism adds to the membrane.
#[derive(Clone, Debug)]
pub struct Current {
    pub name: String,
    /// `ELECTRODE_CURRENT`: positive inward.
    pub electrode: bool,
}

#[derive(Clone, Debug)]
pub struct Mechanism {
    pub name: String,
    pub kind: Kind,
    pub variables: BTreeMap<String, Variable>,
    pub ions: Vec<Ion>,
    pub currents: Vec<Current>,
    /// States in the order of declaration.
    pub states: Vec<String>,
    pub initial: Vec<Statement>,
    pub breakpoint: Vec<Statement>,
    /// DERIVATIVE, PROCEDURE and FUNCTION blocks by name.
    pub blocks: BTreeMap<String, Block>,
    /// DEFINE
    pub defines: BTreeMap<String, f64>,
    /// UNITS definitions whose values only NEURON's translator knows, as NMODL text.
    pub units: BTreeMap<String, String>,
    /// The whole file, for a message without a better place.
    pub span: Span,
}

impl Mechanism {
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.get(name)
    }

    /// Whether the mechanism belongs before all others in a step.
    pub fn writes_concentration(&self) -> bool {
        self.ions.iter().any(Ion::writes_concentration)
    }

    /// The name by which NEURON knows a variable of this mechanism.
    pub fn public_name(&self, variable: &str) -> String {
        match self.kind {
            Kind::Density => format!("{variable}_{}", self.name),
            Kind::Point => format!("{}.{variable}", self.name),
        }
    }
}

/// Names that belong to NEURON itself wherever they are declared.
pub const NEURON_NAMES: [&str; 6] = ["v", "t", "dt", "celsius", "area", "diam"];
