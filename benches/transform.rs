//! Files per second that one core transforms, in one process: text to emitted text and manifest.
//!
//! `cargo bench --bench transform [-- FILE...]`: without files those of `fixtures/channels`. Each file is a
//! region of its own. Files that are refused count too: what is refused was looked at.

use std::convert::Infallible;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use gradmod::syntax;
use gradmod::transform::{
    Besides, Host, Medium, Mode, Parameters, Request, Selection, Source, Stage, TimeScheme, transform,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Processor time of this thread in seconds: other processes disturb it less than the wall clock.
fn now() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default().as_secs_f64()
}

/// How long one measurement takes at least.
const LONG_ENOUGH: f64 = 0.4;
const REPEATS: usize = 5;
const DIRECTIONS: NonZeroU16 = NonZeroU16::MIN.saturating_add(3);
const AIM: f64 = 1000.0;

#[derive(Default)]
struct Count {
    transformed: usize,
    refused: usize,
    seconds: [f64; 4],
}

/// A host that takes the time of each stage.
struct Clock<'a> {
    count: &'a mut Count,
    stage: usize,
    since: f64,
}

impl<'a> Clock<'a> {
    fn new(count: &'a mut Count) -> Self {
        Self { count, stage: 0, since: now() }
    }

    /// The stage is over; that of this number begins.
    fn turn(&mut self, next: usize) {
        let end = now();
        self.count.seconds[self.stage] += end - self.since;
        (self.stage, self.since) = (next, end);
    }
}

impl Host for Clock<'_> {
    type Error = Infallible;

    fn begins(&mut self, stage: Stage<'_>) {
        self.turn(match stage {
            Stage::Parse(_) => 0,
            Stage::Check(_) => 1,
            Stage::Linearise(..) => 2,
            Stage::Emit => 3,
        });
    }
}

/// How many bytes a file becomes; nothing if it is refused.
fn size(source: &Source, count: &mut Count) -> Option<usize> {
    let request = Request {
        mode: Mode::Forward { directions: DIRECTIONS, besides: Besides::Nothing },
        parameters: Parameters::All,
        selection: Selection::Each,
        scheme: TimeScheme::Implicit,
        medium: Medium::Ground,
        transferred: Vec::new(),
    };
    let mut clock = Clock::new(count);
    let emitted = transform([Ok(source.clone())], &request, &mut clock).ok()?.emitted;
    clock.turn(0);
    let emitted = emitted?;
    let manifest = emitted.manifest.file().ok()?;
    Some(manifest.text.len() + emitted.files.iter().map(|file| file.text.len()).sum::<usize>())
}

fn once(sources: &[Source]) -> Count {
    let mut count = Count::default();
    for source in sources {
        if size(source, &mut count).is_some_and(|size| size > 0) {
            count.transformed += 1;
        } else {
            count.refused += 1;
        }
    }
    count
}

fn main() {
    // cargo passes `--bench`.
    let mut paths: Vec<PathBuf> =
        std::env::args().skip(1).filter(|word| !word.starts_with("--")).map(PathBuf::from).collect();
    if paths.is_empty() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/channels");
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        paths = entries.map(|entry| entry.path()).collect();
        paths.sort();
    }
    let read = |path: PathBuf| std::fs::read(&path).ok().map(|bytes| Source { path, text: syntax::decode(&bytes) });
    let sources: Vec<Source> = paths.into_iter().filter_map(read).collect();
    let mut rates = Vec::new();
    let mut last = Count::default();
    for _ in 0..REPEATS {
        let start = now();
        let mut rounds = 0.0;
        while rounds < 1.0 || now() - start < LONG_ENOUGH {
            last = once(&sources);
            rounds += 1.0;
        }
        #[allow(clippy::cast_precision_loss)]
        rates.push(sources.len() as f64 * rounds / (now() - start));
    }
    rates.sort_by(f64::total_cmp);
    let names = ["parse", "check", "linearise", "emit"];
    let stages: Vec<String> =
        names.iter().zip(last.seconds).map(|(name, s)| format!("{name} {:.1} ms", s * 1e3)).collect();
    println!(
        "transform  {:.0} files/s (aim {AIM:.0}; median of {REPEATS}, {} files: {} transformed, {} refused; {})",
        rates[REPEATS / 2],
        sources.len(),
        last.transformed,
        last.refused,
        stages.join(", ")
    );
}
