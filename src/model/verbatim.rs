//! C code that NMODL could say as well: assignments to plain variables, with arithmetic, in `if` or not.
//!
//! The code is turned into NMODL text that stands at the same place of an otherwise blank file, so that the parser gives
//! every part of it the span that it has. What means something else in C stays VERBATIM: integers divided by integers,
//! casts, declarations, calls of the mechanism's own functions.

use std::collections::BTreeSet;

use crate::model::deeds::deeds;
use crate::syntax::ast::{
    BinaryOp, Block, BlockKind, Expr, ExprKind, Item, NeuronStatement, Opaque, Program, Signature, Statement,
    StatementKind,
};
use crate::syntax::c::{is_number, is_word, tokens};
use crate::syntax::{parse, visit};

const OPERATORS: [&str; 14] = ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "+", "-", "*", "/", "="];
const PUNCTUATION: [&str; 6] = ["(", ")", "{", "}", ",", ";"];
const CALLS: [&str; 19] = [
    "exp", "log", "log10", "pow", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh",
    "fabs", "floor", "ceil", "fmod",
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
        Self { never_set, at_start, local: BTreeSet::new(), functions, of_file }
    }

    fn enter(&mut self, block: &Block) {
        self.local.clear();
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
                StatementKind::From { variable, .. } => _ = self.local.insert(variable.text.clone()),
                _ => {}
            }
        }
    }

    fn statements(&self, statements: Vec<Statement>, mut is_start: bool) -> Vec<Statement> {
        let mut found = Vec::new();
        for Statement { kind, span } in statements {
            let kind = match kind {
                StatementKind::Verbatim(code) => match self.translation(&code, is_start) {
                    Some(translation) => {
                        is_start &= translation.is_empty();
                        found.extend(translation);
                        continue;
                    }
                    None => StatementKind::Verbatim(code),
                },
                StatementKind::If(branches, otherwise) => StatementKind::If(
                    branches.into_iter().map(|(condition, body)| (condition, self.statements(body, false))).collect(),
                    otherwise.map(|body| self.statements(body, false)),
                ),
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
                place.index.is_none() && !self.at_start.contains(&place.name.text) && means_the_same(value)
            }
            StatementKind::If(branches, _) => branches.iter().all(|(condition, _)| means_the_same(condition)),
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

/// Whether C computes what NMODL does.
fn means_the_same(expr: &Expr) -> bool {
    visit::expressions(expr).all(|part| match &part.kind {
        ExprKind::Number(_, unit) => unit.is_none(),
        ExprKind::Name(_) | ExprKind::Unary(..) | ExprKind::Call(..) => true,
        ExprKind::Binary(op, left, right) => !(*op == BinaryOp::Div && is_integer(left) && is_integer(right)),
        ExprKind::Index(..) | ExprKind::Prime(..) | ExprKind::String(_) => false,
    })
}

/// Whether it may be an integer in C.
fn is_integer(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Number(number, _) => !number.text.contains(['.', 'e', 'E']),
        ExprKind::Unary(_, operand) => is_integer(operand),
        ExprKind::Binary(op, left, right) => match op {
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div => is_integer(left) && is_integer(right),
            _ => true,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
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
        ] {
            assert_eq!(initial(code), expected, "{code}");
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
            "a[0] = 1;",
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
            "if (a) b = 1;",
            "return 0;",
            "cai = 1;",
            "nai = 1; nai = _ion_nai;",
            "if (a) { cai = 1; }",
        ] {
            assert!(initial(code).contains("ENDVERBATIM"), "{code}: {}", initial(code));
        }
    }
}
