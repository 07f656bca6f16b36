//! Forward mode by a solver: NEURON's own eliminated matrix, K right-hand sides.
//!
//! A row mechanism per region, and per kind of point process, holds the linearised step; the
//! solver, a point process on each cell, calls all rows of its thread after NEURON's solve.

pub mod block;
pub mod described;
pub mod in_c;
pub mod leak;
pub mod looks;
pub mod pointer_variable;
pub mod received;
pub mod row;
pub mod step_code;
pub mod variables;
pub mod wiring;

use serde_json::json;

use super::error::EmitError;
use super::file::{File, unnamed};
use crate::emit::manifest::{RegionManifest, SolverManifest, SpikesManifest};
use crate::emit::medium::Medium;
use crate::emit::region::pointer_gradient::Pointers;
use crate::emit::text::fault::Fault;
use crate::emit::text::template;
use crate::step::{EventTimes, Linearised, TimeScheme};

/// The rows of some regions, then the solver and the rows that it brings along.
pub(in crate::emit) fn render(
    regions: &[&Linearised],
    directions: usize,
    (times, scheme, medium): (EventTimes, TimeScheme, Medium),
    pointers: Pointers,
    is_online: bool,
) -> Result<(Vec<File>, Vec<RegionManifest>), EmitError> {
    let mut files = Vec::new();
    let mut manifests = Vec::new();
    for linearised in regions {
        let (file, manifest) = row::render(linearised, directions, pointers, is_online, medium)?;
        files.push(file);
        manifests.push(manifest);
    }
    let spikes = (times == EventTimes::Differentiated).then_some(&SPIKES);
    let layers = (medium != Medium::Ground).then_some(&LAYERS);
    let rows = regions.len() + OTHERS.len() + 1 + usize::from(layers.is_some());
    for (template, kind) in [("solver.mod", SOLVER)].iter().chain(&OTHERS).chain(spikes).chain(layers) {
        let name = unnamed(kind);
        let context = json!({
            "name": name, "directions": directions, "rows": rows, "last": directions - 1, "secondorder": scheme.secondorder(),
            "layers": medium.layers(), "tolerance": TOLERANCE,
        });
        let text = template::render(template, context)?;
        files.push(File { name: format!("{name}.mod"), text });
    }
    Ok((files, manifests))
}

/// What may be left of the equation of a layer, relative to the size of its terms: rounding leaves far less.
const TOLERANCE: &str = "1e-9";

const SOLVER: &str = "solver";

/// Rows without a region: of axial resistances, and of places without membrane.
const OTHERS: [(&str, &str); 2] = [("row_axial.mod", "axial"), ("row_end.mod", "end")];

/// Where nodes have layers around them: the row of these.
const LAYERS: (&str, &str) = ("row_layers.mod", "layers");

/// Where the times of spikes have derivatives: what notes them.
const SPIKES: (&str, &str) = ("row_spikes.mod", "spikes");

pub(in crate::emit) fn spikes_manifest(hash: &str) -> SpikesManifest {
    SpikesManifest { name: format!("gm_{}_{hash}", SPIKES.1), table: "table_at", room: "room", threshold: "level" }
}

/// What the manifest says of them, by the hash in their names.
pub(in crate::emit) fn manifest(hash: &str, scheme: TimeScheme, medium: Medium) -> SolverManifest {
    let name = |kind: &str| format!("gm_{kind}_{hash}");
    SolverManifest {
        name: name(SOLVER),
        axial: name("axial"),
        end: name("end"),
        faults: Fault::table(),
        secondorder: scheme.secondorder(),
        layers: (medium != Medium::Ground).then(|| name(LAYERS.1)),
    }
}
