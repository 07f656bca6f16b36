//! What the adjoint of the voltage at the end of a step, y, is multiplied by: it is known when the cell's equations are
//! solved, so these products wait.

use super::arrays;
use crate::emit::reverse::places::{adjoint_of, code, element};
use crate::emit::reverse::reversed::Reversed;
use crate::graph::Id;
use crate::step::{Linearised, Source};

/// A product with y at the end of a step: what it is taken from, and the other factor.
pub struct Waiting {
    target: String,
    is_scaled: bool,
    pub coefficient: Id,
}

/// The products of a region, in the order of their slots.
pub fn waiting(linearised: &Linearised) -> Vec<Waiting> {
    let product = |(source, coefficient): (Source, Id)| {
        let (target, is_scaled) = match source {
            Source::State(index) => (adjoint_of(index), false),
            Source::VBefore => ("carry[i]".to_owned(), false),
            Source::PointerBefore(index) => (element("pointer_carry", index), false),
            Source::Parameter(index) => (element("total", index), true),
            // A current is one of the old voltage, and has no equations of its own; of arrays see `arrays`.
            Source::VAfter
            | Source::PointerAfter(_)
            | Source::Unknown(..)
            | Source::Argument(_)
            | Source::Time
            | Source::Arrays => return None,
        };
        Some(Waiting { target, is_scaled, coefficient })
    };
    linearised.source.iter().filter_map(product).collect()
}

/// How many numbers wait for y at each place.
pub fn waiting_count(linearised: &Linearised) -> usize {
    let others = waiting(linearised).len();
    arrays::first_waiting(linearised, others).map_or(others, |first| first + arrays::active_elements(linearised))
}

/// What y makes of it.
pub fn finish(reversed: &Reversed) -> Vec<String> {
    let linearised = reversed.linearised;
    let code = code(linearised, &reversed.step);
    let taken = |(slot, product): (usize, Waiting)| {
        let by_y = code.times(&element("waiting", slot), "y");
        let by_y = if product.is_scaled { format!("scale[i]*({by_y})") } else { by_y };
        format!("{} -= {by_y};", product.target)
    };
    let products = waiting(linearised);
    let elements = arrays::finish(linearised, products.len());
    products.into_iter().enumerate().map(taken).chain(elements).collect()
}
