//! The gradients of voltages that POINTERs see: each is `v` of a gradient cable in another place.

use super::manifest::FarManifest;
use crate::step::Linearised;

/// What emitted code calls one of them.
pub struct Far {
    /// RANGE array: the gradient at the start of the step.
    pub gradient: String,
    /// RANGE array: at its end.
    pub new: String,
    /// For each direction the POINTER to the gradient cable.
    pub cables: Vec<String>,
    /// What must not be 0 for them to be set.
    switch: Option<String>,
}

impl Far {
    /// All of a region.
    pub fn of(linearised: &Linearised, directions: usize) -> Vec<Self> {
        let mut names = linearised.names.clone();
        let pointed = linearised.pointed.iter();
        pointed
            .map(|pointed| {
                let pointer = linearised.names.of(pointed.mechanism, &pointed.name);
                Self {
                    gradient: format!("D_{pointer}"),
                    new: names.new_name(&format!("far_{pointer}_new")),
                    switch: linearised.region.switched.then(|| {
                        format!("has_{}", linearised.region.mechanisms[pointed.mechanism].name)
                    }),
                    cables: (0..directions).map(|k| names.new_name(&format!("far_{pointer}_W{k}"))).collect(),
                }
            })
            .collect()
    }

    /// Statements that look at the cables.
    pub fn read(&self) -> impl Iterator<Item = String> + '_ {
        self.cables.iter().enumerate().map(|(k, cable)| {
            let line = format!("{}[{k}] = {cable}", self.new);
            match &self.switch {
                Some(switch) => format!("IF ({switch} != 0) {{ {line} }}"),
                None => line,
            }
        })
    }

    /// In direction `k`, the end of a step is the start of the next one.
    pub fn step(&self) -> String {
        format!("{}[k] = {}[k]", self.gradient, self.new)
    }

    pub fn assigned(&self) -> Vec<String> {
        let directions = self.cables.len();
        let arrays = [&self.gradient, &self.new].map(|name| format!("{name}[{directions}]"));
        arrays.into_iter().chain(self.cables.iter().cloned()).collect()
    }
}

/// What the manifest says of them.
pub fn manifests(linearised: &Linearised, far: &[Far]) -> Vec<FarManifest> {
    let pairs = linearised.pointed.iter().zip(far);
    pairs
        .map(|(pointed, far)| FarManifest {
            mechanism: linearised.region.mechanisms[pointed.mechanism].name.clone(),
            name: pointed.name.clone(),
            cables: far.cables.clone(),
            rest: far.new.clone(),
        })
        .collect()
}
