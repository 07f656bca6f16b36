//! The mechanism that evaluates the equations of a region at all its places at once, with all derivatives.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use crate::emit::error::EmitError;
use crate::emit::file::{File, unnamed};
use crate::emit::manifest::PointerManifest;
use crate::emit::region::declarations::{setting_names, units};
use crate::emit::text::c::{declared, statements};
use crate::emit::text::code::Code;
use crate::emit::text::template;
use crate::graph::{Graph, Id, Input};
use crate::model::Kind;
use crate::step::{Linearised, Quantity, Source, StateKind, When};

/// Which coefficients there are, each by what it multiplies and its column among all of its kind.
///
/// The first columns are the current and its slope in v, then one slope for each state.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Columns {
    /// State, column
    pub source_states: Vec<[usize; 2]>,
    /// Parameter, column
    pub source_parameters: Vec<[usize; 2]>,
    /// State of the equation, column
    pub row_voltages: Vec<[usize; 2]>,
    /// State of the equation, state, column
    pub row_states: Vec<[usize; 3]>,
    /// State of the equation, parameter, column
    pub row_parameters: Vec<[usize; 3]>,
    /// Of the start, whose first columns are the states: state, column
    pub start_voltages: Vec<[usize; 2]>,
    /// State, parameter, column
    pub start_parameters: Vec<[usize; 3]>,
    /// The states that an event changes; the first columns of an event are what they become.
    pub event_targets: Vec<usize>,
    /// Change, column
    pub event_voltages: Vec<[usize; 2]>,
    /// Change, state or parameter or argument, column
    pub event_states: Vec<[usize; 3]>,
    pub event_parameters: Vec<[usize; 3]>,
    pub event_arguments: Vec<[usize; 3]>,
    pub event_count: usize,
    pub count: usize,
    pub start_count: usize,
}

/// A region whose equations are written.
pub struct Field<'a> {
    pub linearised: &'a Linearised,
    graph: Graph,
    pub columns: Columns,
    ids: Vec<Id>,
    start_ids: Vec<Id>,
    event_ids: Vec<Id>,
    /// What does not change along a run.
    pub fixed: Vec<PointerManifest>,
    sources: BTreeMap<Input, String>,
}

impl<'a> Field<'a> {
    pub fn new(linearised: &'a Linearised) -> Self {
        let mut columns = Columns::default();
        let mut ids = vec![linearised.current, linearised.conductance];
        ids.extend(linearised.states.iter().map(|state| state.after));
        let mut start_ids: Vec<Id> = linearised.states.iter().map(|state| state.initial).collect();
        for (source, id) in linearised.source.iter() {
            match source {
                Source::State(state) => columns.source_states.push([state, ids.len()]),
                Source::Parameter(parameter) => columns.source_parameters.push([parameter, ids.len()]),
                // The conductance has it; or not in an equation of `step::field`.
                Source::VBefore
                | Source::VAfter
                | Source::PointerBefore(_)
                | Source::PointerAfter(_)
                | Source::Unknown(..)
                | Source::Argument(_)
                | Source::Time
                | Source::Arrays => continue,
            }
            ids.push(id);
        }
        for (row, state) in linearised.states.iter().enumerate() {
            for (source, id) in state.row.iter() {
                match source {
                    Source::VBefore => columns.row_voltages.push([row, ids.len()]),
                    Source::State(state) => columns.row_states.push([row, state, ids.len()]),
                    Source::Parameter(parameter) => columns.row_parameters.push([row, parameter, ids.len()]),
                    Source::VAfter
                    | Source::PointerBefore(_)
                    | Source::PointerAfter(_)
                    | Source::Unknown(..)
                    | Source::Argument(_)
                    | Source::Time
                    | Source::Arrays => continue,
                }
                ids.push(id);
            }
            for (source, id) in state.start.iter() {
                match source {
                    Source::VBefore => columns.start_voltages.push([row, start_ids.len()]),
                    Source::Parameter(parameter) => columns.start_parameters.push([row, parameter, start_ids.len()]),
                    Source::State(_)
                    | Source::VAfter
                    | Source::PointerBefore(_)
                    | Source::PointerAfter(_)
                    | Source::Unknown(..)
                    | Source::Argument(_)
                    | Source::Time
                    | Source::Arrays => continue,
                }
                start_ids.push(id);
            }
        }
        let event_ids = event_columns(linearised, &mut columns);
        columns.event_count = event_ids.len();
        columns.count = ids.len();
        columns.start_count = start_ids.len();
        let graph = linearised.graph.by_formula();
        let mut field =
            Self { linearised, graph, columns, ids, start_ids, event_ids, fixed: Vec::new(), sources: BTreeMap::new() };
        field.find_sources();
        field
    }

