//! Which constructs each way to a gradient supports: the one table that the refusals of the command, `gradmod support`,
//! Python's messages and the table in docs/limits.md come from.
//!
//! To add a construct or a way, add a variant: whatever does not say how it is supported does not compile. What is
//! refused in every way is no matter of this table; it has a [`Code`] alone.

use serde::{Serialize, Serializer};

use crate::diagnostic::Code;

/// What a model may contain, or a script may ask for, that some ways to a gradient do not support.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Construct {
    EventArray,
    ActiveEventArray,
    ReadAtEvents,
    StartAfterEvents,
    StartFromBefore,
    TimedEvent,
    EventTimedByState,
    FunctionTable,
    Random,
    RandomBesideSize,
    VoltagePointer,
    VariablePointer,
    Events,
    VoltageEvents,
    Delay,
    ManyParameters,
    Windows,
    SpikeTimes,
    ActsOnRun,
    SecondOrder,
    Extracellular,
}

/// A way to a gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// `gradmod.attach`.
    Forward,
    /// `gradmod.attach` in several threads.
    ForwardThreads,
    /// `gradmod.attach` with `spike_times`.
    SpikeTimes,
    /// Gradients that act on the run: `gradmod.Homeostat`.
    Online,
    /// `gradmod.Reverse`.
    Reverse,
    /// `gradmod.Reverse` in several threads.
    ReverseThreads,
    /// `gradmod.VariableStep`.
    Variable,
}

/// Whether a way supports a construct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    Exact,
    /// The construct does not occur there.
    Absent,
    /// Refused by the command, for this code.
    Refused(Code),
    /// Refused by the Python package, which alone sees the model: why, and what to do.
    RefusedInModel(&'static str),
    /// Refused by the Python package where a spike reaches it whose time has a derivative.
    RefusedAtSpikes,
}

