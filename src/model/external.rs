//! EXTERNAL: a variable that belongs to another mechanism.
//!
//! One that is a GLOBAL PARAMETER there, and that no mechanism sets, is a parameter here too.

use std::collections::BTreeSet;

use super::{Mechanism, Visibility};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::deeds::{Deeds, deeds};
use crate::syntax::ast::{Item, Name, NeuronStatement, Program};
use crate::syntax::visit::neuron_statements;

/// EXTERNAL variables that code sets.
pub(in crate::model) fn refusals(program: &Program) -> Vec<Diagnostic> {
    let refuse = |name: &Name| {
        let message = format!("`{}`: the mechanism sets a variable of another one", name.text);
        Diagnostic::refusal(Code::External, name.span, message).label("declared here")
    };
    set_of_others(program).into_iter().map(refuse).collect()
}

/// The variables of other mechanisms that code of a file sets.
pub fn set_of_others(program: &Program) -> Vec<&Name> {
    let set = deeds(program).set;
    let externals = neuron_statements(program).filter_map(|statement| match statement {
        NeuronStatement::External(names) => Some(names),
        _ => None,
    });
    externals.flatten().filter(|name| set.contains(&name.text)).collect()
}

/// The GLOBAL PARAMETERs of a file that no code of it sets, by their names in `h`.
pub fn shared_parameters(program: &Program) -> BTreeSet<String> {
    let Deeds { set, has_code } = deeds(program);
    let Some(mechanism) = declared_name(program).filter(|_| !has_code) else { return BTreeSet::new() };
    let elsewhere = neuron_statements(program).filter_map(|statement| match statement {
        NeuronStatement::Range(names) | NeuronStatement::Pointer(names) | NeuronStatement::External(names) => {
            Some(names)
        }
        _ => None,
    });
    let elsewhere: BTreeSet<&str> = elsewhere.flatten().map(|name| name.text.as_str()).collect();
    let parameters = program.items.iter().filter_map(|item| match item {
        Item::Parameter(definitions, _) => Some(definitions),
        _ => None,
    });
    let scalars =
        parameters.flatten().filter(|definition| definition.length.is_none()).map(|definition| &definition.name.text);
    let shared = scalars.filter(|name| !elsewhere.contains(name.as_str()) && !set.contains(name));
    shared.map(|name| format!("{name}_{}", mechanism.text)).collect()
}

/// The EXTERNAL variables of a mechanism that are not among these parameters.
pub fn unowned(mechanism: &Mechanism, parameters: &BTreeSet<String>) -> Vec<Diagnostic> {
    let external = mechanism.variables.values().filter(|variable| variable.visibility == Visibility::External);
    external
        .filter(|variable| variable.length.is_some() || !parameters.contains(&variable.name))
        .map(|variable| {
            let message = format!(
                "`{}`: no given file has an EXTERNAL variable of this name as a GLOBAL PARAMETER that no code sets",
                variable.name
            );
            Diagnostic::refusal(Code::External, variable.span, message)
                .label("declared here")
                .help("name the file of the mechanism that owns it too; or make it a PARAMETER")
        })
        .collect()
}

/// The name of the mechanism that a file declares; of several, NEURON takes the last.
pub fn declared_name(program: &Program) -> Option<&Name> {
    let names = neuron_statements(program).filter_map(|statement| match statement {
        NeuronStatement::Suffix(name) | NeuronStatement::PointProcess(name) | NeuronStatement::ArtificialCell(name) => {
            Some(name)
        }
        _ => None,
    });
    names.last()
}
