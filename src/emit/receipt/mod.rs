//! Receipts: a region of which it has been checked that a mode can differentiate it exactly.
//!
//! The emitters of a mode take its receipt and nothing else, so that none of their files is made of a region that had to
//! be refused.

pub(in crate::emit) mod constructs;
pub(in crate::emit) mod start;

use crate::step::{Linearised, Refused};
use crate::support::Way;
use constructs::refuse;

/// What a mode asks of a region.
pub trait Receipt: AsRef<Linearised> + Sized {
    /// Checks a region; `weights`: those of `NetCon`s may be directions.
    fn of(linearised: Linearised, weights: bool) -> Result<Self, Refused>;
}

/// Forward mode supports every region that can be linearised.
impl Receipt for Linearised {
    fn of(linearised: Linearised, _: bool) -> Result<Self, Refused> {
        Ok(linearised)
    }
}

impl AsRef<Self> for Linearised {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// Its gradients may act on the run, and leak, and be clipped. What no direction changes has been left out.
#[derive(Debug)]
pub struct Online(Linearised);

impl Receipt for Online {
    fn of(mut linearised: Linearised, weights: bool) -> Result<Self, Refused> {
        refuse(&linearised, Way::Online)?;
        linearised.prune_inactive(weights);
        Ok(Self(linearised))
    }
}

impl AsRef<Linearised> for Online {
    fn as_ref(&self) -> &Linearised {
        &self.0
    }
}

/// It has an exact adjoint.
#[derive(Debug)]
pub struct Reversible(Linearised);

impl Receipt for Reversible {
    fn of(linearised: Linearised, _: bool) -> Result<Self, Refused> {
        refuse(&linearised, Way::Reverse)?;
        Ok(Self(linearised))
    }
}

impl AsRef<Linearised> for Reversible {
    fn as_ref(&self) -> &Linearised {
        &self.0
    }
}

/// Its equations can be differentiated as CVODE integrates them.
#[derive(Debug)]
pub struct Differential(Linearised);

impl Receipt for Differential {
    fn of(linearised: Linearised, _: bool) -> Result<Self, Refused> {
        Ok(Self(linearised))
    }
}

impl AsRef<Linearised> for Differential {
    fn as_ref(&self) -> &Linearised {
        &self.0
    }
}