impl Construct {
    pub const ALL: [Self; 21] = [
        Self::EventArray,
        Self::ActiveEventArray,
        Self::ReadAtEvents,
        Self::StartAfterEvents,
        Self::StartFromBefore,
        Self::TimedEvent,
        Self::EventTimedByState,
        Self::FunctionTable,
        Self::Random,
        Self::RandomBesideSize,
        Self::VoltagePointer,
        Self::VariablePointer,
        Self::Events,
        Self::VoltageEvents,
        Self::Delay,
        Self::ManyParameters,
        Self::Windows,
        Self::SpikeTimes,
        Self::ActsOnRun,
        Self::SecondOrder,
        Self::Extracellular,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EventArray => "event-array",
            Self::ActiveEventArray => "active-event-array",
            Self::ReadAtEvents => "read-at-events",
            Self::StartAfterEvents => "start-after-events",
            Self::StartFromBefore => "start-from-before",
            Self::TimedEvent => "timed-event",
            Self::EventTimedByState => "event-timed-by-state",
            Self::FunctionTable => "function-table",
            Self::Random => "random",
            Self::RandomBesideSize => "random-beside-size",
            Self::VoltagePointer => "voltage-pointer",
            Self::VariablePointer => "variable-pointer",
            Self::Events => "events",
            Self::VoltageEvents => "voltage-events",
            Self::Delay => "delay",
            Self::ManyParameters => "many-parameters",
            Self::Windows => "windows",
            Self::SpikeTimes => "spike-times",
            Self::ActsOnRun => "acts-on-run",
            Self::SecondOrder => "second-order",
            Self::Extracellular => "extracellular",
        }
    }

    /// What it is, for people.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::EventArray => "an array that events write",
            Self::ActiveEventArray => "an array that events write and a gradient goes through",
            Self::ReadAtEvents => "an event, or a variable that is not shown, that reads an element of such an array",
            Self::StartAfterEvents => "INITIAL that reads what events change",
            Self::StartFromBefore => "INITIAL that reads a variable as the run before left it",
            Self::TimedEvent => "an event that reads `t` or acts on states, at a time that depends on a parameter",
            Self::EventTimedByState => "such an event at a time that depends on a weight or a variable",
            Self::FunctionTable => "FUNCTION_TABLE",
            Self::Random => "RANDOM",
            Self::RandomBesideSize => "RANDOM, and a variable that is not shown and depends on `area` or `diam`",
            Self::VoltagePointer => "a POINTER that sees a voltage",
            Self::VariablePointer => "a POINTER that sees another variable",
            Self::Events => "NET_RECEIVE",
            Self::VoltageEvents => "events that set `v`",
            Self::Delay => "the delay of a NetCon as a parameter",
            Self::ManyParameters => "one parameter for each segment, point process or NetCon",
            Self::Windows => "a run in several windows",
            Self::SpikeTimes => "a spike whose time has a derivative (`spike_times`)",
            Self::ActsOnRun => "a gradient that acts on the run",
            Self::SecondOrder => "`secondorder` 1 or 2",
            Self::Extracellular => "the mechanism `extracellular`",
        }
    }

    /// Why a way refuses it whatever the model is; subject and predicate of a sentence.
    #[must_use]
    pub fn reason(self, way: Way) -> Option<String> {
        let refusal = refusals().find(|refusal| (refusal.construct, refusal.way) == (self, way))?;
        Some(format!("{} is {}", refusal.what, refusal.reason))
    }

    /// Whether a way supports it.
    #[must_use]
    pub const fn support(self, way: Way) -> Support {
        use Support::{Absent, Exact, Refused, RefusedAtSpikes, RefusedInModel};
        use Way::{Forward, ForwardThreads, Online, Reverse, ReverseThreads, SpikeTimes, Variable};
        const ONE_THREAD: Support = RefusedInModel("supported in one thread only: use h.ParallelContext().nthread(1)");
        match (self, way) {
            (Self::ManyParameters, Variable) => Exact,
            (Self::Windows | Self::ActsOnRun, Variable) => Absent,
            (
                Self::Delay | Self::SpikeTimes | Self::SecondOrder | Self::Extracellular | Self::VoltageEvents,
                Variable,
            ) => RefusedInModel(way.denial()),
            (_, Variable) => Refused(Code::VariableStep),

            (Self::EventArray | Self::ActiveEventArray | Self::ReadAtEvents, SpikeTimes) => RefusedAtSpikes,
            (Self::ActiveEventArray, Online) => Refused(Code::OnlineEventArray),
            (Self::ReadAtEvents, Reverse | ReverseThreads) => Refused(Code::ReverseEventArray),
            (Self::EventArray | Self::ActiveEventArray, ReverseThreads) => ONE_THREAD,
            (Self::EventArray | Self::ReadAtEvents, Forward | ForwardThreads | Online)
            | (Self::ActiveEventArray, Forward | ForwardThreads)
            | (Self::EventArray | Self::ActiveEventArray, Reverse) => Exact,

            (Self::StartAfterEvents, Reverse | ReverseThreads) => Refused(Code::ReverseEvents),
            (Self::StartFromBefore, Reverse | ReverseThreads) => Refused(Code::ReverseInitial),
            (Self::RandomBesideSize, Reverse | ReverseThreads) => Refused(Code::ReverseRandom),
            (Self::Random, ReverseThreads) => ONE_THREAD,
            (
                Self::StartAfterEvents | Self::StartFromBefore | Self::Random | Self::RandomBesideSize,
                Forward | ForwardThreads | SpikeTimes | Online,
            )
            | (Self::Random, Reverse) => Exact,

            (Self::TimedEvent | Self::EventTimedByState, Online) => Refused(Code::OnlineEventTime),
            (Self::EventTimedByState, Reverse | ReverseThreads) => Refused(Code::ReverseEventTime),
            (Self::TimedEvent, ReverseThreads) => ONE_THREAD,
            (Self::TimedEvent, Reverse)
            | (Self::TimedEvent | Self::EventTimedByState, Forward | ForwardThreads | SpikeTimes) => Exact,

            (Self::FunctionTable, ForwardThreads | ReverseThreads) => ONE_THREAD,
            (Self::FunctionTable, Forward | SpikeTimes | Online | Reverse) => Exact,

            (Self::VoltagePointer | Self::VariablePointer, Online) => Refused(Code::OnlinePointer),
            (Self::VoltagePointer, ForwardThreads | ReverseThreads) | (Self::VariablePointer, ForwardThreads) => {
                ONE_THREAD
            }
            (Self::VariablePointer, Reverse | ReverseThreads | SpikeTimes) => RefusedInModel(way.denial()),
            (Self::VoltagePointer, Forward | SpikeTimes | Reverse) | (Self::VariablePointer, Forward) => Exact,

            (Self::Events, ReverseThreads) => ONE_THREAD,
            (Self::Events, Forward | ForwardThreads | SpikeTimes | Online | Reverse) => Exact,

            (Self::VoltageEvents, ForwardThreads | ReverseThreads) => ONE_THREAD,
            (Self::VoltageEvents, SpikeTimes) => RefusedAtSpikes,
            (Self::VoltageEvents, Online) => RefusedInModel(Online.denial()),
            (Self::VoltageEvents, Forward | Reverse) => Exact,

            (Self::Delay, SpikeTimes) => Exact,
            (Self::Delay, Forward | ForwardThreads | Online | Reverse | ReverseThreads) => {
                RefusedInModel("differentiated in the limit of small dt only: use attach(..., spike_times=True)")
            }

            (Self::ManyParameters, Reverse | ReverseThreads) => Exact,
            (Self::ManyParameters, Forward | ForwardThreads | SpikeTimes | Online) => {
                RefusedInModel("for reverse mode: use gradmod.Reverse or gradmod.value_and_grad")
            }

            (Self::Windows, ReverseThreads) => {
                RefusedInModel("supported in one thread only: use h.ParallelContext().nthread(1), or raise `memory`")
            }
            (Self::Windows, Reverse) => Exact,
            (Self::Windows, Forward | ForwardThreads | SpikeTimes | Online) => Absent,

            (Self::SpikeTimes | Self::ActsOnRun, ForwardThreads) => ONE_THREAD,
            (Self::SpikeTimes, Reverse | ReverseThreads) => {
                RefusedInModel("for forward mode: use gradmod.attach(..., spike_times=True)")
            }
            (Self::SecondOrder, Forward | ForwardThreads | Reverse | ReverseThreads) => Exact,
            (Self::SecondOrder, SpikeTimes | Online) => RefusedInModel(way.denial()),

            (Self::Extracellular, Forward | Reverse) => Exact,
            (Self::Extracellular, SpikeTimes | Online) => RefusedInModel(way.denial()),
            (Self::Extracellular, ForwardThreads | ReverseThreads) => Absent,

            (Self::SpikeTimes, Forward | SpikeTimes) | (Self::ActsOnRun, Online) => Exact,
            (Self::SpikeTimes, Online) | (Self::ActsOnRun, Forward | SpikeTimes | Reverse | ReverseThreads) => Absent,
        }
    }
}

