//! What runs a region backwards: C over all its places, one step after the other.

use std::collections::BTreeMap;

use serde_json::json;

use super::frame::Moment;
use super::prepare::{prepare, step_code};
use super::record::{Record, telling_currents};
use super::transpose::{Terms, Transposed, products};
use super::undo::undo;
use super::{Phase, Reversed, unnamed};
use crate::emit::error::EmitError;
use crate::emit::file::File;
use crate::emit::region::checks;
use crate::emit::region::checks::{SMALL, TOLERANCE};
use crate::emit::text::c::{declared, local, statements};
use crate::emit::text::code::Code;
use crate::emit::text::{lines, template};
use crate::graph::{Id, Input};
use crate::step::{Linearised, Quantity, Source};

/// Where events set the voltage, the adjoint of a step with a larger conductance (S/cm2, uS) has lost its digits:
/// so the exponential of an integrate-and-fire neuron that ran away from its threshold.
const STEEP: &str = "1e6";

pub(super) fn render(reversed: &Reversed) -> Result<File, EmitError> {
    let linearised = reversed.linearised;
    let name = unnamed("adj", linearised);
    // What INITIAL has made and no frame has is computed before the steps.
    let phases = [&reversed.step, &reversed.start, &reversed.event, &reversed.start_weights, &reversed.own_start];
    let mut functions = reversed.step.code(linearised).functions(&reversed.step.roots);
    for phase in [&reversed.start, &reversed.event, &reversed.start_weights, &reversed.own_start] {
        functions.extend(phase.code(linearised).functions(&phase.roots));
    }
    let text = template::render(
        "adjoint.mod",
        json!({
        "name": name,
        "region": linearised.region.name,
        "mechanisms": reversed.mechanisms(),
        "units": reversed.units(&phases),
        "states": linearised.states.iter().map(|state| state.public.as_str()).collect::<Vec<_>>(),
        "parameters": linearised.parameters.iter().map(|parameter| parameter.public.as_str()).collect::<Vec<_>>(),
        "pointers": linearised.pointed.len(),
        "prepare": prepare(reversed),
        "gathered": reversed.frame.is_gathered(),
        "tables": tables(reversed),
        "is_vector": step_code(reversed).is_vector(&reversed.step.roots),
        "linearise": linearise(reversed),
        "finish": finish(reversed),
        "undo": undo(reversed),
        "landed": reversed.frame.landed.len(),
        "landed_at": linearised.receive.as_ref().map_or(0, |receive| Record::new(linearised, receive).size()),
        "sets_voltage": super::sets_voltage(linearised),
        "start": start(reversed),
        "functions": functions.into_iter().collect::<Vec<_>>(),}),
    )?;
    Ok(File { name: format!("{name}.mod"), text })
}

/// An element of an array that has one for each place.
pub(super) fn element(array: &str, index: usize) -> String {
    match index {
        0 => format!("{array}[i]"),
        1 => format!("{array}[n + i]"),
        _ => format!("{array}[{index}*n + i]"),
    }
}

/// The adjoint of a state.
pub(super) fn adjoint_of(state: usize) -> String {
    element("m", state)
}

/// Where inputs are that no frame has.
pub(super) fn sources(linearised: &Linearised) -> BTreeMap<Input, String> {
    let settings = super::setting_names(linearised);
    let place = |(input, quantity): (&Input, &Quantity)| {
        let name = linearised.graph.input_name(*input);
        let source = match quantity {
            Quantity::TimeStep => "run->timestep".to_owned(),
            Quantity::Celsius => "run->temperature".to_owned(),
            Quantity::Area => "area[i]".to_owned(),
            Quantity::Diameter => "diameter[i]".to_owned(),
            Quantity::Factor(..) => name.to_owned(),
            Quantity::Setting(_) | Quantity::Valence(_) => {
                let index = settings.iter().position(|setting| setting == name)?;
                element("settings", index)
            }
            _ => return None,
        };
        Some((*input, source))
    };
    linearised.quantities.iter().filter_map(place).collect()
}

pub(super) fn code<'a>(linearised: &'a Linearised, phase: &Phase) -> Code<'a> {
    Code::in_c(&linearised.graph, &phase.roots, sources(linearised), BTreeMap::new())
}

