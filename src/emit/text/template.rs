//! The templates: each is read once, and rendered with whatever serde can write.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::Serialize;

use super::fault::{Fault, Seen};
use crate::step::membrane;
use crate::templates::TEMPLATES;

/// The text of a template with these values in it.
pub fn render(template: &str, context: impl Serialize) -> Result<String, minijinja::Error> {
    environment().get_template(template)?.render(Value::from(Serde(context)))
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
        environment.add_global("faults", Value::from(Serde(Fault::table())));
        environment.add_global(
            "membrane",
            Value::from(Serde(BTreeMap::from([
                ("capacitive", membrane::CAPACITIVE),
                ("per_area", 1.0 / membrane::AREA),
            ]))),
        );
        environment.add_global("seen", Value::from(Serde(Seen::table())));
        for (name, text) in TEMPLATES {
            // A template that can't be read is missed, and reported, where it is used.
            let _ = environment.add_template(name, text);
        }
        environment
    })
}
