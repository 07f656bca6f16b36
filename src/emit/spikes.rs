//! The mechanism that notes when a place of the model crosses a threshold, and how that
//! time depends on the parameters.

use minijinja::{context, Environment};

use super::manifest::SpikesManifest;
use super::region::cable_pointer;
use super::{lines, EmitError, File, UNNAMED};

pub(super) fn render(environment: &Environment, directions: usize) -> Result<File, EmitError> {
    let name = format!("gm_spikes_{UNNAMED}");
    let pointers: Vec<String> = (0..directions).map(cable_pointer).collect();
    let text = environment.get_template("spikes.mod")?.render(context! {
        name,
        directions,
        last => directions - 1,
        pointers => lines::list("POINTER", &pointers),
        names => pointers,
        before => (0..directions).map(|k| format!("W_before[{k}] = {}", cable_pointer(k))).collect::<Vec<_>>(),
        now => (0..directions).map(|k| format!("W_now[{k}] = {}", cable_pointer(k))).collect::<Vec<_>>(),
    })?;
    Ok(File { name: format!("{name}.mod"), text })
}

pub(super) fn manifest(name: &str, directions: usize) -> SpikesManifest {
    SpikesManifest {
        name: name.to_owned(),
        cable_pointers: (0..directions).map(cable_pointer).collect(),
        rest: "rest",
        table: "table_at",
        room: "room",
        threshold: "level",
    }
}
