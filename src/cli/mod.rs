//! Arguments, files and exit codes: the only place with input and output.
//!
//! Exit codes: 0 fine, 1 diagnostics, 2 usage or input and output.

mod arguments;
mod certificate;
mod check;
mod homeostat;
mod output;
mod passes;
mod python;
mod report;
mod transform;
mod worker;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

/// How a command ended, if nothing went wrong with files.
pub enum Outcome {
    Fine,
    Diagnostics,
}

pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Transform(arguments) => transform::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Homeostat(arguments) => homeostat::run(&arguments),
    };
    match result {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Diagnostics) => ExitCode::from(1),
        Err(error) => {
            eprintln!("gradmod: {error:#}");
            ExitCode::from(2)
        }
    }
}
