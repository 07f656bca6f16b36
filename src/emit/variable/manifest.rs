//! `gradmod.json` for the variable step.

use std::collections::BTreeMap;

use serde::Serialize;

use super::field::{Columns, Field, mechanisms};
use crate::emit::file::File;
use crate::emit::manifest::{Electrode, IonManifest, PointerManifest};
use crate::emit::region::declarations::setting_names;
use crate::emit::region::description::{electrode, ion_manifests, unfollowed};
use crate::emit::reverse::ParameterScope;
use crate::model::Kind;
use crate::step::{SharedTable, SpecialValue, StaleTable, membrane};

#[derive(Clone, Debug, Serialize)]
pub struct VariableManifest {
    /// The version that wrote it.
    pub gradmod: &'static str,
    pub mode: &'static str,
    pub regions: Vec<VariableRegion>,
    /// Mechanisms that act on no membrane; nothing was emitted for them.
    pub passed_over: Vec<String>,
    /// All mechanisms that can act on no membrane, with the POINTERs that they set.
    pub watchers: BTreeMap<String, Vec<String>>,
    /// What goes through a record.
    pub pass: String,
    /// `POINT_PROCESS` that looks whether values change along a run.
    pub watch: String,
    pub membrane: crate::emit::reverse::Membrane,
}

/// A region, or a point process.
#[derive(Clone, Debug, Serialize)]
pub struct VariableRegion {
    pub name: String,
    /// `density` or `point`
    pub kind: &'static str,
    pub mechanisms: Vec<String>,
    pub field: String,
    pub states: Vec<String>,
    pub parameters: Vec<ParameterScope>,
    pub columns: Columns,
    /// What does not change along a run.
    pub fixed: Vec<PointerManifest>,
    pub settings: Vec<String>,
    pub ions: Vec<IonManifest>,
    pub unfollowed: Vec<String>,
    /// How many weights a `NetCon` to it has, for a point process that takes events.
    pub weights: Option<usize>,
    pub electrode: Option<Electrode>,
    pub stale_tables: Vec<StaleTable>,
    pub special_values: Vec<SpecialValue>,
    pub stepwise: Vec<String>,
    pub shared_tables: Vec<SharedTable>,
}

impl VariableManifest {
    pub(super) fn new(regions: Vec<VariableRegion>, shared: &str) -> Self {
        Self {
            gradmod: env!("CARGO_PKG_VERSION"),
            mode: "variable",
            regions,
            passed_over: Vec::new(),
            watchers: BTreeMap::new(),
            pass: format!("gm_pass_{shared}"),
            watch: format!("gm_watch_{shared}"),
            membrane: crate::emit::reverse::Membrane { capacitive: membrane::CAPACITIVE, area: membrane::AREA },
        }
    }
}

impl VariableRegion {
    pub(super) fn new(field: &Field, file: &File) -> Self {
        let linearised = field.linearised;
        let parameters = linearised.parameters.iter();
        Self {
            name: linearised.region.name.clone(),
            kind: if linearised.region.kind() == Kind::Density { "density" } else { "point" },
            mechanisms: mechanisms(linearised),
            field: file.stem().to_owned(),
            states: linearised.states.iter().map(|state| state.public.clone()).collect(),
            parameters: parameters
                .map(|known| ParameterScope { name: known.public.clone(), scope: known.scope })
                .collect(),
            columns: field.columns.clone(),
            fixed: field.fixed.clone(),
            settings: setting_names(linearised),
            ions: ion_manifests(linearised),
            unfollowed: unfollowed(linearised),
            weights: linearised.receive.as_ref().map(|receive| receive.arguments.len()),
            electrode: electrode(linearised),
            stale_tables: linearised.stale.clone(),
            special_values: linearised.special_values.clone(),
            stepwise: linearised.stepwise(),
            shared_tables: linearised.shared.clone(),
        }
    }
}
