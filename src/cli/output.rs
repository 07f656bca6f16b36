//! Emitted files, written.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use gradmod::emit::File;

/// Writes everything, or nothing: files are complete before they get their names.
pub fn write(files: &[File], folder: &Path, listed: bool) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
    let mut written = Vec::new();
    for file in files {
        let mut temporary = tempfile::NamedTempFile::new_in(folder)
            .with_context(|| format!("can't write to {}", folder.display()))?;
        std::io::Write::write_all(&mut temporary, file.text.as_bytes())
            .with_context(|| format!("can't write to {}", folder.display()))?;
        written.push((temporary, folder.join(&file.name)));
    }
    for (temporary, path) in written {
        temporary.persist(&path).with_context(|| format!("can't write {}", path.display()))?;
    }
    for file in files.iter().filter(|_| listed) {
        // Who reads only the beginning of the list has what it wanted.
        if writeln!(std::io::stdout(), "{}", folder.join(&file.name).display()).is_err() {
            break;
        }
    }
    Ok(())
}
