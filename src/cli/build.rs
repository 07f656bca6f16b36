//! `gradmod build`: NEURON and its compilers are called by Python.

use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{Outcome, python};
use crate::cli::arguments::Build;

pub fn run(arguments: &Build) -> Result<Outcome> {
    let python = python::find()?;
    let mut command = Command::new(&python);
    command.args(["-m", "gradmod.build", "--output"]).arg(&arguments.output);
    if arguments.runs {
        command.arg("--runs");
    }
    command.args(&arguments.files).arg("--").args(&arguments.arguments);
    command.env("GRADMOD_BINARY", std::env::current_exe()?);
    let status = command.status().with_context(|| format!("can't run {}", python.display()))?;
    match status.code() {
        Some(0) => Ok(Outcome::Fine),
        Some(1) => Ok(Outcome::Diagnostics),
        _ => bail!("{} ended with {status}", python.display()),
    }
}
