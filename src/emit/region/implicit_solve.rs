//! The substitutions of [`Stage`]s as NMODL, for one direction.

use crate::emit::text::lines;
use crate::graph::Id;
use crate::step::{LinearForm, Stage};

/// Statements and the LOCAL names that they set. `terms` writes the products of
/// a row, `factor` a coefficient.
#[allow(clippy::type_complexity)] // a name would hide the lifetimes
pub(in crate::emit) fn substitution(
    stages: &[Stage],
    terms: &dyn Fn(&LinearForm, &mut dyn FnMut(Id) -> String) -> Vec<String>,
    factor: &mut dyn FnMut(Id) -> String,
) -> (Vec<String>, Vec<String>) {
    let (mut names, mut code) = (Vec::new(), Vec::new());
    for (number, stage) in stages.iter().enumerate() {
        let mut inside = Vec::new();
        for (index, row) in stage.rows.iter().enumerate() {
            let mut sum = terms(&row.row, factor);
            for (other, id) in &row.lower {
                sum.push(format!("-1*{}*{}", factor(*id), right_name(number, *other)));
            }
            names.extend([right_name(number, index), unknown_name((number, index))]);
            inside.extend(lines::sum(&right_name(number, index), &sum));
        }
        for (index, row) in stage.rows.iter().enumerate().rev() {
            let mut sum = vec![right_name(number, index)];
            for (other, id) in &row.upper {
                sum.push(format!("-1*{}*{}", factor(*id), unknown_name((number, *other))));
            }
            let name = unknown_name((number, index));
            inside.extend(lines::sum(&name, &sum));
            inside.push(format!("{name} = {name}*{}", factor(row.inverse)));
        }
        match stage.on {
            None => code.extend(inside),
            Some(on) => {
                code.push(format!("IF ({} != 0) {{", factor(on)));
                code.extend(inside.into_iter().map(|line| format!("    {line}")));
                code.push("} ELSE {".to_owned());
                let off = (0..stage.rows.len()).map(|index| unknown_name((number, index)));
                code.extend(off.map(|name| format!("    {name} = 0")));
                code.push("}".to_owned());
            }
        }
    }
    (names, code)
}

/// What holds the derivative of an unknown.
pub(in crate::emit) fn unknown_name((stage, row): (usize, usize)) -> String {
    format!("z{stage}_{row}")
}

fn right_name(stage: usize, row: usize) -> String {
    format!("r{stage}_{row}")
}
