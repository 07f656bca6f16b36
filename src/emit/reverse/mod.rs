//! Reverse mode: recorders for the model's segments, and what runs the recorded steps backwards, both from the one
//! linearised step.

mod adjoint;
mod frame;
mod invariant;
mod manifest;
mod phase;
mod places;
mod record;
mod recorder;
mod reversed;
mod roots;
mod streams;

use serde_json::json;

use super::error::EmitError;
use super::file::{File, name_by_content};
use crate::emit::medium::Medium;
use crate::emit::region::events::sets_voltage;
use crate::emit::text::{fingerprint, template};
use crate::step::{Linearised, TimeScheme};
use crate::templates::source;
pub use manifest::{Membrane, ParameterScope, ReverseManifest, ReverseRegion};
use reversed::Reversed;

/// Files that are the same for all models: compiled once, loaded once. Which of them a model gets, the medium says.
const SHARED: [&str; 5] =
    ["recorder_node.mod", "gather.mod", "descent.mod", "descent_layers.mod", "recorder_layers.mod"];
/// The includes of these.
const INTERFACES: [&str; 3] = ["instances.mod", "gather_interface.mod", "descent_interface.mod"];
/// Every so many steps each fixed value is looked at again.
const GLANCES: usize = 16;

/// What may be left of the membrane equation of a step, relative to the size of its terms. Rounding leaves up to about
/// 3e-12, from slopes that NEURON takes over 0.001 mV, and elsewhere 1e-15.
const TOLERANCE: &str = "1e-9";
/// By how much two steps may differ, relative to dt: rounding of t.
const GRID: &str = "1e-6";

/// The recorders and adjoints of some regions, and what all models share.
pub(super) fn render(
    regions: &[&Linearised],
    scheme: TimeScheme,
    medium: Medium,
) -> Result<(Vec<File>, ReverseManifest), EmitError> {
    let mut files = Vec::new();
    let mut manifests = Vec::new();
    let jumps = regions.iter().any(|linearised| sets_voltage(linearised));
    for linearised in regions {
        if linearised.region.switched {
            return Err(EmitError::Switched);
        }
        let reversed = Reversed::new(linearised, jumps);
        // By itself: models that share a region share its library.
        let mut pair = [recorder::render(&reversed)?, adjoint::render::render(&reversed)?];
        name_by_content(&mut pair);
        manifests.push(ReverseRegion::new(&reversed, &pair[0], &pair[1]));
        files.extend(pair);
    }
    let texts = SHARED.iter().chain(&INTERFACES).map(|template| source(template));
    let manifest = ReverseManifest::new(manifests, &fingerprint::of(texts), (scheme, medium));
    let recorder = manifest.recorder_layers.iter().map(|name| ("recorder_layers.mod", name));
    let names = [
        ("recorder_node.mod", &manifest.recorder_node),
        ("gather.mod", &manifest.gather),
        ("descent.mod", &manifest.descent),
    ];
    for (template, name) in names.into_iter().chain(recorder) {
        let context = json!({
            "name": name, "tolerance": TOLERANCE, "grid": GRID, "glances": GLANCES, "layers": medium.layers(),
        });
        files.push(File { name: format!("{name}.mod"), text: template::render(template, context)? });
    }
    Ok((files, manifest))
}
