//! What becomes of a statement that is refused.

use super::{Trace, Traced};
use crate::diagnostic::{Code, Diagnostic};

/// Refusals of code that only matter if it runs.
pub(super) const AVOIDABLE: [Code; 5] =
    [Code::ComputedBound, Code::ComputedIndex, Code::TooLong, Code::UnknownFunction, Code::Verbatim];

impl Trace<'_> {
    /// Where all refusals are gathered, what is refused does nothing.
    pub(super) fn go_on(&mut self, refused: Box<Diagnostic>) -> Traced<()> {
        let ends_all = refused.code == Code::TooLong;
        let is_left_out = self.arms > 0 && !self.follows_all && AVOIDABLE.contains(&refused.code);
        if !self.findings.gathers || ends_all || is_left_out {
            return Err(refused);
        }
        self.findings.gathered.push((self.mechanism.name.clone(), *refused));
        Ok(())
    }

    /// Code that is only tried: whether it can be run.
    pub(super) fn tried<T>(&mut self, code: impl FnOnce(&mut Self) -> Traced<T>) -> Option<T> {
        let gathers = std::mem::replace(&mut self.findings.gathers, false);
        let result = code(self).ok();
        self.findings.gathers = gathers;
        result
    }
}
