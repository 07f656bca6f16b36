//! LINEAR blocks: the states that solve linear equations, in INITIAL or in each step.

use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Builtin, Comparison};
use crate::syntax::ast::Block;
use crate::trace::{Trace, Traced};

/// How far the solution may miss an equation, relative to its terms: NEURON
/// chooses pivots by size, gradmod by place, which is worse for some equations.
const RESIDUAL: f64 = 1e-9;

pub(in crate::step) fn solve(trace: &mut Trace, block: &Block) -> Traced<()> {
    let equations = trace.linear(block)?;
    let scope = trace.scope();
    let (matrix, right) = (equations.matrix.clone(), equations.right.clone());
    let solution = trace
        .graph
        .solve_linear(matrix, right, None, scope)
        .ok_or_else(|| Box::new(Diagnostic::refusal(Code::Singular, block.span, "these equations are singular")))?;
    let limit = trace.graph.number(RESIDUAL);
    for (row, right) in equations.matrix.iter().zip(&equations.right) {
        let mut sum = trace.graph.neg(*right);
        let mut size = trace.graph.call(Builtin::Fabs, vec![*right]);
        for (column, coefficient) in row {
            let term = trace.graph.mul(*coefficient, solution[*column]);
            sum = trace.graph.add(sum, term);
            let term = trace.graph.call(Builtin::Fabs, vec![term]);
            size = trace.graph.add(size, term);
        }
        let missed = trace.graph.call(Builtin::Fabs, vec![sum]);
        let allowed = trace.graph.mul(limit, size);
        let solved = trace.graph.compare(Comparison::Le, missed, allowed);
        // Not a number compares as false.
        let unsolved = trace.graph.not(solved);
        trace.fail_where(unsolved);
    }
    for (state, value) in equations.states.into_iter().zip(solution) {
        trace.values.insert(state, value);
    }
    Ok(())
}
