//! `NET_RECEIVE` of a recorder: it gets the same events as the model, runs the block on
//! copies of the states, and writes each event down.
//!
//! Were the copies ever not what NEURON has, `changed` says so.

use serde::Serialize;

use crate::emit::region::events::{Watches, given, ordered, sent};
use crate::emit::region::roots::{sent_at_start, watched};
use crate::emit::reverse::frame::layout::Slot;
use crate::emit::reverse::record::{HEAD, Record, copied};
use crate::emit::reverse::reversed::Reversed;
use crate::emit::reverse::roots::at_event;
use crate::emit::text::c::verbatim;
use crate::emit::text::code::Code;
use crate::emit::text::fault::Seen;
use crate::emit::text::lines;
use crate::graph::Id;
use crate::step::{Change, Receive};

/// What `changed` says where the model had an event that did not come here.
/// What it says where the log is full.

#[derive(Serialize)]
pub struct Events {
    arguments: String,
    argument_count: usize,
    /// An event comes that would do something else in another order; empty if none would.
    ordered: String,
    /// Which of them is the `NetCon`.
    netcon: usize,
    copies: usize,
    /// The voltage after an event that sets it.
    voltage: Option<String>,
    locals: String,
    write: Vec<String>,
    code: Vec<String>,
    finish: Vec<String>,
    initial_locals: String,
    initial: Vec<String>,
    start_locals: String,
    start: Vec<String>,
    /// The copies follow NEURON's values.
    sync: Vec<String>,
    compare: Vec<String>,
    /// C: the values at the end of a step.
    land: Vec<String>,
    /// C: what arrays begin with.
    elements: Vec<String>,
}

