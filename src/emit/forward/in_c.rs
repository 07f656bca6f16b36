//! Loops over the directions: in C, where addresses of arrays stay in registers.

use crate::emit::region::writer::Writer;
use crate::emit::text::c::statements;

/// Arrays over the directions that some C reads or sets: declarations of their addresses.
pub(in crate::emit) struct Arrays {
    names: Vec<(String, String)>,
}

impl Arrays {
    pub fn new(writer: &Writer) -> Self {
        let mut names = writer.linearised.names.clone();
        let arrays = writer.gradients.iter().chain(&writer.seeds);
        let pointer = writer.pointer_gradients.iter().flat_map(|pointer| [&pointer.gradient, &pointer.new]);
        let through = (!writer.array_terms.is_empty()).then(|| "through".to_owned());
        let tried = writer.gradients.iter().filter_map(|gradient| writer.seen_trial(gradient));
        let all = arrays.chain(pointer).cloned().chain(through).chain(tried);
        Self { names: all.map(|name| (names.new_name(&format!("k_{name}")), name)).collect() }
    }

    /// The C of some statements, and what it needs to be declared.
    pub fn used(&self, lines: &[String], is_start: bool) -> (Vec<String>, Vec<String>) {
        let mut declarations = Vec::new();
        let mut text = statements(lines);
        for (alias, name) in &self.names {
            let mut is_used = false;
            for line in &mut text {
                let replaced = replace_word(line, name, alias);
                is_used |= replaced != *line;
                *line = replaced;
            }
            if is_used {
                declarations.push(format!("double* __restrict__ const {alias} = &{name}[0];"));
            }
        }
        for line in &mut text {
            *line = replace_word(line, "W_new", "newV");
            *line = replace_word(line, "W", if is_start { "newV" } else { "oldV" });
            *line = line.replace("times_unless_0(", "GM_TIMES(");
        }
        (declarations, text)
    }
}

/// An array by another name.
fn replace_word(text: &str, word: &str, by: &str) -> String {
    let mut made = String::with_capacity(text.len());
    let mut rest = text;
    let pattern = format!("{word}[");
    while let Some(at) = rest.find(&pattern) {
        let is_whole = !rest[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        made.push_str(&rest[..at]);
        made.push_str(if is_whole { by } else { word });
        made.push('[');
        rest = &rest[at + pattern.len()..];
    }
    made.push_str(rest);
    made
}