/// The settings of tables, in the loop over the places.
fn tables(reversed: &Reversed) -> Vec<String> {
    let linearised = reversed.linearised;
    let is_table = |input: &Input| matches!(linearised.quantities[input], Quantity::UseTable(_));
    let inputs = reversed.step.inputs.iter().copied().filter(is_table).collect();
    reversed.frame.load(&inputs, Moment::Step, reversed.reader()).into_iter().map(|(_, value)| value).collect()
}

/// `target = plus + sum of the terms`
pub(super) fn gather(code: &Code, target: &str, plus: Option<String>, terms: &Terms) -> Vec<String> {
    let terms: Vec<String> = plus.into_iter().chain(products(code, terms)).collect();
    statements(&lines::whole_sum(target, &terms))
}

/// What flows into parameters, added to what has.
pub(super) fn totals(code: &Code, parameters: &[Terms]) -> Vec<String> {
    let mut text = Vec::new();
    for (index, terms) in parameters.iter().enumerate().filter(|(_, terms)| !terms.is_empty()) {
        text.push("{".to_owned());
        text.extend(gather(code, "const double flow", None, terms));
        text.push(format!("{} += scale[i]*flow;", element("total", index)));
        text.push("}".to_owned());
    }
    text
}

/// What a phase reads, what its code computes, and names that are set later.
pub(super) fn loaded(loads: Vec<(String, String)>, code: &Code, more: &[String]) -> Vec<String> {
    let given = |(name, value): (String, String)| format!("const double {} = {value};", local(&name));
    let mut text: Vec<String> = loads.into_iter().map(given).collect();
    text.extend(declared(&code.locals().into_iter().chain(more.iter().cloned()).collect::<Vec<_>>()));
    text.extend(statements(&code.statements()));
    text
}

/// The state that does not follow its equation, and at which step: at the end that of the first such step. Beyond the last
/// state: a current that events have changed which did not come to the recorder.
fn watch(linearised: &Linearised, code: &Code) -> Vec<String> {
    let states = checks::failures(linearised, code).into_iter().map(|(_, failure)| failure);
    let currents = telling_currents(linearised).iter().map(|both| {
        let [neurons, ours] = both.map(|id| code.factor(id));
        format!("!(fabs({ours} - {neurons}) <= {TOLERANCE}*fabs({neurons}) + {SMALL})")
    });
    let last = linearised.checks.len() + 1;
    let numbers = (1..last).chain(std::iter::repeat(last));
    let both = numbers.zip(states.chain(currents));
    both.map(|(number, failure)| format!("if ({failure}) {{ broken[i] = {number}.; broken_at[i] = (double) step; }}"))
        .collect()
}

fn fail_where(code: &Code, failed: &[Id]) -> Vec<String> {
    failed.iter().map(|id| format!("if ({} != 0.) failed[i] = 1.;", code.value(*id))).collect()
}

/// The derivative of the step, and all that does not wait for y.
fn linearise(reversed: &Reversed) -> Vec<String> {
    let linearised = reversed.linearised;
    let code = step_code(reversed);
    let loads = reversed.frame.load(&reversed.step.inputs, Moment::Step, reversed.reader());
    let rows = linearised.states.iter().map(|state| &state.row);
    let flow = Transposed::new(linearised, rows, &linearised.implicit_solves, &code);
    let mut text = loaded(loads, &code, &flow.names);
    text.extend(fail_where(&code, &linearised.failed));
    text.extend(watch(linearised, &code));
    let conductance = code.value(linearised.conductance);
    if reversed.jumps {
        text.push(format!("if (places->jumps[i] && fabs({conductance}) > {STEEP}) failed[i] = 1.;"));
    }
    text.extend(statements(&flow.code));
    text.push(format!("current[i] = {};", code.value(linearised.current)));
    text.push(format!("current_size[i] = {};", code.value(linearised.current_size)));
    text.push(format!("conductance[i] = {conductance};"));
    text.extend(gather(&code, "right[i]", Some("carry[i]".to_owned()), &flow.v_after));
    for (index, terms) in flow.pointer_after.iter().enumerate() {
        let carried = element("pointer_carry", index);
        text.extend(gather(&code, &element("pointer", index), Some(carried), terms));
    }
    text.extend(totals(&code, &flow.parameters));
    for (slot, product) in waiting(linearised).into_iter().enumerate() {
        text.push(format!("{} = {};", element("waiting", slot), code.value(product.coefficient)));
    }
    // All rows read the adjoints before any of them changes.
    text.extend(gather(&code, "carry[i]", None, &flow.v_before));
    for (index, terms) in flow.pointer_before.iter().enumerate() {
        text.extend(gather(&code, &element("pointer_carry", index), None, terms));
    }
    let before = |index: usize| format!("before{index}");
    for (index, terms) in flow.states.iter().enumerate() {
        text.extend(gather(&code, &format!("const double {}", before(index)), None, terms));
    }
    text.extend((0..linearised.states.len()).map(|index| format!("{} = {};", adjoint_of(index), before(index))));
    text
}

