//! Linearised step -> NMODL text and manifest.
//!
//! Templates hold the structure; every name, number and expression is made here.

mod error;
mod file;
mod forward;
mod homeostat;
mod manifest;
mod medium;
pub mod readable;
mod receipt;
mod region;
mod reverse;
mod text;
mod transfers;
mod variable;

use crate::step::{EventTimes, Linearised, TimeScheme};
pub use error::EmitError;
pub use file::File;
use file::{UNNAMED, name_by_content};
pub use homeostat::{HomeostatManifest, emit_homeostat, measured_input};
pub use manifest::{Manifest, RegionManifest};
pub use medium::Medium;
pub use receipt::{Differential, Online, Receipt, Reversible};
pub use region::pointer_gradient::Pointers;
pub use reverse::{ReverseManifest, ReverseRegion};
pub use transfers::emit_transfers;
pub use variable::VariableManifest;

/// All files of forward mode for some regions, and the manifest that tells what is where.
pub fn emit_forward(
    regions: &[Linearised],
    directions: usize,
    (times, scheme, medium): (EventTimes, TimeScheme, Medium),
    pointers: Pointers,
) -> Result<(Vec<File>, Manifest), EmitError> {
    emit(regions, directions, (times, scheme, medium), pointers, false)
}

/// All files of forward mode for gradients that act on the run, may fade and be clipped; and the manifest.
pub fn emit_online(regions: &[Online], directions: usize) -> Result<(Vec<File>, Manifest), EmitError> {
    emit(regions, directions, (EventTimes::Fixed, TimeScheme::Implicit, Medium::Ground), Pointers::ToVoltages, true)
}

/// All files of reverse mode, and the manifest that tells what is where.
pub fn emit_reverse(
    regions: &[Reversible],
    scheme: TimeScheme,
    medium: Medium,
) -> Result<(Vec<File>, ReverseManifest), EmitError> {
    reverse::render(&regions.iter().map(AsRef::as_ref).collect::<Vec<_>>(), scheme, medium)
}

/// All files for the variable step, and the manifest that tells what is where.
pub fn emit_variable(regions: &[Differential]) -> Result<(Vec<File>, VariableManifest), EmitError> {
    variable::render(&regions.iter().map(AsRef::as_ref).collect::<Vec<_>>())
}

fn emit(
    regions: &[impl Receipt],
    directions: usize,
    (times, scheme, medium): (EventTimes, TimeScheme, Medium),
    pointers: Pointers,
    is_online: bool,
) -> Result<(Vec<File>, Manifest), EmitError> {
    let regions: Vec<&Linearised> = regions.iter().map(AsRef::as_ref).collect();
    let (mut files, mut manifests) =
        forward::render(&regions, directions, (times, scheme, medium), pointers, is_online)?;
    let hash = name_by_content(&mut files);
    for file in &mut files {
        // Functions of one library call each other; those of another are not theirs.
        file.text = file.text.replace(&format!("_{UNNAMED}"), &format!("_{hash}"));
    }
    for (file, manifest) in files.iter().zip(&mut manifests) {
        manifest.file.clone_from(&file.name);
        manifest.suffix = file.stem().to_owned();
    }
    let mut manifest = Manifest::new(directions, manifests, forward::manifest(&hash, scheme, medium));
    if times == EventTimes::Differentiated {
        manifest.spikes = Some(forward::spikes_manifest(&hash));
    }
    Ok((files, manifest))
}
