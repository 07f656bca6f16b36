//! Gradients under the variable step: the equations of each region, and what goes through the record of a run with them.

mod field;
mod manifest;

use serde_json::json;

use super::error::EmitError;
use super::file::{File, name_by_content};
use crate::emit::text::{fingerprint, template};
use crate::step::Linearised;
use crate::templates::source;
use field::Field;
pub use manifest::VariableManifest;
use manifest::VariableRegion;

/// Points of a record that are nearer than this are one moment, before and after an event, ms.
const MOMENT: &str = "1e-9";
/// Part of a change in one interval by which the trapezoidal rule may miss it.
const STRAIGHT: &str = "0.1";

/// The fields of some regions, and the second pass, which is the same for all models.
pub(super) fn render(regions: &[&Linearised]) -> Result<(Vec<File>, VariableManifest), EmitError> {
    let mut files = Vec::new();
    let mut manifests = Vec::new();
    for linearised in regions {
        if linearised.region.switched {
            return Err(EmitError::Switched);
        }
        let field = Field::new(linearised);
        // By itself: models that share a region share its library.
        let mut file = [field.render()?];
        name_by_content(&mut file);
        manifests.push(VariableRegion::new(&field, &file[0]));
        files.extend(file);
    }
    let shared = fingerprint::of(["pass.mod", "pass_interface.mod", "watch.mod"].map(source).into_iter());
    let manifest = VariableManifest::new(manifests, &shared);
    let context = json!({ "name": manifest.pass, "moment": MOMENT, "straight": STRAIGHT });
    files.push(File { name: format!("{}.mod", manifest.pass), text: template::render("pass.mod", context)? });
    let context = json!({ "name": manifest.watch });
    files.push(File { name: format!("{}.mod", manifest.watch), text: template::render("watch.mod", context)? });
    Ok((files, manifest))
}
