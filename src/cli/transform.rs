//! `gradmod transform`

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use gradmod::diagnostic::{Code, Diagnostic, Level};
use gradmod::emit::{self, Online, Pointers, Receipt, Reversible};
use gradmod::model::{Kind, Mechanism, bystander, check_all, declared_name, set_of_others, shared_parameters, unowned};
use gradmod::step::{EventTimes, Linearised, Refused, Region, linearise, refusals};
use gradmod::syntax;
use gradmod::syntax::sources::{LARGEST, Sources};
use gradmod::syntax::span::Span;

use super::{Outcome, output};
use crate::cli::arguments::{MessageFormat, Mode, NamedRegion, Transform};
use crate::cli::passes::Passes;
use crate::cli::report::{report, say};
use crate::cli::watch::Watch;

/// A file that was read.
struct Checked {
    source: Arc<Sources>,
    mechanism: Mechanism,
    /// What may be said instead of a refusal: that it acts on nothing.
    bystander: Option<Diagnostic>,
}

/// All files, as far as they could be read.
#[derive(Default)]
struct Model {
    checked: Vec<Checked>,
    /// Mechanisms that act on no membrane, so that nothing need be made for them.
    passed_over: BTreeSet<String>,
    /// All that can act on no membrane, with the POINTERs that they set.
    watchers: BTreeMap<String, Vec<String>>,
    /// What EXTERNAL variables can be.
    shared: BTreeSet<String>,
    /// Those of them that some mechanism sets from outside.
    set: BTreeSet<String>,
    refused: bool,
    /// Refusals that have been shown: by mechanism, code and place.
    shown: BTreeSet<(String, Code, usize)>,
}

/// Files of forward mode.
type Emitted = (Vec<emit::File>, emit::Manifest);

/// Regions that a mode may emit.
enum Ready {
    Forward(Vec<Linearised>),
    Online(Vec<Online>),
    Reverse(Vec<Reversible>),
}

pub fn run(arguments: &Transform, watch: &Watch) -> Result<Outcome> {
    if arguments.spike_times && arguments.mode == Mode::Reverse {
        bail!("--spike-times: reverse mode takes the times of events as fixed");
    }
    if arguments.pointed_variables && arguments.mode == Mode::Reverse {
        bail!("--pointed-variables: reverse mode follows POINTERs to voltages only");
    }
    let passes = Passes(arguments.dump_passes.clone());
    let mut model = Model::default();
    for path in &arguments.files {
        model.add(path, arguments, &passes, watch)?;
    }
    model.check_external(arguments)?;
    if model.refused {
        return Ok(Outcome::Diagnostics);
    }
    let ready = match arguments.mode {
        Mode::Forward if arguments.online => Ready::Online(model.linearise(arguments, &passes, watch)?),
        Mode::Forward => Ready::Forward(model.linearise(arguments, &passes, watch)?),
        Mode::Reverse => Ready::Reverse(model.linearise(arguments, &passes, watch)?),
    };
    if model.refused {
        return Ok(Outcome::Diagnostics);
    }
    write(&ready, &model, arguments, (&passes, watch))?;
    Ok(Outcome::Fine)
}

