//! The parser and the printer, on small files and on made-up input.

mod syntax_generated;

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use gradmod::syntax::ast::{ExprKind, Item, StatementKind};
use gradmod::{render, syntax};

fn fixtures(kind: &str) -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/syntax").join(kind);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn read(path: &PathBuf) -> String {
    syntax::decode(&fs::read(path).unwrap())
}

fn shown(text: &str) -> String {
    match syntax::parse(text) {
        Ok(_) => "no error".to_owned(),
        Err(errors) => errors.iter().fold(String::new(), |mut all, error| {
            let _ = writeln!(all, "{}", render::human("a.mod", text, error));
            all
        }),
    }
}

#[test]
fn printed_trees_read_as_equal() {
    for path in fixtures("ok") {
        let text = read(&path);
        let tree = syntax::parse(&text).unwrap_or_else(|_| panic!("{path:?}:\n{}", shown(&text)));
        let printed = syntax::print::program(&tree);
        assert!(printed.lines().all(|line| line.len() < 512), "{path:?}");
        let again = syntax::parse(&printed).unwrap_or_else(|_| panic!("{}", shown(&printed)));
        assert_eq!(tree, again, "{path:?}");
        assert_eq!(printed, syntax::print::program(&again), "{path:?}");
    }
}

#[test]
fn printed_text() {
    for name in ["calcium", "channel", "operators", "synapse", "old"] {
        let path = fixtures("ok").into_iter().find(|path| path.file_stem().unwrap() == name);
        let tree = syntax::parse(&read(&path.unwrap())).unwrap();
        insta::assert_snapshot!(format!("printed_{name}"), syntax::print::program(&tree));
    }
}

#[test]
fn errors_say_where_and_what() {
    for path in fixtures("err") {
        let text = read(&path);
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut all = shown(&text);
        if name == "nesting" {
            // The line itself is long and says nothing.
            all = all.lines().take(2).collect::<Vec<_>>().join("\n");
        }
        insta::assert_snapshot!(format!("error_{name}"), all);
    }
}

#[test]
fn deep_input_is_refused() {
    let many = 100_000;
    let bodies = [
        format!("x = {}1{}", "(".repeat(many), ")".repeat(many)),
        format!("x = {}1", "(".repeat(many)),
        format!("x = {}1", "-".repeat(many)),
        format!("x = {}1", "2^".repeat(many)),
        format!("x = {}1", "1 + ".repeat(many)),
        format!("x = {}1", "f(".repeat(many)),
        format!("x = {}1", "a[".repeat(many)),
        "{".repeat(many),
        "IF (1) {".repeat(many),
    ];
    for body in bodies {
        let text = format!("INITIAL {{ {body} }}");
        let errors = syntax::parse(&text).unwrap_err();
        assert_eq!(errors[0].code.name(), "syntax-nesting");
    }
}

#[test]
fn nesting_that_people_write_is_fine() {
    let parentheses = format!("{}1{}", "(".repeat(100), ")".repeat(100));
    let sum = "1 + ".repeat(400) + "1";
    let branches = "IF (1) { y = 1 } ".to_owned() + &"ELSE IF (1) { y = 1 } ".repeat(2_000);
    for body in [format!("x = {parentheses}"), format!("x = {sum}"), branches] {
        let text = format!("INITIAL {{ {body} }}");
        let tree = syntax::parse(&text).unwrap();
        let printed = syntax::print::program(&tree);
        assert!(printed.lines().all(|line| line.len() < 512));
        assert_eq!(syntax::parse(&printed).unwrap(), tree);
    }
}

/// `text` as a statement of INITIAL.
fn statement(text: &str) -> StatementKind {
    let mut tree = syntax::parse(&format!("INITIAL {{ {text} }}")).unwrap();
    let Some(Item::Block(mut block)) = tree.items.pop() else { panic!("{text}") };
    assert_eq!(block.body.len(), 1, "{text}");
    block.body.pop().unwrap().kind
}

#[test]
fn operators_group_as_in_neuron() {
    for (written, grouped) in [
        ("-a^b", "-(a^b)"),
        ("a^b^c", "a^(b^c)"),
        ("a^-b^c", "a^(-(b^c))"),
        ("a^-b*c", "(a^(-b))*c"),
        ("-a*b", "(-a)*b"),
        ("!a == b", "(!a) == b"),
        ("a - b - c", "(a - b) - c"),
        ("a/b*c", "(a/b)*c"),
        ("a < b == c", "(a < b) == c"),
        ("a || b && c", "a || (b && c)"),
        ("a + b > c && d", "((a + b) > c) && d"),
        ("a < -b", "a < (-b)"),
        ("a<-b", "a < (-b)"),
    ] {
        assert_eq!(statement(&format!("x = {written}")), statement(&format!("x = {grouped}")));
    }
}

#[test]
fn parentheses_after_a_number_hold_a_unit() {
    let StatementKind::Assign(_, value) = statement("x = 3 (mV: ' ?)") else { panic!() };
    let ExprKind::Number(number, Some(unit)) = value.kind else { panic!() };
    assert_eq!((number.text.as_str(), unit.text.as_str()), ("3", "mV: ' ?"));
}

#[test]
fn spans_are_places_in_the_text() {
    let text = ": é\nPROCEDURE p(v (mV)) {\n  x = (a + 2 (mV))*b\n}\n";
    let tree = syntax::parse(text).unwrap();
    assert_eq!(tree.comments[0].text, ": é");
    let Item::Block(block) = &tree.items[0] else { panic!() };
    assert_eq!(&text[block.span.start..block.span.end], text[5..].trim());
    let statement = &block.body[0];
    assert_eq!(&text[statement.span.start..statement.span.end], "x = (a + 2 (mV))*b");
    let StatementKind::Assign(_, value) = &statement.kind else { panic!() };
    let ExprKind::Binary(_, left, _) = &value.kind else { panic!() };
    assert_eq!(&text[left.span.start..left.span.end], "(a + 2 (mV))");
}

#[test]
fn decoding() {
    assert_eq!(syntax::decode(b"\xef\xbb\xbfa\r\nb\rc"), "a\nb\nc");
    assert_eq!(syntax::decode(b"\xb5m"), "µm");
    assert_eq!(syntax::decode("µm".as_bytes()), "µm");
}
