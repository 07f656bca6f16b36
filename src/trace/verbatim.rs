//! VERBATIM that changes no number.

/// Whether C code is empty, returns 0, or only prints.
pub fn does_nothing(code: &str) -> bool {
    let code = without_comments(code);
    code.split(';').map(str::trim).all(|statement| {
        statement.is_empty()
            || statement == "return 0"
            || statement == "return 0."
            || statement == "return"
            || statement == "fflush(stdout)"
            || is_print(statement)
    })
}

fn is_print(statement: &str) -> bool {
    let plain = |arguments: &str| !arguments.contains('=') || arguments.starts_with('"');
    ["printf", "fprintf"].iter().any(|name| {
        statement
            .strip_prefix(name)
            .and_then(|rest| rest.trim_start().strip_prefix('('))
            .and_then(|rest| rest.strip_suffix(')'))
            .is_some_and(|arguments| {
                let after_format = arguments.rsplit('"').next().unwrap_or("");
                plain(arguments) && !after_format.contains('=') && !after_format.contains("++")
            })
    })
}

fn without_comments(code: &str) -> String {
    let mut rest = code;
    let mut kept = String::new();
    while let Some(start) = rest.find("/*").into_iter().chain(rest.find("//")).min() {
        kept.push_str(&rest[..start]);
        let (end, length) = if rest[start..].starts_with("/*") {
            (rest[start..].find("*/"), 2)
        } else {
            (rest[start..].find('\n'), 1)
        };
        match end {
            Some(end) => rest = &rest[start + end + length..],
            None => return kept,
        }
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::does_nothing;

    #[test]
    fn tells_idle_code() {
        for code in ["", " /* a = b; */ ", "return 0;", "printf(\"%g\\n\", v);", "// x\n return 0;\n"] {
            assert!(does_nothing(code), "{code}");
        }
        for code in ["a = b;", "return 1;", "printf(\"%g\", a = 3);", "f();"] {
            assert!(!does_nothing(code), "{code}");
        }
    }
}
