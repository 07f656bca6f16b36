//! NEURON takes notice of CONDUCTANCE only in files of which its translator makes thread-safe code.

#![allow(clippy::unwrap_used)]

use gradmod::model::check;
use gradmod::syntax::ast::StatementKind;
use gradmod::syntax::parse;

fn is_heeded(neuron: &str, rest: &str) -> bool {
    let text = format!(
        "NEURON {{ SUFFIX x NONSPECIFIC_CURRENT i RANGE g {neuron} }}
PARAMETER {{ g = 1 (S/cm2) }}
STATE {{ m n }}
ASSIGNED {{ v (mV) i (mA/cm2) shared }}
BREAKPOINT {{ CONDUCTANCE g  SOLVE states METHOD cnexp  i = g*m*v }}
DERIVATIVE states {{ m' = -m }}
{rest}
"
    );
    let mechanism = check(&parse(&text).unwrap()).unwrap();
    mechanism.breakpoint.iter().any(|statement| matches!(statement.kind, StatementKind::Conductance(..)))
}

#[test]
fn what_is_thread_safe() {
    assert!(is_heeded("", ""));
    assert!(is_heeded("GLOBAL shared", ""));
    let verbatim = "PROCEDURE idle() { VERBATIM\n    /* nothing */\nENDVERBATIM\n}";
    assert!(!is_heeded("", verbatim));
    assert!(is_heeded("THREADSAFE", verbatim));
    let sets = "INITIAL { shared = 2 }";
    assert!(is_heeded("", sets));
    assert!(!is_heeded("GLOBAL shared", sets));
    assert!(is_heeded("THREADSAFE GLOBAL shared", sets));
    let nested = "PROCEDURE sets() { IF (v > 0) { FROM k = 0 TO 1 { shared = k } } }";
    assert!(!is_heeded("GLOBAL shared", nested));
    assert!(!is_heeded("", "PROCEDURE jumps() { state_discontinuity(m, 1) }"));
}
