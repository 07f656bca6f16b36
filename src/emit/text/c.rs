//! NMODL statements as C.

/// What a LOCAL is called: as NEURON's translator calls it, so that no word of C is in the way.
pub fn local(name: &str) -> String {
    format!("_l{name}")
}

/// Statements, and lines that go on the one before.
pub fn statements(lines: &[String]) -> Vec<String> {
    let mut made: Vec<String> = Vec::new();
    for line in lines {
        let text = line.trim_start();
        let indent = &line[..line.len() - text.len()];
        match made.last_mut() {
            Some(last) if text.starts_with("+ ") || last.ends_with(" =") => {
                last.push(' ');
                last.push_str(text);
            }
            _ => {
                let text = text.replace("ELSE", "else").replace("IF (", "if (").replace("WHILE (", "while (");
                made.push(format!("{indent}{text}"));
            }
        }
    }
    let ends = |line: &String| line.ends_with('{') || line.ends_with('}');
    made.into_iter().map(|line| if ends(&line) { line } else { format!("{line};") }).collect()
}

/// Declarations of names.
pub fn declared(names: &[String]) -> Vec<String> {
    crate::emit::text::lines::list("double", names).into_iter().map(|line| format!("{line};")).collect()
}

/// A VERBATIM block: the addresses that its statements use, then these.
pub fn verbatim(pointers: &[&str], statements: Vec<String>) -> Vec<String> {
    let mut text = vec!["VERBATIM".to_owned()];
    text.extend(pointers.iter().map(|line| format!("    {line}")));
    text.extend(statements.into_iter().map(|line| format!("    {line}")));
    text.push("ENDVERBATIM".to_owned());
    text
}
