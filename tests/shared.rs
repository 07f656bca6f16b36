//! Variables that all segments have together: what a segment reads in one must be its own, or the same for all.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::process::Command;

use tempfile::tempdir;

const HEAD: &str =
    "NEURON { SUFFIX x USEION ca READ cai NONSPECIFIC_CURRENT i POINTER far RANGE g, th, own GLOBAL pool, q, rate, on }
PARAMETER { g = 1e-4 th = 0.5 pool = 1 q = 2 (ms) file = 3 }
ASSIGNED { v (mV) i (mA/cm2) own diam area celsius cai far rate on }
STATE { m }
LOCAL kept
";
const BREAK: &str = "BREAKPOINT { SOLVE s METHOD cnexp i = g*m*(v + 10) }\n";
const STEP: &str = "DERIVATIVE s { m' = 1/pool - m/10 }\n";

/// What `gradmod transform` says of code after the head.
fn said(code: &str) -> String {
    said_of(&format!("{HEAD}{code}\n"))
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
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.success(), !said.contains("\"refusal\"") && !said.contains("\"error\""), "{said}");
    said
}

fn assert_refused(code: &str, variable: &str, reason: &str) {
    let said = said(code);
    assert!(said.contains("\"code\":\"shared-memory\""), "{code}: {said}");
    assert!(said.contains(&format!("`{variable}` is one variable for all segments, and {reason}")), "{code}: {said}");
    assert!(said.contains(&format!("declare `{}`", variable.split('[').next().unwrap())), "{code}: {said}");
}

fn assert_followed(code: &str) {
    let said = said(code);
    assert!(said.is_empty(), "{code}: {said}");
}

#[test]
fn what_initial_takes_from_one_segment_is_refused() {
    for (value, from) in [
        ("6*th", "th"),
        ("diam", "diam"),
        ("area/100", "area"),
        ("1 + cai", "cai"),
        ("2 + 0.01*v", "v"),
        ("far", "far"),
        ("1 + m", "m"),
    ] {
        let code = format!("INITIAL {{ m = own pool = {value} m = 0 }}\n{BREAK}{STEP}");
        assert_refused(&code, "pool", "INITIAL makes it of");
        assert!(said(&code).contains(&format!("`{from}`")) || from == "m", "{code}");
    }
}

#[test]
fn through_another_shared_variable_or_none_of_the_neuron_block_too() {
    assert_refused(&format!("INITIAL {{ q = th pool = 2*q m = 0 }}\n{BREAK}{STEP}"), "pool", "INITIAL makes it of");
    assert_refused(
        &format!("INITIAL {{ file = th m = 0 }}\n{BREAK}DERIVATIVE s {{ m' = 1/file - m }}"),
        "file",
        "INITIAL makes it of",
    );
    assert_refused(
        &format!("INITIAL {{ kept = th m = 0 }}\n{BREAK}DERIVATIVE s {{ m' = 1/kept - m }}"),
        "kept",
        "INITIAL makes it of",
    );
}

#[test]
fn what_one_block_leaves_and_another_reads_is_refused() {
    let start = "INITIAL { m = 0 rate = 0 }\n";
    let solve = "SOLVE s METHOD cnexp i = g*m*(v + 10)";
    // NEURON runs BREAKPOINT for all segments, then the equations for all.
    assert_refused(
        &format!("{start}BREAKPOINT {{ {solve} rate = 1/(1 + exp(-v/10)) }}\nDERIVATIVE s {{ m' = rate - m }}"),
        "rate",
        "BREAKPOINT makes it of `v`",
    );
    assert_refused(
        &format!(
            "{start}BREAKPOINT {{ SOLVE s METHOD cnexp i = g*rate*(v + 10) }}\nDERIVATIVE s {{ rate = v/10 m' = rate - m }}"
        ),
        "rate",
        "DERIVATIVE s makes it of `v`",
    );
    assert_refused(
        &format!("{start}BREAKPOINT {{ {solve} }}\nDERIVATIVE s {{ IF (v > -20) {{ rate = 1 }} m' = rate - m }}"),
        "rate",
        "DERIVATIVE s makes it of `v`",
    );
    assert_refused(
        &format!(
            "{start}BREAKPOINT {{ {solve} }}\nDERIVATIVE s {{ on = rate m' = inf(v) - m*on }}\nFUNCTION inf(u) {{ inf = 1/(1 + exp(-u)) }}\nAFTER SOLVE {{ rate = v }}"
        ),
        "rate",
        "AFTER SOLVE makes it of `v`",
    );
    assert_refused(
        &format!(
            "{start}BREAKPOINT {{ rates(v) {solve} }}\nDERIVATIVE s {{ m' = rate - m }}\nPROCEDURE rates(u) {{ TABLE rate FROM -100 TO 100 WITH 200 rate = 1/(1 + exp(-u)) }}"
        ),
        "rate",
        "BREAKPOINT makes it of `v`",
    );
}

