//! `gradmod homeostat` and `gradmod transform --online`: what they write and what they refuse.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn gradmod(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gradmod")).args(arguments).output().unwrap()
}

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(path)
}

/// The emitted .mod files by name.
fn emitted(folder: &Path) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "mod"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap()))
        .collect();
    files.sort();
    files
}

fn measured(expression: &str, more: &[&str]) -> (Output, Vec<(String, String)>) {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let arguments = [&["homeostat", "--measure", expression, "-o", output.to_str().unwrap()], more].concat();
    let done = gradmod(&arguments);
    let files = if output.is_dir() { emitted(&output) } else { Vec::new() };
    (done, files)
}

#[test]
fn a_measure_and_its_derivatives() {
    let (done, files) = measured("cai*cai + exp(v/10)", &["--directions", "2"]);
    assert_eq!(done.status.code(), Some(0));
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names[0].starts_with("gm_homeostat_") && names[1].starts_with("gm_setpar_"), "{names:?}");
    for (name, text) in &files {
        assert!(gradmod::syntax::parse(text).is_ok(), "{name}");
        assert!(text.lines().all(|line| line.len() < 512), "{name}");
    }
    let text = &files[0].1;
    for line in [
        ":   u0 -> cai;  u0_0 ... u0_1 -> its gradient in direction k",
        "    slope0 = was[0] + was[0]",
        "    slope1 = 0.1*exp_slope(x0)",
        "    dx[1] = slope0*u0_1 + slope1*u1_1",
        "    p1 = base[1] + weight[1]*(theta[1] - start[1])",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn wrong_measures_are_pointed_at() {
    for (expression, code) in [
        ("m_hh -", "syntax-expected"),
        ("v; v = 3", "syntax-expected"),
        ("t*v", "measure"),
        ("3", "measure"),
        ("cai[1]", "measure"),
        ("scop_random()*v", "unknown-function"),
    ] {
        let (done, files) = measured(expression, &["--message-format", "json"]);
        let message = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(1), "{expression}");
        assert!(message.contains(&format!("\"code\":\"{code}\"")), "{expression}: {message}");
        assert!(files.is_empty(), "{expression}");
    }
}

#[test]
fn online_gradients_fade() {
    let folder = tempfile::tempdir().unwrap();
    let (file, output) = (fixture("channels/naf.mod"), folder.path().to_str().unwrap());
    let done = gradmod(&["transform", file.to_str().unwrap(), "--online", "-o", output]);
    assert_eq!(done.status.code(), Some(0));
    let files = emitted(folder.path());
    let (_, region) = files.iter().find(|(name, _)| name.starts_with("gm_all_")).unwrap();
    assert!(gradmod::syntax::parse(region).is_ok());
    assert!(region.contains("FROM k = 0 TO 0 { D_naf_m[k] = part*D_naf_m[k] }"), "{region}");
    assert!(region.contains("FROM k = 0 TO 0 { W[k] = part*W[k] }"), "{region}");
}

#[test]
fn what_cannot_act_on_the_run_is_refused() {
    for (file, why) in
        [("gap.mod", "sees another place or mechanism"), ("ringsyn.mod", "an array that events write (`amount`)")]
    {
        let folder = tempfile::tempdir().unwrap();
        let (file, output) = (fixture("channels").join(file), folder.path().to_str().unwrap());
        let done = gradmod(&["transform", file.to_str().unwrap(), "--online", "-o", output]);
        let message = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(1), "{file:?}");
        assert!(message.contains(why), "{message}");
        assert!(emitted(folder.path()).is_empty());
    }
}

#[test]
fn nothing_is_done_for_what_no_direction_changes() {
    let file = format!("{}/examples/homeostasis_mechanisms/drive.mod", env!("CARGO_MANIFEST_DIR"));
    for (wrt, moves) in [(&["--wrt", "gain_drive"][..], false), (&["--wrt", "rate_drive"][..], true), (&[][..], true)] {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().to_str().unwrap();
        let options = ["transform", &file, "--region", "all=drive", "--online", "-o", output];
        let done = gradmod(&[&options[..], wrt].concat());
        assert_eq!(done.status.code(), Some(0));
        let files = emitted(folder.path());
        let (_, region) = files.iter().find(|(name, _)| name.starts_with("gm_all_")).unwrap();
        // u reads rate, and gives gain its gradient.
        assert!(region.contains("drive_u_n"), "{region}");
        assert_eq!(region.contains("k_D_drive_u[k] = y"), moves, "{region}");
        assert_eq!(region.contains("drive_rate_n"), moves, "{region}");
    }
}

/// What there is for one file, with gradients in these parameters.
fn companion(file: &std::path::Path, wrt: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().to_str().unwrap();
    let wrt = if wrt.is_empty() { vec![] } else { vec!["--wrt", wrt] };
    let done = gradmod(&[&["transform", file.to_str().unwrap(), "--online", "-o", output][..], &wrt].concat());
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    let files = emitted(folder.path());
    let (_, text) = files.iter().find(|(_, text)| text.contains("Gradients of the region")).unwrap();
    assert!(gradmod::syntax::parse(text).is_ok());
    text.clone()
}

#[test]
fn events_are_heard_where_they_change_a_gradient() {
    let cases = [
        ("channels/nmdasyn.mod", "slope_NmdaSyn", false),
        ("channels/nmdasyn.mod", "NmdaSyn.decay", true),
        ("channels/nmdasyn.mod", "", true),
        // They set the voltage.
        ("channels/kicksyn.mod", "KickSyn.leak", true),
    ];
    for (file, wrt, hears) in cases {
        let text = companion(&fixture(file), wrt);
        assert_eq!(text.contains("NET_RECEIVE"), hears, "{text}");
    }
}

/// They draw, and the companion has a stream of its own that must go along.
#[test]
fn events_that_draw_are_heard() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("by_chance.mod");
    let text = "NEURON { POINT_PROCESS ByChance NONSPECIFIC_CURRENT i RANGE e, g, i RANDOM size }\n\
         PARAMETER { e = 0 (mV) }\nASSIGNED { v (mV) i (nA) g (uS) }\nINITIAL { g = 0 }\n\
         BREAKPOINT { i = g*(v - e) }\n\
         NET_RECEIVE(weight (uS)) { g = g + weight*random_uniform(size) }\n";
    std::fs::write(&file, text).unwrap();
    let text = companion(&file, "ByChance.e");
    assert!(text.contains("NET_RECEIVE"), "{text}");
}

#[test]
fn only_what_moves_has_a_gradient_at_the_end_of_a_step() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("opening.mod");
    let text = "NEURON { POINT_PROCESS Opening NONSPECIFIC_CURRENT i RANGE tau, most, bias, i }\n\
         PARAMETER { tau = 2 (ms) most = 0.001 (uS) bias = 0 (nA) }\nASSIGNED { v (mV) i (nA) }\nSTATE { s }\n\
         INITIAL { s = 0 }\nBREAKPOINT { SOLVE opens METHOD cnexp i = most*s*v + bias }\n\
         DERIVATIVE opens { s' = (1 - s)/tau }\n";
    std::fs::write(&file, text).unwrap();
    let made = |wrt: &str| companion(&file, wrt);
    assert!(made("Opening.tau").contains("k_D_Opening_s[k] = y"));
    assert!(!made("Opening.bias").contains("_Opening_s[k] = y"));
}
