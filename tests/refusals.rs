//! docs/refusals.md, `fixtures/unsupported` and the source tell of the same refusals.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use gradmod::diagnostic::{Code, Text};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn document() -> String {
    fs::read_to_string(root().join("docs/refusals.md")).unwrap()
}

/// The codes of refusals with their fixtures.
fn fixtures() -> BTreeMap<String, String> {
    let refused = Code::ALL.iter().filter_map(|code| match code.text() {
        Text::Refused(_, _, fixture) => Some((code.name().to_owned(), fixture.to_owned())),
        Text::Illegal | Text::Error | Text::Note => None,
    });
    refused.collect()
}

/// The tables of the document are those of the list of codes, in its words.
#[test]
fn the_document_says_of_every_code_what_the_list_says() {
    let document = document();
    let is_row = |line: &&str| line.starts_with("| `");
    let rows: BTreeSet<&str> = document.lines().filter(is_row).collect();
    let row = |text: &str| if text.is_empty() { " ".to_owned() } else { format!(" {text} ") };
    let expected: BTreeSet<String> = Code::ALL
        .iter()
        .filter_map(|code| match code.text() {
            Text::Refused(what, way_out, fixture) => {
                Some(format!("| `{code}` |{}|{}|{}|", row(what), row(way_out), row(fixture)))
            }
            Text::Illegal | Text::Error | Text::Note => None,
        })
        .collect();
    let missing: Vec<&String> = expected.iter().filter(|line| !rows.contains(line.as_str())).collect();
    let unknown: Vec<&&str> = rows.iter().filter(|line| !expected.contains(**line)).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "to be written: {missing:#?}\nnot in the list: {unknown:#?}");
    for code in Code::ALL {
        let is_named = document.contains(&format!("`{code}`"));
        assert_eq!(is_named, code.text() != Text::Error, "{code} in docs/refusals.md");
    }
}

#[test]
fn every_fixture_is_refused_as_the_document_says() {
    let fixtures = fixtures();
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