    fn find_sources(&mut self) {
        let all = [&self.ids[..], &self.start_ids[..], &self.event_ids[..], &self.linearised.failed[..]].concat();
        let linearised = self.linearised;
        let settings = setting_names(linearised);
        for input in self.graph.reachable_inputs(&all, false) {
            let Some(quantity) = linearised.quantities.get(&input) else { continue };
            let name = self.graph.input_name(input).to_owned();
            let source = match quantity {
                Quantity::Voltage(_) => "voltage[i]".to_owned(),
                Quantity::Rise => "rise[i]".to_owned(),
                // The slope of the voltage is per ms.
                Quantity::TimeStep => "1.".to_owned(),
                Quantity::Time => "gm_time".to_owned(),
                Quantity::Celsius => "gm_temperature".to_owned(),
                Quantity::Area => "area[i]".to_owned(),
                Quantity::Diameter => "diameter[i]".to_owned(),
                Quantity::Factor(..) => name,
                Quantity::Setting(_) | Quantity::Valence(_) => {
                    let index = settings.iter().position(|setting| *setting == name).unwrap_or_default();
                    element("settings", index)
                }
                Quantity::Argument(argument) => {
                    let receive = linearised.region.mechanisms[0].receive.as_ref();
                    let index = receive.and_then(|receive| receive.arguments.iter().position(|own| own == argument));
                    // The flag of an event that a NetCon brings is 0.
                    index.map_or_else(|| "0.".to_owned(), |index| format!("arguments[{index}]"))
                }
                other => self.value(other),
            };
            self.sources.insert(input, source);
        }
    }

    /// A state, or what a run does not change.
    fn value(&mut self, quantity: &Quantity) -> String {
        let linearised = self.linearised;
        let kind = match quantity {
            Quantity::Variable(mechanism, name, When::Before) => StateKind::Variable(*mechanism, name.clone()),
            Quantity::Ion(name, When::Before) => StateKind::Ion(name.clone()),
            _ => StateKind::Ion(String::new()),
        };
        if let Some(state) = linearised.states.iter().position(|state| state.kind == kind) {
            return element("x", state);
        }
        let scope = if linearised.region.kind() == Kind::Point { "segment" } else { "range" };
        let pointer = match quantity {
            Quantity::Variable(mechanism, name, _) => {
                // What NEURON does not show and no code sets is 0.
                let Some((source, scope)) = linearised.region.mechanisms[*mechanism].shown_as(name) else {
                    return "0.".to_owned();
                };
                PointerManifest { name: linearised.names.of(*mechanism, name).to_owned(), source, scope }
            }
            Quantity::UseTable(mechanism) => {
                let name = &linearised.region.mechanisms[*mechanism].name;
                let source = format!("usetable_{name}");
                PointerManifest { name: format!("{name}_usetable"), source, scope: "global" }
            }
            Quantity::InitialConcentration(name) => {
                PointerManifest { name: name.clone(), source: name.clone(), scope: "global" }
            }
            other => {
                let name = if let Quantity::Ion(name, _) = other { name.clone() } else { String::new() };
                PointerManifest { name: name.clone(), source: name, scope }
            }
        };
        let known = self.fixed.iter().position(|known| known.source == pointer.source && known.scope == pointer.scope);
        let index = known.unwrap_or_else(|| {
            self.fixed.push(pointer);
            self.fixed.len() - 1
        });
        element("fixed", index)
    }

