//! What is around the membrane.

/// What the potential of the outside follows from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Medium {
    /// It is 0 everywhere.
    #[default]
    Ground,
    /// NEURON's `extracellular` in some sections: layers around a node have potentials of their own.
    Layers,
}
