//! The `FUNCTION_TABLE`s of a region.

use serde::Serialize;

use crate::step::Linearised;

/// A `FUNCTION_TABLE` of the model.
#[derive(Clone, Debug, Serialize)]
pub struct FunctionTable {
    /// By which emitted code means it.
    number: usize,
    /// What scripts call it.
    pub function: String,
}

pub fn function_tables(linearised: &Linearised) -> Vec<FunctionTable> {
    let mut found = Vec::new();
    for mechanism in &linearised.region.mechanisms {
        let names = mechanism.function_tables.iter().map(|name| format!("{name}_{}", mechanism.name));
        found.extend(
            names
                .enumerate()
                .map(|(index, function)| FunctionTable { number: mechanism.first_function_table + index, function }),
        );
    }
    found
}