/// A product with y at the end of a step: what it is taken from, and the other factor.
struct Waiting {
    target: String,
    is_scaled: bool,
    coefficient: Id,
}

fn waiting(linearised: &Linearised) -> Vec<Waiting> {
    let product = |(source, coefficient): (Source, Id)| {
        let (target, is_scaled) = match source {
            Source::State(index) => (adjoint_of(index), false),
            Source::VBefore => ("carry[i]".to_owned(), false),
            Source::PointerBefore(index) => (element("pointer_carry", index), false),
            Source::Parameter(index) => (element("total", index), true),
            // A current is one of the old voltage, and has no equations of its own; arrays are refused in reverse mode.
            Source::VAfter
            | Source::PointerAfter(_)
            | Source::Unknown(..)
            | Source::Argument(_)
            | Source::Time
            | Source::Arrays => return None,
        };
        Some(Waiting { target, is_scaled, coefficient })
    };
    linearised.source.iter().filter_map(product).collect()
}

/// How many numbers wait for y at each place.
pub(super) fn waiting_count(linearised: &Linearised) -> usize {
    waiting(linearised).len()
}

/// What y makes of it.
fn finish(reversed: &Reversed) -> Vec<String> {
    let linearised = reversed.linearised;
    let code = code(linearised, &reversed.step);
    let taken = |(slot, product): (usize, Waiting)| {
        let by_y = code.times(&element("waiting", slot), "y");
        let by_y = if product.is_scaled { format!("scale[i]*({by_y})") } else { by_y };
        format!("{} -= {by_y};", product.target)
    };
    waiting(linearised).into_iter().enumerate().map(taken).collect()
}

/// The start of the model's run, and the result: the parameters, then the initial voltage.
fn start(reversed: &Reversed) -> Vec<String> {
    let linearised = reversed.linearised;
    let code = code(linearised, &reversed.start);
    let loads = reversed.frame.load(&reversed.start.inputs, Moment::Start, reversed.reader());
    let rows = linearised.states.iter().map(|state| &state.start);
    let flow = Transposed::new(linearised, rows, &linearised.start_implicit_solves, &code);
    let mut text = loaded(loads, &code, &flow.names);
    text.extend(fail_where(&code, &linearised.failed_start));
    text.extend(statements(&flow.code));
    let capacitive = "0.001*capacity[i]/run->timestep*y + carry[i]".to_owned();
    text.extend(gather(&code, "double initial", Some(capacitive), &flow.v_before));
    text.push("initial = scale[i]*initial + gm_loss(run, 0, places->loss_v[i]);".to_owned());
    for (index, terms) in flow.pointer_before.iter().enumerate() {
        let (pointer, carried) = (element("pointer", index), element("pointer_carry", index));
        text.extend(gather(&code, &pointer, Some(carried), terms));
        text.push(format!("{pointer} *= scale[i];"));
    }
    text.extend(totals(&code, &flow.parameters));
    if linearised.receive.as_ref().is_some_and(|receive| !receive.start_weights.is_empty()) {
        text.push("gm_start_weights(places, run, i);".to_owned());
    }
    let count = linearised.parameters.len();
    text.push("double* out = run->outs + places->out[i];".to_owned());
    text.extend((0..count).map(|index| format!("out[{index}] = {};", element("total", index))));
    let rest = ["initial", "failed[i]", "broken[i]", "broken_at[i]"];
    text.extend(rest.iter().enumerate().map(|(index, value)| format!("out[{}] = {value};", count + index)));
    let pointer = (0..linearised.pointed.len())
        .map(|index| format!("out[{}] = {};", count + 4 + index, element("pointer", index)));
    text.extend(pointer);
    text
}