impl Reversed<'_> {
    pub fn events(&self) -> Option<Events> {
        let receive = self.linearised.receive.as_ref()?;
        let graph = &self.linearised.graph;
        let arguments = receive.arguments.len();
        let mut names: Vec<String> = (0..arguments).map(given).collect();
        names.push(NETCON.to_owned());

        let code = Code::new(graph, &at_event(receive));
        let record = Record::new(self.linearised, receive);
        let mut inputs = graph.reachable_inputs(&at_event(receive), false);
        inputs.extend(&record.values);
        let loads = self.load_event(&inputs, true);
        let mut locals = loads.names;
        locals.extend(code.locals());
        let mut body = loads.lines;
        body.extend(self.write(&record, arguments));
        let write = body;
        let mut finish = set_weights(&receive.weights, &code);
        let conditions = self.load_event(&graph.reachable_inputs(&watched(receive), false), true).sources;
        let watches = Watches { conditions: &Code::inline(graph, conditions), copy: &|state| self.copy(state) };
        finish.extend(sent(&receive.sent, &code, &watches, &|_| Vec::new()));
        finish.extend(self.stores(receive, &code));
        for change in &receive.states {
            finish.push(format!("{} = {}", self.copy(change.target), code.value(change.value)));
        }

        let starts: Vec<Id> = receive.start_weights.iter().map(|change| change.value).collect();
        let initial_code = Code::new(graph, &starts);
        let loads = self.load_event(&graph.reachable_inputs(&starts, false), false);
        let mut initial_locals = loads.names;
        initial_locals.extend(initial_code.locals());
        let mut initial = loads.lines;
        initial.extend(initial_code.statements());
        initial.extend(set_weights(&receive.start_weights, &initial_code));

        let sends = sent_at_start(receive);
        let start_code = Code::new(graph, &sends);
        let loads = self.load_event(&graph.reachable_inputs(&sends, false), false);
        let mut start_locals = loads.names;
        start_locals.extend(start_code.locals());
        let mut start = loads.lines;
        start.extend(start_code.statements());
        start.extend(sent(&receive.start_sent, &start_code, &watches, &|_| Vec::new()));

        let shown = self.shown();
        let land = self.frame.moving.iter().enumerate().filter_map(|(index, slot)| match slot {
            Slot::Landed(name) => Some(format!("gm_now[{index}] = {name};")),
            _ => None,
        });
        Some(Events {
            arguments: lines::one_list(&names),
            argument_count: names.len(),
            ordered: ordered(receive, &code),
            netcon: arguments,
            copies: copied(self.linearised).len(),
            voltage: receive.voltage.as_ref().map(|(value, _)| code.value(*value)),
            locals: lines::locals(&locals),
            write,
            code: code.statements(),
            finish,
            initial_locals: lines::locals(&initial_locals),
            initial,
            start_locals: lines::locals(&start_locals),
            start,
            sync: shown.iter().map(|(copy, shown)| format!("{copy} = {shown}")).collect(),
            compare: shown
                .iter()
                .flat_map(|(copy, shown)| {
                    // A POINTER is slow to read.
                    let missed =
                        format!("IF (fabs({copy} - seen) > 1e-9*fabs(seen) + 1e-30) {{ changed = {} }}", Seen::Missed);
                    [format!("seen = {shown}"), missed]
                })
                .collect(),
            land: land.collect(),
            elements: self.start_elements(),
        })
    }

    /// Elements of arrays that an event sets.
    fn stores(&self, receive: &Receive, code: &Code) -> Vec<String> {
        let mut lines = Vec::new();
        for store in &receive.stores {
            let first = self.frame.first_element(store.array);
            lines.push(format!("IF ({} != 0) {{", code.value(store.on)));
            lines.push(format!("    replace({first} + {}, {})", code.factor(store.index), code.value(store.value)));
            lines.push("}".to_owned());
        }
        lines
    }

    /// What arrays begin with, in C.
    fn start_elements(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (number, array) in self.linearised.arrays.iter().enumerate() {
            let (first, usual) = (self.frame.first_element(number), array.start.last().copied().unwrap_or_default());
            let length = array.start.len();
            lines.push(format!("for (long gm_k = 0; gm_k < {length}; gm_k++) gm_present[{first} + gm_k] = {usual:?};"));
            let others = array.start.iter().enumerate().filter(|(_, value)| value.to_bits() != usual.to_bits());
            lines.extend(others.map(|(index, value)| format!("gm_present[{}] = {value:?};", first + index)));
        }
        lines
    }

    fn write(&self, record: &Record, netcon: usize) -> Vec<String> {
        let landed = &self.frame.landed;
        let size = record.size() + landed.len();
        let mut lines = vec![
            "size_t gm_here = (size_t) gm_log[0];".to_owned(),
            format!("if (gm_here + {size} <= (size_t) events_room) {{"),
            "    double* gm_event = gm_log + gm_here;".to_owned(),
            "    gm_event[0] = gm_log[1];".to_owned(),
            "    gm_event[1] = next_step;".to_owned(),
            "    gm_event[2] = spot;".to_owned(),
            format!("    gm_event[3] = _args[{netcon}];"),
        ];
        let values = record.values.iter().enumerate();
        lines.extend(
            values.map(|(index, input)| format!("    gm_event[{}] = {};", HEAD + index, self.recorded(*input))),
        );
        lines.extend(
            landed
                .iter()
                .enumerate()
                .map(|(index, name)| format!("    gm_event[{}] = {};", record.size() + index, self.landed_copy(name))),
        );
        lines.extend([
            "    gm_log[1] = (double) gm_here;".to_owned(),
            format!("    gm_log[0] = (double) (gm_here + {size});"),
            "} else {".to_owned(),
            format!("    changed = {};", Seen::Full),
            "}".to_owned(),
        ]);
        verbatim(&["double* gm_log = (double*)(size_t) events_at;"], lines)
    }
}

/// The argument that says which `NetCon` it is.
const NETCON: &str = "netcon";

fn set_weights(changes: &[Change], code: &Code) -> Vec<String> {
    changes.iter().map(|change| format!("{} = {}", given(change.target), code.value(change.value))).collect()
}
