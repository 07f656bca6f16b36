//! The codes of diagnostics, and what docs/refusals.md says of each: the one list that both come from.
//!
//! To refuse something new, add a line to the list: a code without its text does not compile.

use std::fmt;

use serde::{Serialize, Serializer};

/// What the documents say of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// What is refused and why, what one can do, and the fixture in fixtures/unsupported that provokes it.
    Refused(&'static str, &'static str, &'static str),
    /// In code that NEURON itself refuses, or only when gradmod is used as a library.
    Illegal,
    /// A mistake in a file or a command.
    Error,
    /// Nothing is wrong.
    Note,
}

macro_rules! codes {
    ($($code:ident $name:literal $kind:ident $($text:literal)*;)*) => {
        /// What a diagnostic is about. Its name is stable, in kebab case.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($code,)*
        }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$code,)*];

            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)*
                }
            }

            #[must_use]
            pub const fn text(self) -> Text {
                match self {
                    $(Self::$code => text!($kind $($text)*),)*
                }
            }
        }
    };
}

macro_rules! text {
    (Refused $what:literal $way_out:literal $fixture:literal) => {
        Text::Refused($what, $way_out, $fixture)
    };
    (Illegal) => {
        Text::Illegal
    };
    (Error) => {
        Text::Error
    };
    (Note) => {
        Text::Note
    };
}

