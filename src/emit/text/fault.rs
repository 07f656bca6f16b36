//! Why a run has no gradient: the numbers that rows and the solver set `fault` to, in forward mode.
//!
//! Templates write `{{ faults.time_step }}`; the manifest tells Python which number is which.

use std::collections::BTreeMap;
use std::fmt;

macro_rules! numbered {
    ($(#[$about:meta])* $name:ident: $number:ty { $($(#[$meaning:meta])* $variant:ident $word:literal = $value:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$meaning])* $variant = $value,)*
        }

        impl $name {
            /// By name, for templates and manifests.
            #[must_use]
            pub fn table() -> BTreeMap<&'static str, $number> {
                BTreeMap::from([$(($word, Self::$variant as $number),)*])
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", *self as $number)
            }
        }
    };
}

numbered! {
    /// What `fault` says; 0 where nothing went wrong.
    Fault: u8 {
        TimeStep "time_step" = 1,
        Time "time" = 2,
        /// Equations were not solved to the end, or code was run that is not differentiated.
        Unsolved "unsolved" = 3,
        /// A point process was changed by an event that did not come to its row.
        Missed "missed" = 4,
        /// A state is not what its equation makes of it.
        State "state" = 5,
        Voltage "voltage" = 6,
        Temperature "temperature" = 7,
        /// Events came at one time, and their order matters.
        Order "order" = 8,
        UnknownSpike "unknown_spike" = 9,
        TooManySent "too_many_sent" = 10,
        /// An event that a point process sends to itself has flag 0.
        Unflagged "unflagged" = 11,
        NotWired "not_wired" = 12,
        /// What a direction changes was set.
        Direction "direction" = 13,
        /// v was set between INITIAL and the first step.
        AfterInitial "after_initial" = 14,
        /// The model was changed, or NEURON solved other equations.
        Equations "equations" = 15,
    }
}

numbered! {
    /// What the mechanisms of reverse mode have seen change along a run, in `changed` and `found`; a number above 0 is
    /// that of a fixed value, plus 1.
    Seen: i32 {
        TimeStep "time_step" = -1,
        /// The point process had an event that did not come to the recorder.
        Missed "missed" = -2,
        /// There was no room for an event.
        Full "full" = -3,
        /// Events came at one time, and their order matters.
        Order "order" = -4,
        /// An event set v before the first step.
        Early "early" = -5,
        Time "time" = -6,
        Temperature "temperature" = -7,
        Voltage "voltage" = -8,
        /// A parameter of a point process changed, in one of several threads.
        Driven "driven" = -9,
        /// A state was set after finitialize, or between windows: less its index.
        State "state" = -100,
    }
}

impl Seen {
    /// The number that tells of a state.
    #[must_use]
    pub fn of_state(state: usize) -> String {
        format!("-{}", (Self::State as i32).unsigned_abs() as usize + state)
    }
}
