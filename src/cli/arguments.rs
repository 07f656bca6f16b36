//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Exact gradients of NEURON models, in NEURON.
#[derive(Debug, Parser)]
#[command(name = "gradmod", version)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Transform(Transform),
}

/// Write mechanisms that compute gradients, for nrnivmodl to compile
#[derive(Debug, Args)]
pub struct Transform {
    /// .mod files of the model
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Folder to write to, made if it is not there
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Density mechanisms that are inserted together, in NEURON's order; several
    /// times for several regions. Without it, all given density mechanisms are one
    /// region in which each can be switched on per segment.
    #[arg(long, value_name = "NAME=MECH,...")]
    pub region: Vec<String>,
    /// A point process that acts on the cell
    #[arg(long, value_name = "NAME")]
    pub point: Vec<String>,
    /// Parameters that gradients may be asked for, by NEURON's names (`gnabar_hh`,
    /// `ena`, `cm`); without it, all
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub wrt: Vec<String>,
    /// Number of gradients that one run computes
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub directions: u16,
    #[arg(long, value_enum, default_value_t = MessageFormat::Human)]
    pub message_format: MessageFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MessageFormat {
    /// For people
    Human,
    /// One JSON object per line
    Json,
}
