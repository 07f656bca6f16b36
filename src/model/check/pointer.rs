//! POINTER: only those that are read.
//!
//! What a POINTER sees is the script's choice. See `step::pointed` and `emit::pointed` for what can be followed.

use crate::diagnostic::{Code, Diagnostic};
use crate::model::bystander::set_pointers;
use crate::model::deeds::deeds;
use crate::syntax::ast::{Name, Program};

/// POINTERs that code sets. VERBATIM that does is refused where it runs.
pub(super) fn refusals(program: &Program) -> Vec<Diagnostic> {
    let set = deeds(program).set;
    let refuse = |name: &Name| {
        let message = format!("`{}`: a POINTER that the mechanism sets: what else depends on it is unknown", name.text);
        Diagnostic::refusal(Code::Pointer, name.span, message).label("declared here")
    };
    set_pointers(program, &set).map(refuse).collect()
}
