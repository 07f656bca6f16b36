//! The mechanism that runs a region backwards: C over all its places, one step after the other.

use serde_json::json;

use super::arrays::{contents, hand_back};
use super::prepare::{prepare, step_code};
use super::transpose::{Transposed, gather, totals};
use super::undo::undo;
use super::waiting::{finish, waiting};
use crate::emit::error::EmitError;
use crate::emit::file::{File, unnamed};
use crate::emit::region::checks;
use crate::emit::region::checks::{SMALL, TOLERANCE};
use crate::emit::region::events::sets_voltage;
use crate::emit::region::function_tables::function_tables;
use crate::emit::reverse::frame::load::Moment;
use crate::emit::reverse::places::{adjoint_of, code, element, loaded};
use crate::emit::reverse::record::Record;
use crate::emit::reverse::reversed::Reversed;
use crate::emit::reverse::roots::telling_currents;
use crate::emit::reverse::streams::stream_ids;
use crate::emit::text::c::statements;
use crate::emit::text::code::Code;
use crate::emit::text::template;
use crate::graph::{Id, Input};
use crate::step::{Linearised, Quantity, membrane};

/// Where events set the voltage, the adjoint of a step with a larger conductance (S/cm2, uS) has lost its digits:
/// so the exponential of an integrate-and-fire neuron that ran away from its threshold.
const STEEP: &str = "1e6";

pub fn render(reversed: &Reversed) -> Result<File, EmitError> {
    let linearised = reversed.linearised;
    let name = unnamed(&format!("adj_{}", linearised.region.name));
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
        "sets_voltage": sets_voltage(linearised),
        "start": start(reversed),
        "function_tables": function_tables(linearised),
        "streams": stream_ids(linearised),
        "functions": functions.into_iter().collect::<Vec<_>>(),}),
    )?;
    Ok(File { name: format!("{name}.mod"), text })
}

/// The settings of tables, in the loop over the places.
fn tables(reversed: &Reversed) -> Vec<String> {
    let linearised = reversed.linearised;
    let is_table = |input: &Input| matches!(linearised.quantities[input], Quantity::UseTable(_));
    let inputs = reversed.step.inputs.iter().copied().filter(is_table).collect();
    reversed.frame.load(&inputs, Moment::Step, reversed.reader()).into_iter().map(|(_, value)| value).collect()
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
    let mut text = contents(reversed);
    text.extend(loaded(loads, &code, &flow.names));
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
    text.extend(hand_back(reversed, &flow.arrays, waiting(linearised).len()));
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
    let capacitive = format!("{}*capacity[i]/run->solved*y + carry[i]", membrane::CAPACITIVE);
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
