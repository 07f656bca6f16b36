//! `gradmod support`

use std::io::{self, Write};

use anyhow::Result;

use super::Outcome;
use super::arguments::{MessageFormat, Support};
use gradmod::support::{refusals, table};

pub fn run(arguments: &Support) -> Result<Outcome> {
    let mut out = io::stdout().lock();
    match arguments.message_format {
        MessageFormat::Human => write!(out, "{}", table())?,
        MessageFormat::Json => {
            for refusal in refusals() {
                writeln!(out, "{}", serde_json::to_string(&refusal)?)?;
            }
        }
    }
    Ok(Outcome::Fine)
}
