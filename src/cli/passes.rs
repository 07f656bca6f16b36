//! `--dump-passes`: what each stage made, one folder a stage.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use gradmod::emit::{File, readable};
use gradmod::model::{Mechanism, describe};
use gradmod::step::Linearised;
use gradmod::syntax::ast::Program;
use gradmod::syntax::print;

/// Where to; nothing is written without a folder.
pub struct Passes(pub Option<PathBuf>);

impl Passes {
    pub fn checked(&self, program: &Program, mechanism: &Mechanism) -> Result<()> {
        self.write("1-parsed", &format!("{}.mod", mechanism.name), || print::program(program))?;
        self.write("2-checked", &format!("{}.txt", mechanism.name), || describe(mechanism))
    }

    pub fn linearised(&self, linearised: &Linearised) -> Result<()> {
        let file = format!("{}.txt", linearised.region.name);
        self.write("3-step", &file, || readable::step(linearised))?;
        self.write("4-derivative", &file, || readable::derivative(linearised))
    }

    pub fn emitted(&self, files: &[File]) -> Result<()> {
        files.iter().try_for_each(|file| self.write("5-emitted", &file.name, || file.text.clone()))
    }

    fn write(&self, stage: &str, name: &str, text: impl FnOnce() -> String) -> Result<()> {
        let Some(folder) = &self.0 else { return Ok(()) };
        let folder = folder.join(stage);
        fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
        let path = folder.join(name);
        fs::write(&path, text()).with_context(|| format!("can't write {}", path.display()))
    }
}
