//! One line of a declaring block.

use super::{length, names, number, unit};
use crate::syntax::ast::{NeuronStatement, ParameterDefinition, UnitDefinition, UseIon, VariableDefinition};

pub fn neuron(statement: &NeuronStatement) -> String {
    match statement {
        NeuronStatement::Suffix(name) => format!("SUFFIX {}", name.text),
        NeuronStatement::PointProcess(name) => format!("POINT_PROCESS {}", name.text),
        NeuronStatement::ArtificialCell(name) => format!("ARTIFICIAL_CELL {}", name.text),
        NeuronStatement::UseIon(ion) => use_ion(ion),
        NeuronStatement::NonspecificCurrent(list) => format!("NONSPECIFIC_CURRENT {}", names(list)),
        NeuronStatement::ElectrodeCurrent(list) => format!("ELECTRODE_CURRENT {}", names(list)),
        NeuronStatement::Range(list) => format!("RANGE {}", names(list)),
        NeuronStatement::Global(list) => format!("GLOBAL {}", names(list)),
        NeuronStatement::Pointer(list) => format!("POINTER {}", names(list)),
        NeuronStatement::BbcorePointer(list) => format!("BBCOREPOINTER {}", names(list)),
        NeuronStatement::External(list) => format!("EXTERNAL {}", names(list)),
        NeuronStatement::Random(list) => format!("RANDOM {}", names(list)),
        NeuronStatement::Section(list) => format!("SECTION {}", names(list)),
        NeuronStatement::ThreadSafe(_) => "THREADSAFE".to_owned(),
        NeuronStatement::Other(text) => text.text.clone(),
    }
}

fn use_ion(ion: &UseIon) -> String {
    let mut line = format!("USEION {}", ion.ion.text);
    if !ion.read.is_empty() {
        line = format!("{line} READ {}", names(&ion.read));
    }
    if !ion.write.is_empty() {
        line = format!("{line} WRITE {}", names(&ion.write));
    }
    if let Some(valence) = ion.valence {
        line = format!("{line} VALENCE {}", number(valence));
    }
    if let Some(term) = &ion.represents {
        line = format!("{line} REPRESENTS {}", term.text);
    }
    line
}

pub fn unit_definition(definition: &UnitDefinition) -> String {
    match definition {
        UnitDefinition::Alias(new, old) => format!("({}) = ({})", new.text, old.text),
        UnitDefinition::Factor(name, from, to) => {
            format!("{} = ({}){}", name.text, from.text, unit(to.as_ref()))
        }
        UnitDefinition::Number(name, value, of) => {
            format!("{} = {}{}", name.text, number(*value), unit(of.as_ref()))
        }
    }
}

/// An entry of PARAMETER or CONSTANT.
pub fn parameter(parameter: &ParameterDefinition) -> String {
    let mut line = format!("{}{}", parameter.name.text, length(parameter.length.as_ref()));
    if let Some(value) = parameter.value {
        line = format!("{line} = {}", number(value));
    }
    line += &unit(parameter.unit.as_ref());
    if let Some((low, high)) = parameter.limits {
        line = format!("{line} <{}, {}>", number(low), number(high));
    }
    line
}

/// An entry of ASSIGNED or STATE.
pub fn variable(variable: &VariableDefinition) -> String {
    let mut line = format!("{}{}", variable.name.text, length(variable.length.as_ref()));
    let extra = variable.extra.as_ref().map_or("", |extra| extra.text.as_str());
    // The unit stands between START and the tolerance.
    let (before, tolerance) = extra.split_at(extra.find('<').unwrap_or(extra.len()));
    for piece in [before, &unit(variable.unit.as_ref()), tolerance] {
        if !piece.trim().is_empty() {
            line = format!("{line} {}", piece.trim());
        }
    }
    line
}
