//! The step of a region and its derivative as text for people.
//!
//! `hh_m_n` is a value at the start of the step, `hh_m_n1` at its end; `x0`,
//! `x1`... are shared parts.

use crate::emit::region::implicit_solve::substitution;
use crate::emit::region::pointer_gradient::Pointers;
use crate::emit::region::writer::Writer;
use crate::emit::text::code::Code;
use crate::emit::text::lines;
use crate::graph::Id;
use crate::step::{ImplicitSolve, LinearForm, Linearised};

/// What NEURON computes: the membrane current, and each state at the end of the
/// step and at the start of a run.
pub fn step(linearised: &Linearised) -> String {
    // By its formula, where emitted code takes the value that NEURON has.
    let graph = linearised.graph.by_formula();
    let rise = ("J, the current, plus d (v_n1 - v_n)".to_owned(), linearised.current);
    let mut values = vec![rise, ("d".to_owned(), linearised.conductance)];
    values.extend(linearised.states.iter().map(|state| (state.public.clone(), state.after)));
    let starts = linearised.states.iter().map(|state| (state.public.clone(), state.initial));
    let mut text = heading(linearised, "One time step");
    for (title, values) in [("The step", values), ("The start of a run", starts.collect())] {
        let roots: Vec<Id> = values.iter().map(|(_, id)| *id).collect();
        let code = Code::new(&graph, &roots);
        let mut block = code.statements();
        block.extend(values.iter().map(|(name, id)| format!("[{name}] = {}", code.value(*id))));
        section(&mut text, title, &block);
    }
    let equations: Vec<Id> = graph.residuals().collect();
    if !equations.is_empty() {
        let code = Code::new(&graph, &equations);
        let mut block = code.statements();
        block.extend(equations.iter().map(|id| format!("0 = {}", code.value(*id))));
        section(&mut text, "Equations that NEURON solves by iteration", &block);
    }
    text
}

/// What follows for one direction: `d`, `S`, each state's gradient.
pub fn derivative(linearised: &Linearised) -> String {
    let writer = Writer::new(linearised, 1, Pointers::ToVoltages, false);
    let mut text = heading(linearised, "The derivative of one time step");
    text.push_str("W: gradient of v, W_new at the end of the step; D_...: of a state, or of a voltage that a POINTER sees (at the end of the step: far_..._new); w_...: change of a parameter;\n");
    text.push_str("all in direction k. [D_...]: at the end of the step.\n");

    let mut roots = vec![linearised.conductance];
    roots.extend(linearised.source.coefficients());
    roots.extend(linearised.implicit_solves.iter().flat_map(ImplicitSolve::coefficients));
    roots.extend(linearised.states.iter().flat_map(|state| state.row.coefficients()));
    let code = Code::new(&linearised.graph, &roots);
    let mut block = code.statements();
    block.push(format!("d = {}", code.value(linearised.conductance)));
    let mut factor = |id: Id| code.factor(id);
    let terms = |row: &LinearForm, factor: &mut dyn FnMut(Id) -> String| writer.terms(row, factor);
    block.extend(lines::sum("S[k]", &terms(&linearised.source, &mut factor)));
    block.extend(substitution(&linearised.implicit_solves, &terms, &mut factor).1);
    for (state, gradient) in linearised.states.iter().zip(&writer.gradients) {
        block.extend(lines::sum(&format!("[{gradient}]"), &terms(&state.row, &mut factor)));
    }
    section(&mut text, "The step", &block);

    let mut roots: Vec<Id> = linearised.start_implicit_solves.iter().flat_map(ImplicitSolve::coefficients).collect();
    roots.extend(linearised.states.iter().flat_map(|state| state.start.coefficients()));
    let code = Code::new(&linearised.graph, &roots);
    let mut block = code.statements();
    let mut factor = |id: Id| code.factor(id);
    block.extend(substitution(&linearised.start_implicit_solves, &terms, &mut factor).1);
    for (state, gradient) in linearised.states.iter().zip(&writer.gradients) {
        block.extend(lines::sum(&format!("[{gradient}]"), &terms(&state.start, &mut factor)));
    }
    section(&mut text, "The start of a run", &block);
    text
}

fn heading(linearised: &Linearised, what: &str) -> String {
    let region = &linearised.region;
    let names: Vec<&str> = region.mechanisms.iter().map(|mechanism| mechanism.name.as_str()).collect();
    format!("{what} of the region {}: {}\n", region.name, names.join(", "))
}

fn section(text: &mut String, title: &str, lines: &[String]) {
    text.extend(["\n", title, "\n"]);
    for line in lines {
        text.extend(["    ", line, "\n"]);
    }
}
