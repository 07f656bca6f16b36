//! A bound on time and memory for any input: a watch over the thread that works.
//!
//! Whatever is known to grow is refused where it is met, with its place. This is for the rest: it knows which
//! mechanism is being worked on, says so, and ends the process. Nothing has been written then.

use std::fs;
use std::panic::resume_unwind;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use gradmod::diagnostic::{Code, Diagnostic};
use gradmod::syntax::sources::Sources;
use gradmod::syntax::span::Span;
use rustix::time::{ClockId, clock_gettime};

use super::Outcome;
use crate::cli::arguments::MessageFormat;
use crate::cli::report::report;

/// Processor time; code that is not optimised takes ten times as long.
const TIME: Duration = Duration::from_secs(if cfg!(debug_assertions) { 80 } else { 8 });
/// MiB of memory, on Linux.
const MEMORY: u64 = 700;
const INTERVAL: Duration = Duration::from_millis(10);
/// Bytes of stack, whatever the shell's limit is: passes over trees call themselves.
const STACK: usize = 64 << 20;

/// What is being worked on: nothing where the work can't be given up any more.
#[derive(Clone, Default)]
pub struct Watch(Arc<Mutex<Option<Place>>>);

struct Place {
    source: Arc<Sources>,
    span: Span,
}

impl Watch {
    /// Does work in a thread with this watch over it.
    pub fn over<W>(format: MessageFormat, work: W) -> Result<Outcome>
    where
        W: FnOnce(&Self) -> Result<Outcome> + Send + 'static,
    {
        let watch = Self::default();
        let own = watch.clone();
        let (sender, receiver) = mpsc::channel();
        let thread = thread::Builder::new().stack_size(STACK).spawn(move || sender.send(work(&own)));
        let thread = thread.context("can't start a thread")?;
        loop {
            match receiver.recv_timeout(INTERVAL) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Timeout) => watch.look(format)?,
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        match thread.join() {
            Err(panic) => resume_unwind(panic),
            Ok(_) => bail!("the work ended without a result"),
        }
    }

    /// This is what is worked on from now on.
    pub fn see(&self, source: &Arc<Sources>, span: Span) {
        *self.place() = Some(Place { source: Arc::clone(source), span });
    }

    /// The rest can't be given up.
    pub fn release(&self) {
        *self.place() = None;
    }

    fn place(&self) -> MutexGuard<'_, Option<Place>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the process if the work takes too much. It can't go on meanwhile to what must not be given up.
    fn look(&self, format: MessageFormat) -> Result<()> {
        let guard = self.place();
        let (Some(place), Some(limit)) = (&*guard, exceeded()) else { return Ok(()) };
        let message = format!("this takes more than {limit}, and is given up");
        let diagnostic = Diagnostic::refusal(Code::TooLarge, place.span, message)
            .label("while this was worked on")
            .help("fewer states, shorter arrays and loops, or fewer mechanisms at a time");
        report(&place.source, &[diagnostic], format)?;
        std::process::exit(1)
    }
}

/// The limit that is exceeded.
fn exceeded() -> Option<String> {
    let time = Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default();
    if time > TIME {
        return Some(format!("{} s", TIME.as_secs()));
    }
    (resident()? > MEMORY << 10).then(|| format!("{MEMORY} MiB of memory"))
}

/// KiB of memory that this process has, where the system says so.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}
