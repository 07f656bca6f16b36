//! `gradmod transfers`

use anyhow::Result;
use gradmod::emit::emit_transfers;

use super::{Outcome, output};
use crate::cli::arguments::Transfers;

pub fn run(arguments: &Transfers) -> Result<Outcome> {
    output::write(&emit_transfers()?, &arguments.output, true)?;
    Ok(Outcome::Fine)
}