#[test]
fn what_each_segment_changes_again_is_refused() {
    let code = format!("INITIAL {{ m = 0 rate = 0 }}\n{BREAK}DERIVATIVE s {{ rate = rate + 0.1 m' = rate - m }}");
    assert_refused(&code, "rate", "each segment changes what the one before left in it");
    // The first segment reads what was there before; all others, what it has left.
    assert_refused(
        &format!("INITIAL {{ m = pool pool = 2*q }}\n{BREAK}{STEP}"),
        "pool",
        "INITIAL reads it before it sets it",
    );
}

/// NEURON runs BREAKPOINT twice for the slope: the second time each reads what it has set itself.
#[test]
fn what_the_first_of_two_evaluations_reads_is_refused() {
    let code = |hint: &str| {
        format!(
            "INITIAL {{ m = 0 rate = 1 }}\nBREAKPOINT {{ SOLVE s METHOD cnexp {hint} i = g*rate*m*(v + 10) rate = 2 }}\n\
             DERIVATIVE s {{ rate = 3 m' = -m }}"
        )
    };
    assert_refused(&code(""), "rate", "BREAKPOINT reads it before it sets it");
    assert_refused(&code("CONDUCTANCE g"), "rate", "BREAKPOINT reads it before it sets it");
    assert_followed(&code("").replace("rate = 3 ", ""));
}

#[test]
fn what_an_event_leaves_to_other_point_processes_is_refused() {
    let head = "NEURON { POINT_PROCESS x NONSPECIFIC_CURRENT i RANGE tau GLOBAL load }
PARAMETER { tau = 2 } ASSIGNED { v i load } STATE { a } INITIAL { a = 0 load = 0 }
BREAKPOINT { SOLVE s METHOD cnexp i = a*v } ";
    let said =
        said_of(&format!("{head} DERIVATIVE s {{ a' = -a/tau*(1 + load) }} NET_RECEIVE(w) {{ a = a + w load = 3 }}"));
    assert!(
        said.contains("`load` is one variable for all instances, and an event at one sets it for the others too"),
        "{said}"
    );
    let said = said_of(&format!("{head} DERIVATIVE s {{ a' = -a/tau }} NET_RECEIVE(w) {{ load = w a = a + load }}"));
    assert!(said.is_empty(), "{said}");
}

#[test]
fn a_blocks_own_memory_is_followed() {
    assert_followed(&format!("INITIAL {{ rates(v) m = rate }}\n{BREAK}DERIVATIVE s {{ rates(v) m' = (rate - m)/on }}\nPROCEDURE rates(u) {{ rate = 1/(1 + exp(-u)) on = 1 + kept }}\nFUNCTION f() {{ kept = th f = kept }}").replace("1 + kept", "1 + f()"));
    assert_followed(&format!(
        "INITIAL {{ m = 0 }}\n{BREAK}DERIVATIVE s {{ IF (v > 0) {{ rate = 1 }} ELSE {{ rate = th }} m' = rate - m }}"
    ));
}

#[test]
fn what_is_the_same_for_all_is_followed() {
    assert_followed(&format!("INITIAL {{ pool = 3^((celsius - 20)/10)*q m = 0 }}\n{BREAK}{STEP}"));
    assert_followed(&format!("INITIAL {{ rate = q on = 2*rate pool = on m = 0 }}\n{BREAK}{STEP}"));
    assert_followed(&format!(
        "INITIAL {{ IF (celsius > 20) {{ pool = 2 }} rate = 2*pool m = 0 }}\n{BREAK}DERIVATIVE s {{ m' = 1/rate - m/10 }}"
    ));
    assert_followed(
        "INITIAL { m = 0 rate = 0 }\nBREAKPOINT { SOLVE s METHOD cnexp rate = t*q i = g*m*(v + 10) }\nDERIVATIVE s { m' = rate - m }",
    );
}
