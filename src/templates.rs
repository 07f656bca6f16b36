//! The templates as text, and the names that they define: no variable of a model may be called so.

use std::sync::OnceLock;

use rustc_hash::FxHashSet;

/// By name.
pub const TEMPLATES: &[(&str, &str)] = &[
    ("functions.mod", include_str!("../templates/functions.mod.j2")),
    ("function_tables.mod", include_str!("../templates/function_tables.mod.j2")),
    ("row.mod", include_str!("../templates/forward/row.mod.j2")),
    ("row/notes.mod", include_str!("../templates/forward/row/notes.mod.j2")),
    ("row/declarations.mod", include_str!("../templates/forward/row/declarations.mod.j2")),
    ("row/initial.mod", include_str!("../templates/forward/row/initial.mod.j2")),
    ("row/addresses.mod", include_str!("../templates/forward/row/addresses.mod.j2")),
    ("row/start.mod", include_str!("../templates/forward/row/start.mod.j2")),
    ("row/block.mod", include_str!("../templates/forward/row/block.mod.j2")),
    ("row/step.mod", include_str!("../templates/forward/row/step.mod.j2")),
    ("row/procedures.mod", include_str!("../templates/forward/row/procedures.mod.j2")),
    ("row/events.mod", include_str!("../templates/forward/row/events.mod.j2")),
    ("row/event_time.mod", include_str!("../templates/forward/row/event_time.mod.j2")),
    ("row_axial.mod", include_str!("../templates/forward/row_axial.mod.j2")),
    ("row_end.mod", include_str!("../templates/forward/row_end.mod.j2")),
    ("row_spikes.mod", include_str!("../templates/forward/row_spikes.mod.j2")),
    ("row_layers.mod", include_str!("../templates/forward/row_layers.mod.j2")),
    ("solver_layers.mod", include_str!("../templates/forward/solver_layers.mod.j2")),
    ("solver.mod", include_str!("../templates/forward/solver.mod.j2")),
    ("solver_interface.mod", include_str!("../templates/forward/solver_interface.mod.j2")),
    ("recorder.mod", include_str!("../templates/reverse/recorder.mod.j2")),
    ("recorder/declarations.mod", include_str!("../templates/reverse/recorder/declarations.mod.j2")),
    ("recorder/events.mod", include_str!("../templates/reverse/recorder/events.mod.j2")),
    ("recorder_gathered.mod", include_str!("../templates/reverse/recorder_gathered.mod.j2")),
    ("gather.mod", include_str!("../templates/reverse/gather.mod.j2")),
    ("gather_interface.mod", include_str!("../templates/reverse/gather_interface.mod.j2")),
    ("instances.mod", include_str!("../templates/instances.mod.j2")),
    ("recorder_node.mod", include_str!("../templates/reverse/recorder_node.mod.j2")),
    ("adjoint.mod", include_str!("../templates/reverse/adjoint.mod.j2")),
    ("descent.mod", include_str!("../templates/reverse/descent.mod.j2")),
    ("descent_layers.mod", include_str!("../templates/reverse/descent_layers.mod.j2")),
    ("recorder_layers.mod", include_str!("../templates/reverse/recorder_layers.mod.j2")),
    ("descent_interface.mod", include_str!("../templates/reverse/descent_interface.mod.j2")),
    ("field.mod", include_str!("../templates/variable/field.mod.j2")),
    ("pass.mod", include_str!("../templates/variable/pass.mod.j2")),
    ("watch.mod", include_str!("../templates/variable/watch.mod.j2")),
    ("pass_interface.mod", include_str!("../templates/variable/pass_interface.mod.j2")),
    ("elementary.mod", include_str!("../templates/elementary.mod.j2")),
    ("draws.mod", include_str!("../templates/reverse/draws.mod.j2")),
    ("slopes.mod", include_str!("../templates/slopes.mod.j2")),
    ("homeostat.mod", include_str!("../templates/homeostat.mod.j2")),
    ("transfers.mod", include_str!("../templates/transfers.mod.j2")),
    ("follow.mod", include_str!("../templates/follow.mod.j2")),
];

/// The text of a template without any values.
#[must_use]
pub fn source(template: &str) -> &'static str {
    TEMPLATES.iter().find(|(name, _)| *name == template).map_or("", |(_, text)| text)
}

/// Whether a template may define a name, or NEURON does for it: all words with an underscore count, which are those
/// that a name in emitted code can be equal to.
#[must_use]
pub fn defines(name: &str) -> bool {
    static NAMES: OnceLock<FxHashSet<&'static str>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let words = TEMPLATES.iter().flat_map(|(_, text)| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
        words.filter(|word| word.contains('_')).collect()
    });
    names.contains(name)
}
