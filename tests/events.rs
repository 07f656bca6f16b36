//! What `NET_RECEIVE` and the INITIAL inside of it find and leave, by what NEURON's translator makes of the text.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::process::Command;

use tempfile::tempdir;

fn text(neuron: &str, solve: &str, rest: &str, start: &str) -> String {
    format!(
        "NEURON {{ POINT_PROCESS x NONSPECIFIC_CURRENT i {neuron} }}
PARAMETER {{ e = 0 vh = -50 }}
ASSIGNED {{ v i cai last }}
STATE {{ g }}
INITIAL {{ g = 0 {start} }}
BREAKPOINT {{ {solve} i = g*(v - e) }}
{rest}
"
    )
}

/// What `gradmod transform` says of a point process.
fn said(neuron: &str, solve: &str, rest: &str) -> String {
    said_of(&text(neuron, solve, rest, "last = 0"))
}

/// The same, where its INITIAL does something else.
fn said_with(start: &str, rest: &str) -> String {
    said_of(&text("", "", rest, start))
}

fn said_of(text: &str) -> String {
    let folder = tempdir().unwrap();
    let file = folder.path().join("x.mod");
    fs::write(&file, text).unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_gradmod"))
        .args(["transform", "--message-format", "json", "-o"])
        .arg(folder.path().join("out"))
        .arg(&file)
        .output()
        .unwrap();
    String::from_utf8(done.stderr).unwrap()
}

const PART: &str = "FUNCTION part(u) { part = 1/(1 + exp(-(u - vh)/9)) }\nFUNCTION open() { open = part(v) }\n";

#[test]
fn a_potential_that_nobody_looks_at_is_refused() {
    let receive = format!("{PART}NET_RECEIVE(w) {{ g = g + w*open() }}");
    for solve in ["", "CONDUCTANCE g"] {
        let said = said("", solve, &receive);
        assert!(
            said.contains("\"code\":\"event-voltage\"") && said.contains("NET_RECEIVE calls what reads `v`"),
            "{said}"
        );
        assert!(said.contains("pass `v` as an argument"), "{said}");
    }
    // The condition of a WATCH becomes a function of its own.
    let watch = format!("{PART}NET_RECEIVE(w) {{ IF (flag == 0) {{ WATCH (v > -20) 2 g = g + w*open() }} }}");
    assert!(said("", "", &watch).contains("NET_RECEIVE calls what reads `v`"));
}

#[test]
fn a_potential_that_is_looked_at_is_followed() {
    let named = format!("{PART}NET_RECEIVE(w) {{ g = g + w*part(v) }}");
    assert_eq!(said("", "CONDUCTANCE g", &named), "");
    let beside = format!("{PART}NET_RECEIVE(w) {{ LOCAL now now = v g = g + w*open() }}");
    assert_eq!(said("", "", &beside), "");
    let solved = format!("DERIVATIVE s {{ g' = -g/2 }}\n{PART}NET_RECEIVE(w) {{ g = g + w*open() }}");
    assert_eq!(said("", "SOLVE s METHOD cnexp", &solved), "");
    let other = format!("{PART}NET_RECEIVE(w) {{ last = open() g = g + w }}");
    assert!(said("", "", &other).contains("event-voltage") || said("", "", &other).is_empty());
}

#[test]
fn a_concentration_that_nobody_looks_at_is_refused() {
    let receive = "FUNCTION near() { near = cai/(cai + 1) }\nNET_RECEIVE(w) { g = g + w*near() }";
    let refused = said("USEION ca READ cai", "", receive);
    assert!(refused.contains("NET_RECEIVE calls what reads `cai`"), "{refused}");
    let named = receive
        .replace("near()", "cai/(cai + 1)")
        .replace("FUNCTION cai/(cai + 1) { near =", "FUNCTION near() { near =");
    assert_eq!(said("USEION ca READ cai", "", &named), "");
}

#[test]
fn initial_of_the_block_sets_its_arguments_only() {
    let solve = "SOLVE s METHOD cnexp";
    let receive = |initial: &str, body: &str| {
        format!("DERIVATIVE s {{ g' = -g/2 }}\nNET_RECEIVE(w, x) {{ INITIAL {{ {initial} }} {body} }}")
    };
    for set in ["last = w", "g = w", "g = 1", "last = vh*v", "e = 3", "both(w)"] {
        let rest = format!("{}\nPROCEDURE both(u) {{ last = u }}", receive(set, "g = g + w*last"));
        let said = said("RANGE last GLOBAL e", solve, &rest);
        assert!(
            said.contains("\"code\":\"event-start\"") && said.contains("is no argument of the block"),
            "{set}: {said}"
        );
    }
    // What INITIAL has set already may be said again.
    for set in ["x = w*vh", "x = t last = 0", "LOCAL y y = 2 x = y"] {
        assert_eq!(said("", solve, &receive(set, "g = g + w + 0*x")), "", "{set}");
    }
    // A number in what INITIAL leaves alone or sets to a number has no gradient with a NetCon and none without one.
    for set in ["last = 1", "last = t", "x = 2 last = x", "last = last + 1"] {
        assert_eq!(said("", solve, &receive(set, "last = t g = g + w + 0*x")), "", "{set}");
    }
}

#[test]
fn a_weight_that_begins_with_what_only_initial_makes_is_refused() {
    // Nothing else is made of `last`: it has no gradient of its own.
    let receive = "NET_RECEIVE(w, left) { INITIAL { left = last } g = g + w*left }";
    for start in ["last = 0", "last = t - 1000"] {
        assert_eq!(said_with(start, receive), "", "{start}");
    }
    for start in ["last = 1 - vh", "last = v", "IF (vh < e) { last = 1 } ELSE { last = vh }"] {
        assert!(said_with(start, receive).contains("\"code\":\"event-weight\""), "{start}");
    }
}

#[test]
fn functions_of_the_inner_initial_are_there() {
    // The derivative by the exponent has a logarithm in it.
    let receive = "NET_RECEIVE(w, left) { INITIAL { left = e^vh } g = g + w*left }";
    let folder = tempdir().unwrap();
    let file = folder.path().join("x.mod");
    fs::write(&file, text("", "", receive, "last = 0")).unwrap();
    let out = folder.path().join("out");
    let done = Command::new(env!("CARGO_BIN_EXE_gradmod"))
        .args(["transform", "--point", "x", "-o"])
        .args([&out, &file])
        .output()
        .unwrap();
    assert!(done.status.success());
    let named = |path: &std::path::Path| path.file_name().unwrap().to_string_lossy().starts_with("gm_x_");
    let emitted = fs::read_dir(out).unwrap().map(|entry| entry.unwrap().path()).find(|path| named(path)).unwrap();
    let emitted = fs::read_to_string(emitted).unwrap();
    assert!(emitted.contains("times_log(x") && emitted.contains("FUNCTION times_log(y, x)"));
}
