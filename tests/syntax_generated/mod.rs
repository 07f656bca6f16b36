//! Made-up input: nothing of it may panic or hang.

use gradmod::syntax::ast::{BinaryOp, Expr, ExprKind, Item, Name, Number, StatementKind, UnaryOp, Unit};
use gradmod::syntax::span::Span;
use gradmod::{render, syntax};
use proptest::prelude::*;

const PIECES: &[&str] = &[
    "NEURON",
    "SUFFIX",
    "USEION",
    "READ",
    "WRITE",
    "REPRESENTS",
    "VALENCE",
    "RANGE",
    "UNITS",
    "PARAMETER",
    "ASSIGNED",
    "STATE",
    "FROM",
    "TO",
    "START",
    "BREAKPOINT",
    "INITIAL",
    "SOLVE",
    "METHOD",
    "DERIVATIVE",
    "KINETIC",
    "LINEAR",
    "PROCEDURE",
    "FUNCTION",
    "NET_RECEIVE",
    "LOCAL",
    "IF",
    "ELSE",
    "while",
    "TABLE",
    "DEPEND",
    "WITH",
    "WATCH",
    "COMPARTMENT",
    "CONSERVE",
    "DEFINE",
    "INDEPENDENT",
    "VERBATIM",
    "ENDVERBATIM",
    "\nENDVERBATIM\n",
    "COMMENT",
    "\nENDCOMMENT\n",
    "TITLE",
    "UNITSOFF",
    "PLOT",
    "STEPPED",
    "INT",
    "PROTECT",
    "LAG",
    "BY",
    "{",
    "}",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    "<->",
    "->",
    "<<",
    "~",
    "~+",
    "=",
    "+",
    "-",
    "*",
    "/",
    "^",
    "!",
    "&&",
    "||",
    "==",
    ",",
    ";",
    "@",
    ":",
    "?",
    "\"",
    "'",
    "a",
    "b'",
    "m''",
    "N",
    "1",
    "2.5",
    ".5",
    "1e-3",
    "1e999",
    "99999999999999999999",
    "é",
    "\u{0}",
    "\u{1a}",
    "\n",
    "\r\n",
    " ",
    "\t",
];

fn survives(text: &str) {
    match syntax::parse(text) {
        Ok(tree) => {
            let printed = syntax::print::program(&tree);
            let again = syntax::parse(&printed).expect(&printed);
            assert_eq!(tree, again, "{printed}");
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in errors {
                let _ = render::human("a.mod", text, &error);
                let _ = render::json("a.mod", text, &error);
            }
        }
    }
}

fn fixture() -> impl Strategy<Value = String> {
    let texts: Vec<String> = super::fixtures("ok").iter().map(super::read).collect();
    prop::sample::select(texts)
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "v", "minf", "x_2"]).prop_map(str::to_owned)
}

fn made(kind: ExprKind) -> Expr {
    Expr { kind, span: Span::default() }
}

fn expression() -> impl Strategy<Value = Expr> {
    let number = prop::sample::select(vec!["0", ".5", "1e-3", "2.", "3E+2"]);
    let unit = prop::option::of(prop::sample::select(vec!["mV", "/ms", "10-6 m"]));
    let number = (number, unit).prop_map(|(text, unit)| {
        let number = Number { text: text.to_owned(), value: text.parse().unwrap(), span: Span::default() };
        let unit = unit.map(|text| Unit { text: text.to_owned(), span: Span::default() });
        made(ExprKind::Number(number, unit))
    });
    let prime = (name(), 1_u32..4).prop_map(|(name, order)| made(ExprKind::Prime(name, order)));
    let leaf = prop_oneof![number, name().prop_map(|name| made(ExprKind::Name(name))), prime];
    let unary = prop::sample::select(vec![UnaryOp::Minus, UnaryOp::Not]);
    let binary = prop::sample::select(vec![
        BinaryOp::Add,
        BinaryOp::Sub,
        BinaryOp::Mul,
        BinaryOp::Div,
        BinaryOp::Mod,
        BinaryOp::Pow,
        BinaryOp::Lt,
        BinaryOp::Le,
        BinaryOp::Gt,
        BinaryOp::Ge,
        BinaryOp::Eq,
        BinaryOp::Ne,
        BinaryOp::And,
        BinaryOp::Or,
    ]);
    leaf.prop_recursive(8, 60, 3, move |inner| {
        prop_oneof![
            2 => (unary.clone(), inner.clone())
                .prop_map(|(op, of)| made(ExprKind::Unary(op, Box::new(of)))),
            5 => (binary.clone(), inner.clone(), inner.clone())
                .prop_map(|(op, a, b)| made(ExprKind::Binary(op, Box::new(a), Box::new(b)))),
            1 => (name(), inner.clone())
                .prop_map(|(name, index)| made(ExprKind::Index(name, Box::new(index)))),
            1 => (name(), prop::collection::vec(inner, 0..3)).prop_map(|(text, arguments)| {
                made(ExprKind::Call(Name { text, span: Span::default() }, arguments))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in "\\PC{0,60}") {
        survives(&text);
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        survives(&syntax::decode(&bytes));
    }

    #[test]
    fn token_soup(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60)) {
        survives(&pieces.join(" "));
    }

    #[test]
    fn soup_in_a_block(
        head in prop::sample::select(vec!["INITIAL {", "KINETIC k {", "NEURON {", "STATE {", "PARAMETER {", "UNITS {"]),
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..30),
    ) {
        survives(&format!("{head} {} }}", pieces.join(" ")));
    }

    #[test]
    fn mutated_files(
        text in fixture(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..20_usize, prop::sample::select(PIECES)), 1..4),
    ) {
        let mut characters: Vec<char> = text.chars().collect();
        for (place, removed, piece) in changes {
            let start = if characters.is_empty() { 0 } else { place.index(characters.len()) };
            let end = (start + removed).min(characters.len());
            characters.splice(start..end, piece.chars());
        }
        survives(&characters.into_iter().collect::<String>());
    }

    #[test]
    fn printed_expressions_read_as_equal(expr in expression()) {
        let printed = syntax::print::expression(&expr);
        let StatementKind::Assign(_, read) = super::statement(&format!("x = {printed}")) else {
            panic!("{printed}")
        };
        prop_assert_eq!(read, expr, "{}", printed);
    }

    #[test]
    fn long_expressions_are_broken(terms in prop::collection::vec(expression(), 20..40)) {
        let sum = terms.into_iter().reduce(|a, b| {
            made(ExprKind::Binary(BinaryOp::Add, Box::new(a), Box::new(b)))
        });
        let text = format!("INITIAL {{ x = {} }}", syntax::print::expression(&sum.unwrap()));
        let tree = syntax::parse(&text).unwrap();
        let printed = syntax::print::program(&tree);
        prop_assert!(printed.lines().all(|line| line.len() < 512));
        prop_assert_eq!(&syntax::parse(&printed).unwrap(), &tree);
        prop_assert!(matches!(tree.items[0], Item::Block(_)));
    }
}
