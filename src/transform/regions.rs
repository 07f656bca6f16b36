//! The regions and point processes that a request means.

use super::model::Model;
use super::{NamedRegion, RequestError, Selection};
use crate::model::{Kind, Mechanism};
use crate::step::Region;

pub(super) fn regions(model: &Model, selection: &Selection) -> Result<Vec<Region>, RequestError> {
    match selection {
        Selection::All => Ok(all(model)),
        Selection::Each => Ok(model.of_kind(Kind::Density).chain(model.of_kind(Kind::Point)).map(alone).collect()),
        Selection::These { regions, points } => {
            let regions = regions.iter().map(|region| named(model, region));
            let is_there = |name: &&String| !model.passed_over.contains(*name);
            let points = points.iter().filter(is_there).map(|name| point(model, name));
            regions.chain(points).collect()
        }
    }
}

/// A mechanism as a region of its own.
pub(super) fn alone(mechanism: Mechanism) -> Region {
    Region::new(mechanism.name.clone(), vec![mechanism], false)
}

fn all(model: &Model) -> Vec<Region> {
    let density: Vec<Mechanism> = model.of_kind(Kind::Density).collect();
    let together = (!density.is_empty()).then(|| Region::new("all", density, true));
    together.into_iter().chain(model.of_kind(Kind::Point).map(alone)).collect()
}

fn named(model: &Model, region: &NamedRegion) -> Result<Region, RequestError> {
    let names = region.mechanisms().iter().filter(|name| !model.passed_over.contains(*name));
    let mechanisms = names.map(|name| model.mechanism(name)).collect::<Result<Vec<_>, _>>()?;
    if let Some(point) = mechanisms.iter().find(|mechanism| mechanism.kind == Kind::Point) {
        return Err(RequestError::PointInRegion { region: region.name().to_owned(), point: point.name.clone() });
    }
    Ok(Region::new(region.name(), mechanisms, false))
}

fn point(model: &Model, name: &str) -> Result<Region, RequestError> {
    let mechanism = model.mechanism(name)?;
    match mechanism.kind {
        Kind::Point => Ok(alone(mechanism)),
        Kind::Density => Err(RequestError::DensityAsPoint(name.to_owned())),
    }
}
