//! `NET_RECEIVE` of a companion: the event's effect on the gradients.
//!
//! The event comes to the companion too, but the gradients of the states lag:
//! those at the time of the event are known one step later. So the companion
//! runs the block on its own copies of the states, puts all events of a step
//! together into one map `Dx+ = M Dx + m W + B`, and applies it when the
//! gradients are there. Were the copies ever not what NEURON has, `fault` says so.

use super::event_time;
use super::sources::own_element;
use super::terms::weight_gradient;
use super::writer::Writer;
use crate::emit::text::code::Code;
use crate::emit::text::lines;
use crate::step::{Change, Linearised, Receive, Sent, Source};
use crate::trace::EffectKind;

/// Whether events of this region set the voltage.
pub(in crate::emit) fn sets_voltage(linearised: &Linearised) -> bool {
    linearised.receive.as_ref().is_some_and(|receive| receive.voltage.is_some())
}

/// Whether an event comes at the time of another one and their order matters; empty if it never does.
pub(in crate::emit) fn ordered(receive: &Receive, code: &Code) -> String {
    let together = "t == event_time && flag == event_flag".to_owned();
    match code.graph().as_number(receive.ordered) {
        Some(0.0) => String::new(),
        Some(_) => together,
        None => format!("{} && {together}", code.factor(receive.ordered)),
    }
}

impl Writer<'_> {
    /// Where the companion keeps its own value of a state that events change.
    pub(in crate::emit) fn copy(&self, state: usize) -> String {
        let kind = &self.linearised.states[state].kind;
        if self.linearised.states[state].own.is_some() {
            own_element(self.linearised, kind)
        } else {
            self.sources.copy(kind).unwrap_or_default()
        }
    }

    /// The copies and what NEURON has.
    pub(in crate::emit) fn shown<'b>(&'b self, receive: &'b Receive) -> impl Iterator<Item = (usize, String)> + 'b {
        receive.states.iter().enumerate().filter_map(|(index, change)| {
            let state = &self.linearised.states[change.target];
            let shown = self.sources.shown(&state.kind)?;
            state.own.is_none().then_some((index, shown))
        })
    }

    pub(in crate::emit) fn argument_names(&self, receive: &Receive) -> Vec<String> {
        let mut names: Vec<String> = (0..receive.arguments.len()).map(given).collect();
        for argument in 0..receive.arguments.len() {
            names.extend((0..self.directions).map(|k| weight_gradient(argument, k)));
        }
        names
    }

    /// New weights and their gradients.
    pub(in crate::emit) fn weights(
        &self,
        changes: &[Change],
        code: &Code,
        locals: &mut Vec<String>,
        is_timed: bool,
    ) -> Vec<String> {
        let mut lines = Vec::new();
        for k in 0..self.directions {
            for change in changes {
                let name = format!("n{}", change.target);
                let mut terms = self.known_terms(&change.row, code, k);
                terms.extend(
                    change
                        .row
                        .get(Source::Time)
                        .filter(|_| is_timed)
                        .map(|id| lines::product(&code.factor(id), &event_time::shift(k))),
                );
                lines.extend(lines::sum(&name, &terms));
                if !locals.contains(&name) {
                    locals.push(name);
                }
            }
            for change in changes {
                lines.push(format!("{} = n{}", weight_gradient(change.target, k), change.target));
            }
        }
        for change in changes {
            lines.push(format!("{} = {}", given(change.target), code.value(change.value)));
        }
        lines
    }
}

/// What NEURON calls a weight of the `NetCon`.
pub(in crate::emit) fn given(argument: usize) -> String {
    format!("given{argument}")
}

/// The code reads the weights as they were, whatever it has set already.
pub(in crate::emit) fn take_arguments(receive: &Receive, locals: &mut Vec<String>, body: &mut Vec<String>) {
    for (argument, name) in receive.arguments.iter().enumerate() {
        locals.push(name.clone());
        body.push(format!("{name} = {}", given(argument)));
    }
}

/// How conditions of WATCH are written, and where the copies are that they read.
pub(in crate::emit) struct Watches<'a> {
    pub conditions: &'a Code<'a>,
    pub copy: &'a dyn Fn(usize) -> String,
}

/// In NEURON's order, and with what a condition sees at once: whether it holds already.
///
/// `later` has what is remembered of a self-event.
pub(in crate::emit) fn sent(
    sent: &[Sent],
    code: &Code,
    watches: &Watches,
    later: &dyn Fn(&Sent) -> Vec<String>,
) -> Vec<String> {
    let mut lines = Vec::new();
    for sent in sent {
        let arguments: Vec<String> = sent.roots().iter().map(|id| code.value(*id)).collect();
        let on = code.value(sent.on);
        let call = |name: &str| {
            let arguments = &arguments[..sent.arguments.len()];
            format!("IF ({on} != 0) {{ {name}({}) }}", arguments.join(", "))
        };
        match sent.kind {
            EffectKind::Send => {
                lines.push(call("net_send"));
                let remembered = later(sent);
                if !remembered.is_empty() {
                    lines.push(format!("IF ({on} != 0) {{"));
                    lines.extend(remembered.into_iter().map(|line| format!("    {line}")));
                    lines.push("}".to_owned());
                }
            }
            EffectKind::Move => lines.push(call("net_move")),
            EffectKind::Watch { falls } => {
                let [left, right] = [sent.arguments[0], sent.arguments[1]].map(|id| watches.conditions.value(id));
                let sign = if falls { '<' } else { '>' };
                let flag = code.value(sent.arguments[2]);
                lines.push(format!("IF ({on} != 0) {{"));
                for (state, value) in &sent.seen {
                    lines.push(format!("    {} = {}", (watches.copy)(*state), code.value(*value)));
                }
                lines.push(format!("    WATCH ({left} {sign} {right}) {flag}"));
                lines.push("}".to_owned());
            }
        }
    }
    lines
}
