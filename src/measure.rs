//! A measure of a cell's activity: an NMODL expression of its variables, and its derivatives.

use crate::diagnostic::{Code, Diagnostic};
use crate::diff::Differentiator;
use crate::graph::{Graph, Id};
use crate::model::check;
use crate::syntax::ast::{Expr, ExprKind};
use crate::syntax::{parse, parse_expression};
use crate::trace::{Constants, Findings, Trace, Values};

/// What the value is called in the code that computes it.
const VALUE: &str = "measured";
/// What NEURON knows everywhere, and no gradient is kept of.
const NO_INPUTS: [&str; 5] = ["t", "dt", "celsius", "area", "diam"];

#[derive(Debug)]
pub struct Measure {
    pub graph: Graph,
    pub value: Id,
    /// The variables that it is made of, in the order of the text.
    pub names: Vec<String>,
    /// Its derivative by each of them.
    pub slopes: Vec<Id>,
}

impl Measure {
    /// `input` says what emitted code calls the value of variable number i.
    ///
    /// # Errors
    ///
    /// What is wrong with the expression.
    pub fn new(text: &str, input: impl Fn(usize) -> String) -> Result<Self, Vec<Diagnostic>> {
        let expr = parse_expression(text)?;
        let mut names = Vec::new();
        collect(&expr, &mut names).map_err(|diagnostic| vec![diagnostic])?;
        if names.is_empty() {
            let message = "a measure must depend on a variable of the cell";
            return Err(vec![Diagnostic::error(Code::Measure, expr.span, message)]);
        }
        let source = format!(
            "NEURON {{ SUFFIX measure }}\nASSIGNED {{ {} {VALUE} }}\nPROCEDURE measure() {{ {VALUE} = {text}\n}}\n",
            names.join(" ")
        );
        let mechanism = check(&parse(&source)?)?;
        let mut graph = Graph::default();
        let inputs: Vec<_> = (0..names.len()).map(|index| graph.input(input(index))).collect();
        let mut values = Values::from([(VALUE.to_owned(), graph.number(0.0))]);
        for (name, input) in names.iter().zip(&inputs) {
            values.insert(name.clone(), graph.read(*input));
        }
        let (constants, mut findings) = (Constants::default(), Findings::default());
        let mut trace = Trace::new(&mut graph, &mechanism, values, &constants, &mut findings, None);
        trace.follows_all = true;
        // Its places are those of the whole source, not of the expression.
        let moved = |diagnostic: Box<Diagnostic>| vec![Diagnostic { span: expr.span, ..*diagnostic }];
        trace.run_block(&mechanism.blocks["measure"]).map_err(moved)?;
        let value = trace.values[VALUE];
        let mut differentiator = Differentiator::default();
        let slopes = inputs.iter().map(|input| differentiator.derivative(&mut graph, value, *input)).collect();
        Ok(Self { graph, value, names, slopes })
    }
}

/// The variables of an expression, each once.
fn collect(expr: &Expr, names: &mut Vec<String>) -> Result<(), Diagnostic> {
    match &expr.kind {
        ExprKind::Name(name) if NO_INPUTS.contains(&name.as_str()) => {
            let message = format!("`{name}` has no gradient that a measure could use");
            Err(Diagnostic::error(Code::Measure, expr.span, message))
        }
        ExprKind::Name(name) if names.contains(name) => Ok(()),
        ExprKind::Name(name) => {
            names.push(name.clone());
            Ok(())
        }
        ExprKind::Unary(_, operand) => collect(operand, names),
        ExprKind::Binary(_, left, right) => collect(left, names).and_then(|()| collect(right, names)),
        ExprKind::Call(_, arguments) => arguments.iter().try_for_each(|argument| collect(argument, names)),
        ExprKind::Number(..) => Ok(()),
        ExprKind::Index(..) | ExprKind::Prime(..) | ExprKind::String(_) => {
            let message = "a measure is made of numbers, variables, operators and functions";
            Err(Diagnostic::error(Code::Measure, expr.span, message))
        }
    }
}
