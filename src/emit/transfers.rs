//! The mechanism by which a script sees what `ParallelContext.setup_transfer` has arranged.

use serde_json::json;

use super::error::EmitError;
use super::file::{File, name_by_content, unnamed};
use crate::emit::text::template;

/// The file; it is the same for all models.
///
/// # Errors
///
/// A template is wrong.
pub fn emit_transfers() -> Result<Vec<File>, EmitError> {
    let name = unnamed("transfers");
    let text = template::render("transfers.mod", json!({ "name": name }))?;
    let mut files = vec![File { name: format!("{name}.mod"), text }];
    name_by_content(&mut files);
    Ok(files)
}
