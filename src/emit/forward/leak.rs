//! Gradients that act on the run: what parameters did long ago counts less and less.
//!
//! Before each step all gradients are multiplied by `exp(-leak*dt)`. The equations are linear, so
//! that is the exact derivative of the run in a parameter whose change has grown by that factor
//! every step up to the present one.

use crate::diagnostic::{Code, Diagnostic};
use crate::emit::region::declarations::Setting;
use crate::step::{Linearised, Pointed, Refused};

/// RANGE parameters.
pub(in crate::emit) fn settings() -> [Setting; 2] {
    ["leak", "clip"].map(|name| Setting::new(name, "0"))
}

/// Refuses a region of which not all gradients can fade together.
pub(in crate::emit) fn refuse_online(linearised: &Linearised) -> Result<(), Refused> {
    let place = |mechanism: usize, name: &str| {
        let of = &linearised.region.mechanisms[mechanism];
        of.variable(name).map_or(of.span, |variable| variable.span)
    };
    let (mechanism, diagnostic) = if let Some(array) = linearised.arrays.iter().find(|array| array.is_active) {
        let message =
            format!("events write the array `{}`, and a gradient goes through it: it can't act on the run", array.name);
        (0, Diagnostic::refusal(Code::OnlineEventArray, place(0, &array.name), message))
    } else if let Some(Pointed { mechanism, name }) = linearised.pointed.first() {
        let message = format!("`{name}` sees another place or mechanism: its gradient can't act on the run");
        (*mechanism, Diagnostic::refusal(Code::OnlinePointer, place(*mechanism, name), message))
    } else if matches!(linearised.receive.as_ref().map(|receive| &receive.timed), Some(Some(Ok(_)))) {
        let message =
            "what its events do depends on t, and when they come on parameters: that gradient can't act on the run";
        let of = &linearised.region.mechanisms[0];
        let span = of.receive.as_ref().map_or(of.span, |receive| receive.span);
        (0, Diagnostic::refusal(Code::OnlineEventTime, span, message.to_owned()))
    } else {
        return Ok(());
    };
    Err(Refused { mechanism, diagnostic })
}
