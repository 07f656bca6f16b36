//! Files to be written, and their names: each has the hash of all texts that belong together.

use super::text::{fingerprint, lines};

/// A file to be written.
#[derive(Clone, Debug)]
pub struct File {
    pub name: String,
    pub text: String,
}

impl File {
    /// The name without `.mod`: what NEURON calls the mechanism.
    pub(super) fn stem(&self) -> &str {
        self.name.strip_suffix(".mod").unwrap_or(&self.name)
    }
}

/// What stands in a name until the hash is known.
pub(super) const UNNAMED: &str = "00000000";

/// The name of a mechanism before the hash is known.
pub(super) fn unnamed(part: &str) -> String {
    format!("gm_{part}_{UNNAMED}")
}

/// Puts the hash of all these files into their names. Files that call each other have one hash: they become one library,
/// and another build that shares some of them has its own by other names, so that NEURON can load both.
pub(super) fn name_by_content(files: &mut [File]) -> String {
    for file in files.iter_mut() {
        file.text = lines::fitted(&file.text);
    }
    let hash = fingerprint::of(files.iter().map(|file| file.text.as_str()));
    for file in files {
        let name = file.stem().replace(UNNAMED, &hash);
        file.text = file.text.replace(file.stem(), &name);
        file.name = format!("{name}.mod");
    }
    hash
}
