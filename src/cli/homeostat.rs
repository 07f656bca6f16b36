//! `gradmod homeostat`

use std::num::NonZeroU16;
use std::path::PathBuf;

use anyhow::Result;
use gradmod::transform::{Activity, Emitted, HomeostatRequest, Source, homeostat};

use super::{Outcome, output};
use crate::cli::arguments::{Homeostat, MessageFormat};
use crate::cli::host::{Listener, stopped};

pub fn run(arguments: &Homeostat) -> Result<Outcome> {
    let request = HomeostatRequest {
        measure: Source { path: PathBuf::from("--measure"), text: arguments.measure.clone() },
        activity: if arguments.turns { Activity::Turns } else { Activity::Mean },
        directions: NonZeroU16::new(arguments.directions).unwrap_or(NonZeroU16::MIN),
    };
    let done = homeostat(&request, &mut Listener(arguments.message_format)).map_err(stopped)?;
    let Some(Emitted { mut files, manifest }) = done.emitted else { return Ok(Outcome::Diagnostics) };
    files.push(manifest.file()?);
    output::write(&files, &arguments.output, arguments.message_format == MessageFormat::Human)?;
    Ok(Outcome::Fine)
}
