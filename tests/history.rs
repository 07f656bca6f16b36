//! Starts of a run that depend on the run before, and values that are only computed where something is new.

use std::fs;
use std::process::Command;

use tempfile::tempdir;

const HEAD: &str = "NEURON { SUFFIX x NONSPECIFIC_CURRENT i RANGE g, q10, seen, tau }
PARAMETER { g = 1e-4 (S/cm2) q10 = 3 tau = 5 (ms) }
STATE { m }
ASSIGNED { v (mV) i (mA/cm2) celsius (degC) kept seen other }
LOCAL warm, factor, done
BREAKPOINT { SOLVE states METHOD cnexp update() i = g*factor*m*kept*(v + 70) }
DERIVATIVE states { m' = (0.3 + 0.01*seen - m)/tau }
";

/// The codes of what is refused in code after the head, with the diagnostics.
fn refused(code: &str) -> (Vec<String>, String) {
    refused_in(&format!("{HEAD}{code}\n"))
}

fn refused_in(text: &str) -> (Vec<String>, String) {
    let folder = tempdir().unwrap();
    let file = folder.path().join("x.mod");
    fs::write(&file, text).unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_gradmod"))
        .args(["transform", "--message-format", "json", "-o"])
        .arg(folder.path().join("out"))
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    let codes =
        said.split("\"code\":\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect();
    (codes, said)
}

const START: &str = "INITIAL { m = 0.1 seen = 3 }\n";
const WARM: &str = "PROCEDURE update() { IF (warm != celsius) { warm = celsius factor = 3^((celsius - 6.3)/10) } }";

#[test]
fn values_that_are_made_of_what_is_tested_are_followed() {
    for code in [
        WARM,
        // With a unit, and the other way round.
        "PROCEDURE update() { IF (celsius != warm*1(degC)) { warm = celsius factor = 1 + warm } }",
        // Once and for all, of numbers.
        "PROCEDURE update() { IF (done == 0) { done = 1 fill() } }\nPROCEDURE fill() { factor = 7/3 }",
        // Of two, each of which is tested.
        "PROCEDURE update() { IF (warm != celsius || done != q10) { warm = celsius done = q10 factor = q10^(celsius/10) } }",
    ] {
        assert_eq!(refused(&format!("{START}{code}")).0, Vec::<String>::new(), "{code}");
    }
}

#[test]
fn other_values_that_earlier_runs_leave_are_refused() {
    for code in [
        // q10 may change alone.
        "PROCEDURE update() { IF (warm != celsius) { warm = celsius factor = q10^((celsius - 6.3)/10) } }",
        // Different temperatures have the same key.
        "PROCEDURE update() { IF (warm != floor(celsius)) { warm = floor(celsius) factor = 3^(celsius/10) } }",
        // Not what is tested is remembered.
        "PROCEDURE update() { IF (warm != celsius) { warm = celsius + 1 factor = 3^(celsius/10) } }",
        // One guard for all segments, a value in each: only the first segment gets it.
        "PROCEDURE update() { factor = 1 IF (warm != celsius) { warm = celsius kept = 3^(celsius/10) } }",
        "PROCEDURE update() { factor = 1 IF (other != celsius) { other = celsius warm = 3^(celsius/10) kept = warm } }",
        // Once, with a parameter in it.
        "PROCEDURE update() { IF (done == 0) { done = 1 factor = q10 } }",
        // Not before something makes it 2: memory is 0 at first.
        "PROCEDURE update() { IF (done == 2) { done = 1 factor = 7/3 } }",
        // Never again.
        "PROCEDURE update() { IF (done == 0) { done = 0 factor = q10 } }",
    ] {
        let (codes, said) = refused(&format!("{START}{code}"));
        // LOCALs of the file belong to all segments: a test of one tells what the segment before did.
        assert!(codes.iter().any(|code| ["history", "shared-memory"].contains(&code.as_str())), "{code}: {said}");
    }
}

#[test]
fn a_test_of_what_an_earlier_run_left_is_refused_even_if_neuron_shows_it() {
    // The rate is what q10 was when the temperature last changed.
    let update = "PROCEDURE update() { factor = 1 IF (seen != celsius) { seen = celsius tau2 = q10*5 } }";
    let states = "DERIVATIVE states { m' = (0.3 - m)/tau2 }";
    let text = HEAD
        .replace("RANGE g, q10, seen, tau", "RANGE g, q10, seen, tau2")
        .replace("kept seen other", "kept seen other tau2")
        .replace("DERIVATIVE states { m' = (0.3 + 0.01*seen - m)/tau }", states);
    let (codes, said) = refused_in(&format!("{text}INITIAL {{ m = 0.1 kept = 1 }}\n{update}"));
    assert_eq!(codes, ["history"], "{said}");
}

#[test]
fn a_memo_that_other_code_sets_too_is_refused() {
    let code = WARM.replace("} }", "} IF (v > 20) { factor = 2 } }");
    let (codes, said) = refused(&format!("{START}{code}"));
    assert_eq!(codes, ["history"]);
    assert!(said.contains("`factor` is computed where something is new, and set here too"), "{said}");
    // What is tested may be set to a number, so that the code runs.
    let start = "INITIAL { m = 0.1 kept = 1 seen = 3 warm = -300 }\n";
    assert_eq!(refused(&format!("{start}{WARM}")).0, Vec::<String>::new());
    let start = "INITIAL { m = 0.1 kept = 1 seen = 3 factor = 2 }\n";
    assert_eq!(refused(&format!("{start}{WARM}")).0, ["history"]);
}

#[test]
fn initial_that_reads_what_it_sets_later_is_refused() {
    for (start, variable) in [
        ("INITIAL { m = other other = 2 kept = 1 seen = 3 }", "other"),
        ("INITIAL { m = seen seen = 0.2 kept = 1 }", "seen"),
        ("INITIAL { m = 0.1 seen = 3 kept = 2*kept }", "kept"),
        ("INITIAL { IF (seen > 1) { m = 0.1 } ELSE { m = 0.2 } seen = 0.2 kept = 1 }", "seen"),
    ] {
        let (codes, said) = refused(&format!("{start}\n{WARM}"));
        assert_eq!(codes, ["history"], "{start}: {said}");
        assert!(said.contains(&format!("`{variable}`")), "{start}: {said}");
    }
}

#[test]
fn what_only_stays_where_it_was_in_some_runs_is_followed() {
    let start = "INITIAL { m = 0.1 seen = 3 IF (q10 > 1) { kept = 2 } }\n";
    assert_eq!(refused(&format!("{start}{WARM}")).0, Vec::<String>::new());
    // NEURON shows it.
    let start = "INITIAL { m = 0.1 kept = 1 IF (q10 > 1) { seen = 2 } }\n";
    assert_eq!(refused(&format!("{start}{WARM}")).0, Vec::<String>::new());
}

#[test]
fn what_nothing_reads_before_it_is_set_may_stay_as_it_was() {
    let head = "NEURON { POINT_PROCESS x NONSPECIFIC_CURRENT i } PARAMETER { tau = 2 } ASSIGNED { v i last seen on }
STATE { g } BREAKPOINT { SOLVE s METHOD cnexp i = g*v } DERIVATIVE s { g' = -g/tau }
";
    let first = "INITIAL { g = 0 seen = 0 }\nNET_RECEIVE(w) { IF (seen) { g = g + w*(t - last) } seen = 1 last = t }";
    for code in [
        first,
        "INITIAL { g = 0 seen = -1 }\nNET_RECEIVE(w) { IF (seen > 0) { g = g + w*(t - last) } ELSE { g = g + w } IF (t > 1) { last = t seen = 2 } }",
        "INITIAL { g = 0 net_send(0, 3) }\nNET_RECEIVE(w) { IF (flag == 3) { on = 1 } ELSE { on = on + 1 g = g + w } }\nAFTER SOLVE { g = g }",
    ] {
        let code = code.replace("\nAFTER SOLVE { g = g }", "");
        assert_eq!(refused_in(&format!("{head}{code}\n")).0, Vec::<String>::new(), "{code}");
    }
    let on = head.replace("i = g*v", "i = on*g*v");
    assert_eq!(
        refused_in(&format!(
            "{on}INITIAL {{ g = 0 net_send(0, 3) }}\nNET_RECEIVE(w) {{ IF (flag == 3) {{ on = 1 }} g = g + w }}\n"
        ))
        .0,
        Vec::<String>::new()
    );
    for code in [
        // Read once before it is set.
        first.replace("IF (seen)", "IF (seen == 0)"),
        // Seen, but not set.
        first.replace("last = t", "IF (t > 1) { last = t }"),
        // INITIAL leaves both.
        first.replace("seen = 0", ""),
        // The event comes later.
        "INITIAL { g = 0 net_send(1, 3) }\nNET_RECEIVE(w) { IF (flag == 3) { on = 1 } ELSE { g = g + on } }".to_owned(),
        "INITIAL { g = 0 net_send(0, 3) }\nNET_RECEIVE(w) { IF (flag == 3) { on = 1 } ELSE { g = g + on } }".to_owned(),
    ] {
        let (codes, said) = refused_in(&format!("{head}{code}\n"));
        assert_eq!(codes, ["history"], "{code}: {said}");
    }
}

#[test]
fn what_breakpoint_leaves_to_the_equations_is_followed_where_mechanisms_can_be_off() {
    let text = "NEURON { SUFFIX x NONSPECIFIC_CURRENT i RANGE g } PARAMETER { g = 1e-4 } ASSIGNED { v i tau } STATE { m }
INITIAL { m = 0.1 } BREAKPOINT { SOLVE s METHOD cnexp tau = 1 + exp(-v/20) i = g*m*v } DERIVATIVE s { m' = (0.3 - m)/tau }\n";
    assert_eq!(refused_in(text).0, Vec::<String>::new());
}
