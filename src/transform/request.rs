//! What is asked of the compiler.

use std::num::NonZeroU16;

pub use crate::emit::Medium;
use crate::model::Transferred;
use crate::step::EventTimes;
/// The value of `secondorder`.
pub use crate::step::TimeScheme;
use crate::support::{Construct, Way};

/// What to make of a model.
#[derive(Clone, Debug)]
pub struct Request {
    pub mode: Mode,
    pub parameters: Parameters,
    pub selection: Selection,
    pub scheme: TimeScheme,
    pub medium: Medium,
    /// RANGE variables that NEURON sets to voltages of other places; all instances of each.
    pub transferred: Vec<Transferred>,
}

/// How gradients are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Along with the run, some directions together.
    Forward { directions: NonZeroU16, besides: Besides },
    /// Along with the run, on which the gradients act; they may leak and be clipped.
    Online { directions: NonZeroU16 },
    /// Backwards through a recorded run.
    Reverse,
    /// Through the record of a run with the variable step.
    Variable,
}

impl Request {
    /// What this way to a gradient does not support, whatever the model is.
    pub(super) fn refuse_impossible(&self) -> Result<(), RequestError> {
        let way = self.mode.way();
        let is_asked = [
            (Construct::SecondOrder, self.scheme != TimeScheme::Implicit),
            (Construct::Extracellular, self.medium != Medium::Ground),
        ];
        match is_asked.into_iter().filter(|(_, is)| *is).find_map(|(construct, _)| construct.reason(way)) {
            None => Ok(()),
            Some(reason) => Err(RequestError::Unsupported(reason)),
        }
    }
}

impl Mode {
    const fn way(self) -> Way {
        match self {
            Self::Forward { besides: Besides::EventTimes, .. } => Way::SpikeTimes,
            Self::Forward { besides: Besides::Nothing | Besides::PointedVariables, .. } => Way::Forward,
            Self::Online { .. } => Way::Online,
            Self::Reverse => Way::Reverse,
            Self::Variable => Way::Variable,
        }
    }

    pub(super) fn event_times(self) -> EventTimes {
        match self {
            Self::Forward { besides: Besides::EventTimes, .. } => EventTimes::Differentiated,
            Self::Forward { besides: Besides::Nothing | Besides::PointedVariables, .. }
            | Self::Online { .. }
            | Self::Reverse
            | Self::Variable => EventTimes::Fixed,
        }
    }
}

/// What gradients of forward mode go through besides voltages, states and parameters. It can be one thing only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Besides {
    Nothing,
    /// The times of events.
    EventTimes,
    /// Variables that POINTERs see.
    PointedVariables,
}

/// The parameters that gradients may be asked for, by NEURON's names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameters {
    All,
    These(Vec<String>),
}

/// Which mechanisms make a region.
#[derive(Clone, Debug)]
pub enum Selection {
    /// All density mechanisms are one region, in which each can be switched on and off per segment.
    All,
    /// Each mechanism is a region of its own.
    Each,
    /// Other files only say what they own.
    These { regions: Vec<NamedRegion>, points: Vec<String> },
}

impl Selection {
    /// Whether this mechanism may be differentiated. One without a name may be any.
    pub(super) fn includes(&self, name: Option<&str>) -> bool {
        match (self, name) {
            (Self::All | Self::Each, _) | (Self::These { .. }, None) => true,
            (Self::These { regions, points }, Some(name)) => {
                regions.iter().flat_map(|region| &region.mechanisms).chain(points).any(|asked| asked == name)
            }
        }
    }
}

/// Density mechanisms that are inserted together, in NEURON's order.
#[derive(Clone, Debug)]
pub struct NamedRegion {
    name: String,
    mechanisms: Vec<String>,
}

impl NamedRegion {
    /// # Errors
    ///
    /// The name can't be part of a mechanism's name.
    pub fn new(name: &str, mechanisms: Vec<String>) -> Result<Self, RequestError> {
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_name {
            return Err(RequestError::RegionName(name.to_owned()));
        }
        Ok(Self { name: name.to_owned(), mechanisms })
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn mechanisms(&self) -> &[String] {
        &self.mechanisms
    }
}

/// What is asked for does not fit the model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    #[error("`{0}` can't be part of a mechanism's name")]
    RegionName(String),
    #[error("{0}")]
    Unsupported(String),
    #[error("no given file declares the mechanism `{0}`")]
    NoMechanism(String),
    #[error("the region {region} can't have {point}, which is a point process")]
    PointInRegion { region: String, point: String },
    #[error("{0} is no point process, but a density mechanism")]
    DensityAsPoint(String),
}
