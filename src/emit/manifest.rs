//! `gradmod.json`: what is where in the emitted mechanisms, for programs.

use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    /// The version that wrote it.
    pub gradmod: &'static str,
    pub directions: usize,
    pub regions: Vec<RegionManifest>,
    pub cable: CableManifest,
    pub cable_point: CablePointManifest,
    pub axial: AxialManifest,
}

#[derive(Clone, Debug, Serialize)]
pub struct RegionManifest {
    pub name: String,
    /// SUFFIX, or the name of the point process.
    pub suffix: String,
    pub file: String,
    /// `density` or `point`
    pub kind: &'static str,
    pub mechanisms: Vec<String>,
    /// One per mechanism, if they can be off: RANGE, 0 or 1.
    pub switches: Vec<String>,
    pub pointers: Vec<PointerManifest>,
    pub cable_pointers: Vec<String>,
    pub conductance: &'static str,
    pub source: &'static str,
    pub parameters: Vec<ParameterManifest>,
    pub states: Vec<StateManifest>,
    pub now: Vec<NowManifest>,
    pub ions: Vec<IonManifest>,
    pub procedures: ProceduresManifest,
}

/// A POINTER and what it must point to: `range` in the segment (or point
/// process), `global` in `h`.
#[derive(Clone, Debug, Serialize)]
pub struct PointerManifest {
    pub name: String,
    pub source: String,
    pub scope: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub struct ParameterManifest {
    pub name: String,
    /// RANGE array: how much each direction changes it.
    pub seed: String,
    /// `range`, `global`, `ion` or `cable`
    pub scope: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub struct StateManifest {
    pub name: String,
    pub gradient: String,
}

/// A RANGE variable that holds the present value of the segment's `source`.
#[derive(Clone, Debug, Serialize)]
pub struct NowManifest {
    pub name: String,
    pub source: String,
}

/// RANGE settings that follow from `ion_style` and the ion's charge.
#[derive(Clone, Debug, Serialize)]
pub struct IonManifest {
    pub ion: String,
    pub nernst: String,
    pub nernst_init: String,
    pub conc_init: String,
    pub valence: String,
    /// Concentrations that the region's mechanisms set.
    pub written: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ProceduresManifest {
    pub advance: &'static str,
    pub states: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub struct CableManifest {
    pub suffix: String,
    pub conductance: &'static str,
    pub source: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub struct CablePointManifest {
    pub name: String,
    pub conductance: &'static str,
    pub source: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub struct AxialManifest {
    pub name: String,
    pub va: &'static str,
    pub vb: &'static str,
    pub g: &'static str,
}

impl Manifest {
    pub(super) fn new(directions: usize, regions: Vec<RegionManifest>, hash: &str) -> Self {
        Self {
            gradmod: env!("CARGO_PKG_VERSION"),
            directions,
            regions,
            cable: CableManifest {
                suffix: format!("gm_cable_{hash}"),
                conductance: "d",
                source: "S",
            },
            cable_point: CablePointManifest {
                name: format!("gm_point_{hash}"),
                conductance: "d",
                source: "S",
            },
            axial: AxialManifest {
                name: format!("gm_axial_{hash}"),
                va: "va",
                vb: "vb",
                g: "g",
            },
        }
    }
}
