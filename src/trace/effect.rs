//! What code does besides computing values: events that a point process sends to itself.

use super::{Discontinuities, Trace, Traced, Values, refuse};
use crate::diagnostic::Code;
use crate::graph::{Id, Scope};
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, Name};
use crate::syntax::span::Span;
use crate::syntax::visit::expressions;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectKind {
    /// `net_send(delay, flag)`
    Send,
    /// `net_move(time)`
    Move,
    /// `WATCH (left > right) flag`, or `<`
    Watch { falls: bool },
}

#[derive(Clone, Debug)]
pub struct Effect {
    pub kind: EffectKind,
    pub scope: Scope,
    pub arguments: Vec<Id>,
    /// Where a WATCH stands, and all values then; the condition is that of whenever it is looked at.
    pub watch: Option<(Span, Values)>,
}

impl Trace<'_> {
    /// Calls that matter to events; false if it is another call.
    pub(super) fn event_call(&mut self, name: &Name, arguments: &[Expr]) -> Traced<bool> {
        let kind = match name.text.as_str() {
            // Tells other cells; what comes of it is not in this one.
            "net_event" => return Ok(true),
            "state_discontinuity" => return self.discontinuity(arguments).map(|()| true),
            "net_send" => EffectKind::Send,
            "net_move" => EffectKind::Move,
            _ => return Ok(false),
        };
        let arguments: Vec<Id> = arguments.iter().map(|argument| self.expression(argument)).collect::<Traced<_>>()?;
        let scope = self.scope();
        if let Some(effects) = &mut self.effects {
            effects.push(Effect { kind, scope, arguments, watch: None });
        } else {
            let message = format!("{} at this place is not differentiated", name.text);
            return Err(refuse(Code::EventPlace, name.span, message));
        }
        Ok(true)
    }

    /// Looks for crossings from now on.
    pub(super) fn watch(&mut self, condition: &Expr, flag: &Expr) -> Traced<()> {
        let ExprKind::Binary(op @ (BinaryOp::Gt | BinaryOp::Lt), left, right) = &condition.kind else {
            return Err(refuse(Code::Event, condition.span, "WATCH of this condition is not differentiated"));
        };
        let (Some(fresh), true) = (self.watched.clone(), self.effects.is_some()) else {
            return Err(refuse(Code::EventPlace, condition.span, "WATCH at this place is not differentiated"));
        };
        if self.has_watch(condition.span) {
            return Err(refuse(Code::Event, condition.span, "WATCH in a loop is not differentiated"));
        }
        if let Some(name) = self.called_in(condition) {
            let message = format!("WATCH of `{name}`, a function of the mechanism, is not differentiated");
            return Err(refuse(Code::Event, condition.span, message));
        }
        let before = fresh.get("v").copied();
        let now = std::mem::replace(&mut self.values, fresh);
        self.frames.push(Values::new());
        let sides = self.expression(left).and_then(|left| Ok(vec![left, self.expression(right)?]));
        self.frames.pop();
        self.values = now;
        let mut arguments = sides?;
        arguments.push(self.expression(flag)?);
        let effect = Effect {
            kind: EffectKind::Watch { falls: *op == BinaryOp::Lt },
            scope: self.scope(),
            arguments,
            watch: Some((condition.span, self.values.clone())),
        };
        self.effects.get_or_insert_with(Vec::new).push(effect);
        // NEURON looks at the condition here, and for that takes v from the node again.
        if let (Some(before), true) = (before, self.values.contains_key("v")) {
            self.values.insert("v".to_owned(), before);
        }
        Ok(())
    }

    fn has_watch(&self, span: Span) -> bool {
        let mut known = self.effects.iter().flatten().filter_map(|effect| effect.watch.as_ref());
        known.any(|(other, _)| other.start == span.start)
    }

    /// A FUNCTION of the mechanism that an expression calls; NEURON 9 does not compile it in a WATCH.
    pub(super) fn called_in<'e>(&self, expr: &'e Expr) -> Option<&'e str> {
        expressions(expr).find_map(|part| match &part.kind {
            ExprKind::Call(name, _) if self.mechanism.blocks.contains_key(&name.text) => Some(name.text.as_str()),
            _ => None,
        })
    }

    /// `state_discontinuity(x, value)` is `x = value` with a fixed time step, where NEURON lets it.
    fn discontinuity(&mut self, arguments: &[Expr]) -> Traced<()> {
        let [state, value] = arguments else { return Ok(()) };
        self.has_jumped = true;
        if self.discontinuities == Discontinuities::Ignored {
            return Ok(());
        }
        let value = self.expression(value)?;
        let key = match &state.kind {
            ExprKind::Name(name) => name.clone(),
            ExprKind::Index(name, index) => self.element(name, index)?,
            _ => return Err(refuse(Code::Discontinuity, state.span, "this is no STATE")),
        };
        self.assign(&key, value, state.span)
    }
}
