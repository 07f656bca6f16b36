//! BEFORE and AFTER blocks, and code in BREAKPOINT that remembers.
//!
//! Gradients step from `BEFORE BREAKPOINT` to `BEFORE BREAKPOINT`, after the
//! blocks of all other mechanisms. So a step ends with
//!
//! ```text
//! AFTER SOLVE, BEFORE STEP at t_{n+1}, BEFORE BREAKPOINT at t_{n+1} + dt/2
//! ```
//!
//! and before the first step there is, after INITIAL, what `finitialize` runs:
//!
//! ```text
//! AFTER INITIAL, BEFORE BREAKPOINT, BREAKPOINT, BEFORE STEP at t_0, BEFORE BREAKPOINT at t_0 + dt/2
//! ```

use super::initial::Start;
use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Id, Input};
use crate::model::{BeforeAfter, Mechanism};
use crate::step::{Refused, StateKind, Step, When};
use crate::trace::{Discontinuities, Traced, Values};

impl Step<'_> {
    /// Runs the blocks of all mechanisms that have one.
    pub(in crate::step) fn before_after(&mut self, moment: BeforeAfter, v: Input, t: Id) -> Result<(), Refused> {
        let region = self.region;
        for (index, mechanism) in region.mechanisms.iter().enumerate() {
            let Some((_, body)) = mechanism.before_after.iter().find(|(known, _)| *known == moment) else {
                continue;
            };
            let scope = self.enter(index);
            let mut before = self.own_values(index, scope);
            self.show_ions(mechanism, &mut before);
            let when = if v == self.v_after { When::After } else { When::Before };
            let v = self.graph.read(v);
            before.insert("v".to_owned(), v);
            self.see(index, &mut before, when);
            before.insert("t".to_owned(), t);
            let mut trace = self.trace(mechanism, before.clone(), scope);
            // The derivative of a step goes on to where the next one begins.
            trace.may_draw = moment != BeforeAfter::BeforeBreakpoint;
            let mut after = trace
                .statements(&body.body)
                .map(|()| trace.values)
                .and_then(|after| refuse_states(mechanism, body.span, &before, &after).map(|()| after))
                .map_err(|diagnostic| Refused { mechanism: index, diagnostic: *diagnostic })?;
            self.share(index, moment.name(), &before, &mut after);
            self.leave(index, scope, &before, &mut after);
            self.values[index] = after;
        }
        Ok(())
    }

    /// What runs after the states have been advanced.
    pub(in crate::step) fn end_of_step(&mut self) -> Result<(), Refused> {
        let half = self.graph.number(0.5);
        let half_step = self.graph.mul(half, self.dt);
        let end = self.graph.add(self.t, half_step);
        let next = self.graph.add(end, half_step);
        self.before_after(BeforeAfter::AfterSolve, self.v_after, end)?;
        self.before_after(BeforeAfter::BeforeStep, self.v_after, end)?;
        let before = self.values.clone();
        self.before_after(BeforeAfter::BeforeBreakpoint, self.v_after, next)?;
        for (index, (before, after)) in before.iter().zip(&self.values).enumerate() {
            let set = after.iter().filter(|(name, value)| before.get(*name) != Some(*value));
            self.set_at_begin.extend(set.map(|(name, _)| StateKind::Variable(index, name.clone())));
        }
        Ok(())
    }

    /// What runs between INITIAL and the first step, where it leaves anything behind.
    pub(in crate::step) fn after_start(&mut self, start: &mut Start) -> Result<(), Refused> {
        let before_after = self.region.mechanisms.iter().flat_map(|mechanism| &mechanism.before_after);
        let matters = before_after.into_iter().any(|(moment, _)| *moment != BeforeAfter::BeforeInitial);
        if !matters && self.remembering.is_empty() && self.set_by_currents.is_empty() {
            return Ok(());
        }
        let kept = (
            std::mem::replace(&mut self.values, std::mem::take(&mut start.values)),
            std::mem::replace(&mut self.ion_values, std::mem::take(&mut start.ions)),
        );
        let v = self.v_before;
        self.before_after(BeforeAfter::AfterInitial, v, self.t)?;
        self.before_after(BeforeAfter::BeforeBreakpoint, v, self.t)?;
        let zero = self.graph.number(0.0);
        for ion in self.ions.clone() {
            self.ion_values.insert(ion.ion.current(), zero);
            let reversal = self.reversal(&ion, &ion.nernst());
            self.ion_values.extend(reversal);
        }
        self.discontinuities = Discontinuities::Ignored;
        self.currents()?;
        self.discontinuities = Discontinuities::Heeded;
        self.before_after(BeforeAfter::BeforeStep, v, self.t)?;
        let half = self.graph.number(0.5);
        let half_step = self.graph.mul(half, self.dt);
        let next = self.graph.add(self.t, half_step);
        self.before_after(BeforeAfter::BeforeBreakpoint, v, next)?;
        start.values = std::mem::replace(&mut self.values, kept.0);
        start.ions = std::mem::replace(&mut self.ion_values, kept.1);
        Ok(())
    }
}

/// Recorded states are those at the end of a step; what changes them later would be missed.
fn refuse_states(
    mechanism: &Mechanism,
    span: crate::syntax::span::Span,
    before: &Values,
    after: &Values,
) -> Traced<()> {
    let ions = mechanism.ions.iter().flat_map(|ion| ion.read.iter().chain(&ion.write)).cloned();
    let own = crate::step::phase::state::state_elements(mechanism).into_iter().chain(ions);
    let Some(name) = own.into_iter().find(|name| before.get(name) != after.get(name)) else {
        return Ok(());
    };
    let message = format!("`{name}` is changed outside of BREAKPOINT");
    let diagnostic = Diagnostic::refusal(Code::BeforeAfter, span, message).label("in this block");
    Err(Box::new(diagnostic.help("change STATEs and ions in the block that BREAKPOINT solves")))
}
