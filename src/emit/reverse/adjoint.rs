//! The mechanism that runs a region backwards.

use minijinja::{context, Environment};

use super::transpose::{products, Terms, Transposed};
use super::undo::undo;
use super::{locals, unnamed, verbatim, Reversed};
use crate::emit::code::Code;
use crate::emit::{checks, lines, EmitError, File};
use crate::graph::Id;
use crate::step::Linearised;

pub(super) const FIXED: &str =
    "const double* gm_fixed = (const double*)(size_t) fixed + (size_t) fixed_place; (void) gm_fixed;";
const HEAD: &str = "const double* gm_head = (const double*)(size_t) frames + (size_t) (step_index - first)*(size_t) stride; (void) gm_head;";
pub(super) const NOW: &str = "const double* gm_now = gm_head + (size_t) place; (void) gm_now;";
/// The first frame of the run.
pub(super) const FIRST: &str =
    "const double* gm_head = (const double*)(size_t) frames; (void) gm_head;";
const NEXT: &str = "const double* gm_next = gm_now + (size_t) stride; (void) gm_next;";

pub(super) fn render(environment: &Environment, reversed: &Reversed) -> Result<File, EmitError> {
    let linearised = reversed.linearised;
    let name = unnamed("adj", linearised);
    let undo = undo(reversed);
    let phases = [&reversed.step, &reversed.start, &reversed.event, &reversed.start_weights];
    let mut functions = reversed.step.code(linearised).functions(&reversed.step.roots);
    for phase in [&reversed.start, &reversed.event, &reversed.start_weights] {
        functions.extend(phase.code(linearised).functions(&phase.roots));
    }
    let states: Vec<String> = linearised.states.iter().map(|state| state.public.clone()).collect();
    let parameters: Vec<String> =
        linearised.parameters.iter().map(|parameter| parameter.public.clone()).collect();
    let text = environment.get_template("adjoint.mod")?.render(context! {
        name,
        kind => reversed.kind(),
        region => linearised.region.name,
        mechanisms => reversed.mechanisms(),
        state_notes => lines::list(":  ", &states),
        parameter_notes => lines::list(":  ", &parameters),
        states,
        parameters,
        far => linearised.pointed.len(),
        range => super::setting_names(linearised),
        settings => super::settings(linearised),
        units => reversed.units(&phases),
        assigned => reversed.builtins(&phases),
        linearise => linearise(reversed),
        finish => finish(reversed),
        looks => looks(reversed),
        undo,
        jumps => reversed.jumps,
        sets_voltage => super::sets_voltage(linearised),
        start => start(reversed),
        functions => functions.into_iter().collect::<Vec<_>>(),
    })?;
    Ok(File { name: format!("{name}.mod"), text })
}

/// `target = plus + sum of the terms`
fn gather(code: &Code, target: &str, plus: Option<String>, terms: &Terms) -> Vec<String> {
    let terms: Vec<String> = plus.into_iter().chain(products(code, terms)).collect();
    lines::sum(target, &terms)
}

/// The step is not the one that is differentiated: say so.
/// Where events set the voltage, the adjoint of a step with a larger conductance (S/cm2, uS) has lost its digits:
/// so the exponential of an integrate-and-fire neuron that ran away from its threshold.
const STEEP: &str = "1e6";

/// The state that does not follow its equation, and at which step: at the end that of the first such step.
fn watch(linearised: &Linearised, code: &Code) -> Vec<String> {
    let failures = checks::failures(linearised, code).into_iter().enumerate();
    failures
        .flat_map(|(index, (_, failure))| {
            let number = index + 1;
            [format!("IF ({failure}) {{"), format!("    broken = {number}"), "    broken_at = step_index".to_owned(), "}".to_owned()]
        })
        .collect()
}

fn fail_where(code: &Code, failed: &[Id]) -> Vec<String> {
    failed.iter().map(|id| format!("IF ({} != 0) {{ failed = 1 }}", code.value(*id))).collect()
}

fn linearise(reversed: &Reversed) -> Vec<String> {
    let linearised = reversed.linearised;
    let code = reversed.step.code(linearised);
    let (names, loads) = reversed.frame.load(&reversed.step.inputs, false);
    let rows = linearised.states.iter().map(|state| &state.row);
    let flow = Transposed::new(linearised, rows, &linearised.stages, &code);
    let mut text = locals(names.into_iter().chain(flow.names.iter().cloned()).collect(), &code);
    text.extend(verbatim(&[HEAD, NOW, NEXT, FIXED], loads));
    text.extend(code.statements());
    text.extend(fail_where(&code, &linearised.failed));
    text.extend(watch(linearised, &code));
    text.push(format!("current = {}", code.value(linearised.current)));
    text.push(format!("current_size = {}", code.value(linearised.current_size)));
    if reversed.jumps {
        let conductance = code.value(linearised.conductance);
        text.push(format!("IF (jumps == 1 && fabs({conductance}) > {STEEP}) {{ failed = 1 }}"));
    }
    text.extend(flow.code.iter().cloned());
    text.push(format!("g = {}", code.value(linearised.conductance)));
    text.push("r = carry".to_owned());
    text.push("IF (loss_v >= 0) {".to_owned());
    text.push("    r = r + loss(step_index + 1, loss_v)/scale".to_owned());
    text.push("}".to_owned());
    text.extend(gather(&code, "r", Some("r".to_owned()), &flow.v_after));
    text.extend(gather(&code, "carry_before", None, &flow.v_before));
    for (index, terms) in flow.far_before.iter().enumerate() {
        text.extend(gather(&code, &format!("far_before[{index}]"), None, terms));
    }
    for (index, terms) in flow.far_after.iter().enumerate() {
        text.extend(gather(&code, &format!("far[{index}]"), Some(format!("far_carry[{index}]")), terms));
    }
    for (index, terms) in flow.states.iter().enumerate() {
        text.extend(gather(&code, &format!("m_before[{index}]"), None, terms));
    }
    for (index, terms) in flow.parameters.iter().enumerate() {
        text.extend(gather(&code, &format!("flow[{index}]"), None, terms));
    }
    let source = &linearised.source;
    if let Some(id) = source.v_before {
        text.push(format!("source_v = {}", code.value(id)));
    }
    for (index, id) in &source.far_before {
        text.push(format!("source_far[{index}] = {}", code.value(*id)));
    }
    for (index, id) in &source.states {
        text.push(format!("source_x[{index}] = {}", code.value(*id)));
    }
    for (index, id) in &source.parameters {
        text.push(format!("source_p[{index}] = {}", code.value(*id)));
    }
    text
}

