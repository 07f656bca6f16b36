//! Files per second that one core transforms, in one process: text to emitted text and manifest.
//!
//! `cargo bench --bench transform [-- FILE...]`: without files those of `fixtures/channels`. Each file is a
//! region of its own. Files that are refused count too: what is refused was looked at.

use std::path::PathBuf;
use std::time::Duration;

use gradmod::model::check;
use gradmod::step::{EventTimes, Region, linearise};
use gradmod::{emit, syntax};

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
const DIRECTIONS: usize = 4;
const AIM: f64 = 1000.0;

#[derive(Default)]
struct Count {
    transformed: usize,
    refused: usize,
    seconds: [f64; 4],
}

/// The seconds that each stage took.
fn transform(text: &str, count: &mut Count) -> Option<usize> {
    let mut clock = now();
    let mut lap = |stage: usize| {
        let end = now();
        count.seconds[stage] += end - clock;
        clock = end;
    };
    let program = syntax::parse(text);
    lap(0);
    let mechanism = check(&program.ok()?);
    lap(1);
    let mechanism = mechanism.ok()?;
    let region = Region::new(mechanism.name.clone(), vec![mechanism], false);
    let linearised = linearise(&region, &|_| true, EventTimes::Fixed);
    lap(2);
    let emitted = emit::emit_forward(&[linearised.ok()?], DIRECTIONS, EventTimes::Fixed, emit::Pointers::ToVoltages);
    lap(3);
    let (files, manifest) = emitted.ok()?;
    let manifest = serde_json::to_string_pretty(&manifest).ok()?;
    Some(manifest.len() + files.iter().map(|file| file.text.len()).sum::<usize>())
}

fn once(texts: &[String]) -> Count {
    let mut count = Count::default();
    for text in texts {
        if transform(text, &mut count).is_some_and(|size| size > 0) {
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
    let texts: Vec<String> =
        paths.iter().filter_map(|path| std::fs::read(path).ok()).map(|bytes| syntax::decode(&bytes)).collect();
    let mut rates = Vec::new();
    let mut last = Count::default();
    for _ in 0..REPEATS {
        let start = now();
        let mut rounds = 0.0;
        while rounds < 1.0 || now() - start < LONG_ENOUGH {
            last = once(&texts);
            rounds += 1.0;
        }
        #[allow(clippy::cast_precision_loss)]
        rates.push(texts.len() as f64 * rounds / (now() - start));
    }
    rates.sort_by(f64::total_cmp);
    let names = ["parse", "check", "linearise", "emit"];
    let stages: Vec<String> =
        names.iter().zip(last.seconds).map(|(name, s)| format!("{name} {:.1} ms", s * 1e3)).collect();
    println!(
        "transform  {:.0} files/s (aim {AIM:.0}; median of {REPEATS}, {} files: {} transformed, {} refused; {})",
        rates[REPEATS / 2],
        texts.len(),
        last.transformed,
        last.refused,
        stages.join(", ")
    );
}
