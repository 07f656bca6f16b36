//! Source files, read.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use gradmod::syntax;
use gradmod::syntax::sources::LARGEST;
use gradmod::transform::Source;

/// As much of a file as may be in it, and something of the rest.
pub fn read(path: &Path) -> Result<Source> {
    let mut bytes = Vec::new();
    let file = File::open(path).and_then(|file| file.take(LARGEST as u64 + 1).read_to_end(&mut bytes));
    file.with_context(|| format!("can't read {}", path.display()))?;
    Ok(Source { path: path.to_owned(), text: syntax::decode(&bytes) })
}

/// An included file, searched for where NEURON's translator does.
pub fn included(including: &Path, name: &str) -> Option<Source> {
    let mut folders = vec![including.parent().map(Path::to_owned).unwrap_or_default()];
    folders.extend(["", ".."].map(PathBuf::from));
    folders.extend(std::env::var_os("MODL_INCLUDE").iter().flat_map(std::env::split_paths));
    let found = folders.into_iter().map(|folder| folder.join(name)).find(|path| path.is_file())?;
    read(&found).ok()
}
