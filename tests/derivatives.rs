//! The derivative alone, without NEURON: programs made at random are traced and differentiated by the compiler, and run
//! on dual numbers by an interpreter of their syntax tree. `make generate-derivatives N=1000000` runs as many as one likes.

#[path = "derivatives/dual.rs"]
mod dual;
#[path = "derivatives/evaluate.rs"]
mod evaluate;
#[path = "derivatives/interpreter.rs"]
mod interpreter;
#[path = "derivatives/programs.rs"]
mod programs;
#[path = "derivatives/shrink.rs"]
mod shrink;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use dual::Dual;
use evaluate::Evaluation;
use gradmod::diff::Differentiator;
use gradmod::graph::{Graph, Id, Input};
use gradmod::syntax::ast::Program;
use gradmod::trace::{Constants, FAILED, Findings, Trace, Values};
use gradmod::{model, syntax};
use interpreter::Interpreter;
use programs::{ASSIGNED, Chance, PARAMETERS};

/// How many points each program is tried at.
const POINTS: usize = 3;
/// What the two may differ by, relative, and in bounds of the rounding of the dual numbers: both add up the same terms
/// in another order.
const TOLERANCE: f64 = 1e-9;
const BOUNDS: f64 = 100.0;

/// Bytes: the evaluation of a graph calls itself, and some are thousands of nodes deep.
const STACK: usize = 1 << 28;

#[derive(Default)]
struct Totals {
    compared: usize,
    /// Points at which a program has no value, or rounding decides, or is amplified too much to tell.
    undefined: usize,
    refused: BTreeMap<String, usize>,
    failures: Vec<String>,
}

fn inputs() -> Vec<String> {
    (0..PARAMETERS).map(|i| format!("p{i}")).chain((0..ASSIGNED).map(|i| format!("a{i}"))).collect()
}

fn outputs() -> Vec<String> {
    (0..ASSIGNED).map(|i| format!("a{i}")).chain((0..3).map(|i| format!("b[{i}]"))).collect()
}

/// What the compiler makes of a program: the outputs, and whether it could not follow the code.
struct Compiled {
    graph: Graph,
    inputs: Vec<Input>,
    outputs: Vec<Id>,
    failed: Option<Id>,
}

fn compile(program: &Program) -> Result<Compiled, String> {
    let mechanism = model::check(program).map_err(|found| found[0].code.to_string())?;
    let mut graph = Graph::default();
    let inputs: Vec<Input> = inputs().iter().map(|name| graph.input(name.as_str())).collect();
    let mut values: Values = outputs().into_iter().map(|name| (name, graph.number(0.0))).collect();
    for (name, input) in self::inputs().into_iter().zip(&inputs) {
        values.insert(name, graph.read(*input));
    }
    let (constants, mut findings) = (Constants::default(), Findings::default());
    let mut trace = Trace::new(&mut graph, &mechanism, values, &constants, &mut findings, None);
    let run = mechanism.blocks.get("run").ok_or("no run")?;
    trace.run_block(run).map_err(|diagnostic| diagnostic.code.to_string())?;
    let outputs = outputs().iter().map(|name| trace.values[name]).collect();
    let failed = trace.values.get(FAILED).copied();
    Ok(Compiled { graph, inputs, outputs, failed })
}

/// The outputs by the interpreter, and their derivatives by one input.
fn interpreted(program: &Program, at: &[f64], by: usize) -> Option<Vec<Dual>> {
    let mut globals: HashMap<String, Dual> = outputs().into_iter().map(|name| (name, Dual::default())).collect();
    for (index, (name, x)) in inputs().into_iter().zip(at).enumerate() {
        globals.insert(name, Dual::input(*x, f64::from(u8::from(index == by))));
    }
    let mut interpreter = Interpreter::new(program, globals);
    interpreter.call("run", &[]).ok()?;
    Some(outputs().iter().map(|name| interpreter.globals[name]).collect())
}

/// One program; the first failure is shrunk.
fn check(seed: u64, totals: &mut Totals) {
    let text = programs::program(seed);
    let failures = totals.failures.len();
    compare(seed, &text, totals);
    if totals.failures.len() > failures && failures == 0 {
        let fails = |text: &str| {
            let mut totals = Totals::default();
            compare(seed, text, &mut totals);
            totals.failures.iter().any(|failure| !failure.contains("not parsed"))
        };
        let small = shrink::shrink(&text, fails);
        totals.failures.pop();
        compare(seed, &small, totals);
    }
}

