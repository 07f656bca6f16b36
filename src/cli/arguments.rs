//! What can be said on the command line.

use std::num::NonZeroU16;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use gradmod::transform::{NamedRegion, Transferred};

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
    Check(Check),
    Build(Build),
    Homeostat(Homeostat),
    Transfers(Transfers),
    Support(Support),
}

/// Write mechanisms that compute gradients, for nrnivmodl to compile
#[derive(Debug, Args)]
pub struct Transform {
    /// .mod files of the model
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Folder to write to, made if it is not there
    #[arg(short, long, value_name = "DIR", default_value = "gradients")]
    pub output: PathBuf,
    /// Density mechanisms that are inserted together, in NEURON's order; several
    /// times for several regions. Without it, all given density mechanisms are one
    /// region in which each can be switched on per segment.
    #[arg(long, value_name = "NAME=MECH,...", value_parser = named_region)]
    pub region: Vec<NamedRegion>,
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
    /// Gradients along the run, or of one loss for any number of parameters
    #[arg(long, value_enum, default_value_t = Mode::Forward)]
    pub mode: Mode,
    /// Differentiate the times of events too, as those of spikes: the gradient is then the limit of
    /// small time steps, not the derivative of one run. In forward mode only
    #[arg(long)]
    pub spike_times: bool,
    /// For gradients that act on the run (see `gradmod homeostat`): they can fade and be
    /// clipped, and runs of any length keep count of their steps. With --wrt, weights of `NetCons`
    /// are no directions
    #[arg(long, conflicts_with_all = ["mode", "spike_times"])]
    pub online: bool,
    /// POINTERs of the model may see variables, not voltages only. In forward mode only
    #[arg(long, conflicts_with_all = ["spike_times", "online"])]
    pub pointed_variables: bool,
    /// A RANGE variable that is a target of `ParallelContext.setup_transfer` wherever it is, so that it sees a
    /// voltage as a POINTER does
    #[arg(long, value_name = "MECH.NAME", value_parser = transferred)]
    pub transferred: Vec<Transferred>,
    /// NEURON's `secondorder` in the runs that are to be differentiated
    #[arg(long, value_name = "ORDER", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2))]
    pub secondorder: u8,
    /// Some sections have NEURON's mechanism extracellular, with so many layers
    #[arg(long, value_name = "LAYERS", conflicts_with = "online")]
    pub extracellular: Option<NonZeroU16>,
    /// Also write what each stage made, to read: the parsed source, the checked mechanism,
    /// the time step, its derivative, the emitted mechanism
    #[arg(long, value_name = "DIR")]
    pub dump_passes: Option<PathBuf>,
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

/// Compare the gradients of mechanisms with finite differences, in NEURON
///
/// Every file is compiled by NEURON, driven in a small cell, and all its parameters
/// are compared. Needs Python with the packages neuron and gradmod: the interpreter
/// beside this command, python3 or python on PATH, or the one that `GRADMOD_PYTHON` names.
/// Ends with 0, or with 1 if a gradient is wrong.
#[derive(Debug, Args)]
pub struct Check {
    /// .mod files
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// How many files are checked at a time; the number of processors by default
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: Option<u16>,
    /// Time limit per file
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..))]
    pub timeout: u32,
    #[arg(long, value_enum, default_value_t = MessageFormat::Human)]
    pub message_format: MessageFormat,
}

/// Make one library of a model's mechanisms and of the gradients that a script attaches
///
/// Does what `nrnivmodl` does, and runs the script up to its first run: what it attaches until then is
/// compiled too. Where NEURON loads the library, gradients need no compiler. Needs the Python that
/// `gradmod check` needs. Ends with 0, or with 1 if that failed.
#[derive(Debug, Args)]
pub struct Build {
    /// .mod files, or folders of them, and one script (.py) that builds the model and attaches gradients
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Folder that gets the folder with the library, which has the processor's name
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    pub output: PathBuf,
    /// Let the script make its runs: for one that attaches again after a run, or starts other processes
    #[arg(long)]
    pub runs: bool,
    /// Arguments of the script
    #[arg(last = true)]
    pub arguments: Vec<std::ffi::OsString>,
}

/// Write a mechanism by which a cell regulates itself while it runs
///
/// It measures the cell's activity, follows the gradient of the measure, which the mechanisms
/// of `gradmod transform --online` compute, and changes parameters of the cell.
#[derive(Debug, Args)]
pub struct Homeostat {
    /// What is averaged: an NMODL expression of v, states and concentrations at one place
    #[arg(long, value_name = "EXPRESSION", allow_hyphen_values = true)]
    pub measure: String,
    /// The measure is an angle, and what is averaged is how often it goes round, in Hz
    #[arg(long)]
    pub turns: bool,
    /// Number of gradients, as given to `gradmod transform`
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub directions: u16,
    /// Folder to write to, made if it is not there
    #[arg(short, long, value_name = "DIR", default_value = "gradients")]
    pub output: PathBuf,
    #[arg(long, value_enum, default_value_t = MessageFormat::Human)]
    pub message_format: MessageFormat,
}

/// Write the mechanism by which scripts see what `ParallelContext.setup_transfer` has arranged
///
/// The Python package finds gap junctions by it, and names their variables as `--transferred` of
/// `gradmod transform`.
#[derive(Debug, Args)]
pub struct Transfers {
    /// Folder to write to, made if it is not there
    #[arg(short, long, value_name = "DIR", default_value = "gradients")]
    pub output: PathBuf,
}

/// Print which constructs each way to a gradient supports
#[derive(Debug, Args)]
pub struct Support {
    #[arg(long, value_enum, default_value_t = MessageFormat::Human)]
    pub message_format: MessageFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Gradient mechanisms for --directions gradients
    Forward,
    /// A recorder and an adjoint for each region; needs --region or --point
    Reverse,
    /// The equations of each region, for runs with the variable step; needs --region or --point
    Variable,
}

/// `NAME=MECH,...`
fn named_region(text: &str) -> Result<NamedRegion, String> {
    let Some((name, list)) = text.split_once('=') else {
        return Err("expected NAME=MECH,...".to_owned());
    };
    let mechanisms = list.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    NamedRegion::new(name, mechanisms).map_err(|error| error.to_string())
}

/// `MECH.NAME`
fn transferred(text: &str) -> Result<Transferred, String> {
    let (mechanism, variable) = text.split_once('.').ok_or("expected MECH.NAME")?;
    Ok(Transferred { mechanism: mechanism.to_owned(), variable: variable.to_owned() })
}
