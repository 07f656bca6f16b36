//! Damaged files through everything: never a panic, a hang or an error without a place.
//!
//! A short run over the fixtures by default. For a long one over files of your own:
//!
//! `GRADMOD_MUTATED_FILES=LIST GRADMOD_MUTATED_COUNT=10000 cargo test --release --test mutations -- --nocapture`,
//! LIST a file with one path a line. `GRADMOD_MUTATED_SEED` starts elsewhere. Each input is written to the file
//! that is named at the start before it is used, so that it can be found after a crash too.

mod mutator;

use std::convert::Infallible;
use std::fs;
use std::num::NonZeroU16;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use gradmod::diagnostic::Diagnostic;
use gradmod::transform::{
    Besides, Host, Medium, Message, Mode, Parameters, Request, Selection, Source, Stage, TimeScheme, transform,
};
use gradmod::{render, syntax};
use rustix::time::{ClockId, clock_gettime};

use mutator::{Random, mutated};

/// Nothing takes more processor time; without optimisation it is ten times as long.
const HANG: Duration = Duration::from_secs(if cfg!(debug_assertions) { 100 } else { 10 });
/// Nor so long by the clock, however busy the machine is.
const STUCK: Duration = Duration::from_secs(600);
/// KiB that the process may have, on Linux.
const MEMORY: u64 = 1 << 20;
/// What emitted text may have: more than this from one file of some kilobytes is a leak.
const LARGEST: usize = 50_000_000;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn seeds() -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = Vec::new();
    if let Ok(list) = std::env::var("GRADMOD_MUTATED_FILES") {
        let list = fs::read_to_string(list).unwrap();
        paths.extend(list.lines().map(PathBuf::from));
    } else {
        for folder in ["channels", "unsupported", "syntax/ok", "syntax/err", "crashes"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            paths.extend(entries.map(|entry| entry.path()).filter(|path| path.is_file()));
        }
    }
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// A host with other files to include, which notes how far a file came.
struct Damaged<'a> {
    text: &'a str,
    files: &'a [Vec<u8>],
    stage: &'static str,
}

impl Host for Damaged<'_> {
    type Error = Infallible;

    fn included(&mut self, _: &Path, name: &str) -> Option<Source> {
        let known = name.parse().ok().and_then(|index: usize| self.files.get(index));
        let text = if name == "self" { Some(self.text.to_owned()) } else { known.map(|bytes| syntax::decode(bytes)) };
        text.map(|text| Source { path: PathBuf::from(name), text })
    }

    fn begins(&mut self, stage: Stage<'_>) {
        self.stage = match stage {
            Stage::Parse(_) => "syntax",
            Stage::Check(_) => "declarations",
            Stage::Linearise(..) => "refused",
            Stage::Emit => "emitted",
        };
    }
}

/// What the compiler does with a file; how it ended, or what is wrong with that.
fn compile(bytes: &[u8], files: &[Vec<u8>]) -> Result<&'static str, String> {
    let text = syntax::decode(bytes);
    // What has events is emitted with all that there is for them.
    let besides = if text.contains("NET_RECEIVE") { Besides::EventTimes } else { Besides::Nothing };
    let request = Request {
        mode: Mode::Forward { directions: NonZeroU16::MIN.saturating_add(2), besides },
        parameters: Parameters::All,
        selection: Selection::Each,
        scheme: TimeScheme::Implicit,
        medium: Medium::Ground,
        transferred: Vec::new(),
    };
    let mut host = Damaged { text: &text, files, stage: "syntax" };
    let source = Source { path: PathBuf::from("a.mod"), text: text.clone() };
    let done = transform([Ok(source)], &request, &mut host).map_err(|error| format!("not emitted: {error}"))?;
    for message in &done.messages {
        located(message)?;
    }
    let Some(emitted) = done.emitted else {
        return if done.messages.is_empty() { Err("refused without a word".to_owned()) } else { Ok(host.stage) };
    };
    for file in &emitted.files {
        if file.text.len() > LARGEST {
            return Err(format!("{} bytes emitted", file.text.len()));
        }
        if file.text.lines().any(|line| line.len() >= 512) {
            return Err("a line that is too long for NEURON".to_owned());
        }
        if let Err(errors) = syntax::parse(&file.text) {
            return Err(format!("emitted text is no NMODL: {}", errors[0].message));
        }
    }
    Ok(host.stage)
}

/// Every message has a place in the text, a code and words, and can be shown.
fn located(message: &Message) -> Result<(), String> {
    let Message::Located { source, diagnostic } = message else {
        return Err("no parameter was asked for by its name".to_owned());
    };
    let (text, span) = (&source.text, diagnostic.span);
    if span.start > span.end || span.end > text.len() || diagnostic.message.is_empty() {
        return Err(format!("{}: {span:?} of {} bytes: {:?}", diagnostic.code, text.len(), diagnostic.message));
    }
    let (file, span) = source.place(span);
    let diagnostic = Diagnostic { span, ..diagnostic.clone() };
    let json = render::json("a.mod", &file.text, &diagnostic);
    if json["line"].as_u64().unwrap_or(0) == 0 || render::human("a.mod", &file.text, &diagnostic).is_empty() {
        return Err(format!("{} can't be shown", diagnostic.code));
    }
    Ok(())
}

