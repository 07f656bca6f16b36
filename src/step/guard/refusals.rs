//! All that code is refused for, not only what comes first.

use crate::diagnostic::{Code, Diagnostic, Level};
use crate::step::{Refused, Region, Step};
use crate::trace::Values;

/// Every refusal of a statement in the code of a region.
///
/// Code is run as if the refused statements did nothing; so what follows from the values of variables alone is not
/// among these.
pub fn refusals(region: &Region) -> Vec<Refused> {
    let mut step = Step::new(region, true);
    step.findings.gathers = true;
    let declared = step.values.first().cloned().unwrap_or_else(Values::new);
    let mut found = Vec::new();
    let mut note = |refused: Option<Refused>| found.extend(refused);
    let started = step.start();
    let after_initial = started.as_ref().ok().and_then(|start| start.values.first()).cloned();
    note(started.err());
    note(step.received(&declared, &after_initial.unwrap_or_else(|| declared.clone())).err());
    note(step.currents().err());
    note(step.states().err());
    note(step.end_of_step().err());
    let index = |name: &str| region.mechanisms.iter().position(|known| known.name == name).unwrap_or_default();
    let gathered = step.findings.gathered.into_iter();
    let gathered = gathered.map(|(name, diagnostic)| Refused { mechanism: index(&name), diagnostic });
    // What C code declares is not known here; what is said of arrays as one value may not hold element by element.
    let holds = |one: &Refused| one.diagnostic.level == Level::Refusal && one.diagnostic.code != Code::EventArray;
    let mut all: Vec<Refused> = gathered.chain(found).filter(holds).collect();
    let place = |one: &Refused| (one.mechanism, start(&one.diagnostic), one.diagnostic.code);
    all.sort_by_key(place);
    all.dedup_by_key(|one| place(one));
    all
}

fn start(diagnostic: &Diagnostic) -> usize {
    diagnostic.span.start
}
