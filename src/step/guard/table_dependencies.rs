//! Tables that do not follow all that they are made of.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::diagnostic::{Code, Diagnostic};
use crate::graph::{Id, Input};
use crate::step::{Quantity, Refused, Step};

/// A TABLE that NEURON does not fill again when one of these variables changes.
#[derive(Clone, Debug, Serialize)]
pub struct StaleTable {
    pub mechanism: String,
    /// The PROCEDURE or FUNCTION
    pub block: String,
    /// NEURON's names, `vhalf_kdr`, `celsius`, `dt`
    pub variables: Vec<String>,
}

/// A TABLE that NEURON fills for all segments with variables of one of them.
#[derive(Clone, Debug, Serialize)]
pub struct SharedTable {
    pub mechanism: String,
    /// `true` for a point process
    pub point: bool,
    /// The PROCEDURE or FUNCTION
    pub block: String,
    /// Without the mechanism's name
    pub variables: Vec<String>,
    /// Variables whose change does not make NEURON fill the table again.
    pub unwatched: Vec<String>,
}

impl Step<'_> {
    /// The tables that are made of RANGE variables, which must be PARAMETERs that no code changes.
    pub(in crate::step) fn shared_tables(&self, constant: &BTreeSet<Input>) -> Result<Vec<SharedTable>, Refused> {
        let mut tables = Vec::new();
        for ((mechanism, block), shared) in &self.findings.shared {
            let index = self.region.mechanisms.iter().position(|known| known.name == *mechanism);
            let index = index.unwrap_or_default();
            if let Some(input) = shared.inputs.iter().find(|input| !constant.contains(input)) {
                let message = format!(
                    "the TABLE depends on `{}`, which the mechanism changes for each segment",
                    self.plain_name(*input)
                );
                let diagnostic = Diagnostic::refusal(Code::TableDepends, shared.span, message)
                    .help("remove the TABLE, or pass it as the argument");
                return Err(Refused { mechanism: index, diagnostic });
            }
            let names = |unwatched: bool| {
                let inputs = shared.inputs.iter();
                let inputs = inputs.filter(|input| !(unwatched && shared.watched.contains(input)));
                let names: BTreeSet<String> = inputs.map(|input| self.plain_name(*input)).collect();
                names.into_iter().collect()
            };
            let point = self.region.mechanisms[index].kind == crate::model::Kind::Point;
            let (variables, unwatched) = (names(false), names(true));
            let (mechanism, block) = (mechanism.clone(), block.clone());
            tables.push(SharedTable { mechanism, point, block, variables, unwatched });
        }
        Ok(tables)
    }

    fn plain_name(&self, input: Input) -> String {
        match self.quantities.get(&input) {
            Some(Quantity::Variable(_, name, _)) => name.split('[').next().unwrap_or(name).to_owned(),
            _ => self.graph.input_name(input).to_owned(),
        }
    }

    pub(in crate::step) fn stale_tables(&self) -> Vec<StaleTable> {
        let tables = self.findings.unwatched.iter();
        let tables = tables.map(|((mechanism, block), inputs)| {
            let variables: BTreeSet<String> = inputs.iter().filter_map(|input| self.global_name(*input)).collect();
            StaleTable {
                mechanism: mechanism.clone(),
                block: block.clone(),
                variables: variables.into_iter().collect(),
            }
        });
        tables.collect()
    }

    fn global_name(&self, input: Input) -> Option<String> {
        match self.quantities.get(&input)? {
            Quantity::Variable(index, name, _) => {
                let (plain, mechanism) = (name.split('[').next().unwrap_or(name), &self.region.mechanisms[*index]);
                let shown = mechanism.shown_as(plain).filter(|(_, scope)| *scope == "global");
                Some(shown.map_or_else(|| format!("{plain}_{}", mechanism.name), |(public, _)| public))
            }
            Quantity::Celsius => Some("celsius".to_owned()),
            Quantity::TimeStep => Some("dt".to_owned()),
            _ => None,
        }
    }

    /// What the filling of a table left behind must not matter.
    pub(in crate::step) fn refuse_leftovers(&self, roots: &[Id]) -> Result<(), Refused> {
        self.refuse_full()?;
        let reached = self.graph.reachable_inputs(roots, true);
        let left = self.findings.leftovers.iter().find(|(input, _)| reached.contains(input));
        let Some(left) = left.map(|(_, left)| left).or_else(|| self.findings.mixed()) else {
            return Ok(());
        };
        let mechanisms = &self.region.mechanisms;
        let index = mechanisms.iter().position(|known| known.name == left.mechanism);
        let name = &left.variable;
        let message = format!(
            "`{name}` is set where the TABLE is filled, and used later: it keeps what it had when \
             the table was last filled"
        );
        let diagnostic = Diagnostic::refusal(Code::TableLeaves, left.span, message)
            .label(format!("`{name}` is no column of this table"))
            .help(format!("set `{name}` in a block without TABLE, or add it to the TABLE"));
        Err(Refused { mechanism: index.unwrap_or_default(), diagnostic })
    }
}
