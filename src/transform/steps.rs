//! The linearised steps of all regions, in the form of receipt that the mode asks for.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::num::NonZeroU16;

use super::message::{Messages, with_reasons};
use super::model::Model;
use super::regions::{alone, regions};
use super::{Besides, Host, Message, Mode, Parameters, Request, Stage, Stopped};
use crate::diagnostic::{Code, Diagnostic, Level};
use crate::emit::{Differential, Medium, Online, Receipt, Reversible};
use crate::model::Kind;
use crate::step::{EventTimes, Linearised, Refused, Region, TimeScheme, linearise, refusals};

/// A receipt: regions of which none was refused, as a mode may emit them.
pub(super) enum Steps {
    Forward { regions: Vec<Linearised>, directions: NonZeroU16, besides: Besides, scheme: TimeScheme, medium: Medium },
    Online { regions: Vec<Online>, directions: NonZeroU16 },
    Reverse { regions: Vec<Reversible>, scheme: TimeScheme, medium: Medium },
    Variable { regions: Vec<Differential> },
}

/// All steps; nothing if one must be refused.
pub(super) fn linearised<H: Host>(
    model: &mut Model,
    request: &Request,
    messages: &mut Messages<H>,
) -> Result<Option<Steps>, Stopped<H::Error>> {
    let (scheme, medium) = (request.scheme, request.medium);
    let steps = match request.mode {
        Mode::Forward { directions, besides } => {
            let regions = receipts(model, request, messages)?;
            regions.map(|regions| Steps::Forward { regions, directions, besides, scheme, medium })
        }
        Mode::Online { directions } => {
            receipts(model, request, messages)?.map(|regions| Steps::Online { regions, directions })
        }
        Mode::Reverse => receipts(model, request, messages)?.map(|regions| Steps::Reverse { regions, scheme, medium }),
        Mode::Variable => {
            let request = Request { scheme: TimeScheme::Variable, ..request.clone() };
            receipts(model, &request, messages)?.map(|regions| Steps::Variable { regions })
        }
    };
    Ok(steps)
}

fn receipts<R: Receipt, H: Host>(
    model: &mut Model,
    request: &Request,
    messages: &mut Messages<H>,
) -> Result<Option<Vec<R>>, Stopped<H::Error>> {
    let asked = RefCell::new(BTreeSet::new());
    let is_wanted = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        match &request.parameters {
            Parameters::All => true,
            Parameters::These(names) => names.iter().any(|known| known == name),
        }
    };
    let regions = regions(model, &request.selection)?.into_iter();
    let regions = regions.map(|region| Region { scheme: request.scheme, ..region });
    let mut work = Work {
        model,
        messages,
        is_wanted: &is_wanted,
        weights: request.parameters == Parameters::All,
        times: request.mode.event_times(),
        shown: BTreeSet::new(),
        refused: false,
    };
    let mut receipts = Vec::new();
    for region in regions {
        receipts.extend(work.receipt(region)?);
    }
    if work.refused {
        return Ok(None);
    }
    if let Parameters::These(names) = &request.parameters {
        let known: BTreeSet<String> = asked.take();
        for name in names.iter().filter(|name| !known.contains(*name)) {
            let known = known.iter().cloned().collect();
            messages.tell(Message::UnknownParameter { name: name.clone(), known })?;
        }
    }
    Ok(Some(receipts))
}

/// What all regions of a model have together while they are linearised.
struct Work<'a, 'b, H> {
    model: &'a mut Model,
    messages: &'a mut Messages<'b, H>,
    is_wanted: &'a dyn Fn(&str) -> bool,
    /// Weights of `NetCon`s may be directions.
    weights: bool,
    times: EventTimes,
    /// Refusals that have been shown: by mechanism, code and place.
    shown: BTreeSet<(String, Code, usize)>,
    refused: bool,
}