impl Model {
    fn add(&mut self, path: &Path, arguments: &Transform, passes: &Passes, watch: &Watch) -> Result<()> {
        let format = arguments.message_format;
        let text = read(path)?;
        let (source, missing) = Sources::new(path.to_owned(), text, &mut find_included);
        let source = Arc::new(source);
        watch.see(&source, Span::default());
        if !missing.is_empty() {
            report(&source, &missing, format)?;
            self.refused = true;
            return Ok(());
        }
        let program = match syntax::parse(&source.text) {
            Ok(program) => program,
            Err(diagnostics) => {
                report(&source, &diagnostics, format)?;
                self.refused = true;
                return Ok(());
            }
        };
        self.shared.extend(shared_parameters(&program));
        self.set.extend(set_of_others(&program).into_iter().map(|name| name.text.clone()));
        let bystander = bystander(&program);
        self.watchers.extend(bystander.iter().map(|bystander| (bystander.name.clone(), bystander.sets.clone())));
        if let Some(artificial) = bystander.as_ref().filter(|bystander| bystander.is_artificial) {
            report(&source, std::slice::from_ref(&artificial.note), format)?;
            self.passed_over.insert(artificial.name.clone());
            return Ok(());
        }
        // NEURON calls a mechanism that has no SUFFIX by the name of its file.
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let (mechanism, mut diagnostics) = check_all(&program, stem.as_deref());
        match (mechanism, bystander) {
            (Some(mechanism), bystander) if diagnostics.is_empty() => {
                if let Some(other) = self.checked.iter().find(|known| known.mechanism.name == mechanism.name) {
                    report(&source, &[twice(&mechanism, &other.source)], format)?;
                    self.refused = true;
                    return Ok(());
                }
                passes.checked(&program, &mechanism)?;
                let bystander = bystander.map(|bystander| bystander.note);
                self.checked.push(Checked { source, mechanism, bystander });
            }
            (_, Some(bystander)) => {
                report(&source, &[with_reasons(bystander.note, &diagnostics)], format)?;
                self.passed_over.insert(bystander.name);
            }
            (_, None) if !is_asked_for(declared_name(&program).map(|name| name.text.as_str()), arguments) => {}
            (mechanism, None) => {
                if let Some(mechanism) = mechanism {
                    let region = Region::new(mechanism.name.clone(), vec![mechanism], false);
                    let others = refusals(&region).into_iter().map(|refused| refused.diagnostic);
                    let is_new =
                        |other: &Diagnostic| diagnostics.iter().all(|known| known.span.start != other.span.start);
                    let others: Vec<Diagnostic> = others.filter(is_new).collect();
                    diagnostics.extend(others);
                }
                report(&source, &diagnostics, format)?;
                self.refused = true;
            }
        }
        Ok(())
    }

    /// EXTERNAL variables need their owners, wherever among the files these are.
    fn check_external(&mut self, arguments: &Transform) -> Result<()> {
        let left_alone: BTreeSet<String> = self.shared.difference(&self.set).cloned().collect();
        for known in self.checked.iter().filter(|known| is_asked_for(Some(&known.mechanism.name), arguments)) {
            let refused = unowned(&known.mechanism, &left_alone);
            report(&known.source, &refused, arguments.message_format)?;
            self.refused |= !refused.is_empty();
        }
        Ok(())
    }

    fn linearise<R: Receipt>(&mut self, arguments: &Transform, passes: &Passes, watch: &Watch) -> Result<Vec<R>> {
        let wanted = arguments.wrt.iter().map(String::as_str).collect::<BTreeSet<_>>();
        let known = RefCell::new(BTreeSet::new());
        let is_wanted = |name: &str| {
            known.borrow_mut().insert(name.to_owned());
            wanted.is_empty() || wanted.contains(name)
        };
        let times = event_times(arguments);
        let mut linearised = Vec::new();
        for mut region in self.regions(arguments)? {
            loop {
                self.watch(watch, &region);
                let result = linearise(&region, &is_wanted, times);
                let result = result.and_then(|linearised| R::of(linearised, wanted.is_empty()));
                let refused = match result {
                    Ok(done) => {
                        passes.linearised(done.as_ref())?;
                        self.warn(done.as_ref(), arguments.message_format)?;
                        linearised.push(done);
                        break;
                    }
                    Err(refused) => refused,
                };
                let alone = |(index, mechanism): (usize, &Mechanism)| {
                    let alone = Region::new(mechanism.name.clone(), vec![mechanism.clone()], false);
                    linearise(&alone, &is_wanted, times).err().map(|refused| Refused { mechanism: index, ..refused })
                };
                let mut others = refusals(&region);
                if region.mechanisms.len() > 1 {
                    others.extend(region.mechanisms.iter().enumerate().filter_map(alone));
                }
                let names: Vec<String> = region.mechanisms.iter().map(|known| known.name.clone()).collect();
                let left_out = region.mechanisms.remove(refused.mechanism);
                let is_passed = self.passes_over(&left_out.name, refused.diagnostic, arguments.message_format)?;
                if !is_passed {
                    self.show_others(&names, others, arguments.message_format)?;
                }
                let is_over = left_out.kind == Kind::Point || (region.switched && region.mechanisms.is_empty());
                if !is_passed || is_over {
                    break;
                }
            }
        }
        if arguments.message_format == MessageFormat::Human && !self.refused {
            warn_of_unknown(&arguments.wrt, &known.into_inner())?;
        }
        Ok(linearised)
    }

