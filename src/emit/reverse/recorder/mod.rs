//! The recorder of a region: the mechanism that remembers a run.

mod copies;
mod events;
mod framed;
mod gathered;
mod notes;
mod own;
pub mod watched;

use super::reversed::Reversed;
use crate::emit::error::EmitError;
use crate::emit::file::File;

pub fn render(reversed: &Reversed) -> Result<File, EmitError> {
    if reversed.frame.is_gathered() { gathered::render(reversed) } else { framed::render(reversed) }
}