fn compare(seed: u64, text: &str, totals: &mut Totals) {
    let program = match syntax::parse(text) {
        Ok(program) => program,
        Err(found) => return totals.failures.push(format!("seed {seed}: not parsed, {}\n{text}", found[0].message)),
    };
    let mut compiled = match compile(&program) {
        Ok(compiled) => compiled,
        Err(code) => return *totals.refused.entry(code).or_default() += 1,
    };
    let mut chance = Chance::new(seed ^ 0xABCD);
    let by = chance.below(compiled.inputs.len());
    let mut differentiator = Differentiator::default();
    let slopes: Vec<Id> = compiled
        .outputs
        .clone()
        .into_iter()
        .map(|id| differentiator.derivative(&mut compiled.graph, id, compiled.inputs[by]))
        .collect();
    for _ in 0..POINTS {
        let at: Vec<f64> = compiled.inputs.iter().map(|_| chance.number()).collect();
        let mut graph =
            Evaluation::new(&compiled.graph, compiled.inputs.iter().copied().zip(at.iter().copied()).collect());
        if compiled.failed.is_some_and(|id| graph.value(id) != 0.0) {
            totals.undefined += 1;
            continue;
        }
        let Some(expected) = interpreted(&program, &at, by) else {
            totals.undefined += 1;
            continue;
        };
        for (index, name) in outputs().iter().enumerate() {
            let found = [graph.value(compiled.outputs[index]), graph.value(slopes[index])];
            let dual = expected[index];
            let wanted = [(dual.x, dual.x_error), (dual.d, dual.d_error)];
            let is_defined = wanted.iter().all(|(x, error)| x.is_finite() && *error <= 1e-7 * (1.0 + x.abs()));
            if !is_defined {
                totals.undefined += 1;
                continue;
            }
            totals.compared += 1;
            let is_near = |(found, (x, error)): (&f64, &(f64, f64))| {
                (found - x).abs() <= TOLERANCE * (1.0 + x.abs()) + BOUNDS * error
            };
            if !found.iter().zip(&wanted).all(is_near) {
                let mut message = format!("seed {seed}, {name} by {} at {at:?}: ", inputs()[by]);
                let _ = write!(message, "compiler {found:?}, dual numbers {:?}\n{text}", wanted.map(|(x, _)| x));
                totals.failures.push(message);
                return;
            }
        }
    }
}

/// Programs on all processors.
fn run(first: u64, count: u64) -> Totals {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let parts: Vec<Totals> = std::thread::scope(|scope| {
        let start = |worker| {
            let work = move || {
                let mut totals = Totals::default();
                (first..first + count).skip(worker).step_by(workers).for_each(|seed| check(seed, &mut totals));
                totals
            };
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).expect("a thread can be started")
        };
        let threads: Vec<_> = (0..workers).map(start).collect();
        threads.into_iter().map(|thread| thread.join().expect("no program makes the compiler panic")).collect()
    });
    let mut totals = Totals::default();
    for part in parts {
        totals.compared += part.compared;
        totals.undefined += part.undefined;
        totals.failures.extend(part.failures);
        for (code, count) in part.refused {
            *totals.refused.entry(code).or_default() += count;
        }
    }
    totals
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn programs_made_at_random() {
    let (count, seed) = (number("PROGRAMS", 800), number("SEED", 1));
    let totals = run(seed, count);
    println!(
        "{count} programs: {} derivatives compared, {} undefined, refused: {:?}, {} failures",
        totals.compared,
        totals.undefined,
        totals.refused,
        totals.failures.len()
    );
    assert!(totals.failures.is_empty(), "{}", totals.failures[..totals.failures.len().min(5)].join("\n\n"));
    // It would say the same of programs that do nothing.
    assert!(totals.compared as u64 > 3 * count, "only {} derivatives compared", totals.compared);
}

/// Programs that failed once: 4965 has pow(0, i) in a loop, where i is 0 first; two test whether a variable is some
/// number, and set it to another; in the last one 1 - exp(-1e-12) is rounded to four digits, value and slope alike.
#[test]
fn programs_that_failed() {
    for seed in [4965, 20_031_508, 20_042_255, 20_047_655] {
        let totals = run(seed, 1);
        assert!(totals.failures.is_empty(), "{}", totals.failures[0]);
        assert!(totals.compared > 0, "nothing compared: {seed}");
    }
}
