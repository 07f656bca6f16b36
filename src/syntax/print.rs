//! A tree back to NMODL.
//!
//! Parsing the text gives an equal tree. Comments after `:` and `?` are not
//! printed: they are no part of the tree.

mod declarations;
mod expressions;
mod statements;

use crate::syntax::ast::{
    Argument, Block, BlockKind, Expr, Item, Length, LocalDefinition, Name, Opaque, Program, Signature, Unit,
};

/// NEURON refuses lines of more than 511 characters; people like shorter ones.
const WIDTH: usize = 100;
const INDENT: &str = "    ";
/// A space at which a line may be broken.
const BREAK: char = '\u{0}';

/// The whole file.
#[must_use]
pub fn program(program: &Program) -> String {
    let mut printer = Printer::default();
    for item in &program.items {
        if !printer.text.is_empty() {
            printer.text.push('\n');
        }
        printer.item(item);
    }
    printer.text
}

/// One expression, on one line.
#[must_use]
pub fn expression(expression: &Expr) -> String {
    expressions::text(expression).replace(BREAK, " ")
}

#[derive(Default)]
struct Printer {
    text: String,
    level: usize,
}

impl Printer {
    /// One logical line, broken where it is too long.
    fn line(&mut self, content: &str) {
        let mut column = self.level * INDENT.len();
        self.text.push_str(&INDENT.repeat(self.level));
        for (index, piece) in content.split(BREAK).enumerate() {
            let width = piece.chars().count();
            if index > 0 && column + width >= WIDTH {
                self.text.push('\n');
                self.text.push_str(&INDENT.repeat(self.level + 2));
                column = (self.level + 2) * INDENT.len();
            } else if index > 0 {
                self.text.push(' ');
                column += 1;
            }
            self.text.push_str(piece);
            column += width;
        }
        self.text.push('\n');
    }

    /// `head { ... }`
    fn braces(&mut self, head: &str, body: impl FnOnce(&mut Self)) {
        self.line(format!("{head} {{").trim_start());
        self.level += 1;
        body(self);
        self.level -= 1;
        self.line("}");
    }

    fn list<T>(&mut self, head: &str, entries: &[T], line: fn(&T) -> String) {
        self.braces(head, |printer| {
            for entry in entries {
                printer.line(&line(entry));
            }
        });
    }

