//! The mechanism by which a cell regulates itself, and the one that takes a parameter to more places.

use serde::Serialize;
use serde_json::json;

use super::error::EmitError;
use super::file::{File, name_by_content, unnamed};
use crate::emit::text::code::Code;
use crate::emit::text::{lines, template};
use crate::graph::Id;
use crate::measure::Measure;

/// `homeostat.json`: what is where in the emitted mechanisms.
#[derive(Clone, Debug, Serialize)]
pub struct HomeostatManifest {
    /// The version that wrote it.
    pub gradmod: &'static str,
    pub directions: usize,
    pub name: String,
    pub follow: String,
    pub inputs: Vec<InputManifest>,
    /// By direction the POINTER to the parameter.
    pub parameters: Vec<String>,
}

/// A variable of the measure.
#[derive(Clone, Debug, Serialize)]
pub struct InputManifest {
    pub name: String,
    pub pointer: String,
    /// By direction the POINTER to its gradient.
    pub gradients: Vec<String>,
}

#[derive(Serialize)]
struct Context<'a> {
    name: String,
    expression: &'a str,
    what: &'static str,
    rate: &'static str,
    turns: bool,
    directions: usize,
    last: usize,
    inputs: &'a [InputManifest],
    parameters: &'a [String],
    pointers: Vec<String>,
    assigned: Vec<String>,
    bases: Vec<String>,
    locals: String,
    code: Vec<String>,
    value: String,
    gradients: Vec<String>,
    settings: Vec<String>,
    look: Vec<String>,
    pi: String,
    turn: String,
    hertz: String,
    functions: Vec<&'static str>,
    streams: [&'static str; 0],
}

/// What emitted code calls the value of variable number `index` of a measure.
#[must_use]
pub fn measured_input(index: usize) -> String {
    format!("was[{index}]")
}

/// The two files, and what is where in them.
///
/// `turns`: the measure is an angle, and what counts is how often it goes round, in Hz.
///
/// # Errors
///
/// A template is wrong.
pub fn emit_homeostat(
    measure: &Measure,
    expression: &str,
    turns: bool,
    directions: usize,
) -> Result<(Vec<File>, HomeostatManifest), EmitError> {
    let inputs: Vec<InputManifest> = measure
        .names
        .iter()
        .enumerate()
        .map(|(index, name)| InputManifest {
            name: name.clone(),
            pointer: format!("u{index}"),
            gradients: (0..directions).map(|k| format!("u{index}_{k}")).collect(),
        })
        .collect();
    let parameters: Vec<String> = (0..directions).map(|k| format!("p{k}")).collect();
    let own = inputs.iter().flat_map(|input| std::iter::once(&input.pointer).chain(&input.gradients));
    let assigned: Vec<String> = own.chain(&parameters).cloned().collect();
    let roots: Vec<Id> = std::iter::once(measure.value).chain(measure.slopes.iter().copied()).collect();
    let code = Code::new(&measure.graph, &roots);
    let slopes: Vec<String> = (0..inputs.len()).map(|index| format!("slope{index}")).collect();
    let mut statements = code.statements();
    statements.extend(slopes.iter().zip(&measure.slopes).map(|(name, id)| format!("{name} = {}", code.value(*id))));
    let gradient = |k: usize| {
        let products = slopes.iter().zip(&inputs).map(|(slope, input)| format!("{slope}*{}", input.gradients[k]));
        lines::sum(&format!("dx[{k}]"), &products.collect::<Vec<_>>())
    };
    let context = Context {
        name: unnamed("homeostat"),
        expression,
        what: if turns { "is an angle; how often it goes round, in Hz, is averaged" } else { "is averaged" },
        rate: if turns { "1000/(2 pi) dx/dt" } else { "x" },
        turns,
        directions,
        last: directions - 1,
        pointers: lines::list("POINTER", &assigned),
        bases: (0..directions).map(|k| format!("base[{k}] = p{k}")).collect(),
        locals: lines::locals(&[code.locals(), slopes.clone()].concat()),
        value: code.value(measure.value),
        gradients: (0..directions).flat_map(gradient).collect(),
        settings: (0..directions)
            .map(|k| format!("p{k} = base[{k}] + weight[{k}]*(theta[{k}] - start[{k}])"))
            .collect(),
        look: inputs
            .iter()
            .enumerate()
            .map(|(index, input)| format!("{} = {}", measured_input(index), input.pointer))
            .collect(),
        pi: format!("{:?}", std::f64::consts::PI),
        turn: format!("{:?}", std::f64::consts::TAU),
        hertz: format!("{:?}", 1000.0 / std::f64::consts::TAU),
        functions: code.functions(&roots).into_iter().collect(),
        streams: [],
        code: statements,
        inputs: &inputs,
        parameters: &parameters,
        assigned: assigned.clone(),
    };
    let follow = unnamed("setpar");
    let mut files = vec![
        File { text: template::render("homeostat.mod", &context)?, name: format!("{}.mod", context.name) },
        File { text: template::render("follow.mod", json!({"name": follow}))?, name: format!("{follow}.mod") },
    ];
    name_by_content(&mut files);
    let manifest = HomeostatManifest {
        gradmod: env!("CARGO_PKG_VERSION"),
        directions,
        name: files[0].stem().to_owned(),
        follow: files[1].stem().to_owned(),
        inputs,
        parameters,
    };
    Ok((files, manifest))
}
