//! RANDOM: draws from a stream of Random123, in which every number has a place.
//!
//! A draw is a function of its stream and of the place alone, so that it can be made
//! again where the code of the derivative needs it. The place is a value like any other: what
//! a variable is to code, it is to draws. It has no derivative, and neither has the draw.

use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Builtin, Comparison, Id};
use crate::syntax::ast::{Expr, ExprKind, Name};
use crate::syntax::span::Span;
use crate::trace::{Primes, Trace, Traced, refuse};

impl Trace<'_> {
    /// `random_uniform(stream, ...)` and its like; `None` for any other name.
    pub(in crate::trace) fn random_function(&mut self, name: &Name, arguments: &[Expr]) -> Traced<Option<Id>> {
        let Some(kind) = name.text.strip_prefix("random_") else { return Ok(None) };
        let Some((Expr { kind: ExprKind::Name(stream), .. }, rest)) = arguments.split_first() else {
            return Ok(None);
        };
        let Some(number) = self.mechanism.randoms.iter().position(|known| known == stream) else {
            return Ok(None);
        };
        #[allow(clippy::cast_precision_loss)]
        let number = self.graph.number((self.mechanism.first_stream + number) as f64);
        self.refuse_place(name.span)?;
        let before = self.places();
        let arguments = self.arguments(rest)?;
        if kind != "setseq" && before != self.places() {
            return Err(two_draws(name.span));
        }
        let value = match (kind, arguments.as_slice()) {
            ("uniform" | "dpick", []) => self.draw(Builtin::UniformAt, number, stream),
            ("uniform", [low, high]) => {
                let part = self.draw(Builtin::UniformAt, number, stream);
                let width = self.graph.sub(*high, *low);
                let above = self.graph.mul(part, width);
                self.graph.add(*low, above)
            }
            ("negexp", []) => self.exponential(number, stream),
            ("negexp", [mean]) => {
                let value = self.exponential(number, stream);
                self.graph.mul(value, *mean)
            }
            ("normal", []) => self.draw(Builtin::NormalAt, number, stream),
            ("normal", [mean, deviation]) => {
                let value = self.draw(Builtin::NormalAt, number, stream);
                let off = self.graph.mul(value, *deviation);
                self.graph.add(*mean, off)
            }
            ("ipick", []) => self.draw(Builtin::IntegerAt, number, stream),
            ("setseq", [place]) => {
                let place = self.set_place(*place);
                self.values.insert(stream.clone(), place);
                self.graph.number(0.0)
            }
            ("setids", _) => {
                let message = format!("random_setids makes another stream of `{stream}`: not differentiated");
                return Err(Box::new(refuse(Code::Random, name.span, message).help("set the ids before the run")));
            }
            _ => return Ok(None),
        };
        Ok(Some(value))
    }

    fn exponential(&mut self, number: Id, stream: &str) -> Id {
        let part = self.draw(Builtin::UniformAt, number, stream);
        let log = self.graph.call(Builtin::Log, vec![part]);
        self.graph.neg(log)
    }

    /// The number at the present place, and on to the next.
    fn draw(&mut self, kind: Builtin, number: Id, stream: &str) -> Id {
        let zero = self.graph.number(0.0);
        let place = self.values.get(stream).copied().unwrap_or(zero);
        let next = if kind == Builtin::NormalAt {
            self.graph.call(Builtin::AfterNormal, vec![number, place])
        } else {
            let one = self.graph.number(1.0);
            self.graph.add(place, one)
        };
        self.values.insert(stream.to_owned(), next);
        self.graph.call(kind, vec![number, place])
    }

    /// NEURON takes whole numbers from 0.
    fn set_place(&mut self, place: Id) -> Id {
        let zero = self.graph.number(0.0);
        let whole = self.graph.call(Builtin::Floor, vec![place]);
        let below = self.graph.compare(Comparison::Lt, place, zero);
        let branch = self.graph.new_branch(below, self.scope);
        self.graph.join(branch, zero, whole)
    }

    /// Where it is not plain how often NEURON's code draws.
    fn refuse_place(&self, span: Span) -> Traced<()> {
        let collects = matches!(self.primes, Primes::Collect(_));
        if self.may_draw && !collects && self.scheme.is_none() && self.equations.is_none() && self.residuals.is_none() {
            return Ok(());
        }
        let reason = "how often random numbers are drawn here is NEURON's affair: not differentiated";
        Err(Box::new(
            refuse(Code::Random, span, reason)
                .help("draw in INITIAL, BREAKPOINT, NET_RECEIVE or a PROCEDURE that BREAKPOINT solves"),
        ))
    }

    /// Code in which no random numbers may be drawn.
    pub(in crate::trace) fn without_draws<T>(&mut self, code: impl FnOnce(&mut Self) -> Traced<T>) -> Traced<T> {
        let before = std::mem::replace(&mut self.may_draw, false);
        let result = code(self);
        self.may_draw = before;
        result
    }

    /// The places in all streams.
    pub(in crate::trace) fn places(&self) -> Vec<Option<Id>> {
        self.mechanism.randoms.iter().map(|name| self.values.get(name).copied()).collect()
    }

    /// C++ leaves open which of two operands is computed first.
    pub(in crate::trace) fn refuse_both(
        &self,
        (before, between): (&[Option<Id>], &[Option<Id>]),
        span: Span,
    ) -> Traced<()> {
        let after = self.places();
        let twice = before.iter().zip(between).zip(&after).any(|((a, b), c)| a != b && b != c);
        if !twice {
            return Ok(());
        }
        Err(two_draws(span))
    }

    /// The right side of `&&` and `||` has run only if the left one left it open.
    pub(in crate::trace) fn only_if(&mut self, runs: Id, before: &[Option<Id>]) {
        let mechanism = self.mechanism;
        for (name, before) in mechanism.randoms.iter().zip(before) {
            let (Some(before), Some(after)) = (*before, self.values.get(name).copied()) else { continue };
            if before != after {
                let branch = self.graph.new_branch(runs, self.scope);
                let place = self.graph.join(branch, after, before);
                self.values.insert(name.clone(), place);
            }
        }
    }
}

fn two_draws(span: Span) -> Box<Diagnostic> {
    let reason = "which of two random numbers in one expression is drawn first is not defined";
    Box::new(refuse(Code::Random, span, reason).help("draw them in two statements"))
}
