//! C code that NMODL could say as well: assignments to plain variables, with arithmetic, in `if` or not.
//!
//! The code is turned into NMODL text that stands at the same place of an otherwise blank file, so that the parser gives
//! every part of it the span that it has; of other statements see `c_statements`. What means something else in C stays
//! VERBATIM: integers divided by integers, casts, declarations, calls of the mechanism's own functions.

use std::collections::BTreeSet;

use crate::model::c_expressions::Counters;
use crate::model::c_statements::{place, spelled};
use crate::model::deeds::deeds;
use crate::syntax::ast::{
    Block, BlockKind, Item, NeuronStatement, Opaque, Program, Signature, Statement, StatementKind,
};
use crate::syntax::c::{is_number, is_word, tokens};
use crate::syntax::span::Span;
use crate::syntax::{parse, visit};

const OPERATORS: [&str; 14] = ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "+", "-", "*", "/", "="];
const PUNCTUATION: [&str; 6] = ["(", ")", "{", "}", ",", ";"];
const CALLS: [&str; 21] = [
    "exp",
    "log",
    "log10",
    "pow",
    "sqrt",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "atan2",
    "sinh",
    "cosh",
    "tanh",
    "fabs",
    "floor",
    "ceil",
    "fmod",
    "nrn_ghk",
    "nrn_nernst",
];
const OPENING: &str = "PROCEDURE c(){";

/// The program with such code as NMODL.
pub(super) fn translated(program: &Program) -> Program {
    let mut translator = Translator::of(program);
    let mut program = program.clone();
    for item in &mut program.items {
        if let Item::Block(block) = item {
            translator.enter(block);
            let is_initial = block.kind == BlockKind::Initial;
            let body = std::mem::take(&mut block.body);
            block.body = translator.statements(body, is_initial);
        }
    }
    program
}

/// What the names in C code mean.
struct Translator {
    /// Variables that hold their ion's value when a block begins, and that no code sets.
    never_set: BTreeSet<String>,
    /// Variables that hold their ion's value when INITIAL begins.
    at_start: BTreeSet<String>,
    /// LOCALs and arguments of the block, the result of a FUNCTION: C calls them `_lname`, and `name` may be something
    /// else.
    local: BTreeSet<String>,
    /// The counters of FROM loops: integers.
    counters: Counters,
    /// FUNCTIONs and PROCEDUREs.
    functions: BTreeSet<String>,
    /// LOCALs of the file.
    of_file: BTreeSet<String>,
}

impl Translator {
    fn of(program: &Program) -> Self {
        let mut set: BTreeSet<String> = deeds(program).set.into_iter().collect();
        let (mut at_start, mut functions, mut of_file) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for item in &program.items {
            match item {
                Item::Neuron(statements, _) => {
                    for statement in statements {
                        if let NeuronStatement::UseIon(ion) = statement {
                            at_start.extend(ion.read.iter().map(|name| name.text.clone()));
                        }
                    }
                }
                // Equations and reactions set them.
                Item::State(states, _) => set.extend(states.iter().map(|state| state.name.text.clone())),
                Item::Local(names, _) => of_file.extend(names.iter().map(|one| one.name.text.clone())),
                Item::Block(block) => functions.extend(signature(block).map(|signature| signature.name.text.clone())),
                _ => {}
            }
        }
        let never_set = at_start.iter().filter(|name| !set.contains(*name)).cloned().collect();
        Self { never_set, at_start, local: BTreeSet::new(), counters: Counters::default(), functions, of_file }
    }

    fn enter(&mut self, block: &Block) {
        self.local.clear();
        self.counters.0.clear();
        if let Some(signature) = signature(block) {
            self.local.insert(signature.name.text.clone());
            self.local.extend(signature.arguments.iter().map(|argument| argument.name.text.clone()));
        }
        if let BlockKind::NetReceive(arguments) = &block.kind {
            self.local.extend(arguments.iter().map(|argument| argument.name.text.clone()));
            self.local.insert("flag".to_owned());
        }
        for statement in visit::statements(&block.body) {
            match &statement.kind {
                StatementKind::Local(definitions) => {
                    self.local.extend(definitions.iter().map(|one| one.name.text.clone()));
                }
                StatementKind::From { variable, .. } => {
                    self.local.insert(variable.text.clone());
                    self.counters.0.insert(variable.text.clone());
                }
                _ => {}
            }
        }
    }

    fn statements(&self, statements: Vec<Statement>, mut is_start: bool) -> Vec<Statement> {
        let mut found = Vec::new();
        for Statement { kind, span } in statements {
            let kind = match kind {
                StatementKind::Verbatim(code) => {
                    match self.translation(&code, is_start).or_else(|| self.rewritten(&code, span)) {
                        Some(translation) => {
                            is_start &= translation.is_empty();
                            found.extend(translation);
                            continue;
                        }
                        None => StatementKind::Verbatim(code),
                    }
                }
                StatementKind::If(branches, otherwise) => StatementKind::If(
                    branches.into_iter().map(|(condition, body)| (condition, self.statements(body, false))).collect(),
                    otherwise.map(|body| self.statements(body, false)),
                ),
                StatementKind::From { variable, first, last, step, body } => {
                    StatementKind::From { variable, first, last, step, body: self.statements(body, false) }
                }
                StatementKind::While(condition, body) => StatementKind::While(condition, self.statements(body, false)),
                StatementKind::Group(body) => StatementKind::Group(self.statements(body, false)),
                StatementKind::Initial(body) => StatementKind::Initial(self.statements(body, false)),
                other => other,
            };
            is_start &= matches!(kind, StatementKind::Local(_) | StatementKind::Comment(_));
            found.push(Statement { kind, span });
        }
        found
    }

