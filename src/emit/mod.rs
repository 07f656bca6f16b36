//! Linearised step -> NMODL text and manifest.
//!
//! Templates hold the structure; every name, number and expression is made here.

mod constructs;
mod forward;
mod homeostat;
mod manifest;
pub mod readable;
mod receipt;
mod region;
mod reverse;
mod start;
mod text;

use crate::step::{EventTimes, Linearised};
pub use homeostat::{HomeostatManifest, emit_homeostat, measured_input};
pub use manifest::{Manifest, RegionManifest};
pub use receipt::{Online, Receipt, Reversible};
pub use reverse::{ReverseManifest, ReverseRegion, emit_reverse};

/// A file to be written.
#[derive(Clone, Debug)]
pub struct File {
    pub name: String,
    pub text: String,
}

impl File {
    /// The name without `.mod`: what NEURON calls the mechanism.
    fn stem(&self) -> &str {
        self.name.strip_suffix(".mod").unwrap_or(&self.name)
    }
}

/// What gradients in forward mode can do besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Feature {
    Plain,
    /// They act on the run, may fade and be clipped.
    Online,
    /// They go through POINTERs that see variables other than voltages.
    PointedVariables,
}

#[derive(Debug, thiserror::Error)]
pub enum EmitError {
    #[error("template: {0}")]
    Template(#[from] minijinja::Error),
    #[error("reverse mode needs the regions by name: --region NAME=MECH,...")]
    Switched,
}

/// What stands in a name until the hash of the build is known.
const UNNAMED: &str = "00000000";

/// Which POINTERs gradients go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointers {
    ToVoltages,
    /// Those too that see other variables.
    ToVariables,
}

/// All files of forward mode for some regions, and the manifest that tells what is where.
pub fn emit_forward(
    regions: &[Linearised],
    directions: usize,
    times: EventTimes,
    pointers: Pointers,
) -> Result<(Vec<File>, Manifest), EmitError> {
    let feature = match pointers {
        Pointers::ToVoltages => Feature::Plain,
        Pointers::ToVariables => Feature::PointedVariables,
    };
    emit(regions, directions, times, feature)
}

/// The same for gradients that act on the run.
pub fn emit_online(
    regions: &[Online],
    directions: usize,
    times: EventTimes,
) -> Result<(Vec<File>, Manifest), EmitError> {
    emit(regions, directions, times, Feature::Online)
}

fn emit(
    regions: &[impl Receipt],
    directions: usize,
    times: EventTimes,
    feature: Feature,
) -> Result<(Vec<File>, Manifest), EmitError> {
    let regions: Vec<&Linearised> = regions.iter().map(AsRef::as_ref).collect();
    let (mut files, mut manifests) = forward::render(&regions, directions, (times, feature))?;
    let hash = name_by_content(&mut files);
    for file in &mut files {
        // Functions of one library call each other; those of another are not theirs.
        file.text = file.text.replace(&format!("_{UNNAMED}"), &format!("_{hash}"));
    }
    for (file, manifest) in files.iter().zip(&mut manifests) {
        manifest.file.clone_from(&file.name);
        manifest.suffix = file.stem().to_owned();
    }
    let mut manifest = Manifest::new(directions, manifests, forward::manifest(&hash));
    if times == EventTimes::Differentiated {
        manifest.spikes = Some(forward::spikes_manifest(&hash));
    }
    Ok((files, manifest))
}

/// Puts the hash of all files into their names. One name for the whole build: two
/// builds may hold the same mechanism, and NEURON must be able to load both.
fn name_by_content(files: &mut [File]) -> String {
    for file in files.iter_mut() {
        file.text = text::lines::fitted(&file.text);
    }
    let hash = text::fingerprint::of(files.iter().map(|file| file.text.as_str()));
    for file in files {
        let name = file.stem().replace(UNNAMED, &hash);
        file.text = file.text.replace(file.stem(), &name);
        file.name = format!("{name}.mod");
    }
    hash
}
