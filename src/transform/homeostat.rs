//! A homeostat: the text of a measure in, the mechanism that regulates it out.

use std::num::NonZeroU16;
use std::sync::Arc;

use super::message::Messages;
use super::{Emitted, Host, Manifest, Source, Stopped, Transformed};
use crate::emit::{emit_homeostat, measured_input};
use crate::measure::Measure;
use crate::syntax::sources::Sources;

/// What a homeostat regulates.
#[derive(Clone, Debug)]
pub struct HomeostatRequest {
    /// An NMODL expression of v, states and concentrations at one place, and the name that messages call it by.
    pub measure: Source,
    pub activity: Activity,
    pub directions: NonZeroU16,
}

/// What counts of a measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Its average.
    Mean,
    /// It is an angle, and how often it goes round, in Hz.
    Turns,
}

/// The mechanisms of a homeostat.
///
/// # Errors
///
/// The host wanted to stop, or a template is wrong. What is wrong with the measure is no error, but a message.
pub fn homeostat<H: Host>(request: &HomeostatRequest, host: &mut H) -> Result<Transformed, Stopped<H::Error>> {
    let mut messages = Messages::to(host);
    let Source { path, text } = &request.measure;
    let emitted = match Measure::new(text, measured_input) {
        Ok(measure) => {
            let turns = match request.activity {
                Activity::Mean => false,
                Activity::Turns => true,
            };
            let (files, manifest) = emit_homeostat(&measure, text, turns, usize::from(request.directions.get()))?;
            Some(Emitted { files, manifest: Manifest::Homeostat(Box::new(manifest)) })
        }
        Err(diagnostics) => {
            let (source, _) = Sources::new(path.clone(), text.clone(), &mut |_, _| None);
            messages.tell_all(&Arc::new(source), diagnostics)?;
            None
        }
    };
    Ok(Transformed { messages: messages.heard(), emitted })
}
