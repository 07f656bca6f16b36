//! VERBATIM that changes no number.

use crate::syntax::c::{only_looks, tokens};

/// Whether C code sets no variable, declares none and leaves nothing: it may test, print and end the run.
pub fn does_nothing(code: &str) -> bool {
    tokens(code).is_some_and(|tokens| only_looks(&tokens))
}

/// What stands in code that draws random numbers, in C or by functions that NMODL knows.
const GENERATORS: [&str; 8] =
    ["nrnran123", "nrn_random", "rng", "scop_random", "exprand", "normrand", "erand", "mcell_ran4"];

/// How code that draws random numbers can be written instead; `None` for other code.
pub fn random_help(code: &str) -> Option<&'static str> {
    GENERATORS.iter().any(|generator| code.contains(generator)).then_some(
        "declare a stream, RANDOM noise, and draw from it, random_uniform(noise) or random_normal(noise) (NEURON 9): \
         such numbers are followed",
    )
}

/// Whether C code returns 0, or nothing, and sets nothing before.
pub fn returns(code: &str) -> bool {
    let Some(tokens) = tokens(code) else { return false };
    let [before @ .., "return", ";"] = &tokens[..] else {
        let [before @ .., "return", "0" | "0.", ";"] = &tokens[..] else { return false };
        return only_looks(before);
    };
    only_looks(before)
}

#[cfg(test)]
mod tests {
    use super::{does_nothing, returns};

    #[test]
    fn tells_idle_code() {
        for code in [
            "",
            " /* a = b; */ ",
            "printf(\"%g\\n\", v);",
            "// x\n fflush(stdout);\n",
            "if (cvode_active_ && !plain) { hoc_execerror(\"a\", \"b = c;\"); }",
            "#ifndef CORENEURON_BUILD\n if (kind == 1) nrnran123_setseq((nrnran123_State*)_p_rng, 0, 0);\n#endif\n",
            "if (a) ; else { printf(\"\\\"%g\", a->x[2]); }",
        ] {
            assert!(does_nothing(code), "{code}");
        }
        for code in [
            "a = b;",
            "return 1;",
            "printf(\"%g\", a = 3);",
            "printf(\"%d\", a++);",
            "f();",
            "printf(\"%g\", f(&a));",
            "(*f)(a);",
            "if (a) { a",
            "if (x) { (f)(x); }",
            "double x;",
            "for (;;) ;",
            "a <<= 1;",
            "#define v 3\n",
            "printf(\"",
            "}",
            "if (a) {",
            "if (a)",
        ] {
            assert!(!does_nothing(code), "{code}");
        }
    }

    #[test]
    fn tells_a_return() {
        for code in ["return;", " return 0;", "/* x */ printf(\"%g\", v); return 0.;"] {
            assert!(returns(code) && !does_nothing(code), "{code}");
        }
        for code in ["", "return 1;", "a = 1; return 0;", "return 0; a = 1;", "if (a) return 0;"] {
            assert!(!returns(code), "{code}");
        }
    }
}