    /// Whatever else stands in the way of mechanisms that can't be left out.
    fn show_others(&mut self, names: &[String], others: Vec<Refused>, format: MessageFormat) -> Result<()> {
        for other in others {
            let name = &names[other.mechanism];
            let found = self.checked.iter().find(|known| known.mechanism.name == *name && known.bystander.is_none());
            let place = (name.clone(), other.diagnostic.code, other.diagnostic.span.start);
            if let Some(known) = found.filter(|_| self.shown.insert(place)) {
                report(&known.source, &[other.diagnostic], format)?;
            }
        }
        Ok(())
    }

    /// Whether a mechanism that is refused can be left out; says so, or why it is refused.
    fn passes_over(&mut self, name: &str, refused: Diagnostic, format: MessageFormat) -> Result<bool> {
        let found = self.checked.iter().find(|known| known.mechanism.name == name);
        let note = found.and_then(|known| known.bystander.clone());
        let is_passed = note.is_some();
        if is_passed && !self.passed_over.insert(name.to_owned()) {
            return Ok(true);
        }
        let place = (name.to_owned(), refused.code, refused.span.start);
        if let Some(known) = found.filter(|_| self.shown.insert(place)) {
            let shown = match note {
                Some(note) => with_reasons(note, &[refused]),
                None => refused,
            };
            report(&known.source, &[shown], format)?;
        }
        self.refused |= !is_passed;
        Ok(is_passed)
    }

    /// The first mechanism of a region stands for it.
    fn watch(&self, watch: &Watch, region: &Region) {
        let first = region.mechanisms.first();
        let found = first.and_then(|first| self.checked.iter().find(|known| known.mechanism.name == first.name));
        if let Some(known) = found {
            watch.see(&known.source, known.mechanism.span);
        }
    }

    fn warn(&self, region: &Linearised, format: MessageFormat) -> Result<()> {
        for (name, diagnostic) in &region.unfollowed {
            let warning = Diagnostic { level: Level::Warning, ..diagnostic.clone() }
                .note("this code was left out: a run that enters it has no gradient");
            if let Some(known) = self.checked.iter().find(|known| known.mechanism.name == *name) {
                report(&known.source, &[warning], format)?;
            }
        }
        Ok(())
    }

    /// The regions and point processes asked for, or all that there is.
    fn regions(&self, arguments: &Transform) -> Result<Vec<Region>> {
        let find = |name: &str| {
            let found = self.checked.iter().find(|known| known.mechanism.name == name);
            found
                .map(|known| known.mechanism.clone())
                .with_context(|| format!("no given file declares the mechanism `{name}`"))
        };
        let is_there = |name: &&str| !self.passed_over.contains(*name);
        let mut regions = Vec::new();
        for NamedRegion { name, mechanisms } in &arguments.region {
            let names = mechanisms.iter().map(String::as_str).filter(is_there);
            let mechanisms = names.map(find).collect::<Result<Vec<_>>>()?;
            if let Some(point) = mechanisms.iter().find(|mechanism| mechanism.kind == Kind::Point) {
                bail!("--region {name}: {} is a point process, use --point", point.name);
            }
            regions.push(Region::new(name.clone(), mechanisms, false));
        }
        for name in arguments.point.iter().filter(|name| is_there(&name.as_str())) {
            let mechanism = find(name)?;
            if mechanism.kind == Kind::Density {
                bail!("--point {name}: this is a density mechanism");
            }
            regions.push(Region::new(name.clone(), vec![mechanism], false));
        }
        if arguments.region.is_empty() && arguments.point.is_empty() {
            let of_kind = |kind| {
                let mechanisms = self.checked.iter().map(|known| &known.mechanism);
                mechanisms.filter(move |mechanism| mechanism.kind == kind).cloned()
            };
            let density: Vec<Mechanism> = of_kind(Kind::Density).collect();
            if !density.is_empty() {
                regions.push(Region::new("all", density, true));
            }
            regions.extend(
                of_kind(Kind::Point).map(|mechanism| Region::new(mechanism.name.clone(), vec![mechanism], false)),
            );
        }
        Ok(regions)
    }
}

