//! One file in a process of its own.

use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::cli::certificate::Certificate;

/// Checks one file. Whatever becomes of the process, there is a certificate; an error
/// is one of this machine.
pub fn check(python: &Path, file: &Path, limit: Duration) -> Result<Certificate> {
    let start = Instant::now();
    let name = file.display().to_string();
    // Its temporary files go away with this, also if it is killed.
    let scratch = tempfile::tempdir().context("can't make a temporary folder")?;
    let mut command = Command::new(python);
    command
        .args(["-m", "gradmod.check", "--scratch"])
        .arg(scratch.path())
        .arg(std::path::absolute(file)?)
        .current_dir(scratch.path())
        .env("TMPDIR", scratch.path())
        .env("GRADMOD_BINARY", std::env::current_exe()?)
        .env("NEURON_MODULE_OPTIONS", "-nogui")
        // Ends with this process, and then so does the other.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // With the compilers that it starts, so that all can be ended together.
        .process_group(0);
    let mut child = command.spawn().with_context(|| format!("can't run {}", python.display()))?;
    let lifeline = child.stdin.take();
    let answer = collect(child.stdout.take());
    let log = collect(child.stderr.take());
    let Some(answer) = receive(&answer, limit) else {
        end(&mut child);
        drop(lifeline);
        let message = format!("it took longer than {} s", limit.as_secs());
        return Ok(Certificate::failed(name, message, start.elapsed().as_secs_f64()));
    };
    let status = child.wait()?;
    drop(lifeline);
    let seconds = start.elapsed().as_secs_f64();
    let Ok(certificate) = serde_json::from_slice::<Certificate>(&answer) else {
        let log = receive(&log, Duration::from_secs(1)).unwrap_or_default();
        return Ok(Certificate::failed(name, how_it_ended(status, &log), seconds));
    };
    Ok(Certificate { file: name, seconds, ..certificate })
}

fn how_it_ended(status: ExitStatus, log: &[u8]) -> String {
    let ended = match (status.signal(), status.code()) {
        (Some(signal), _) => format!("NEURON crashed with signal {signal}"),
        (None, Some(code)) => format!("NEURON ended with exit code {code}"),
        (None, None) => "NEURON ended".to_owned(),
    };
    let log = String::from_utf8_lossy(log);
    match log.lines().map(str::trim).rfind(|line| !line.is_empty()) {
        Some(last) => format!("{ended}: {last}"),
        None => ended,
    }
}

/// Reads a pipe to its end beside everything else.
fn collect(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What could be read before an error is the best that there is.
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}

/// What was collected; None when the time is up.
fn receive(pipe: &Receiver<Vec<u8>>, limit: Duration) -> Option<Vec<u8>> {
    match pipe.recv_timeout(limit) {
        Ok(bytes) => Some(bytes),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => Some(Vec::new()),
    }
}

/// Ends the process and all that it started.
fn end(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
}
