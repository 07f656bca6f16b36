//! What an emitted mechanism calls its POINTERs, and what it keeps of what the model's POINTERs see.

use crate::step::Linearised;

/// The POINTER to a value of the model.
pub fn to(name: &str) -> String {
    format!("to_{name}")
}

/// A statement that looks whether a POINTER is set.
pub fn unset(pointer: &str) -> String {
    format!("IF (nrn_pointing({pointer}) == 0) {{ wired = 0 }}")
}

/// What the manifest calls a POINTER of the model.
pub fn pointed_source(linearised: &Linearised, mechanism: usize, name: &str) -> String {
    format!("{}.{name}", linearised.region.mechanisms[mechanism].name)
}

/// The setting that tells what states see through a POINTER.
pub fn old_name(linearised: &Linearised, mechanism: usize, name: &str) -> String {
    linearised.names.clone().new_name(&format!("old_{}", linearised.names.of(mechanism, name)))
}

/// What holds the value that states saw through a POINTER.
pub fn saw_name(linearised: &Linearised, mechanism: usize, name: &str) -> String {
    linearised.names.clone().new_name(&format!("saw_{}", linearised.names.of(mechanism, name)))
}
