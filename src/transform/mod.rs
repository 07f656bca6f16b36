//! The compiler as a library: texts of mechanisms in, emitted files and messages out.
//!
//! [`transform()`] is the only place that puts the stages together. The command, the benchmark and the tests on damaged
//! files call it, each with a [`Host`] of its own. It reads no file, prints nothing and never ends the process.
//!
//! Within it one stage hands the next a receipt: `Reading` becomes a `Model` only if no file is refused, a `Model`
//! becomes `Steps` only if no region is, and only `Steps` are emitted.
//!
//! ```
//! use std::num::NonZeroU16;
//! use std::path::PathBuf;
//!
//! use gradmod::transform::{
//!     Besides, Medium, Mode, Parameters, Request, Selection, Source, TimeScheme, Unattended, transform,
//! };
//!
//! let leak = Source {
//!     path: PathBuf::from("leak.mod"),
//!     text: "NEURON { SUFFIX leak NONSPECIFIC_CURRENT i RANGE g, e }
//!            PARAMETER { g = 0.001 (S/cm2)  e = -65 (mV) }
//!            ASSIGNED { v (mV)  i (mA/cm2) }
//!            BREAKPOINT { i = g*(v - e) }"
//!         .to_owned(),
//! };
//! let request = Request {
//!     mode: Mode::Forward { directions: NonZeroU16::MIN, besides: Besides::Nothing },
//!     parameters: Parameters::All,
//!     selection: Selection::All,
//!     scheme: TimeScheme::Implicit,
//!     medium: Medium::Ground,
//!     transferred: Vec::new(),
//! };
//! let done = transform([Ok(leak)], &request, &mut Unattended)?;
//! assert!(done.messages.is_empty());
//! let emitted = done.emitted.expect("no message refuses it");
//! assert!(emitted.files[0].text.contains("SUFFIX gm_all_"));
//! assert_eq!(emitted.manifest.file()?.name, "gradmod.json");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod emitted;
mod homeostat;
mod host;
mod message;
mod model;
mod reading;
mod regions;
mod request;
mod steps;

pub use emitted::{Emitted, Manifest};
pub use homeostat::{Activity, HomeostatRequest, homeostat};
pub use host::{Host, Stage, Unattended};
pub use message::Message;
pub use request::{Besides, Medium, Mode, NamedRegion, Parameters, Request, RequestError, Selection, TimeScheme};

pub use crate::model::Transferred;
/// The text of a file, and the path that messages name it by.
pub use crate::syntax::sources::File as Source;

use crate::emit::EmitError;
use message::Messages;
use reading::Reading;

/// What became of a model, or of a measure.
#[derive(Debug)]
pub struct Transformed {
    /// All that the host has heard, in that order.
    pub messages: Vec<Message>,
    /// Nothing if one of the messages is an error or a refusal.
    pub emitted: Option<Emitted>,
}

/// Why the work ended before its end. `E` is the host's own error.
#[derive(Debug, thiserror::Error)]
pub enum Stopped<E> {
    #[error("{0}")]
    Host(E),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Emit(#[from] EmitError),
}

/// Differentiates a model: checks its mechanisms, linearises its regions, and emits files.
///
/// `sources` are asked for one after the other: what is said of one is heard before the next is read. One that could
/// not be read ends the work.
///
/// # Errors
///
/// The host wanted to stop, the request does not fit the model, or a region can't be emitted in this mode. What is
/// wrong with the model itself is no error, but a message.
pub fn transform<H: Host>(
    sources: impl IntoIterator<Item = Result<Source, H::Error>>,
    request: &Request,
    host: &mut H,
) -> Result<Transformed, Stopped<H::Error>> {
    request.refuse_impossible()?;
    let mut messages = Messages::to(host);
    let mut reading = Reading::of(&request.selection, &request.transferred);
    for source in sources {
        reading.add(source.map_err(Stopped::Host)?, &mut messages)?;
    }
    let emitted = match reading.model(&mut messages)? {
        None => None,
        Some(mut model) => match steps::linearised(&mut model, request, &mut messages)? {
            None => None,
            Some(steps) => {
                messages.host().begins(Stage::Emit);
                Some(emitted::emit(&steps, &model)?)
            }
        },
    };
    Ok(Transformed { messages: messages.heard(), emitted })
}
