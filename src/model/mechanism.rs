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
    /// RANDOM: its value is the place in the stream.
    Stream,
    /// POINTER: a voltage or a variable of another place, which the script chooses.
    Pointed,
}

/// Who can see a variable from outside the mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// One per segment, `name_suffix` in a segment
    Range,
    /// One for all, `h.name_suffix`
    Global,
    /// EXTERNAL: a GLOBAL of another mechanism, under the name that it has in `h`
    External,
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

impl Variable {
    /// `name`, or `name[0]`, `name[1]`, ...
    pub fn elements(&self) -> Vec<String> {
        match self.length {
            None => vec![self.name.clone()],
            Some(length) => (0..length).map(|i| format!("{}[{i}]", self.name)).collect(),
        }
    }
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

    /// Whether a variable is one of the ion's.
    pub fn owns(&self, name: &str) -> bool {
        [self.current(), self.reversal(), self.inside(), self.outside()].iter().any(|own| own == name)
    }

    /// Whether the mechanism sets a concentration of the ion.
    pub fn writes_concentration(&self) -> bool {
        self.write.iter().any(|name| *name == self.inside() || *name == self.outside())
    }

    pub fn uses(&self, name: &str) -> bool {
        self.read.iter().chain(&self.write).any(|known| known == name)
    }
}

/// When a BEFORE or AFTER block runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeforeAfter {
    BeforeInitial,
    AfterInitial,
    BeforeBreakpoint,
    AfterSolve,
    BeforeStep,
}

impl BeforeAfter {
    /// `None` for those that NEURON accepts and never runs.
    pub fn named(before: bool, word: &str) -> Option<Self> {
        match (before, word) {
            (true, "INITIAL") => Some(Self::BeforeInitial),
            (false, "INITIAL") => Some(Self::AfterInitial),
            (true, "BREAKPOINT") => Some(Self::BeforeBreakpoint),
            (false, "SOLVE") => Some(Self::AfterSolve),
            (true, "STEP") => Some(Self::BeforeStep),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::BeforeInitial => "BEFORE INITIAL",
            Self::AfterInitial => "AFTER INITIAL",
            Self::BeforeBreakpoint => "BEFORE BREAKPOINT",
            Self::AfterSolve => "AFTER SOLVE",
            Self::BeforeStep => "BEFORE STEP",
        }
    }
}

/// A current that a mechanism adds to the membrane.
#[derive(Clone, Debug)]
pub struct Current {
    pub name: String,
    /// Positive inward: an `ELECTRODE_CURRENT`, and any other beside one.
    pub electrode: bool,
}

/// `NET_RECEIVE`
#[derive(Clone, Debug)]
pub struct NetReceive {
    pub arguments: Vec<String>,
    pub body: Vec<Statement>,
    pub span: Span,
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
    /// RANDOM
    pub randoms: Vec<String>,
    /// How many streams the mechanisms before it in a region have.
    pub first_stream: usize,
    /// `FUNCTION_TABLE`
    pub function_tables: Vec<String>,
    /// How many of these the mechanisms before it in a region have.
    pub first_function_table: usize,
    pub initial: Vec<Statement>,
    pub breakpoint: Vec<Statement>,
    pub receive: Option<NetReceive>,
    /// BEFORE and AFTER blocks that NEURON runs.
    pub before_after: Vec<(BeforeAfter, Block)>,
    /// DERIVATIVE, PROCEDURE and FUNCTION blocks by name.
    pub blocks: BTreeMap<String, Block>,
    /// DEFINE
    pub defines: BTreeMap<String, f64>,
    /// UNITS definitions whose values only NEURON's translator knows, as NMODL text.
    pub units: BTreeMap<String, String>,
    /// NEURON's translator makes thread-safe code of it.
    pub is_thread_safe: bool,
    /// The whole file, for a message without a better place.
    pub span: Span,
}

impl Mechanism {
    /// A variable, also by the name of an element, `x[2]`.
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.get(name.split('[').next().unwrap_or(name))
    }

    /// Whether its currents come through an electrode. NEURON takes all of a mechanism's for such if one is.
    pub fn has_electrode(&self) -> bool {
        self.currents.iter().any(|current| current.electrode)
    }

    /// Whether the mechanism belongs before all others in a step.
    pub fn writes_concentration(&self) -> bool {
        self.ions.iter().any(Ion::writes_concentration)
    }

    /// The name by which NEURON knows a variable of this mechanism, or an element:
    /// `m_hh`, `x_hh[2]`; `ExpSyn.tau`, but `mg_NMDA` for a GLOBAL.
    pub fn public_name(&self, name: &str) -> String {
        let visibility = self.variable(name).map(|variable| variable.visibility);
        if visibility == Some(Visibility::External) {
            return name.to_owned();
        }
        let is_global = visibility == Some(Visibility::Global);
        match (self.kind, name.split_once('[')) {
            (Kind::Point, _) if !is_global => format!("{}.{name}", self.name),
            (_, Some((plain, rest))) => format!("{plain}_{}[{rest}", self.name),
            (_, None) => format!("{name}_{}", self.name),
        }
    }

    /// Where NEURON shows a variable, or an element: its name there, and `range`
    /// (in the segment or the point process) or `global` (in `h`).
    pub fn shown_as(&self, name: &str) -> Option<(String, &'static str)> {
        match (self.variable(name)?.visibility, self.kind) {
            (Visibility::Range, Kind::Point) => Some((name.to_owned(), "range")),
            (Visibility::Range, Kind::Density) => Some((self.public_name(name), "range")),
            (Visibility::Global | Visibility::External, _) => Some((self.public_name(name), "global")),
            (Visibility::Hidden | Visibility::File, _) => None,
        }
    }
}

/// The voltage as PROCEDUREs and FUNCTIONs see it that are called in a BREAKPOINT with CONDUCTANCE and without SOLVE:
/// that of INITIAL, as NEURON then gives only the block itself the present one.
pub const SEEN_VOLTAGE: &str = "v.seen";

/// Names that belong to NEURON itself wherever they are declared.
pub const NEURON_NAMES: [&str; 6] = ["v", "t", "dt", "celsius", "area", "diam"];
