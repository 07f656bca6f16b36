//! Syntax tree -> mechanism.

mod builder;
mod pointer;
mod refuse;
mod size;
mod solved;
mod threadsafe;
mod units;
mod variables;

use crate::diagnostic::Diagnostic;
use crate::model::check::builder::Builder;
use crate::model::check::refuse::refusals;
use crate::model::check::threadsafe::is_thread_safe;
use crate::model::deeds::deeds;
use crate::model::mechanism::Mechanism;
use crate::model::transferred::{Transferred, pointing};
use crate::model::{declared_name, external, shadow, verbatim};
use crate::syntax::ast::{Program, StatementKind};

pub use variables::LONGEST;

/// The mechanism that a file declares, or everything that stands in the way.
///
/// # Errors
///
/// Everything that stands in the way.
pub fn check(program: &Program) -> Result<Mechanism, Vec<Diagnostic>> {
    let (mechanism, errors) = check_all(program, None, &[]);
    match mechanism {
        Some(mechanism) if errors.is_empty() => Ok(mechanism),
        _ => Err(errors),
    }
}

/// The mechanism, if there is one, and everything that stands in the way.
///
/// `file`: what NEURON calls a mechanism that has no name, after its file. `transferred`: variables of any mechanism.
pub fn check_all(
    program: &Program,
    file: Option<&str>,
    transferred: &[Transferred],
) -> (Option<Mechanism>, Vec<Diagnostic>) {
    let is_thread_safe = is_thread_safe(&shadow::renamed(program));
    let name = declared_name(program).map(|name| name.text.as_str()).or(file);
    let program = &pointing(program, name, transferred);
    // C code calls a LOCAL otherwise, so it comes first.
    let program = &shadow::renamed(&verbatim::translated(program));
    let mut builder = Builder { is_thread_safe, ..Builder::default() };
    for item in &program.items {
        builder.item(item);
    }
    builder.breakpoint = solved::first(std::mem::take(&mut builder.breakpoint));
    if !is_thread_safe {
        builder.breakpoint.retain(|statement| !matches!(statement.kind, StatementKind::Conductance(..)));
    }
    builder.defaults(&deeds(program).set);
    builder.errors.extend(refusals(program));
    builder.errors.extend(pointer::refusals(program));
    builder.errors.extend(external::refusals(program));
    builder.finish(file)
}