/// NEURON can load one of them only.
fn twice(mechanism: &Mechanism, other: &Sources) -> Diagnostic {
    let path = other.files.first().map_or_else(String::new, |file| file.path.display().to_string());
    let message = format!("`{}` is declared in {path} too: NEURON loads one of them only", mechanism.name);
    Diagnostic::error(Code::Twice, mechanism.span, message).help("name one of the files")
}

/// Where regions or point processes are named, other files only say what they own.
fn is_asked_for(name: Option<&str>, arguments: &Transform) -> bool {
    let mut named = arguments.region.iter().flat_map(|region| &region.mechanisms).chain(&arguments.point);
    let all = arguments.region.is_empty() && arguments.point.is_empty();
    name.is_none_or(|name| all || named.any(|asked| asked == name))
}

/// Nothing depends on a parameter that was asked for: that may be meant, or a mistake in its name.
fn warn_of_unknown(wanted: &[String], known: &BTreeSet<String>) -> Result<()> {
    let names = known.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    for name in wanted.iter().filter(|name| !known.contains(*name)) {
        say(&format!("warning: --wrt {name}: nothing here depends on a parameter of this name, but on {names}"))?;
    }
    Ok(())
}

fn event_times(arguments: &Transform) -> EventTimes {
    if arguments.spike_times { EventTimes::Differentiated } else { EventTimes::Fixed }
}

fn pointers(arguments: &Transform) -> Pointers {
    if arguments.pointed_variables { Pointers::ToVariables } else { Pointers::ToVoltages }
}

/// Why what is passed over would be refused.
fn with_reasons(note: Diagnostic, refused: &[Diagnostic]) -> Diagnostic {
    refused.iter().fold(note, |note, reason| note.note(format!("else it would be refused: {}", reason.message)))
}

/// As much of a file as may be in it, and something of the rest.
fn read(path: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    let file = File::open(path).and_then(|file| file.take(LARGEST as u64 + 1).read_to_end(&mut bytes));
    file.with_context(|| format!("can't read {}", path.display()))?;
    Ok(syntax::decode(&bytes))
}

/// An included file, searched for where NEURON's translator does.
fn find_included(including: &Path, name: &str) -> Option<(PathBuf, String)> {
    let mut folders = vec![including.parent().map(Path::to_owned).unwrap_or_default()];
    folders.extend(["", ".."].map(PathBuf::from));
    folders.extend(std::env::var_os("MODL_INCLUDE").iter().flat_map(std::env::split_paths));
    let found = folders.into_iter().map(|folder| folder.join(name)).find(|path| path.is_file())?;
    let text = read(&found).ok()?;
    Some((found, text))
}

/// Emits and writes.
fn write(ready: &Ready, model: &Model, arguments: &Transform, (passes, watch): (&Passes, &Watch)) -> Result<()> {
    let passed_over: Vec<String> = model.passed_over.iter().cloned().collect();
    let watchers = model.watchers.clone();
    let (times, directions) = (event_times(arguments), usize::from(arguments.directions));
    let forward = |emitted: Emitted| {
        let (files, mut manifest) = emitted;
        manifest.passed_over.clone_from(&passed_over);
        manifest.watchers.clone_from(&watchers);
        serde_json::to_string_pretty(&manifest).map(|text| (files, text))
    };
    let (mut files, text) = match ready {
        Ready::Forward(regions) => forward(emit::emit_forward(regions, directions, times, pointers(arguments))?)?,
        Ready::Online(regions) => forward(emit::emit_online(regions, directions, times)?)?,
        Ready::Reverse(regions) => {
            let (files, mut manifest) = emit::emit_reverse(regions)?;
            manifest.passed_over = passed_over;
            manifest.watchers = watchers;
            (files, serde_json::to_string_pretty(&manifest)?)
        }
    };
    passes.emitted(&files)?;
    files.push(emit::File { name: "gradmod.json".to_owned(), text: text + "\n" });
    watch.release();
    output::write(&files, &arguments.output, arguments.message_format == MessageFormat::Human)
}