impl Way {
    pub const ALL: [Self; 7] = [
        Self::Forward,
        Self::ForwardThreads,
        Self::SpikeTimes,
        Self::Online,
        Self::Reverse,
        Self::ReverseThreads,
        Self::Variable,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::ForwardThreads => "forward-threads",
            Self::SpikeTimes => "spike-times",
            Self::Online => "online",
            Self::Reverse => "reverse",
            Self::ReverseThreads => "reverse-threads",
            Self::Variable => "variable",
        }
    }

    /// What is said of a construct that it does not support.
    #[must_use]
    pub const fn denial(self) -> &'static str {
        match self {
            Self::Forward | Self::ForwardThreads => "not differentiated in forward mode",
            Self::SpikeTimes => "not differentiated with spike_times=True",
            Self::Online => "not differentiated where gradients act on the run",
            Self::Reverse | Self::ReverseThreads => {
                "not differentiated in reverse mode: use forward mode (gradmod.attach)"
            }
            Self::Variable => "not differentiated under the variable step: use the fixed step (h.cvode_active(0))",
        }
    }

    /// Its name at the head of a table.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::ForwardThreads => "in several threads",
            Self::SpikeTimes => "with `spike_times`",
            Self::Online => "acting on the run",
            Self::Reverse => "reverse",
            Self::ReverseThreads => "reverse in several threads",
            Self::Variable => "under the variable step",
        }
    }
}

impl Serialize for Construct {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Serialize for Way {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A cell of the table in which a construct is refused.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Refusal {
    pub construct: Construct,
    pub way: Way,
    /// What is refused, and what is said of it, with what to do: subject and predicate of a sentence.
    pub what: &'static str,
    pub reason: &'static str,
}

/// All that is refused.
pub fn refusals() -> impl Iterator<Item = Refusal> {
    let cells = Construct::ALL.into_iter().flat_map(|construct| Way::ALL.into_iter().map(move |way| (construct, way)));
    cells.filter_map(|(construct, way)| match construct.support(way) {
        Support::RefusedInModel(reason) => Some(Refusal { construct, way, what: construct.meaning(), reason }),
        Support::Refused(_) => Some(Refusal { construct, way, what: construct.meaning(), reason: way.denial() }),
        Support::Exact | Support::Absent | Support::RefusedAtSpikes => None,
    })
}

/// The table as Markdown, as docs/limits.md has it.
#[must_use]
pub fn table() -> String {
    let titles = Way::ALL.map(Way::title).join(" | ");
    let rule = "|---".repeat(Way::ALL.len() + 1);
    let row = |construct: Construct| {
        let cells = Way::ALL.map(|way| match construct.support(way) {
            Support::Exact => "yes".to_owned(),
            Support::Absent => String::new(),
            Support::Refused(code) => format!("refused (`{}`)", code.name()),
            Support::RefusedInModel(_) => "refused".to_owned(),
            Support::RefusedAtSpikes => "refused where such a spike reaches it".to_owned(),
        });
        format!("| {} | {} |\n", construct.meaning(), cells.join(" | "))
    };
    let rows: String = Construct::ALL.into_iter().map(row).collect();
    format!("| | {titles} |\n{rule}|\n{rows}")
}
