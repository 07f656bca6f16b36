//! docs/refusals.md, `fixtures/unsupported` and the source tell of the same refusals.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Each code in the tables of the document with its fixture, and all codes in it.
fn documented() -> (BTreeMap<String, String>, BTreeSet<String>) {
    let text = fs::read_to_string(root().join("docs/refusals.md")).unwrap();
    let mut fixtures = BTreeMap::new();
    let mut codes = BTreeSet::new();
    let mut in_list = false;
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let [_, code, _, _, fixture, _] = cells[..] {
            if let Some(code) = code.strip_prefix('`').and_then(|code| code.strip_suffix('`')) {
                codes.insert(code.to_owned());
                fixtures.insert(code.to_owned(), fixture.to_owned());
            }
        }
        in_list = (in_list || line.contains("NEURON itself refuses")) && !line.contains("In a run");
        if let Some((code, _)) = line.strip_prefix("- `").and_then(|rest| rest.split_once('`')) {
            codes.insert(code.to_owned());
        }
        if in_list && line.starts_with('`') {
            codes.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    (fixtures, codes)
}

fn sources(folder: &Path, texts: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, texts);
        } else {
            let text = fs::read_to_string(path).unwrap();
            texts.push(text.split("#[cfg(test)]").next().unwrap_or_default().to_owned());
        }
    }
}

/// The codes that the source gives to refusals.
fn in_source() -> BTreeSet<String> {
    let mut texts = Vec::new();
    sources(&root().join("src"), &mut texts);
    let mut codes = BTreeSet::new();
    for text in texts {
        for call in ["refusal(", "refuse(", "refuse_at("] {
            codes.extend(text.split(call).skip(1).filter_map(literal));
        }
    }
    // Here the code stands apart from the call.
    for file in ["refuse", "bystander"] {
        let declared = fs::read_to_string(root().join(format!("src/model/{file}.rs"))).unwrap();
        codes.extend(declared.split('(').skip(1).filter_map(literal));
    }
    codes
}

/// The string at the start of a text, if it looks like a code.
fn literal(text: &str) -> Option<String> {
    let text = text.trim_start().strip_prefix('"')?.split('"').next()?;
    let is_code = !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    is_code.then(|| text.to_owned())
}

#[test]
fn the_document_lists_every_code() {
    assert_eq!(documented().1, in_source());
}

#[test]
fn every_fixture_is_refused_as_the_document_says() {
    let (fixtures, _) = documented();
    let mut left: BTreeSet<String> = fs::read_dir(root().join("fixtures/unsupported"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    for (code, fixture) in fixtures.iter().filter(|(_, fixture)| !fixture.is_empty()) {
        let file = root().join(format!("fixtures/unsupported/{fixture}.mod"));
        let folder = tempfile::tempdir().unwrap();
        let mode: &[&str] = match code.split_once('-') {
            Some(("reverse", _)) => &["--mode", "reverse"],
            Some(("online", _)) => &["--online"],
            _ => &[],
        };
        let output = Command::new(env!("CARGO_BIN_EXE_gradmod"))
            .args(["transform", "--message-format", "json"])
            .args(mode)
            .arg("-o")
            .arg(folder.path())
            .arg(&file)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(&format!("\"code\":\"{code}\"")), "{fixture}: {text}");
        left.remove(fixture);
    }
    assert!(left.is_empty(), "not in docs/refusals.md: {left:?}");
}