    /// Lines that are not ours to indent.
    fn opaque(&mut self, keyword: &str, body: &Opaque) {
        self.line(keyword);
        self.text.push_str(&body.text);
        if !body.text.is_empty() {
            self.text.push('\n');
        }
        self.line(&format!("END{keyword}"));
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Title(title) => self.line(format!("TITLE {}", title.text).trim_end()),
            Item::Comment(body) => self.opaque("COMMENT", body),
            Item::Verbatim(body) => self.opaque("VERBATIM", body),
            Item::UnitsSwitch(on, _) => self.line(if *on { "UNITSON" } else { "UNITSOFF" }),
            Item::Define(name, number) => {
                self.line(&format!("DEFINE {} {}", name.text, number.text));
            }
            Item::Include(file) => self.line(&format!("INCLUDE \"{}\"", file.text)),
            Item::Neuron(list, _) => self.list("NEURON", list, declarations::neuron),
            Item::Units(list, _) => self.list("UNITS", list, declarations::unit_definition),
            Item::Parameter(list, _) => self.list("PARAMETER", list, declarations::parameter),
            Item::Constant(list, _) => self.list("CONSTANT", list, declarations::parameter),
            Item::Assigned(list, _) => self.list("ASSIGNED", list, declarations::variable),
            Item::State(list, _) => self.list("STATE", list, declarations::variable),
            Item::Independent(text) => {
                self.braces("INDEPENDENT", |printer| printer.line(&text.text));
            }
            Item::Local(names, _) => self.line(&locals(names)),
            Item::FunctionTable(it) => self.line(&format!("FUNCTION_TABLE {}", signature(it))),
            Item::Block(block) => self.block(block),
            Item::Ignored(keyword, text) if matches!(keyword.text.as_str(), "PLOT" | "SENS") => {
                self.line(&format!("{} {}", keyword.text, text.text));
            }
            Item::Ignored(keyword, text) => {
                self.braces(&keyword.text, |printer| printer.line(&text.text));
            }
        }
    }

    fn block(&mut self, block: &Block) {
        let named = |word: &str, name: &Name| format!("{word} {}", name.text);
        let solving = |word: &str, name: &Name, states: &[Name]| match states {
            [] => named(word, name),
            _ => format!("{word} {} SOLVEFOR {}", name.text, names(states)),
        };
        let head = match &block.kind {
            BlockKind::Initial => "INITIAL".to_owned(),
            BlockKind::Breakpoint => "BREAKPOINT".to_owned(),
            BlockKind::Constructor => "CONSTRUCTOR".to_owned(),
            BlockKind::Destructor => "DESTRUCTOR".to_owned(),
            BlockKind::Terminal => "TERMINAL".to_owned(),
            BlockKind::Derivative(name) => named("DERIVATIVE", name),
            BlockKind::Discrete(name) => named("DISCRETE", name),
            BlockKind::Kinetic(name, states) => solving("KINETIC", name, states),
            BlockKind::Linear(name, states) => solving("LINEAR", name, states),
            BlockKind::Nonlinear(name, states) => solving("NONLINEAR", name, states),
            BlockKind::Procedure(it) => format!("PROCEDURE {}", signature(it)),
            BlockKind::Function(it) => format!("FUNCTION {}", signature(it)),
            BlockKind::NetReceive(list) => format!("NET_RECEIVE({})", arguments(list)),
            BlockKind::BeforeAfter(before, word) => named(if *before { "BEFORE" } else { "AFTER" }, word),
        };
        self.braces(&head, |printer| printer.statements(&block.body));
    }
}

fn signature(signature: &Signature) -> String {
    let arguments = arguments(&signature.arguments);
    format!("{}({arguments}){}", signature.name.text, unit(signature.unit.as_ref()))
}

fn arguments(arguments: &[Argument]) -> String {
    joined(arguments.iter().map(|it| format!("{}{}", it.name.text, unit(it.unit.as_ref()))))
}

fn locals(locals: &[LocalDefinition]) -> String {
    let names = locals.iter().map(|it| format!("{}{}", it.name.text, length(it.length.as_ref())));
    format!("LOCAL {}", joined(names))
}

fn names(names: &[Name]) -> String {
    joined(names.iter().map(|name| name.text.clone()))
}

fn joined(pieces: impl Iterator<Item = String>) -> String {
    pieces.collect::<Vec<_>>().join(&format!(",{BREAK}"))
}

/// ` (mV)`, or nothing.
fn unit(unit: Option<&Unit>) -> String {
    unit.map_or_else(String::new, |unit| format!(" ({})", unit.text))
}

/// `[3]`, or nothing.
fn length(length: Option<&Length>) -> String {
    length.map_or_else(String::new, |length| format!("[{}]", count(length)))
}

fn count(length: &Length) -> String {
    match length {
        Length::Number(number) => number.to_string(),
        Length::Define(name) => name.text.clone(),
    }
}

/// Short text that reads as the same number.
#[must_use]
pub fn number(value: f64) -> String {
    if value.is_infinite() {
        // Reads as infinity again.
        return if value > 0.0 { "1e999".to_owned() } else { "-1e999".to_owned() };
    }
    let (plain, short) = (value.to_string(), format!("{value:e}"));
    if short.len() + 2 < plain.len() { short } else { plain }
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_short_and_exact() {
        for (value, text) in [(0.1, "0.1"), (1e-9, "1e-9"), (-2.0, "-2"), (1e22, "1e22")] {
            assert_eq!(super::number(value), text);
        }
    }
}
