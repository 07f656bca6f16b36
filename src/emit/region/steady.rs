//! Parameters that directions change keep their values during a run: what sets one makes the run independent of it.

use serde::Serialize;

use super::writer::Writer;
use crate::graph::Input;
use crate::step::Quantity;

/// The statements of the watch.
#[derive(Serialize)]
pub(in crate::emit) struct Steady {
    /// How many parameters are watched.
    count: usize,
    /// Which of them directions change, from the weights of direction `k`.
    asked: Vec<String>,
    /// Their values before the run.
    keep: Vec<String>,
    /// Whether they are the same.
    look: Vec<String>,
}

impl Writer<'_> {
    /// The watch over what directions change.
    pub(in crate::emit) fn steady(&self) -> Option<Steady> {
        let mut steady = Steady { count: 0, asked: Vec::new(), keep: Vec::new(), look: Vec::new() };
        for (index, parameter) in self.linearised.parameters.iter().enumerate() {
            let Some(present) = parameter.steady.and_then(|input| self.present(input)) else { continue };
            let Some(was) = self.sources.remembered(&present) else { continue };
            let i = steady.count;
            let reversal = self.linearised.ions.iter().find(|ion| format!("{}_now", ion.ion.reversal()) == present);
            // NEURON's own Nernst potential changes with the concentrations.
            let given = reversal.map(|ion| format!(" && {} == 0", ion.nernst())).unwrap_or_default();
            steady.asked.push(format!("IF ({}[k] != 0{given}) {{ asked[{i}] = 1 }}", self.seeds[index]));
            steady.keep.push(self.sources.guarded_present(&present, format!("steady[{i}] = {present}")));
            steady.look.push(format!("IF (asked[{i}] == 1 && {was} != steady[{i}]) {{ changed = {} }}", index + 1));
            steady.count += 1;
        }
        (steady.count > 0).then_some(steady)
    }

    /// The emitted name of the present value of a parameter.
    fn present(&self, input: Input) -> Option<String> {
        match &self.linearised.quantities[&input] {
            Quantity::Variable(mechanism, name, _) => Some(self.linearised.names.of(*mechanism, name).to_owned()),
            Quantity::Ion(name, _) => Some(format!("{name}_now")),
            _ => None,
        }
    }
}
