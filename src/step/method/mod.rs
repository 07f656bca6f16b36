//! Integration methods: one file each.

pub mod derivimplicit;
pub mod euler;
pub mod linear;
pub mod nonlinear;
pub mod runge;
pub mod sparse;
