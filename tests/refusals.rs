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

/// What `gradmod transform` says of files with these names and texts.
fn said(files: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gradmod"));
    command.args(["transform", "--message-format", "json", "-o"]).arg(folder.path().join("out"));
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        command.arg(&file);
    }
    String::from_utf8(command.output().unwrap().stderr).unwrap()
}

fn codes(said: &str) -> Vec<&str> {
    said.lines().filter_map(|line| line.split("\"code\":\"").nth(1)?.split('"').next()).collect()
}

#[test]
fn all_refusals_of_all_files_come_together() {
    let first = "NEURON { SUFFIX one NONSPECIFIC_CURRENT i } ASSIGNED { v i y }\nCONSTRUCTOR { y = 1 }
BREAKPOINT { y = scop_random() again(v) i = y }\nPROCEDURE again(u) { again(u) }\n";
    let second = "NEURON { SUFFIX two NONSPECIFIC_CURRENT i } ASSIGNED { v i y } STATE { m }
BREAKPOINT { SOLVE s METHOD gear i = m*scop_random() }\nDERIVATIVE s { m' = -m }\n";
    let third = "NEURON { SUFFIX three NONSPECIFIC_CURRENT i } ASSIGNED { v i y } STATE { m }
INITIAL { m = y } BREAKPOINT { SOLVE s METHOD cnexp i = m }\nDERIVATIVE s { y = v m' = -m }\n";
    assert_eq!(codes(&said(&[("one.mod", first)])), ["constructor", "unknown-function", "recursion"]);
    let found = said(&[("two.mod", second), ("three.mod", third)]);
    let mut found = codes(&found);
    found.sort_unstable();
    assert_eq!(found, ["history", "method", "unknown-function"]);
}

#[test]
fn a_mechanism_in_two_files_is_an_error_and_one_without_a_name_has_that_of_its_file() {
    let text =
        "NEURON { SUFFIX leak NONSPECIFIC_CURRENT i } PARAMETER { g = 1 } ASSIGNED { v i } BREAKPOINT { i = g*v }\n";
    let found = said(&[("a.mod", text), ("b/c.mod", text)]);
    assert!(found.contains("`leak` is declared in") && found.contains("a.mod too"), "{found}");
    assert_eq!(said(&[("leak.mod", &text.replace("SUFFIX leak ", ""))]), "");
}

#[test]
fn a_table_that_is_filled_before_what_it_is_made_of_is_refused() {
    let outer = "FUNCTION a(u) { TABLE FROM -100 TO 100 WITH 200 a = b(u)/2 }\n";
    let inner = "FUNCTION b(u) { TABLE FROM -100 TO 100 WITH 200 b = 1/(1 + exp(-u)) }\n";
    let text = "NEURON { SUFFIX x NONSPECIFIC_CURRENT i } ASSIGNED { v i } BREAKPOINT { i = a(v) }\n";
    assert_eq!(said(&[("x.mod", &format!("{text}{inner}{outer}"))]), "");
    let found = said(&[("x.mod", &format!("{text}{outer}{inner}"))]);
    assert!(found.contains("NEURON fills the TABLE of `a` before that of `b`, of which it is made"), "{found}");
}

#[test]
fn the_order_of_arguments_matters_only_where_one_sees_what_another_sets() {
    let function = "FUNCTION f(x, y) { LOCAL n n = 0 IF (x > 0) { w = 1 IF (v > x) { w = 2 } }
        WHILE (n < 3) { n = n + 1 IF (y > 0) { y = y/2 - v } } f = x*y }\n";
    let head = "NEURON { SUFFIX x NONSPECIFIC_CURRENT i } ASSIGNED { v i w }\nINITIAL { w = 1 }\n";
    for (call, expected) in [
        ("f(f(v, 2), 0.5)", 0),
        ("f(1, f(v, 2))", 0),
        ("f(f(v, 2), w)", 1),
        ("f(w, f(v, 2))", 1),
        ("f(f(v, 2), f(1, v))", 1),
    ] {
        let text = format!("{head}BREAKPOINT {{ i = {call} }}\n{function}");
        assert_eq!(codes(&said(&[("x.mod", &text)])), vec!["order"; expected], "{call}");
    }
}

#[test]
fn a_method_is_refused_with_its_block() {
    for (solve, kind, expected) in [
        ("METHOD euler", "KINETIC s", "KINETIC by METHOD euler is not differentiated"),
        ("", "KINETIC s", "KINETIC without a METHOD is not differentiated"),
        ("METHOD newton", "PROCEDURE s()", "PROCEDURE by METHOD newton is not differentiated"),
    ] {
        let text = format!(
            "NEURON {{ SUFFIX x NONSPECIFIC_CURRENT i }} ASSIGNED {{ v i }} STATE {{ a b }}
            INITIAL {{ a = 1 b = 0 }}\nBREAKPOINT {{ SOLVE s {solve}\ni = a }}\n{kind} {{ {} }}\n",
            if kind.starts_with('K') { "~ a <-> b (1, 2)" } else { "a = b" }
        );
        let found = said(&[("x.mod", &text)]);
        assert!(found.contains(expected), "{found}");
    }
}
