//! `gradmod transform`

use std::num::NonZeroU16;

use anyhow::{Result, bail};
use gradmod::transform::{Besides, Emitted, Medium, Mode, Parameters, Request, Selection, TimeScheme, transform};

use super::{Outcome, output};
use crate::cli::arguments::{self, MessageFormat, Transform};
use crate::cli::host::{CommandHost, stopped};
use crate::cli::passes::Passes;
use crate::cli::source;
use crate::cli::watch::Watch;

pub fn run(arguments: &Transform, watch: &Watch) -> Result<Outcome> {
    if arguments.mode == arguments::Mode::Variable && (arguments.spike_times || arguments.pointed_variables) {
        bail!("--spike-times, --pointed-variables: not with the variable step");
    }
    if arguments.spike_times && arguments.mode == arguments::Mode::Reverse {
        bail!("--spike-times: reverse mode takes the times of events as fixed");
    }
    if arguments.pointed_variables && arguments.mode == arguments::Mode::Reverse {
        bail!("--pointed-variables: reverse mode follows POINTERs to voltages only");
    }
    let format = arguments.message_format;
    let passes = Passes(arguments.dump_passes.clone());
    let mut host = CommandHost { format, passes: &passes, watch };
    let sources = arguments.files.iter().map(|path| source::read(path));
    let done = transform(sources, &request(arguments), &mut host).map_err(stopped)?;
    let Some(Emitted { mut files, manifest }) = done.emitted else { return Ok(Outcome::Diagnostics) };
    passes.emitted(&files)?;
    files.push(manifest.file()?);
    watch.release();
    output::write(&files, &arguments.output, format == MessageFormat::Human)?;
    Ok(Outcome::Fine)
}

fn request(arguments: &Transform) -> Request {
    let directions = NonZeroU16::new(arguments.directions).unwrap_or(NonZeroU16::MIN);
    let besides = match (arguments.spike_times, arguments.pointed_variables) {
        (true, _) => Besides::EventTimes,
        (false, true) => Besides::PointedVariables,
        (false, false) => Besides::Nothing,
    };
    let mode = match arguments.mode {
        arguments::Mode::Forward if arguments.online => Mode::Online { directions },
        arguments::Mode::Forward => Mode::Forward { directions, besides },
        arguments::Mode::Reverse => Mode::Reverse,
        arguments::Mode::Variable => Mode::Variable,
    };
    let parameters = if arguments.wrt.is_empty() { Parameters::All } else { Parameters::These(arguments.wrt.clone()) };
    let selection = if arguments.region.is_empty() && arguments.point.is_empty() {
        Selection::All
    } else {
        Selection::These { regions: arguments.region.clone(), points: arguments.point.clone() }
    };
    let scheme = match arguments.secondorder {
        0 => TimeScheme::Implicit,
        1 => TimeScheme::CrankNicolson,
        _ => TimeScheme::CrankNicolsonCurrents,
    };
    let medium = arguments.extracellular.map_or(Medium::Ground, Medium::Layers);
    Request { mode, parameters, selection, scheme, medium, transferred: arguments.transferred.clone() }
}
