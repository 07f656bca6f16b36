//! Linearised step -> NMODL text and manifest.
//!
//! Templates hold the structure; every name, number and expression is made here.

mod code;
mod fingerprint;
mod lines;
mod manifest;
mod region;
mod sources;

use minijinja::{Environment, UndefinedBehavior};

use crate::step::Linearised;
pub use manifest::{Manifest, RegionManifest};

/// A file to be written.
#[derive(Clone, Debug)]
pub struct File {
    pub name: String,
    pub text: String,
}

#[derive(Debug, thiserror::Error)]
pub enum EmitError {
    #[error("template: {0}")]
    Template(#[from] minijinja::Error),
    #[error("two variables of the region `{region}` would both be called `{name}`")]
    NameClash { region: String, name: String },
}

/// What stands in a name until the hash of the build is known.
const UNNAMED: &str = "00000000";

const TEMPLATES: [(&str, &str); 4] = [
    ("region.mod", include_str!("../../templates/region.mod.j2")),
    ("cable.mod", include_str!("../../templates/cable.mod.j2")),
    ("cable_point.mod", include_str!("../../templates/cable_point.mod.j2")),
    ("axial.mod", include_str!("../../templates/axial.mod.j2")),
];

/// All files for some regions, and the manifest that tells what is where.
pub fn emit(regions: &[Linearised], directions: usize) -> Result<(Vec<File>, Manifest), EmitError> {
    let environment = environment()?;
    let mut files = Vec::new();
    let mut manifests = Vec::new();
    for linearised in regions {
        let (file, manifest) = region::render(&environment, linearised, directions)?;
        files.push(file);
        manifests.push(manifest);
    }
    // One name for the whole build: two builds may hold the same mechanism, and
    // NEURON must be able to load both.
    let hash = fingerprint::of(files.iter().map(|file| file.text.as_str()));
    for (file, manifest) in files.iter_mut().zip(&mut manifests) {
        let name = manifest.suffix.replace(UNNAMED, &hash);
        file.text = file.text.replace(&manifest.suffix, &name);
        file.name = format!("{name}.mod");
        manifest.file.clone_from(&file.name);
        manifest.suffix = name;
    }
    let manifest = Manifest::new(directions, manifests, &hash);
    for (template, name) in [
        ("cable.mod", &manifest.cable.suffix),
        ("cable_point.mod", &manifest.cable_point.name),
        ("axial.mod", &manifest.axial.name),
    ] {
        let text = environment.get_template(template)?.render(minijinja::context! { name })?;
        files.push(File { name: format!("{name}.mod"), text });
    }
    Ok((files, manifest))
}

fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_keep_trailing_newline(true);
    for (name, text) in TEMPLATES {
        environment.add_template(name, text)?;
    }
    Ok(environment)
}
