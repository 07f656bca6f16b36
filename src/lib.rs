//! gradmod differentiates NMODL.
//!
//! text -> `syntax` (tree) -> `model` (checked mechanism) -> `trace` and `step`
//! (NEURON's time step as an expression graph) -> `emit` (new NMODL). A stage
//! sees only those before it. [`transform()`](transform::transform) is all of them together.

pub mod diagnostic;
pub mod diff;
pub mod emit;
pub mod graph;
pub mod measure;
pub mod model;
pub mod render;
pub mod step;
pub mod support;
pub mod syntax;
pub mod templates;
pub mod trace;
pub mod transform;