fn finish(reversed: &Reversed) -> Vec<String> {
    let linearised = reversed.linearised;
    let source = &linearised.source;
    let code = reversed.step.code(linearised);
    let mut text = Vec::new();
    text.push(match source.v_before {
        Some(_) => format!("carry = carry_before - {}", code.times("source_v", "v")),
        None => "carry = carry_before".to_owned(),
    });
    for index in 0..linearised.pointed.len() {
        let is_source = source.far_before.iter().any(|(far, _)| *far == index);
        let product = code.times(&format!("source_far[{index}]"), "v");
        let minus = if is_source { format!(" - {product}") } else { String::new() };
        text.push(format!("far_carry[{index}] = far_before[{index}]{minus}"));
    }
    for index in 0..linearised.states.len() {
        let minus = if source.states.iter().any(|(state, _)| *state == index) {
            format!(" - {}", code.times(&format!("source_x[{index}]"), "v"))
        } else {
            String::new()
        };
        text.push(format!("m[{index}] = m_before[{index}]{minus}"));
    }
    for index in 0..linearised.parameters.len() {
        let minus = if source.parameters.iter().any(|(parameter, _)| *parameter == index) {
            format!(" - {}", code.times(&format!("source_p[{index}]"), "v"))
        } else {
            String::new()
        };
        text.push(format!("total[{index}] = total[{index}] + scale*(flow[{index}]{minus})"));
    }
    text
}

/// What the loss itself thinks of the states at the end of the step before; events come later.
fn looks(reversed: &Reversed) -> Vec<String> {
    let look = |index: usize| {
        [
            format!("IF (loss_x[{index}] >= 0) {{"),
            format!("    m[{index}] = m[{index}] + loss(step_index, loss_x[{index}])/scale"),
            "}".to_owned(),
        ]
    };
    (0..reversed.linearised.states.len()).flat_map(look).collect()
}

fn start(reversed: &Reversed) -> Vec<String> {
    let linearised = reversed.linearised;
    let code = reversed.start.code(linearised);
    let (names, loads) = reversed.frame.load(&reversed.start.inputs, true);
    let rows = linearised.states.iter().map(|state| &state.start);
    let flow = Transposed::new(linearised, rows, &linearised.start_stages, &code);
    let more = flow.names.iter().cloned().chain(["initial".to_owned(), "y".to_owned()]);
    let mut text = locals(names.into_iter().chain(more).collect(), &code);
    text.extend(verbatim(&[FIRST, NOW, FIXED], loads));
    text.extend(code.statements());
    text.extend(fail_where(&code, &linearised.failed_start));
    text.extend(flow.code.iter().cloned());
    text.push("y = v".to_owned());
    if reversed.jumps {
        // Called by hand, when events have been undone.
        text.push("IF (jumps == 1) { y = here }".to_owned());
    }
    let capacitive = "0.001*capacity/dt*y + carry".to_owned();
    text.extend(gather(&code, "initial", Some(capacitive), &flow.v_before));
    text.push("initial = scale*initial + loss(0, loss_v)".to_owned());
    for (index, terms) in flow.far_before.iter().enumerate() {
        text.extend(gather(&code, &format!("far[{index}]"), Some(format!("far_carry[{index}]")), terms));
        text.push(format!("far[{index}] = scale*far[{index}]"));
    }
    for (index, terms) in flow.parameters.iter().enumerate() {
        if !terms.is_empty() {
            text.extend(gather(&code, &format!("flow[{index}]"), None, terms));
            text.push(format!("total[{index}] = total[{index}] + scale*flow[{index}]"));
        }
    }
    if linearised.receive.as_ref().is_some_and(|receive| !receive.start_weights.is_empty()) {
        text.push("start_weights()".to_owned());
    }
    let count = linearised.parameters.len();
    let stores = (0..count).map(|index| format!("gm_out[{index}] = total[{index}];"));
    let stores = stores
        .chain([format!("gm_out[{count}] = _linitial;"), format!("gm_out[{}] = failed;", count + 1)])
        .chain([format!("gm_out[{}] = broken;", count + 2), format!("gm_out[{}] = broken_at;", count + 3)])
        .chain((0..linearised.pointed.len()).map(|index| format!("gm_out[{}] = far[{index}];", count + 4 + index)))
        .collect();
    text.extend(verbatim(&["double* gm_out = (double*)(size_t) outs + (size_t) out;"], stores));
    text
}