/// Runs inputs one after the other in a thread with the stack of a main thread.
struct Runner {
    inputs: mpsc::Sender<Vec<u8>>,
    results: mpsc::Receiver<Result<&'static str, String>>,
}

impl Runner {
    fn new(files: &Arc<Vec<Vec<u8>>>) -> Self {
        let files = Arc::clone(files);
        let (inputs, received) = mpsc::channel::<Vec<u8>>();
        let (sender, results) = mpsc::channel();
        let work = move || {
            for bytes in received {
                let result = catch_unwind(AssertUnwindSafe(|| compile(&bytes, &files)));
                if sender.send(result.unwrap_or_else(|_| Err("panic".to_owned()))).is_err() {
                    break;
                }
            }
        };
        thread::Builder::new().stack_size(8 << 20).spawn(work).unwrap();
        Self { inputs, results }
    }

    fn run(&self, bytes: Vec<u8>) -> Result<&'static str, String> {
        let (began, start) = (Instant::now(), processor_time());
        self.inputs.send(bytes).unwrap();
        while began.elapsed() < STUCK && processor_time().saturating_sub(start) < HANG {
            if let Ok(result) = self.results.recv_timeout(Duration::from_millis(100)) {
                return result;
            }
        }
        Err("it hangs".to_owned())
    }
}

/// Of all threads.
fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.try_into().unwrap(), now.tv_nsec.try_into().unwrap())
}

/// The most memory that this process has had, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[test]
fn damaged_files_end_with_a_result_or_a_place() {
    let count = setting("GRADMOD_MUTATED_COUNT", 800);
    let mut random = Random::new(setting("GRADMOD_MUTATED_SEED", 1));
    let files = Arc::new(seeds());
    let folder = tempfile::Builder::new().prefix("gradmod-mutated-").tempdir().unwrap().keep();
    let place = folder.join("now.mod");
    println!("{count} inputs from {} files; the present one is {}", files.len(), place.display());
    let mut runner = Runner::new(&files);
    let mut ends = std::collections::BTreeMap::new();
    let mut failures = Vec::new();
    let (mut slowest, mut largest) = (Duration::ZERO, peak());
    for index in 0..count {
        let bytes = mutated(&files, &mut random);
        fs::write(&place, &bytes).unwrap();
        let start = processor_time();
        match runner.run(bytes) {
            Ok(end) => *ends.entry(end).or_insert(0) += 1,
            Err(what) => {
                let kept = folder.join(format!("{index}.mod"));
                fs::copy(&place, &kept).unwrap();
                if what == "it hangs" {
                    runner = Runner::new(&files);
                }
                failures.push(format!("{}: {what}", kept.display()));
            }
        }
        let took = processor_time().saturating_sub(start);
        if took > slowest {
            slowest = took;
            fs::copy(&place, folder.join("slowest.mod")).unwrap();
        }
        if peak() > largest {
            largest = peak();
            fs::copy(&place, folder.join("largest.mod")).unwrap();
        }
        if index % 10_000 == 9_999 {
            println!("{}: {ends:?}, the slowest took {slowest:?}, {} MiB", index + 1, largest >> 10);
        }
    }
    println!("{ends:?}; the slowest took {slowest:?}, the most memory was {} MiB", largest >> 10);
    assert!(largest < MEMORY, "{largest} KiB");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    fs::remove_dir_all(folder).unwrap();
    // The mutator must not destroy everything at once, nor nothing.
    assert!(ends.len() == 4 && ends.values().all(|&number| number * 100 > count), "{ends:?}");
}

#[test]
fn the_command_ends_with_0_or_1_for_damaged_files() {
    let mut random = Random::new(setting("GRADMOD_MUTATED_SEED", 1) + 1);
    let files = seeds();
    let folder = tempfile::tempdir().unwrap();
    for index in 0..setting("GRADMOD_MUTATED_COMMANDS", 60) {
        let path = folder.path().join("damaged.mod");
        fs::write(&path, mutated(&files, &mut random)).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_gradmod"))
            .args(["transform", "--message-format", "json", "-o"])
            .arg(folder.path().join("out"))
            .arg(&path)
            .output()
            .unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        let lines: Vec<serde_json::Value> =
            errors.lines().map(|line| serde_json::from_str(line).unwrap_or_default()).collect();
        let fine = match output.status.code() {
            Some(0) => true,
            Some(1) => {
                !lines.is_empty()
                    && lines.iter().all(|line| line["line"].as_u64() > Some(0) && line["code"].is_string())
            }
            _ => false,
        };
        assert!(
            fine,
            "input {index}: {:?}\n{errors}\n{}",
            output.status,
            fs::read_to_string(&path).unwrap_or_default()
        );
    }
}

/// What once crashed, or was emitted as no NMODL, ends with a result or a place.
#[test]
fn crashes_of_the_past() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/crashes");
    let runner = Runner::new(&Arc::default());
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let result = runner.run(fs::read(&path).unwrap());
        assert!(result.is_ok(), "{path:?}: {result:?}");
    }
}
