//! The Python that runs NEURON.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

/// Ends with 0 if the packages that a check needs are there.
const PROBE: &str = "import importlib.util as u, sys; \
    sys.exit(not all(u.find_spec(name) for name in ('neuron', 'gradmod')))";

/// An interpreter that has the packages neuron and gradmod.
pub fn find() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("GRADMOD_PYTHON") {
        let named = PathBuf::from(named);
        if !serves(&named) {
            bail!("GRADMOD_PYTHON names {}, which can't import neuron and gradmod", named.display());
        }
        return Ok(named);
    }
    let beside = std::env::current_exe().ok();
    let beside = beside.as_deref().and_then(Path::parent).map(|folder| folder.join("python"));
    let on_path = ["python3", "python"].iter().filter_map(|name| which::which(name).ok());
    let found = beside.into_iter().chain(on_path).find(|python| serves(python));
    match found {
        Some(python) => Ok(python),
        None => bail!(
            "no Python with the packages neuron and gradmod was found: `pip install gradmod`, \
             or name one in GRADMOD_PYTHON"
        ),
    }
}

fn serves(python: &Path) -> bool {
    let mut command = Command::new(python);
    command.args(["-c", PROBE]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
