//! Calls: of FUNCTIONs and PROCEDUREs, of NEURON's functions, of TABLEs and streams of random numbers.

pub mod call;
pub mod neuron_function;
pub mod random;
pub mod table;
