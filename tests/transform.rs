//! The command: what it writes, what it refuses, how it ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(path)
}

fn gradmod(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gradmod")).args(arguments).output().unwrap()
}

fn transform(files: &[PathBuf], output: &Path, more: &[&str]) -> Output {
    let files: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
    let output = output.to_str().unwrap();
    gradmod(&[&["transform"], files.as_slice(), &["-o", output], more].concat())
}

fn channels() -> Vec<PathBuf> {
    let entries = fs::read_dir(fixture("channels")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn contents(folder: &Path) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn every_channel_is_transformed_and_reads_back() {
    for file in channels() {
        let folder = tempfile::tempdir().unwrap();
        let output = transform(&[file.clone()], folder.path(), &["--directions", "3"]);
        assert_eq!(output.status.code(), Some(0), "{file:?}: {}", String::from_utf8_lossy(&output.stderr));
        for (name, text) in contents(folder.path()) {
            if name.ends_with(".mod") {
                assert!(text.lines().all(|line| line.len() < 512), "{name}");
                assert!(gradmod::syntax::parse(&text).is_ok(), "{name}");
            }
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let files = [fixture("channels/naf.mod"), fixture("channels/capool.mod"), fixture("channels/sk.mod")];
    for folder in [&a, &b] {
        let arguments = ["--region", "soma=naf,capool,sk", "--directions", "4"];
        assert_eq!(transform(&files, folder.path(), &arguments).status.code(), Some(0));
    }
    assert_eq!(contents(a.path()), contents(b.path()));
}

#[test]
fn refusals_name_the_place_and_write_nothing() {
    for (name, code, line) in [
        ("kinetic", "kinetic", 6),
        ("pointer", "pointer", 1),
        ("verbatim", "verbatim", 6),
        ("while", "while", 6),
        ("shared", "shared-memory", 5),
        ("table", "table-depends", 9),
        ("point_ion", "point-ion", 1),
        ("point_state", "point-state", 3),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out");
        let file = fixture(&format!("unsupported/{name}.mod"));
        let output = transform(&[file], &target, &["--message-format", "json"]);
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(output.stdout.is_empty());
        let text = String::from_utf8(output.stderr).unwrap();
        let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!(first["code"], code, "{name}: {text}");
        assert_eq!(first["level"], "refusal", "{name}");
        assert_eq!(first["line"], line, "{name}: {text}");
        assert!(!target.exists(), "{name}");
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let naf = fixture("channels/naf.mod");
    for arguments in [
        vec!["--region", "soma"],
        vec!["--region", "soma=nothere"],
        vec!["--point", "naf"],
        vec!["--directions", "0"],
    ] {
        let output = transform(std::slice::from_ref(&naf), folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
    let missing = transform(&[folder.path().join("none.mod")], folder.path(), &[]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(contents(folder.path()).is_empty());
}