    /// The statements that code says; `is_start` if nothing has run in INITIAL before.
    fn translation(&self, code: &Opaque, is_start: bool) -> Option<Vec<Statement>> {
        let tokens = tokens(&code.text)?;
        let mut text = vec![b' '; code.text.len()];
        let mut at = 0;
        while at < tokens.len() {
            if let [name, "=", ion, ";", ..] = tokens[at..] {
                if ion.strip_prefix("_ion_") == Some(name) {
                    let held = if is_start { &self.at_start } else { &self.never_set };
                    if !held.contains(name) {
                        return None;
                    }
                    at += 4;
                    continue;
                }
            }
            let before = at.checked_sub(1).map_or("", |before| tokens[before]);
            let after = tokens.get(at + 1).copied().unwrap_or_default();
            let written = self.nmodl(tokens[at], before, after)?;
            let start = tokens[at].as_ptr() as usize - code.text.as_ptr() as usize;
            // A name without its `_l` stays where it ends.
            let end = start + tokens[at].len();
            text[end - written.len()..end].copy_from_slice(written.as_bytes());
            at += 1;
        }
        let begin = code.span.start;
        let text = String::from_utf8(text).ok()?;
        if text.trim().is_empty() {
            return tokens.contains(&"=").then(Vec::new);
        }
        let indent = begin.checked_sub(OPENING.len())?;
        let whole = format!("{OPENING}{}{text}}}", " ".repeat(indent));
        let program = parse(&whole).ok()?;
        let [Item::Block(Block { body, .. })] = &program.items[..] else { return None };
        visit::statements(body).all(|statement| self.is_plain(statement)).then(|| body.clone())
    }

    /// The same where the code has statements that NMODL says in other words.
    fn rewritten(&self, code: &Opaque, span: Span) -> Option<Vec<Statement>> {
        let tokens = tokens(&code.text)?;
        let is_counter = |name: &str| name.strip_prefix("_l").is_some_and(|name| self.counters.0.contains(name));
        let text = spelled(&tokens, &|token, before, after| self.nmodl(token, before, after), &is_counter)?;
        let program = parse(&format!("{OPENING}{text}}}")).ok()?;
        let [Item::Block(Block { body, .. })] = &program.items[..] else { return None };
        if body.is_empty() || !visit::statements(body).all(|statement| self.is_plain(statement)) {
            return None;
        }
        let mut body = body.clone();
        place(&mut body, span);
        Some(body)
    }

    /// The token in NMODL; None if it is none, or means something else.
    fn nmodl<'a>(&self, token: &'a str, before: &str, after: &str) -> Option<&'a str> {
        let is_first = ["", ";", "{", "}"].contains(&before);
        if !is_word(token) {
            return match token {
                ";" => Some("\n"),
                "(" if before == ")" => None,
                _ if is_first && !["{", "}"].contains(&token) => None,
                _ if is_number(token) => token.parse::<f64>().is_ok().then_some(token),
                _ => (OPERATORS.contains(&token) || PUNCTUATION.contains(&token)).then_some(token),
            };
        }
        match token {
            "if" => return (after == "(" && (is_first || before == "else")).then_some(token),
            "else" => return (before == "}").then_some(token),
            _ if is_word(before) || before == ")" => return None,
            _ if after == "(" => return CALLS.contains(&token).then_some(token),
            _ => {}
        }
        let name = token.strip_prefix("_l").unwrap_or(token);
        let is_local = name.len() < token.len();
        let is_another = self.of_file.contains(name) || (self.functions.contains(name) && !is_local);
        let is_known = is_local == self.local.contains(name) && !is_another;
        (is_known && !name.starts_with('_') && !name.is_empty()).then_some(name)
    }

    /// Whether a statement, but for the code in it, is one that C and NMODL have alike.
    fn is_plain(&self, statement: &Statement) -> bool {
        match &statement.kind {
            StatementKind::Assign(place, value) => {
                place.index.iter().all(|index| self.counters.is_whole(index))
                    && !self.at_start.contains(&place.name.text)
                    && self.counters.means_the_same(value)
            }
            StatementKind::If(branches, _) => {
                branches.iter().all(|(condition, _)| self.counters.means_the_same(condition))
            }
            _ => false,
        }
    }
}

fn signature(block: &Block) -> Option<&Signature> {
    match &block.kind {
        BlockKind::Procedure(signature) | BlockKind::Function(signature) => Some(signature),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
