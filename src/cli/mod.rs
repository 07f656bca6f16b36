//! Arguments, files and exit codes: the only place with input and output.
//!
//! Exit codes: 0 fine, 1 diagnostics, 2 usage or input and output.

mod arguments;
mod build;
mod certificate;
mod check;
mod homeostat;
mod host;
mod output;
mod passes;
mod python;
mod report;
mod source;
mod support;
mod transfers;
mod transform;
mod watch;
mod worker;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use watch::Watch;

/// How a command ended, if nothing went wrong with files.
pub enum Outcome {
    Fine,
    Diagnostics,
}

pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Transform(arguments) => {
            Watch::over(arguments.message_format, move |watch| transform::run(&arguments, watch))
        }
        Command::Check(arguments) => check::run(&arguments),
        Command::Build(arguments) => build::run(&arguments),
        Command::Homeostat(arguments) => homeostat::run(&arguments),
        Command::Transfers(arguments) => transfers::run(&arguments),
        Command::Support(arguments) => support::run(&arguments),
    };
    match result {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Diagnostics) => ExitCode::from(1),
        Err(error) => {
            // Where that can't be written either, the exit code says it.
            let _ = report::say(&format!("gradmod: {error:#}"));
            ExitCode::from(2)
        }
    }
}
