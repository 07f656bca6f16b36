//! The templates: each is read once, and rendered with whatever serde can write.

use std::sync::OnceLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::Serialize;

const TEMPLATES: [(&str, &str); 32] = [
    ("functions.mod", include_str!("../../../templates/functions.mod.j2")),
    ("row.mod", include_str!("../../../templates/row.mod.j2")),
    ("row/notes.mod", include_str!("../../../templates/row/notes.mod.j2")),
    ("row/declarations.mod", include_str!("../../../templates/row/declarations.mod.j2")),
    ("row/initial.mod", include_str!("../../../templates/row/initial.mod.j2")),
    ("row/addresses.mod", include_str!("../../../templates/row/addresses.mod.j2")),
    ("row/start.mod", include_str!("../../../templates/row/start.mod.j2")),
    ("row/block.mod", include_str!("../../../templates/row/block.mod.j2")),
    ("row/step.mod", include_str!("../../../templates/row/step.mod.j2")),
    ("row/procedures.mod", include_str!("../../../templates/row/procedures.mod.j2")),
    ("row/events.mod", include_str!("../../../templates/row/events.mod.j2")),
    ("row/event_time.mod", include_str!("../../../templates/row/event_time.mod.j2")),
    ("row_axial.mod", include_str!("../../../templates/row_axial.mod.j2")),
    ("row_end.mod", include_str!("../../../templates/row_end.mod.j2")),
    ("row_spikes.mod", include_str!("../../../templates/row_spikes.mod.j2")),
    ("solver.mod", include_str!("../../../templates/solver.mod.j2")),
    ("solver_interface.mod", include_str!("../../../templates/solver_interface.mod.j2")),
    ("recorder.mod", include_str!("../../../templates/recorder.mod.j2")),
    ("recorder/declarations.mod", include_str!("../../../templates/recorder/declarations.mod.j2")),
    ("recorder/events.mod", include_str!("../../../templates/recorder/events.mod.j2")),
    ("recorder_gathered.mod", include_str!("../../../templates/recorder_gathered.mod.j2")),
    ("gather.mod", include_str!("../../../templates/gather.mod.j2")),
    ("gather_interface.mod", include_str!("../../../templates/gather_interface.mod.j2")),
    ("instances.mod", include_str!("../../../templates/instances.mod.j2")),
    ("recorder_node.mod", include_str!("../../../templates/recorder_node.mod.j2")),
    ("adjoint.mod", include_str!("../../../templates/adjoint.mod.j2")),
    ("descent.mod", include_str!("../../../templates/descent.mod.j2")),
    ("descent_interface.mod", include_str!("../../../templates/descent_interface.mod.j2")),
    ("elementary.mod", include_str!("../../../templates/elementary.mod.j2")),
    ("slopes.mod", include_str!("../../../templates/slopes.mod.j2")),
    ("homeostat.mod", include_str!("../../../templates/homeostat.mod.j2")),
    ("follow.mod", include_str!("../../../templates/follow.mod.j2")),
];

/// The text of a template with these values in it.
pub fn render(template: &str, context: impl Serialize) -> Result<String, minijinja::Error> {
    environment().get_template(template)?.render(Value::from(Serde(context)))
}

/// The text of a template without any values.
pub fn source(template: &str) -> &'static str {
    TEMPLATES.iter().find(|(name, _)| *name == template).map_or("", |(_, text)| text)
}

fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
        if let Ok(syntax) = syntax {
            environment.set_syntax(syntax);
        }
        for (name, text) in TEMPLATES {
            // A template that can't be read is missed, and reported, where it is used.
            let _ = environment.add_template(name, text);
        }
        environment
    })
}