    pub fn render(&self) -> Result<File, EmitError> {
        let linearised = self.linearised;
        let name = unnamed(&format!("field_{}", linearised.region.name));
        let rates = [&self.ids[..], &linearised.failed[..]].concat();
        let code = Code::in_c(&self.graph, &rates, self.sources.clone(), BTreeMap::new());
        let begin = Code::in_c(&self.graph, &self.start_ids, self.sources.clone(), BTreeMap::new());
        let event = Code::in_c(&self.graph, &self.event_ids, self.sources.clone(), BTreeMap::new());
        let mut functions = code.functions(&rates);
        functions.extend(event.functions(&self.event_ids));
        functions.extend(begin.functions(&self.start_ids));
        let store = |column: usize| element("coefficient", column);
        let mut evaluate = lines(&code, &self.ids, store);
        evaluate.extend(linearised.failed.iter().map(|id| format!("if ({} != 0.) failed[i] = 1.;", code.value(*id))));
        let is_vector = code.is_vector(&rates) && begin.is_vector(&self.start_ids) && event.is_vector(&self.event_ids);
        let text = template::render(
            "field.mod",
            json!({
                "name": name,
                "region": linearised.region.name,
                "mechanisms": mechanisms(linearised),
                "units": units(linearised, self.sources.keys().copied()),
                "states": linearised.states.iter().map(|state| state.public.as_str()).collect::<Vec<_>>(),
                "parameters": linearised.parameters.iter().map(|known| known.public.as_str()).collect::<Vec<_>>(),
                "columns": self.columns.count,
                "start_columns": self.columns.start_count,
                "is_vector": is_vector,
                "functions": functions.into_iter().collect::<Vec<_>>(),
                "evaluate": evaluate,
                "begin": lines(&begin, &self.start_ids, store),
                "receive": lines(&event, &self.event_ids, |column| format!("out[{column}]")),
            }),
        )?;
        Ok(File { name: format!("{name}.mod"), text })
    }
}

pub fn mechanisms(linearised: &Linearised) -> Vec<String> {
    linearised.region.mechanisms.iter().map(|mechanism| mechanism.name.clone()).collect()
}

/// The coefficients of what an event changes.
fn event_columns(linearised: &Linearised, columns: &mut Columns) -> Vec<Id> {
    let changes = linearised.receive.iter().flat_map(|receive| &receive.states);
    columns.event_targets = changes.clone().map(|change| change.target).collect();
    let mut ids: Vec<Id> = changes.clone().map(|change| change.value).collect();
    for (number, change) in changes.enumerate() {
        for (source, id) in change.row.iter() {
            match source {
                Source::VBefore => columns.event_voltages.push([number, ids.len()]),
                Source::State(state) => columns.event_states.push([number, state, ids.len()]),
                Source::Parameter(parameter) => columns.event_parameters.push([number, parameter, ids.len()]),
                Source::Argument(argument) => columns.event_arguments.push([number, argument, ids.len()]),
                Source::VAfter
                | Source::PointerBefore(_)
                | Source::PointerAfter(_)
                | Source::Unknown(..)
                | Source::Time
                | Source::Arrays => continue,
            }
            ids.push(id);
        }
    }
    ids
}

/// Computes values, and stores them one column after the other.
fn lines(code: &Code, ids: &[Id], store: impl Fn(usize) -> String) -> Vec<String> {
    let mut text = declared(&code.locals());
    text.extend(statements(&code.statements()));
    let stores = ids.iter().enumerate();
    text.extend(stores.map(|(column, id)| format!("{} = {};", store(column), code.value(*id))));
    text
}

fn element(array: &str, index: usize) -> String {
    format!("{array}[{index}*n + i]")
}
