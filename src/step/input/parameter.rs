//! Parameters: what a gradient can be taken in.

use std::collections::BTreeSet;

use crate::graph::{Id, Input};
use crate::model::Visibility;
use crate::step::{Quantity, RegionIon, Step, When};

#[derive(Clone, Debug)]
pub struct Parameter {
    /// NEURON's name, `gnabar_hh`
    pub public: String,
    pub scope: &'static str,
    /// The input with the value, where a run must not change it.
    pub steady: Option<Input>,
}

impl Step<'_> {
    /// The constant inputs that the roots depend on and that have a public name.
    pub(in crate::step) fn parameters(
        &self,
        roots: &[Id],
        constant: &BTreeSet<Input>,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Vec<(Input, Parameter)> {
        let reached = self.graph.reachable_inputs(roots, true);
        let mut parameters = Vec::new();
        for input in reached {
            let Some((public, scope)) = self.as_parameter(input, constant) else { continue };
            if wanted(&public) {
                parameters.push((input, Parameter { public, scope, steady: Some(input) }));
            }
        }
        parameters.sort_by(|(_, a), (_, b)| (a.scope, &a.public).cmp(&(b.scope, &b.public)));
        parameters
    }

    /// The public names of those of some inputs that are variables which NEURON shows.
    pub(in crate::step) fn visible(&self, inputs: &BTreeSet<Input>) -> Vec<String> {
        let names = inputs.iter().filter_map(|input| match self.quantities.get(input)? {
            Quantity::Variable(index, name, When::Before) => {
                let mechanism = &self.region.mechanisms[*index];
                mechanism.shown_as(name).map(|_| mechanism.public_name(name))
            }
            _ => None,
        });
        names.collect()
    }

    fn as_parameter(&self, input: Input, constant: &BTreeSet<Input>) -> Option<(String, &'static str)> {
        match self.quantities.get(&input)? {
            Quantity::Variable(index, name, When::Before) if constant.contains(&input) => {
                let mechanism = &self.region.mechanisms[*index];
                let public = mechanism.public_name(name);
                match mechanism.variable(name)?.visibility {
                    Visibility::Range => Some((public, "range")),
                    Visibility::Global | Visibility::External => Some((public, "global")),
                    Visibility::Hidden | Visibility::File => None,
                }
            }
            Quantity::Ion(name, When::Before) => {
                let fixed =
                    |ion: &RegionIon| ion.ion.current() == *name || ion.carried().any(|carried| carried == *name);
                (!self.ions.iter().any(fixed)).then(|| (name.clone(), "ion"))
            }
            Quantity::InitialConcentration(name) => Some((name.clone(), "global")),
            Quantity::Celsius => Some(("celsius".to_owned(), "global")),
            _ => None,
        }
    }
}