codes! {
    Arguments "arguments" Illegal;
    ArrayLength "array-length" Illegal;
    ArtificialCell "artificial-cell" Refused "an ARTIFICIAL_CELL that sets what a POINTER points to; all others are passed over, see below" "" "artificial_cell";
    BareRate "bare-rate" Refused "a rate of `<->` that is a comparison: NEURON's translator writes it without parentheses, so that it means something else" "put it into a variable" "bare_rate";
    BeforeAfter "before-after" Refused "BEFORE and AFTER blocks that change a STATE or an ion, those of point processes, two of one kind" "change STATEs in the block that BREAKPOINT solves" "before_state";
    Call "call" Refused "a call of a DERIVATIVE block that is solved by derivimplicit: what it does depends on the solver's inside" "call the PROCEDURE that it calls, or use cnexp" "call";
    ComputedBound "computed-bound" Refused "FROM whose step depends on the simulation; FROM whose first value does, with reactions or equations in it" "count by a number; start from a number and test in the loop" "computed_bound";
    ComputedIndex "computed-index" Refused "a reaction or equation of an array's element that the simulation chooses" "one reaction for each element, with rates that may be 0" "computed_index";
    Constructor "constructor" Refused "CONSTRUCTOR and DESTRUCTOR: they run when segments are made" "use INITIAL" "constructor";
    DeclaredTwice "declared-twice" Error;
    DerivativePlace "derivative-place" Illegal;
    Discontinuity "discontinuity" Illegal;
    Discrete "discrete" Refused "DISCRETE blocks" "" "";
    Equation "equation" Illegal;
    EquationCount "equation-count" Illegal;
    EquationPlace "equation-place" Refused "an equation of LINEAR inside IF: how many there are depends on the simulation" "put the condition into the coefficients" "equation_place";
    Event "event" Refused "FOR_NETCONS; WATCH in a loop, or of a FUNCTION of the mechanism" "write out the condition" "for_netcons";
    EventArray "event-array" Refused "an array that events write, too long to be differentiated element by element (`too-large`): with what depends on the voltage or a state, or without INITIAL setting all its elements to numbers; and what an event reads from it" "keep what depends on a state in a STATE; set all elements in INITIAL" "event_array";
    EventPlace "event-place" Illegal;
    EventStart "event-start" Refused "INITIAL in NET_RECEIVE that sets another variable than the block's arguments, to something else than INITIAL has, or than a number where INITIAL has a number: NEURON runs it after INITIAL, once for each NetCon" "set it in INITIAL; keep what belongs to a NetCon in an argument" "event_start";
    EventTime "event-time" Refused "events that the point process sends to itself, whose effect depends on `t`, at times that depend on a state, the voltage, or on a weight in a way that is not supported (`net_move`, WATCH beside them)" "let the time depend on parameters only" "event_time";
    EventVoltage "event-voltage" Refused "NET_RECEIVE that calls a PROCEDURE that sets `v`: whether NEURON then changes the potential depends on how the block is written; NET_RECEIVE that calls what reads `v`, or a concentration, without naming it itself, in a mechanism without SOLVE: NEURON then does not look at it when an event comes, and it is that of a step before, or of INITIAL" "set `v` in NET_RECEIVE itself; pass `v` as an argument" "event_voltage";
    EventWeight "event-weight" Refused "an event whose weight changes with the voltage or a state, and that later events read" "keep what changes in a STATE" "event_weight";
    External "external" Refused "EXTERNAL, where no given file has the variable as a GLOBAL PARAMETER that no code sets, or where the mechanism sets it" "name the file of the mechanism that owns it too; or make it a PARAMETER" "external";
    FunctionTable "function-table" Refused "a FUNCTION_TABLE of more than one variable, or of a point process" "use TABLE, or a formula" "function_table";
    HiddenEventVariable "hidden-event-variable" Refused "a variable that the step and events change, and that NEURON does not show" "make it RANGE" "";
    History "history" Refused "a start of a run that depends on the run before, through a variable that NEURON does not show or that the code tests by `==` or `!=`; values computed only where something is new (`IF (warm != celsius) { ... }`), where other code sets them too. Where all that such values are made of is tested, they are supported, and so is what nothing reads before it is set" "set in INITIAL all that INITIAL and BREAKPOINT use" "history";
    Include "include" Illegal;
    InitialEvent "initial-event" Refused "a `net_send` in INITIAL that depends on more than parameters" "" "";
    LongitudinalDiffusion "longitudinal-diffusion" Refused "LONGITUDINAL_DIFFUSION: it couples segments" "" "diffusion";
    Measure "measure" Error;
    Method "method" Refused "a METHOD that is not differentiated with this block; derivimplicit where an IF may leave out an equation (NEURON then takes its right side of another step, or run); NONLINEAR in INITIAL" "cnexp, derivimplicit, euler, runge for DERIVATIVE; sparse for KINETIC" "method";
    NoMechanism "no-mechanism" Note;
    Nonlinear "nonlinear" Illegal;
    OnlineEventArray "online-event-array" Refused "an array that events write, if a gradient goes through it: it can't fade with the others" "" "online_event_array";
    OnlineEventTime "online-event-time" Refused "events that the point process sends to itself at times that depend on parameters, if what they do depends on `t`" "" "online_event_time";
    OnlinePointer "online-pointer" Refused "a POINTER that a gradient goes through" "" "online_pointer";
    OnlyWatches "only-watches" Note;
    Order "order" Refused "a call with several arguments, where a FUNCTION in one of them sets what another is made of: C++ leaves open which is computed first" "statements of their own for the arguments" "order";
    PointConcentration "point-concentration" Refused "a point process that sets a concentration: the pool belongs to the segment" "" "point_concentration";
    Pointer "pointer" Refused "a POINTER or BBCOREPOINTER that a mechanism with a current sets, that NET_RECEIVE uses, or that is RANGE too or an array" "read it in BREAKPOINT and the blocks that it solves: then it may see the `v` of any segment or, in forward mode, a STATE, a concentration or a PARAMETER" "pointer";
    Random "random" Refused "`random_setids`; numbers of a RANDOM stream drawn where it is not plain when and how often NEURON draws: two in one expression, in a differential equation or a reaction, in a TABLE, in BEFORE BREAKPOINT, in INITIAL of NET_RECEIVE, in the step and at events" "draw in statements of their own, from two streams" "random";
    ReactionPlace "reaction-place" Illegal;
    ReadsDerivative "reads-derivative" Refused "`m'` read as a number" "write the right side again" "reads_derivative";
    Recursion "recursion" Refused "a PROCEDURE or FUNCTION that calls itself" "use a loop" "recursion";
    ReverseEventArray "reverse-event-array" Refused "an array that events write at an index that they compute, where an event, or a variable that NEURON does not show, reads an element of it" "forward mode" "reverse_event_array";
    ReverseEventTime "reverse-event-time" Refused "the same at times that depend on a weight or a variable" "forward mode" "reverse_event_time";
    ReverseEvents "reverse-events" Refused "INITIAL that reads what events change: the value is remembered as the first step finds it" "set it in INITIAL, or forward mode" "reverse_events";
    ReverseInitial "reverse-initial" Refused "a visible variable that the step changes and INITIAL, or the first BREAKPOINT, reads as the run before left it (a PARAMETER that INITIAL may correct, such as `tau1` of Exp2Syn, is supported: a run in which it does is refused)" "set it in INITIAL, or forward mode" "reverse_initial";
    ReverseRandom "reverse-random" Refused "RANDOM beside a variable that NEURON does not show and that depends on `area` or `diam`: NEURON 9 ends where it loads a mechanism with both" "forward mode" "";
    SecondOrder "second-order" Illegal;
    SharedMemory "shared-memory" Refused "a GLOBAL, a PARAMETER that is not RANGE, or a LOCAL at file level, in which one segment or point process would read what another one left: INITIAL or a block sets it from what each has for itself (`v`, RANGE, `diam`, `area`, ions, STATEs, POINTERs), and another block reads it; one that each changes again (`n = n + 1`) or that an event sets. A block that sets it and then reads it is supported, and so is what is made of GLOBALs, numbers, `celsius`, `t` only" "make it RANGE, or set it wherever it is used" "shared";
    Singular "singular" Refused "equations that have no solution whatever their coefficients" "" "";
    SolvePlace "solve-place" Refused "SOLVE in a PROCEDURE or another block, by a method that iterates. In an IF of BREAKPOINT it is supported: NEURON's translator runs every SOLVE of BREAKPOINT in the state phase" "SOLVE in BREAKPOINT" "solve_place";
    Statement "statement" Refused "old statements: LAG, FORALL, `~+`, ..." "" "";
    String "string" Illegal;
    SyntaxCharacter "syntax-character" Error;
    SyntaxExpected "syntax-expected" Error;
    SyntaxMisplaced "syntax-misplaced" Error;
    SyntaxNesting "syntax-nesting" Error;
    SyntaxNumber "syntax-number" Error;
    SyntaxUnclosed "syntax-unclosed" Error;
    TableArguments "table-arguments" Illegal;
    TableDepends "table-depends" Refused "a TABLE made of what differs between segments: NEURON fills one table for all; a TABLE made of one that is written further down, which NEURON fills later" "pass it as the argument, or remove the TABLE; write the inner one first" "table";
    TableLeaves "table-leaves" Refused "a variable that a tabulated block sets beside its columns, and that is used: it keeps what the last filling left. GLOBAL variables that are made of constants only, and that nothing sets to anything else, are supported" "set it in a block without TABLE, make it GLOBAL, or add it to the TABLE" "table_leaves";
    TablePlace "table-place" Illegal;
    TableSize "table-size" Illegal;
    TooLarge "too-large" Refused "more than 4 MiB of text, or 500 INCLUDEs; a mechanism with more than 40 ions, 400 currents, 1,000 STATEs or 50,000 variables, elements counted; code that is too large when calls and loops are written out, or whose derivative is: products of thousands of factors, dense equations of a hundred states; whatever else takes more than 8 s or 700 MiB; mechanisms that carry more than 400 variables from step to step, elements of arrays counted; an array of more than 400 elements of which the simulation chooses the one that is set; an array of more than 10,000 elements" "a shorter array" "too_large";
    TooLong "too-long" Refused "a name of more than 80 characters; an IF with more than 200 branches; code that runs more than 100,000 statements; a reaction that a species takes part in more than 100 times; units of more than 200 characters" "" "too_long";
    Twice "twice" Error;
    UnknownDefine "unknown-define" Error;
    UnknownFunction "unknown-function" Refused "a function that has no derivative here, such as `scop_random`, whose numbers are those of all mechanisms in turn" "write it in NMODL; for noise use RANDOM" "unknown_function";
    UnknownName "unknown-name" Error;
    VariableStep "variable-step" Refused "under the variable step (`gradmod.VariableStep`): NET_RECEIVE that does more than changing STATEs (that changes a weight, sends an event, watches, sets `v`), POINTER, RANDOM, FUNCTION_TABLE, BEFORE and AFTER blocks; PROCEDURE, LINEAR and NONLINEAR blocks that BREAKPOINT solves; `dt` in an equation; what an evaluation of the equations leaves to the next one; a condition on `t` without `at_time`; SOLVE in INITIAL that iterates; a concentration that is no STATE" "the fixed step, with gradmod.attach or gradmod.Reverse" "";
    Verbatim "verbatim" Refused "VERBATIM that does more than set variables with arithmetic, test (also `switch` on the counter of a FROM loop), print, `assert`, end the run (`hoc_execerror`) or return 0, as far as NMODL could say it too; `return` in a loop, a FUNCTION or BREAKPOINT" "write it in NMODL; for noise use RANDOM" "verbatim";
    WritesReversalPotential "writes-reversal-potential" Refused "a point process that sets a reversal potential: it belongs to the segment" "WRITE it in a density mechanism" "reversal";
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