impl<H: Host> Work<'_, '_, H> {
    /// The receipt of a region, without mechanisms that would be refused and can be left out.
    fn receipt<R: Receipt>(&mut self, mut region: Region) -> Result<Option<R>, Stopped<H::Error>> {
        loop {
            self.begin(&region);
            let result = linearise(&region, self.is_wanted, self.times).and_then(|step| R::of(step, self.weights));
            let refused = match result {
                Ok(receipt) => {
                    self.messages.host().linearised(receipt.as_ref()).map_err(Stopped::Host)?;
                    self.warn(receipt.as_ref())?;
                    return Ok(Some(receipt));
                }
                Err(refused) => refused,
            };
            let others = self.others(&region);
            let names: Vec<String> = region.mechanisms.iter().map(|known| known.name.clone()).collect();
            let left_out = region.mechanisms.remove(refused.mechanism);
            let is_passed = self.passes_over(&left_out.name, refused.diagnostic)?;
            if !is_passed {
                self.show_others(&names, others)?;
            }
            let is_over = left_out.kind == Kind::Point || (region.switched && region.mechanisms.is_empty());
            if !is_passed || is_over {
                return Ok(None);
            }
        }
    }

    /// The first mechanism of a region stands for it.
    fn begin(&mut self, region: &Region) {
        let first = region.mechanisms.first().and_then(|first| self.model.find(&first.name));
        if let Some(known) = first {
            self.messages.host().begins(Stage::Linearise(&known.source, known.mechanism.span));
        }
    }

    /// Whatever else stands in the way of a region and of each of its mechanisms.
    fn others(&self, region: &Region) -> Vec<Refused> {
        let mut others = refusals(region);
        if region.mechanisms.len() > 1 {
            others.extend(region.mechanisms.iter().enumerate().filter_map(|(index, mechanism)| {
                let alone = Region { scheme: region.scheme, ..alone(mechanism.clone()) };
                let result = linearise(&alone, self.is_wanted, self.times);
                result.err().map(|refused| Refused { mechanism: index, ..refused })
            }));
        }
        others
    }

    /// Shows what stands in the way of mechanisms that can't be left out.
    fn show_others(&mut self, names: &[String], others: Vec<Refused>) -> Result<(), Stopped<H::Error>> {
        for other in others {
            let name = &names[other.mechanism];
            let found = self.model.find(name).filter(|known| known.bystander.is_none());
            let place = (name.clone(), other.diagnostic.code, other.diagnostic.span.start);
            if let Some(known) = found.filter(|_| self.shown.insert(place)) {
                self.messages.tell_of(&known.source, other.diagnostic)?;
            }
        }
        Ok(())
    }

    /// Whether a mechanism that is refused can be left out; says so, or why it is refused.
    fn passes_over(&mut self, name: &str, refused: Diagnostic) -> Result<bool, Stopped<H::Error>> {
        let note = self.model.find(name).and_then(|known| known.bystander.clone());
        let is_passed = note.is_some();
        if is_passed && !self.model.passed_over.insert(name.to_owned()) {
            return Ok(true);
        }
        let place = (name.to_owned(), refused.code, refused.span.start);
        if let Some(known) = self.model.find(name).filter(|_| self.shown.insert(place)) {
            let shown = match note {
                Some(note) => with_reasons(note, &[refused]),
                None => refused,
            };
            self.messages.tell_of(&known.source, shown)?;
        }
        self.refused |= !is_passed;
        Ok(is_passed)
    }

    fn warn(&mut self, region: &Linearised) -> Result<(), Stopped<H::Error>> {
        for (name, diagnostic) in &region.unfollowed {
            let warning = Diagnostic { level: Level::Warning, ..diagnostic.clone() }
                .note("this code was left out: a run that enters it has no gradient");
            if let Some(known) = self.model.find(name) {
                self.messages.tell_of(&known.source, warning)?;
            }
        }
        Ok(())
    }
}
