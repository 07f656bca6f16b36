//! `gradmod check`

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Outcome, python, worker};
use crate::cli::arguments::{Check, MessageFormat};
use crate::cli::certificate::{Certificate, Verdict};
use crate::cli::report::say;

pub fn run(arguments: &Check) -> Result<Outcome> {
    if let Some(missing) = arguments.files.iter().find(|file| !file.is_file()) {
        bail!("{} is not a file", missing.display());
    }
    let python = python::find()?;
    let limit = Duration::from_secs(arguments.timeout.into());
    let count = arguments.files.len();
    let jobs =
        arguments.jobs.map_or_else(|| thread::available_parallelism().map_or(1, std::num::NonZero::get), usize::from);
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs.min(count) {
            let (sender, next, python) = (sender.clone(), &next, &python);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = arguments.files.get(index) else { break };
                    if sender.send((index, worker::check(python, file, limit))).is_err() {
                        break; // nobody waits for more
                    }
                }
            });
        }
        drop(sender);
        gather(&receiver, count, arguments.message_format)
    })
}

/// Shows progress, and the certificates in the order of the files.
fn gather(
    receiver: &mpsc::Receiver<(usize, Result<Certificate>)>,
    count: usize,
    format: MessageFormat,
) -> Result<Outcome> {
    let mut found: Vec<Option<Certificate>> = vec![None; count];
    let mut shown = 0;
    for (done, (index, result)) in receiver.iter().enumerate() {
        let certificate = result?;
        let Certificate { file, verdict, seconds, .. } = &certificate;
        say(&format!("[{}/{count}] {file}: {} ({seconds:.1} s)", done + 1, verdict.words()))?;
        found[index] = Some(certificate);
        if format == MessageFormat::Json {
            while let Some(Some(certificate)) = found.get(shown) {
                print(&serde_json::to_string(certificate)?)?;
                shown += 1;
            }
        }
    }
    let certificates: Vec<Certificate> = found.into_iter().flatten().collect();
    if certificates.len() < count {
        bail!("{} files were not checked", count - certificates.len());
    }
    if format == MessageFormat::Human {
        print(&table(&certificates))?;
    }
    let wrong = certificates.iter().any(|c| c.verdict == Verdict::Mismatch);
    Ok(if wrong { Outcome::Diagnostics } else { Outcome::Fine })
}

fn print(text: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{}", text.trim_end()).context("can't write to standard output")
}

/// The table for people, then what does not fit into it, then the sums.
fn table(certificates: &[Certificate]) -> String {
    let mut rows = vec![["file", "verdict", "worst", "parameters", "remarks"].map(str::to_owned)];
    rows.extend(certificates.iter().map(row));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3].map(width);
    let mut text = String::new();
    for [file, verdict, worst, parameters, remarks] in &rows {
        let line = format!(
            "{file:<0$}  {verdict:<1$}  {worst:<2$}  {parameters:<3$}  {remarks}",
            widths[0], widths[1], widths[2], widths[3]
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    for certificate in certificates {
        for mismatch in &certificate.mismatches {
            text.extend(["\n", &certificate.file, ": ", mismatch]);
        }
    }
    let mut verdicts: Vec<Verdict> = certificates.iter().map(|c| c.verdict).collect();
    verdicts.sort();
    let mut sums: Vec<String> = Vec::new();
    for group in verdicts.chunk_by(|a, b| a == b) {
        sums.push(format!("{} {}", group.len(), group[0].words()));
    }
    format!("{text}\n{} files: {}\n", certificates.len(), sums.join(", "))
}

fn row(certificate: &Certificate) -> [String; 5] {
    let mut remarks = certificate.codes.clone();
    for (names, what) in [
        (&certificate.undecided, "undecided"),
        (&certificate.not_exercised, "not exercised"),
        (&certificate.isolated, "no derivative at this value"),
        (&certificate.not_followed, "when events come is not followed"),
    ] {
        if !names.is_empty() {
            remarks.push(format!("{what}: {}", names.join(" ")));
        }
    }
    if let Some(reverse) = certificate.reverse.as_ref().filter(|reverse| reverse.verdict != Verdict::Exact) {
        let codes = reverse.codes.join(" ");
        remarks.push(format!("reverse mode: {} {codes}", reverse.verdict.words()).trim_end().to_owned());
    }
    if let Some(line) = certificate.message.lines().next().filter(|_| remarks.is_empty()) {
        remarks.push(line.to_owned());
    }
    [
        certificate.file.clone(),
        certificate.verdict.words().to_owned(),
        certificate.worst.map_or_else(String::new, |worst| format!("{worst:.0e}")),
        if certificate.parameters.is_empty() { String::new() } else { certificate.parameters.len().to_string() },
        remarks.join("; "),
    ]
}
