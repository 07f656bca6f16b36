//! Mechanisms that reach no membrane: no voltage depends on anything in them.

use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{Expr, ExprKind, Item, Name, NeuronStatement, Place, Program, Statement, StatementKind};

use crate::model::external::set_of_others;
use crate::model::mechanism::NEURON_NAMES;

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
    let declared: Vec<&NeuronStatement> = program
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Neuron(statements, _) => Some(statements),
            _ => None,
        })
        .flatten()
        .collect();
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
    let sets: Vec<String> =
        pointers(&declared).filter(|pointer| set.contains(&pointer.text)).map(|pointer| pointer.text.clone()).collect();
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

pub(super) fn pointers<'a>(declared: &'a [&NeuronStatement]) -> impl Iterator<Item = &'a Name> {
    let names = declared.iter().filter_map(|statement| match statement {
        NeuronStatement::Pointer(names) | NeuronStatement::BbcorePointer(names) => Some(names),
        _ => None,
    });
    names.flatten()
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

/// What code does that shows outside it.
#[derive(Debug, Default)]
pub(super) struct Deeds {
    /// All names that statements may set.
    pub set: Vec<String>,
    /// There is code that is not looked into.
    pub has_code: bool,
}

/// What all code of a file does.
pub(super) fn deeds(program: &Program) -> Deeds {
    let mut deeds = Deeds::default();
    for item in &program.items {
        match item {
            Item::Block(block) => deeds.add(&block.body),
            Item::Verbatim(_) => deeds.has_code = true,
            _ => {}
        }
    }
    deeds
}

impl Deeds {
    fn add(&mut self, statements: &[Statement]) {
        for statement in statements {
            match &statement.kind {
                StatementKind::Assign(Place { name, .. }, _) | StatementKind::Prime(Place { name, .. }, ..) => {
                    self.set.push(name.text.clone());
                }
                StatementKind::Expression(Expr { kind: ExprKind::Call(name, arguments), .. }) => {
                    if let (true, Some(ExprKind::Name(state))) =
                        (name.text == "state_discontinuity", arguments.first().map(|argument| &argument.kind))
                    {
                        self.set.push(state.clone());
                    }
                }
                StatementKind::If(branches, otherwise) => {
                    branches.iter().map(|(_, body)| body).chain(otherwise).for_each(|body| self.add(body));
                }
                StatementKind::While(_, body)
                | StatementKind::From { body, .. }
                | StatementKind::ForNetcons(_, body)
                | StatementKind::Initial(body)
                | StatementKind::Group(body) => self.add(body),
                StatementKind::Protect(inner) => self.add(std::slice::from_ref(inner)),
                StatementKind::Solve(solve) => self.add(solve.if_error.as_deref().unwrap_or_default()),
                StatementKind::Verbatim(_) | StatementKind::Other(..) => self.has_code = true,
                _ => {}
            }
        }
    }
}
