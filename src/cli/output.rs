//! Emitted files, written.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use gradmod::emit::File;

/// Writes everything, or nothing: files are complete before they get their names.
pub fn write(files: &[File], folder: &Path, listed: bool) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
    let mut written = Vec::new();
    for file in files {
        // The umask takes away what others may not do.
        let mut temporary = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(folder)
            .with_context(|| format!("can't write to {}", folder.display()))?;
        temporary.write_all(file.text.as_bytes()).with_context(|| format!("can't write to {}", folder.display()))?;
        written.push((temporary, folder.join(&file.name)));
    }
    for (temporary, path) in written {
        temporary.persist(&path).with_context(|| format!("can't write {}", path.display()))?;
    }
    for file in files.iter().filter(|_| listed) {
        writeln!(std::io::stdout(), "{}", folder.join(&file.name).display())
            .context("can't write to standard output")?;
    }
    Ok(())
}
