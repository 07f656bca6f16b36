//! Values of parameters that the code treats as cases of their own.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::graph::{Comparison, Id, Input, Node};
use crate::step::{Parameter, Quantity, Step};

/// A parameter, and a number that it is compared with by `==` or `!=`: where it has this value,
/// there is no derivative, for the code around it is that of the other arm.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpecialValue {
    /// The public name of the parameter, `tau_kca`, `ExpSyn.tau`, `ExpSyn.weight[0]`
    pub parameter: String,
    pub value: f64,
}

impl Step<'_> {
    /// The isolated values of these parameters in what the roots are computed from.
    pub(in crate::step) fn special_values(&self, roots: &[Id], parameters: &[(Input, Parameter)]) -> Vec<SpecialValue> {
        let mut found = BTreeSet::new();
        for id in self.graph.reachable(roots, true) {
            let Node::Compare(Comparison::Eq | Comparison::Ne, a, b) = self.graph.node(id) else { continue };
            for (input, number) in [(a, b), (b, a)] {
                let Node::Input(input) = self.graph.node(*input) else { continue };
                let Some(value) = self.graph.as_number(*number) else { continue };
                let parameter = parameters.iter().find(|(known, _)| known == input);
                let public = parameter.map(|(_, parameter)| parameter.public.clone());
                let public = public.or_else(|| self.weight_name(*input));
                found.extend(public.map(|public| (public, value.to_bits())));
            }
        }
        let special_values = found.into_iter();
        special_values.map(|(parameter, bits)| SpecialValue { parameter, value: f64::from_bits(bits) }).collect()
    }

    /// `ExpSyn.weight[0]`, if the input is a weight of a `NetCon`.
    fn weight_name(&self, input: Input) -> Option<String> {
        let Quantity::Argument(name) = self.quantities.get(&input)? else { return None };
        let mechanism = self.region.mechanisms.first()?;
        let index = mechanism.receive.as_ref()?.arguments.iter().position(|known| known == name)?;
        Some(format!("{}.weight[{index}]", mechanism.name))
    }
}
