//! LINEAR: equations `~ left = right` -> a matrix and a right side.
//!
//! NEURON's translator reads each side as a sum of products with at most one of
//! the unknown states in each, takes what multiplies it as the coefficient, and
//! hands the numbers to Gaussian elimination (`scopmath/simeq`). What the block
//! computes besides sees the states as they were before.

use crate::diagnostic::Code;
use crate::graph::{Id, SparseRow};
use crate::model::{Mechanism, Variable};
use crate::syntax::ast::{BinaryOp, Block, BlockKind, Expr, ExprKind, StatementKind, UnaryOp};
use crate::syntax::span::Span;
use crate::syntax::visit::statements;
use crate::trace::{Scope, Trace, Traced, refuse};

/// `matrix . states = right`
#[derive(Clone, Debug, Default)]
pub struct LinearEquations {
    /// Elements of arrays one by one.
    pub states: Vec<String>,
    pub matrix: Vec<SparseRow>,
    pub right: Vec<Id>,
    /// Where the block itself runs; the rows are counted there only.
    scope: Scope,
}

/// One factor of a product, and whether the product is divided by it.
type Factor<'a> = (&'a Expr, bool);

impl Trace<'_> {
    /// Runs a LINEAR block; the states are left as they are.
    pub fn linear(&mut self, block: &Block) -> Traced<LinearEquations> {
        let equations = LinearEquations {
            states: unknowns(self.mechanism, block),
            scope: self.scope,
            ..LinearEquations::default()
        };
        let outer = self.equations.replace(equations);
        let result = self.run_block(block);
        let equations = std::mem::replace(&mut self.equations, outer).unwrap_or_default();
        result?;
        if equations.matrix.len() == equations.states.len() {
            return Ok(equations);
        }
        let message = format!("{} equations for {} unknowns", equations.matrix.len(), equations.states.len());
        Err(refuse(Code::EquationCount, block.span, message))
    }

    /// Runs a NONLINEAR block; the differences of the sides of its equations.
    pub fn nonlinear(&mut self, block: &Block) -> Traced<Vec<Id>> {
        let outer = self.residuals.replace((self.scope, Vec::new()));
        let result = self.run_block(block);
        let residuals = std::mem::replace(&mut self.residuals, outer);
        result?;
        Ok(residuals.map(|(_, residuals)| residuals).unwrap_or_default())
    }

    pub(in crate::trace) fn equation(&mut self, left: &Expr, right: &Expr, span: Span) -> Traced<()> {
        if let Some((scope, mut residuals)) = self.residuals.take() {
            if scope != self.scope {
                let message = "whether this equation is one depends on the simulation";
                return Err(refuse(Code::EquationPlace, span, message));
            }
            let left = self.expression(left)?;
            let right = self.expression(right)?;
            residuals.push(self.graph.sub(right, left));
            self.residuals = Some((scope, residuals));
            return Ok(());
        }
        let Some(mut equations) = self.equations.take() else {
            return Err(refuse(Code::Equation, span, "an equation outside of a LINEAR block that is solved"));
        };
        if equations.scope != self.scope {
            let message = "whether this equation is one depends on the simulation";
            return Err(refuse(Code::EquationPlace, span, message));
        }
        let mut row = SparseRow::new();
        let mut constant = self.graph.number(0.0);
        let mut products = Vec::new();
        terms(left, false, &mut products);
        terms(right, true, &mut products);
        for (negative, product) in products {
            let (value, state) = self.product(&product, &equations.states)?;
            let value = if negative { self.graph.neg(value) } else { value };
            if let Some(column) = state {
                let zero = self.graph.number(0.0);
                let before = row.get(&column).copied().unwrap_or(zero);
                row.insert(column, self.graph.add(before, value));
            } else {
                constant = self.graph.sub(constant, value);
            }
        }
        equations.matrix.push(row);
        equations.right.push(constant);
        self.equations = Some(equations);
        Ok(())
    }

    /// The product with 1 for the unknown, and the unknown.
    fn product(&mut self, factors: &[Factor], states: &[String]) -> Traced<(Id, Option<usize>)> {
        let mut value = self.graph.number(1.0);
        let mut state = None;
        for (factor, divides) in factors {
            let key = match &factor.kind {
                ExprKind::Name(name) => Some(name.clone()),
                ExprKind::Index(name, index) => Some(self.element(name, index)?),
                _ => None,
            };
            let column = key.and_then(|key| states.iter().position(|state| *state == key));
            if column.is_some() {
                if state.is_some() || *divides {
                    let message = "an unknown of LINEAR may stand once in a product";
                    return Err(refuse(Code::Nonlinear, factor.span, message));
                }
                state = column;
                continue;
            }
            let factor = self.expression(factor)?;
            value = if *divides { self.graph.div(value, factor) } else { self.graph.mul(value, factor) };
        }
        Ok((value, state))
    }
}

