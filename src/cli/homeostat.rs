//! `gradmod homeostat`

use std::path::PathBuf;

use anyhow::Result;
use gradmod::emit::{self, File};
use gradmod::measure::Measure;
use gradmod::syntax::sources::Sources;

use super::{Outcome, output};
use crate::cli::arguments::{Homeostat, MessageFormat};
use crate::cli::report::report;

pub fn run(arguments: &Homeostat) -> Result<Outcome> {
    let text = arguments.measure.as_str();
    let measure = match Measure::new(text, emit::measured_input) {
        Ok(measure) => measure,
        Err(diagnostics) => {
            let (source, _) = Sources::new(PathBuf::from("--measure"), text.to_owned(), &mut |_, _| None);
            report(&source, &diagnostics, arguments.message_format)?;
            return Ok(Outcome::Diagnostics);
        }
    };
    let directions = usize::from(arguments.directions);
    let (mut files, manifest) = emit::emit_homeostat(&measure, text, arguments.turns, directions)?;
    files.push(File { name: "homeostat.json".to_owned(), text: serde_json::to_string_pretty(&manifest)? + "\n" });
    output::write(&files, &arguments.output, arguments.message_format == MessageFormat::Human)?;
    Ok(Outcome::Fine)
}
