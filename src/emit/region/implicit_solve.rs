//! The substitutions of [`ImplicitSolve`]s as NMODL, for one direction.

use crate::emit::text::lines;
use crate::graph::Id;
use crate::step::{ImplicitSolve, LinearForm};

/// Statements and the LOCAL names that they set. `terms` writes the products of
/// a row, `factor` a coefficient.
#[allow(clippy::type_complexity)] // a name would hide the lifetimes
pub(in crate::emit) fn substitution(
    implicit_solves: &[ImplicitSolve],
    terms: &dyn Fn(&LinearForm, &mut dyn FnMut(Id) -> String) -> Vec<String>,
    factor: &mut dyn FnMut(Id) -> String,
) -> (Vec<String>, Vec<String>) {
    let (mut names, mut code) = (Vec::new(), Vec::new());
    for (number, solve) in implicit_solves.iter().enumerate() {
        let mut inside = Vec::new();
        for (index, row) in solve.rows.iter().enumerate() {
            let mut sum = terms(&row.row, factor);
            for (other, id) in &row.lower {
                sum.push(format!("-1*{}*{}", factor(*id), right_name(number, *other)));
            }
            names.extend([right_name(number, index), unknown_name((number, index))]);
            inside.extend(lines::sum(&right_name(number, index), &sum));
        }
        for (index, row) in solve.rows.iter().enumerate().rev() {
            let mut sum = vec![right_name(number, index)];
            for (other, id) in &row.upper {
                sum.push(format!("-1*{}*{}", factor(*id), unknown_name((number, *other))));
            }
            let name = unknown_name((number, index));
            inside.extend(lines::sum(&name, &sum));
            inside.push(format!("{name} = {name}*{}", factor(row.inverse)));
        }
        match solve.on {
            None => code.extend(inside),
            Some(on) => {
                code.push(format!("IF ({} != 0) {{", factor(on)));
                code.extend(inside.into_iter().map(|line| format!("    {line}")));
                code.push("} ELSE {".to_owned());
                let off = (0..solve.rows.len()).map(|index| unknown_name((number, index)));
                code.extend(off.map(|name| format!("    {name} = 0")));
                code.push("}".to_owned());
            }
        }
    }
    (names, code)
}

/// What holds the derivative of an unknown.
pub(in crate::emit) fn unknown_name((solve, row): (usize, usize)) -> String {
    format!("z{solve}_{row}")
}

fn right_name(solve: usize, row: usize) -> String {
    format!("r{solve}_{row}")
}
