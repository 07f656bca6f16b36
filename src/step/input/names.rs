//! What emitted code calls things: no two of them by one name.
//!
//! A variable `m` of `hh` is `hh_m`, and around it are `hh_m_n`, `hh_m_n1` and
//! `D_hh_m`; `x[2]` is `hh_x_2`. Any of these may be what another variable would
//! be called, so a name is given out together with its family, once.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::Variable;
use crate::step::{Region, RegionIon};
use crate::templates::defines;

/// Names with an underscore that emitted code has besides those of the templates: they are made in `src/emit`.
const MADE: [&str; 12] = [
    "spot",
    "start_weights",
    "W_new",
    "asked",
    "steady",
    "changed",
    "nrn_init",
    "nrn_cur",
    "nrn_state",
    "nrn_jacob",
    "slope_before",
    "spikes_at",
];

#[derive(Clone, Debug)]
pub struct Names {
    taken: FxHashSet<String>,
    /// By mechanism and variable, `x[2]` for an element.
    variables: Vec<FxHashMap<String, String>>,
}

impl Names {
    pub(in crate::step) fn new(region: &Region, ions: &[RegionIon]) -> Self {
        let taken = MADE.iter().map(|name| (*name).to_owned()).collect();
        let mut names = Self { taken, variables: Vec::new() };
        for mechanism in &region.mechanisms {
            names.taken.extend([format!("has_{}", mechanism.name), format!("{}_usetable", mechanism.name)]);
        }
        for ion in ions {
            let own = [ion.ion.reversal(), ion.ion.inside(), ion.ion.outside(), ion.ion.current()];
            names.taken.extend(own.iter().flat_map(|name| around(name)));
            names.taken.extend(own.iter().map(|name| format!("{name}0_{}_ion", ion.ion.name)));
            names.taken.extend(ion.carried().map(|name| ion.start(&name)));
            names.taken.extend([ion.nernst(), ion.nernst_init(), ion.conc_init(), ion.valence()]);
        }
        for mechanism in &region.mechanisms {
            let mut variables = FxHashMap::default();
            for name in mechanism.variables.values().flat_map(Variable::elements) {
                let base = format!("{}_{}", mechanism.name, plain(&name));
                let emitted = names.claim(&base, around);
                variables.insert(name, emitted);
            }
            names.variables.push(variables);
        }
        names
    }

    /// What a variable of a mechanism is called.
    pub fn of(&self, mechanism: usize, name: &str) -> &str {
        self.variables.get(mechanism).and_then(|own| own.get(name)).map_or("", String::as_str)
    }

    /// A name like `base` that nothing else has.
    pub fn new_name(&mut self, base: &str) -> String {
        self.claim(&plain(base), |name| vec![name.to_owned()])
    }

    fn claim(&mut self, base: &str, family: impl Fn(&str) -> Vec<String>) -> String {
        // A line of C that begins with it would end the block that it stands in.
        let mut name = if base.starts_with("ENDVERBATIM") { format!("n_{base}") } else { base.to_owned() };
        while family(&name).iter().any(|name| self.taken.contains(name) || defines(name)) {
            name.push('_');
        }
        self.taken.extend(family(&name));
        name
    }
}

/// A variable's name and all that is made of it.
fn around(name: &str) -> Vec<String> {
    let made = ["_n", "_n1", "_now"].iter().map(|end| format!("{name}{end}"));
    made.chain([name.to_owned(), format!("D_{name}"), format!("to_{name}"), format!("to_{name}_now")]).collect()
}

/// `x_2` for `x[2]`.
fn plain(name: &str) -> String {
    name.chars().filter(|c| *c != ']').map(|c| if c == '[' || c == '.' { '_' } else { c }).collect()
}
