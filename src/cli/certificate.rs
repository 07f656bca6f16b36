//! What a check says of one file.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Exact,
    Refused,
    Mismatch,
    NotAcceptedByNeuron,
    NothingToDifferentiate,
    /// The differences are too bad to tell.
    Undecided,
    /// It could not be checked: a crash, a time limit.
    Failed,
}

impl Verdict {
    pub fn words(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Refused => "refused",
            Self::Mismatch => "mismatch",
            Self::NotAcceptedByNeuron => "not accepted by NEURON",
            Self::NothingToDifferentiate => "nothing to differentiate",
            Self::Undecided => "undecided",
            Self::Failed => "failed",
        }
    }
}

/// What reverse mode did beside forward mode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Backwards {
    pub verdict: Verdict,
    /// Largest difference from forward mode, relative to the sum of the absolute addends.
    pub worst: f64,
    pub codes: Vec<String>,
    pub message: String,
    pub mismatches: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    pub file: String,
    pub mechanism: String,
    pub verdict: Verdict,
    /// Largest relative deviation of all that could be judged.
    pub worst: Option<f64>,
    /// The parameters that were judged.
    pub parameters: Vec<String>,
    /// Of the diagnostics.
    pub codes: Vec<String>,
    pub seconds: f64,
    /// Parameters whose differences are too bad to tell.
    pub undecided: Vec<String>,
    /// Parameters that moved nothing.
    pub not_exercised: Vec<String>,
    /// Parameters with a value that the code treats as a case of its own.
    pub isolated: Vec<String>,
    /// Parameters in which gradients are refused: they change when events come.
    pub not_followed: Vec<String>,
    /// The runs that forward mode had gradients in.
    #[serde(default)]
    pub drives: Vec<String>,
    /// One sentence for every parameter that is wrong.
    pub mismatches: Vec<String>,
    pub message: String,
    /// Nothing where the file was not compared.
    pub reverse: Option<Backwards>,
}

impl Certificate {
    pub fn failed(file: String, message: String, seconds: f64) -> Self {
        Self {
            file,
            mechanism: String::new(),
            verdict: Verdict::Failed,
            worst: None,
            parameters: Vec::new(),
            codes: Vec::new(),
            seconds,
            undecided: Vec::new(),
            not_exercised: Vec::new(),
            isolated: Vec::new(),
            not_followed: Vec::new(),
            drives: Vec::new(),
            mismatches: Vec::new(),
            message,
            reverse: None,
        }
    }
}
