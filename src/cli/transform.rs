//! `gradmod transform`

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{bail, Context, Result};
use gradmod::emit::{self, File};
use gradmod::model::{check, Kind, Mechanism};
use gradmod::step::{linearise, Linearised, Region};
use gradmod::syntax;

use super::arguments::{MessageFormat, Transform};
use super::report::{report, Source};
use super::Outcome;

pub fn run(arguments: &Transform) -> Result<Outcome> {
    let mut checked = Vec::new();
    let mut all_fine = true;
    for path in &arguments.files {
        let source = read(path)?;
        match syntax::parse(&source.text).and_then(|program| check(&program)) {
            Ok(mechanism) => checked.push((source, mechanism)),
            Err(diagnostics) => {
                report(&source, &diagnostics, arguments.message_format);
                all_fine = false;
            }
        }
    }
    if !all_fine {
        return Ok(Outcome::Diagnostics);
    }
    let wanted = BTreeSet::from_iter(arguments.wrt.iter().map(String::as_str));
    let is_wanted = |name: &str| wanted.is_empty() || wanted.contains(name);
    let mut linearised = Vec::new();
    for region in regions(arguments, &checked)? {
        match linearise(&region, &is_wanted) {
            Ok(region) => linearised.push(region),
            Err(refused) => {
                let name = &region.mechanisms[refused.mechanism].name;
                if let Some((source, _)) = checked.iter().find(|(_, known)| known.name == *name) {
                    report(source, &[refused.diagnostic], arguments.message_format);
                }
                all_fine = false;
            }
        }
    }
    if !all_fine {
        return Ok(Outcome::Diagnostics);
    }
    write(&linearised, arguments)?;
    Ok(Outcome::Fine)
}

fn read(path: &Path) -> Result<Source> {
    let bytes = fs::read(path).with_context(|| format!("can't read {}", path.display()))?;
    Ok(Source { path: path.display().to_string(), text: syntax::decode(&bytes) })
}

/// The regions and point processes asked for, or all that there is.
fn regions(arguments: &Transform, checked: &[(Source, Mechanism)]) -> Result<Vec<Region>> {
    let find = |name: &str| {
        let found = checked.iter().find(|(_, mechanism)| mechanism.name == name);
        found.map(|(_, mechanism)| mechanism.clone()).with_context(|| {
            format!("no given file declares the mechanism `{name}`")
        })
    };
    let mut regions = Vec::new();
    for text in &arguments.region {
        let Some((name, list)) = text.split_once('=') else {
            bail!("--region {text}: expected NAME=MECH,...");
        };
        if !is_name(name) {
            bail!("--region {text}: `{name}` can't be part of a mechanism's name");
        }
        let names = list.split(',').filter(|name| !name.is_empty());
        let mechanisms = names.map(find).collect::<Result<Vec<_>>>()?;
        if let Some(point) = mechanisms.iter().find(|mechanism| mechanism.kind == Kind::Point) {
            bail!("--region {text}: {} is a point process, use --point", point.name);
        }
        regions.push(Region::new(name, mechanisms, false));
    }
    for name in &arguments.point {
        let mechanism = find(name)?;
        if mechanism.kind == Kind::Density {
            bail!("--point {name}: this is a density mechanism");
        }
        regions.push(Region::new(name.clone(), vec![mechanism], false));
    }
    if regions.is_empty() {
        let of_kind = |kind| {
            let mechanisms = checked.iter().map(|(_, mechanism)| mechanism);
            mechanisms.filter(move |mechanism| mechanism.kind == kind).cloned()
        };
        let density: Vec<Mechanism> = of_kind(Kind::Density).collect();
        if !density.is_empty() {
            regions.push(Region::new("all", density, true));
        }
        regions.extend(
            of_kind(Kind::Point)
                .map(|mechanism| Region::new(mechanism.name.clone(), vec![mechanism], false)),
        );
    }
    Ok(regions)
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Writes everything, or nothing: files are complete before they get their names.
fn write(linearised: &[Linearised], arguments: &Transform) -> Result<()> {
    let (mut files, manifest) = emit::emit(linearised, usize::from(arguments.directions))?;
    let text = serde_json::to_string_pretty(&manifest)?;
    files.push(File { name: "gradmod.json".to_owned(), text: text + "\n" });
    let folder = &arguments.output;
    fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
    let mut written = Vec::new();
    for file in &files {
        let mut temporary = tempfile::NamedTempFile::new_in(folder)
            .with_context(|| format!("can't write to {}", folder.display()))?;
        std::io::Write::write_all(&mut temporary, file.text.as_bytes())
            .with_context(|| format!("can't write to {}", folder.display()))?;
        written.push((temporary, folder.join(&file.name)));
    }
    for (temporary, path) in written {
        temporary.persist(&path).with_context(|| format!("can't write {}", path.display()))?;
    }
    if arguments.message_format == MessageFormat::Human {
        for file in &files {
            println!("{}", folder.join(&file.name).display());
        }
    }
    Ok(())
}