/// The states that a LINEAR block solves for.
fn unknowns(mechanism: &Mechanism, block: &Block) -> Vec<String> {
    let chosen: &[_] = match &block.kind {
        BlockKind::Linear(_, chosen) => chosen,
        _ => &[],
    };
    let mut names = Vec::new();
    for side in sides(block) {
        let mut products = Vec::new();
        terms(side, false, &mut products);
        for (factor, _) in products.into_iter().flat_map(|(_, product)| product) {
            if let ExprKind::Name(name) | ExprKind::Index(name, _) = &factor.kind {
                let is_solved = mechanism.states.contains(name)
                    && (chosen.is_empty() || chosen.iter().any(|known| known.text == *name));
                if is_solved && !names.contains(name) {
                    names.push(name.clone());
                }
            }
        }
    }
    let variables = names.iter().filter_map(|name| mechanism.variable(name));
    variables.flat_map(Variable::elements).collect()
}

/// The states that a NONLINEAR block solves for.
pub fn unknowns_of_nonlinear(mechanism: &Mechanism, block: &Block) -> Vec<String> {
    let chosen: &[_] = match &block.kind {
        BlockKind::Nonlinear(_, chosen) => chosen,
        _ => &[],
    };
    let is_solved = |name: &&String| {
        (chosen.is_empty() || chosen.iter().any(|known| known.text == **name))
            && sides(block).any(|side| crate::trace::equations::linear_ode::mentions(side, name))
    };
    let names = mechanism.states.iter().filter(is_solved);
    let variables = names.filter_map(|name| mechanism.variable(name));
    variables.flat_map(Variable::elements).collect()
}

/// Both sides of each equation of a block.
fn sides(block: &Block) -> impl Iterator<Item = &Expr> {
    let equations = statements(&block.body).filter_map(|statement| match &statement.kind {
        StatementKind::Equation(left, right) => Some([left, right]),
        _ => None,
    });
    equations.flatten()
}

/// The products of a sum, and whether each is subtracted.
fn terms<'a>(expr: &'a Expr, negative: bool, products: &mut Vec<(bool, Vec<Factor<'a>>)>) {
    match &expr.kind {
        ExprKind::Binary(BinaryOp::Add, left, right) => {
            terms(left, negative, products);
            terms(right, negative, products);
        }
        ExprKind::Binary(BinaryOp::Sub, left, right) => {
            terms(left, negative, products);
            terms(right, !negative, products);
        }
        ExprKind::Unary(UnaryOp::Minus, inner) => terms(inner, !negative, products),
        _ => {
            let mut factors = Vec::new();
            let negative = negative != product(expr, &mut factors);
            products.push((negative, factors));
        }
    }
}

/// The factors of a product; whether it has a minus sign.
fn product<'a>(expr: &'a Expr, factors: &mut Vec<Factor<'a>>) -> bool {
    match &expr.kind {
        ExprKind::Binary(op @ (BinaryOp::Mul | BinaryOp::Div), left, right) => {
            let negative = product(left, factors);
            factors.push((right, *op == BinaryOp::Div));
            negative
        }
        // `-a*b` groups as `(-a)*b`.
        ExprKind::Unary(UnaryOp::Minus, inner) => !product(inner, factors),
        _ => {
            factors.push((expr, false));
            false
        }
    }
}
