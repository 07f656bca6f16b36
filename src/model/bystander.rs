//! Mechanisms that reach no membrane: no voltage depends on anything in them.

use crate::diagnostic::{Code, Diagnostic};
use crate::model::deeds::{Deeds, deeds};
use crate::model::external::set_of_others;
use crate::model::mechanism::NEURON_NAMES;
use crate::syntax::ast::{Name, NeuronStatement, Program};
use crate::syntax::visit::neuron_statements;

/// What may be said of a file instead of a refusal.
#[derive(Clone, Debug)]
pub struct Bystander {
    pub name: String,
    pub note: Diagnostic,
    /// An `ARTIFICIAL_CELL`, or functions alone: it stands on no section.
    pub is_artificial: bool,
    /// POINTERs that it sets: nothing that matters may read what these see.
    pub sets: Vec<String>,
}

/// The mechanism of a file if it can't act on a cell but by events, whose times count as fixed.
pub fn bystander(program: &Program) -> Option<Bystander> {
    let declared: Vec<&NeuronStatement> = neuron_statements(program).collect();
    let (name, is_artificial) = declared.iter().rev().find_map(|statement| match statement {
        NeuronStatement::ArtificialCell(name) => Some((name, true)),
        NeuronStatement::Suffix(name) | NeuronStatement::PointProcess(name) => Some((name, false)),
        _ => None,
    })?;
    if !is_artificial && name.text == "nothing" {
        // NEURON registers no mechanism for this suffix: only scripts call what the file holds.
        let message = "SUFFIX nothing declares no mechanism: passed over";
        let note = Diagnostic::remark(Code::NoMechanism, name.span, message).label("declared here");
        return Some(Bystander { name: name.text.clone(), note, is_artificial: true, sets: Vec::new() });
    }
    let Deeds { set, has_code } = deeds(program);
    let sets: Vec<String> = set_pointers(program, &set).map(|pointer| pointer.text.clone()).collect();
    let (code, message) = if is_artificial {
        if !set_of_others(program).is_empty() || !sets.is_empty() {
            return None;
        }
        (Code::ArtificialCell, "has no membrane: passed over, and the times of its events count as fixed")
    } else {
        let acts = declared.iter().any(|statement| acts(statement));
        if acts || has_code || set.iter().any(|name| NEURON_NAMES.contains(&name.as_str())) {
            return None;
        }
        if sets.is_empty() {
            (Code::OnlyWatches, "has no current and sets nothing outside itself: passed over")
        } else {
            (
                Code::OnlyWatches,
                "has no current and sets only what its POINTERs see: passed over, if nothing that acts on a voltage reads that",
            )
        }
    };
    let note = Diagnostic::remark(code, name.span, format!("`{}` {message}", name.text)).label("declared here");
    Some(Bystander { name: name.text.clone(), note, is_artificial, sets })
}

/// Whether a mechanism with this declaration may act on something else.
fn acts(statement: &NeuronStatement) -> bool {
    match statement {
        NeuronStatement::UseIon(ion) => !ion.write.is_empty(),
        NeuronStatement::NonspecificCurrent(_)
        | NeuronStatement::ElectrodeCurrent(_)
        | NeuronStatement::BbcorePointer(_)
        | NeuronStatement::External(_) => true,
        _ => false,
    }
}

/// The POINTERs of a file that are among the names that code sets.
pub(in crate::model) fn set_pointers<'a>(program: &'a Program, set: &'a [String]) -> impl Iterator<Item = &'a Name> {
    let names = neuron_statements(program).filter_map(|statement| match statement {
        NeuronStatement::Pointer(names) | NeuronStatement::BbcorePointer(names) => Some(names),
        _ => None,
    });
    names.flatten().filter(|name| set.contains(&name.text))
}
