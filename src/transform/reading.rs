//! Texts, read and checked one after the other, until there is a model or all is said that stands in the way of one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::message::{Messages, with_reasons};
use super::model::{Checked, Model};
use super::{Host, Selection, Source, Stage, Stopped};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::{
    Bystander, Mechanism, Transferred, bystander, check_all, declared_name, set_of_others, shared_parameters, unowned,
};
use crate::step::{Region, refusals};
use crate::syntax::ast::Program;
use crate::syntax::parse;
use crate::syntax::sources::Sources;

/// All files so far.
pub(super) struct Reading<'a> {
    selection: &'a Selection,
    transferred: &'a [Transferred],
    checked: Vec<Checked>,
    passed_over: BTreeSet<String>,
    watchers: BTreeMap<String, Vec<String>>,
    /// What EXTERNAL variables can be.
    shared: BTreeSet<String>,
    /// The EXTERNAL variables that some mechanism sets from outside.
    set: BTreeSet<String>,
    refused: bool,
}

impl<'a> Reading<'a> {
    pub fn of(selection: &'a Selection, transferred: &'a [Transferred]) -> Self {
        Self {
            selection,
            transferred,
            checked: Vec::new(),
            passed_over: BTreeSet::new(),
            watchers: BTreeMap::new(),
            shared: BTreeSet::new(),
            set: BTreeSet::new(),
            refused: false,
        }
    }

    pub fn add<H: Host>(&mut self, file: Source, messages: &mut Messages<H>) -> Result<(), Stopped<H::Error>> {
        // NEURON calls a mechanism that has no SUFFIX by the name of its file.
        let stem = file.path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let host = messages.host();
        let (source, missing) = Sources::new(file.path, file.text, &mut |including, name| {
            host.included(including, name).map(|found| (found.path, found.text))
        });
        let source = Arc::new(source);
        host.begins(Stage::Parse(&source));
        let parsed = if missing.is_empty() { parse(&source.text) } else { Err(missing) };
        let program = match parsed {
            Ok(program) => program,
            Err(errors) => return self.refuse(&source, errors, messages),
        };
        messages.host().begins(Stage::Check(&source));
        self.shared.extend(shared_parameters(&program));
        self.set.extend(set_of_others(&program).into_iter().map(|name| name.text.clone()));
        let bystander = bystander(&program);
        self.watchers.extend(bystander.iter().map(|bystander| (bystander.name.clone(), bystander.sets.clone())));
        match bystander {
            Some(artificial) if artificial.is_artificial => {
                self.passed_over.insert(artificial.name);
                messages.tell_of(&source, artificial.note)
            }
            bystander => self.check((source, stem), &program, bystander, messages),
        }
    }

    fn check<H: Host>(
        &mut self,
        (source, stem): (Arc<Sources>, Option<String>),
        program: &Program,
        bystander: Option<Bystander>,
        messages: &mut Messages<H>,
    ) -> Result<(), Stopped<H::Error>> {
        let (mechanism, diagnostics) = check_all(program, stem.as_deref(), self.transferred);
        match (mechanism, bystander) {
            (Some(mechanism), bystander) if diagnostics.is_empty() => {
                if let Some(other) = self.checked.iter().find(|known| known.mechanism.name == mechanism.name) {
                    let twice = twice(&mechanism, &other.source);
                    return self.refuse(&source, vec![twice], messages);
                }
                messages.host().checked(program, &mechanism).map_err(Stopped::Host)?;
                let bystander = bystander.map(|bystander| bystander.note);
                self.checked.push(Checked { source, mechanism, bystander });
                Ok(())
            }
            (_, Some(bystander)) => {
                self.passed_over.insert(bystander.name);
                messages.tell_of(&source, with_reasons(bystander.note, &diagnostics))
            }
            (_, None) if !self.selection.includes(declared_name(program).map(|name| name.text.as_str())) => Ok(()),
            (mechanism, None) => self.refuse(&source, with_refusals_of_code(mechanism, diagnostics), messages),
        }
    }

    fn refuse<H: Host>(
        &mut self,
        source: &Arc<Sources>,
        diagnostics: Vec<Diagnostic>,
        messages: &mut Messages<H>,
    ) -> Result<(), Stopped<H::Error>> {
        self.refused = true;
        messages.tell_all(source, diagnostics)
    }

    /// The model, if no file is refused. EXTERNAL variables need their owners, wherever among the files these are.
    pub fn model<H: Host>(mut self, messages: &mut Messages<H>) -> Result<Option<Model>, Stopped<H::Error>> {
        let left_alone: BTreeSet<String> = self.shared.difference(&self.set).cloned().collect();
        for known in self.checked.iter().filter(|known| self.selection.includes(Some(&known.mechanism.name))) {
            let refused = unowned(&known.mechanism, &left_alone);
            self.refused |= !refused.is_empty();
            messages.tell_all(&known.source, refused)?;
        }
        let Self { checked, passed_over, watchers, refused, .. } = self;
        Ok((!refused).then_some(Model { checked, passed_over, watchers }))
    }
}

/// What is wrong with declarations, then what is refused in code at other places.
fn with_refusals_of_code(mechanism: Option<Mechanism>, diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let Some(mechanism) = mechanism else { return diagnostics };
    let region = Region::new(mechanism.name.clone(), vec![mechanism], false);
    let others = refusals(&region).into_iter().map(|refused| refused.diagnostic);
    let is_new = |other: &Diagnostic| diagnostics.iter().all(|known| known.span.start != other.span.start);
    let others: Vec<Diagnostic> = others.filter(is_new).collect();
    [diagnostics, others].concat()
}

/// NEURON can load one of them only.
fn twice(mechanism: &Mechanism, other: &Sources) -> Diagnostic {
    let path = other.files.first().map_or_else(String::new, |file| file.path.display().to_string());
    let message = format!("`{}` is declared in {path} too: NEURON loads one of them only", mechanism.name);
    Diagnostic::error(Code::Twice, mechanism.span, message).help("name one of the files")
}
