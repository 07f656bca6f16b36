//! EXTERNAL variables and the files of their owners.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

const READER: &str = "NEURON { SUFFIX reader NONSPECIFIC_CURRENT i EXTERNAL x_owner }
ASSIGNED { v i x_owner }
BREAKPOINT { i = x_owner*v }
";
const OWNER: &str = "NEURON { SUFFIX owner NONSPECIFIC_CURRENT i GLOBAL x }
PARAMETER { x = 2 }
ASSIGNED { v i }
BREAKPOINT { i = x*(v + 1) }
";

/// The exit code, and what was said and written.
fn transform(files: &[(&str, &str)], more: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let write = |(name, text): &(&str, &str)| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let paths: Vec<PathBuf> = files.iter().map(write).collect();
    let out = folder.path().join("out");
    let done = Command::new(env!("CARGO_BIN_EXE_gradmod"))
        .arg("transform")
        .args(paths)
        .args(more)
        .arg("-o")
        .arg(&out)
        .output()
        .unwrap();
    let manifest = fs::read_to_string(out.join("gradmod.json")).unwrap_or_default();
    (done.status.code().unwrap(), String::from_utf8(done.stderr).unwrap(), manifest)
}

#[test]
fn an_external_variable_is_a_parameter_where_its_owner_is_known() {
    for files in [[("a.mod", READER), ("b.mod", OWNER)], [("a.mod", OWNER), ("b.mod", READER)]] {
        let (code, said, manifest) = transform(&files, &[]);
        assert_eq!(code, 0, "{said}");
        assert_eq!(manifest.matches("\"name\": \"x_owner\"").count(), 1, "one seed for both: {manifest}");
    }
    let (code, said, manifest) = transform(&[("a.mod", READER), ("b.mod", OWNER)], &["--region", "one=reader"]);
    assert_eq!(code, 0, "{said}");
    assert!(manifest.contains("x_owner"));
}

#[test]
fn elsewhere_it_is_refused() {
    let range = OWNER.replace("GLOBAL", "RANGE");
    let set = OWNER.replace("{ i =", "{ x = v  i =");
    let assigned = OWNER.replace("PARAMETER { x = 2 }", "ASSIGNED { x }");
    for owner in [None, Some(range), Some(set), Some(assigned)] {
        let mut files = vec![("a.mod", READER)];
        files.extend(owner.as_deref().map(|text| ("b.mod", text)));
        let (code, said, _) = transform(&files, &["--region", "one=reader"]);
        assert_eq!(code, 1, "{owner:?}");
        assert!(said.contains("refused[external]") && said.contains("a.mod:1:"), "{said}");
    }
    let sets = READER.replace("{ i =", "{ x_owner = 1  i =");
    let (code, said, _) = transform(&[("a.mod", &sets), ("b.mod", OWNER)], &[]);
    assert_eq!(code, 1);
    assert!(said.contains("refused[external]") && said.contains("sets a variable of another"), "{said}");
}

#[test]
fn a_third_mechanism_must_not_set_it() {
    let kinds = ["SUFFIX third", "POINT_PROCESS third", "ARTIFICIAL_CELL third"];
    for kind in kinds {
        let third = format!(
            "NEURON {{ {kind} EXTERNAL x_owner }}\nASSIGNED {{ x_owner }}\nNET_RECEIVE (w) {{ x_owner = w }}\n"
        );
        let third = if kind.starts_with("SUFFIX") {
            third.replace("NET_RECEIVE (w)", "INITIAL").replace("= w", "= 3")
        } else {
            third
        };
        let files = [("a.mod", READER), ("b.mod", OWNER), ("c.mod", third.as_str())];
        for more in [&[][..], &["--region", "one=reader"]] {
            let (code, said, _) = transform(&files, more);
            assert_eq!(code, 1, "{kind} {more:?}");
            assert!(said.contains("refused[external]"), "{said}");
        }
    }
}

#[test]
fn of_a_file_that_is_not_asked_for_only_what_it_owns_counts() {
    let owner = OWNER.replace("v i }", "v i }\nDISCRETE never { }");
    let files = [("a.mod", READER), ("b.mod", owner.as_str())];
    assert_eq!(transform(&files, &[]).0, 1);
    let (code, said, _) = transform(&files, &["--region", "one=reader"]);
    assert_eq!(code, 0, "{said}");
}
