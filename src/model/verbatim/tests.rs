//! Which C code is NMODL, and as what.

use super::translated;
use crate::syntax::{parse, print};

/// What INITIAL is with this C code at its end.
fn initial(code: &str) -> String {
    let head = "NEURON { SUFFIX x USEION ca READ cai USEION na READ nai WRITE nai }\nLOCAL shared\n";
    let rest = "STATE { nai }\nFUNCTION f(y) { LOCAL a a = y f = a }";
    let source = format!("{head}{rest}\nINITIAL {{ LOCAL z VERBATIM\n{code}\nENDVERBATIM\n}}\n");
    let whole = print::program(&translated(&parse(&source).unwrap()));
    whole[whole.find("INITIAL").unwrap()..].split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn simple_code_is_nmodl() {
    for (code, expected) in [
        ("a = 2*b/3; /* x */ c = exp(-a) ;", "INITIAL { LOCAL z a = 2 * b / 3 c = exp(-a) }"),
        (
            "if (a > 1./2) { _lz = a; } else { a = -1e-3; }",
            "INITIAL { LOCAL z IF (a > 1. / 2) { z = a } ELSE { a = -1e-3 } }",
        ),
        ("cai = _ion_cai; nai = _ion_nai;", "INITIAL { LOCAL z }"),
        ("a[0] = b[2]*2.;", "INITIAL { LOCAL z a[0] = b[2] * 2. }"),
        (
            "if (a) b = 1; else if (b) { printf(\"%g\", b); } else ;",
            "INITIAL { LOCAL z IF (a) { b = 1 } ELSE IF (b) { } ELSE { } }",
        ),
        ("if ((a = 1./b) < c) { assert(a > 0); a = c; }", "INITIAL { LOCAL z a = 1. / b IF (a < c) { a = c } }"),
    ] {
        assert_eq!(initial(code), expected, "{code}");
    }
}

#[test]
fn switch_on_a_counter_is_nmodl() {
    let code = "switch (_lk) { case 0: x[_lk] = 1.; break; case 1: case 2: x[_lk] = 2.; if (y) { x[1] = 3.; } break; default: x[_lk] = 0.; }";
    let expected = "FROM k = 0 TO 3 { IF (k == 0) { x[k] = 1. } ELSE IF (k == 1 || k == 2) \
         { x[k] = 2. IF (y) { x[1] = 3. } } ELSE { x[k] = 0. } }";
    let told = |code: &str| {
        let source =
            format!("NEURON {{ SUFFIX x }}\nINITIAL {{ FROM k = 0 TO 3 {{ VERBATIM\n{code}\nENDVERBATIM\n}} }}\n");
        let whole = print::program(&translated(&parse(&source).unwrap()));
        whole[whole.find("FROM").unwrap()..].split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(told(code), format!("{expected} }}"));
    for code in [
        "switch (_lk) { case 0: x[_lk] = 1.; case 1: x[_lk] = 2.; break; }",
        "switch (y) { case 0: x[_lk] = 1.; break; }",
        "x[_lk] = _lk/2;",
        "x[y] = 1.;",
        "switch (_lk) { default: x[_lk] = 1.; }",
    ] {
        assert!(told(code).contains("ENDVERBATIM"), "{code}: {}", told(code));
    }
}

#[test]
fn other_code_stays_c() {
    for code in [
        "a = 1/2;",
        "a = (2 + 1)/4*b;",
        "double a = 1;",
        "a += 1;",
        "a = b = 1;",
        "a = f(b);",
        "a = f;",
        "a = (int) b;",
        "a = b ? 1 : 2;",
        "a = b%2;",
        "a = b^2;",
        "a = 1.0f;",
        "a = 1; -b;",
        "z = 1;",
        "_lb = 1;",
        "shared = 1;",
        "a = _p_b;",
        "_ion_cai = 1;",
        "a = _ion_cai;",
        "a = 1; nai = _ion_nai;x = 0x10;",
        "if ((a = b) < a) { b = 1; }",
        "if (b) ; else if ((a = b) < c) { b = 1; }",
        "break;",
        "return 0;",
        "cai = 1;",
        "nai = 1; nai = _ion_nai;",
        "if (a) { cai = 1; }",
    ] {
        assert!(initial(code).contains("ENDVERBATIM"), "{code}: {}", initial(code));
    }
}
