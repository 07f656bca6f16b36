//! The syntax tree of one `.mod` file, as written: nothing is resolved here.
//!
//! Numbers keep their text, units keep their text, every named thing keeps its
//! place. `print` turns a tree back into NMODL; parsing that gives an equal tree.

use crate::syntax::span::Span;

/// A name with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub text: String,
    pub span: Span,
}

/// The text between the parentheses of a unit, such as `mA/cm2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    pub text: String,
    pub span: Span,
}

/// A number as written (`.5`, `1e-3`), never negative.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    pub text: String,
    pub value: f64,
    pub span: Span,
}

/// Text that gradmod does not look into: the body of VERBATIM or COMMENT, a TITLE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opaque {
    pub text: String,
    pub span: Span,
}

#[derive(Clone, Debug, Default)]
pub struct Program {
    pub items: Vec<Item>,
    /// `:` and `?` comments, in order; they are no part of the meaning.
    pub comments: Vec<Comment>,
}

impl PartialEq for Program {
    fn eq(&self, other: &Self) -> bool {
        self.items == other.items
    }
}

/// A `:` or `?` comment, with its sign. Programs that differ only in comments are equal.
#[derive(Clone, Debug)]
pub struct Comment {
    pub text: String,
    pub span: Span,
}

/// One thing at file level.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    Title(Opaque),
    Comment(Opaque),
    Verbatim(Opaque),
    /// UNITSON (`true`) or UNITSOFF (`false`), here or as a statement.
    UnitsSwitch(bool, Span),
    /// `DEFINE name value`
    Define(Name, Number),
    /// `INCLUDE "file"`
    Include(Opaque),
    Neuron(Vec<NeuronStatement>, Span),
    Units(Vec<UnitDefinition>, Span),
    /// PARAMETER and CONSTANT
    Parameter(Vec<ParameterDefinition>, Span),
    Constant(Vec<ParameterDefinition>, Span),
    Assigned(Vec<VariableDefinition>, Span),
    State(Vec<VariableDefinition>, Span),
    /// INDEPENDENT { t FROM 0 TO 1 WITH 1 (ms) }: the text between the braces
    Independent(Opaque),
    /// `LOCAL a, b[3]` at file level
    Local(Vec<LocalDefinition>, Span),
    /// `FUNCTION_TABLE name(args) (unit)`
    FunctionTable(Signature),
    Block(Block),
    /// Blocks that NEURON accepts and that say nothing to it (PLOT, SENS, ...): keyword and text.
    Ignored(Name, Opaque),
}

#[derive(Clone, Debug, PartialEq)]
pub enum NeuronStatement {
    Suffix(Name),
    PointProcess(Name),
    ArtificialCell(Name),
    UseIon(UseIon),
    NonspecificCurrent(Vec<Name>),
    ElectrodeCurrent(Vec<Name>),
    Range(Vec<Name>),
    Global(Vec<Name>),
    Pointer(Vec<Name>),
    BbcorePointer(Vec<Name>),
    External(Vec<Name>),
    /// `RANDOM a, b` with NEURON's distributions kept as text
    Random(Vec<Name>),
    Section(Vec<Name>),
    ThreadSafe(Span),
    /// REPRESENTS and other statements without a meaning for a simulation: the text
    Other(Opaque),
}

#[derive(Clone, Debug, PartialEq)]
pub struct UseIon {
    pub ion: Name,
    pub read: Vec<Name>,
    pub write: Vec<Name>,
    /// A signed number.
    pub valence: Option<f64>,
    pub represents: Option<Opaque>,
    pub span: Span,
}

/// `(mV) = (millivolt)`, or `name = (faraday) (coulomb)`, or `name = 1.5 (unit)`
#[derive(Clone, Debug, PartialEq)]
pub enum UnitDefinition {
    Alias(Unit, Unit),
    /// The factor that turns the first unit into the second; without a second, the unit's own value.
    Factor(Name, Unit, Option<Unit>),
    Number(Name, f64, Option<Unit>),
}

/// `name = value (unit) <low, high>`; a parameter without a value is NEURON's (celsius, dt, ...) or 0.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterDefinition {
    pub name: Name,
    /// `name[3]`, or the name of a DEFINE
    pub length: Option<Length>,
    /// Signed.
    pub value: Option<f64>,
    pub unit: Option<Unit>,
    pub limits: Option<(f64, f64)>,
}

/// One variable of ASSIGNED or STATE.
#[derive(Clone, Debug, PartialEq)]
pub struct VariableDefinition {
    pub name: Name,
    pub length: Option<Length>,
    pub unit: Option<Unit>,
    /// FROM .. TO .. START .. \<tolerance\>, as text
    pub extra: Option<Opaque>,
    /// The value of START, if there is one (STATE only).
    pub start: Option<f64>,
}

/// The length of an array: a number, or the name of a DEFINE.
#[derive(Clone, Debug, PartialEq)]
pub enum Length {
    Number(usize),
    Define(Name),
}

#[derive(Clone, Debug, PartialEq)]
pub struct LocalDefinition {
    pub name: Name,
    pub length: Option<Length>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    pub name: Name,
    pub arguments: Vec<Argument>,
    /// The unit of a FUNCTION's value.
    pub unit: Option<Unit>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    pub name: Name,
    pub unit: Option<Unit>,
}

/// A block with statements.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    pub kind: BlockKind,
    pub body: Vec<Statement>,
    /// From the keyword to the closing brace.
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum BlockKind {
    Initial,
    /// BREAKPOINT or its old name EQUATION
    Breakpoint,
    Derivative(Name),
    /// Name and `SOLVEFOR` list
    Kinetic(Name, Vec<Name>),
    Linear(Name, Vec<Name>),
    Nonlinear(Name, Vec<Name>),
    Discrete(Name),
    Procedure(Signature),
    Function(Signature),
    NetReceive(Vec<Argument>),
    /// `BEFORE BREAKPOINT`, `AFTER SOLVE`, ...: `true` for BEFORE, then the other word
    BeforeAfter(bool, Name),
    Constructor,
    Destructor,
    Terminal,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub kind: StatementKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    Local(Vec<LocalDefinition>),
    Assign(Place, Expr),
    /// `m' = ...` (order 1), `m'' = ...` (order 2)
    Prime(Place, u32, Expr),
    /// A call, or any expression, as a statement
    Expression(Expr),
    /// `IF (..) {..} ELSE IF (..) {..} ELSE {..}`: branches in order, then the last ELSE
    If(Vec<(Expr, Vec<Statement>)>, Option<Vec<Statement>>),
    While(Expr, Vec<Statement>),
    /// `FROM name = first TO last BY step {..}`
    From {
        variable: Name,
        first: Expr,
        last: Expr,
        step: Option<Expr>,
        body: Vec<Statement>,
    },
    Solve(Solve),
    /// `CONDUCTANCE g USEION k`
    Conductance(Name, Option<Name>),
    Table(Table),
    /// `~ a + 2 b <-> c (forward, backward)`, `~ a << (flux)`, `~ a -> (rate)`
    Reaction(Reaction),
    /// `CONSERVE a + 2 b = total`
    Conserve(Vec<Species>, Expr),
    /// `COMPARTMENT i, volume { a b }`
    Compartment {
        index: Option<Name>,
        volume: Expr,
        species: Vec<Name>,
    },
    /// `LONGITUDINAL_DIFFUSION i, coefficient { a b }`
    LongitudinalDiffusion {
        index: Option<Name>,
        coefficient: Expr,
        species: Vec<Name>,
    },
    /// `~ left = right` in LINEAR and NONLINEAR
    Equation(Expr, Expr),
    /// `WATCH (expression > threshold) flag`; the expression holds the comparison
    Watch(Vec<(Expr, Expr)>),
    /// `FOR_NETCONS (w, x) {..}`
    ForNetcons(Vec<Argument>, Vec<Statement>),
    /// INITIAL inside `NET_RECEIVE`
    Initial(Vec<Statement>),
    Verbatim(Opaque),
    Comment(Opaque),
    UnitsSwitch(bool),
    /// `{ ... }` by itself
    Group(Vec<Statement>),
    /// `PROTECT statement`
    Protect(Box<Statement>),
    /// MUTEXLOCK, MUTEXUNLOCK, RESET and other words that do nothing to the values
    Word(Name),
    /// A statement that gradmod keeps as text (LAG, FORALL, SENS, PUTQ, ...): keyword and text
    Other(Name, Opaque),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Solve {
    pub block: Name,
    pub method: Option<Name>,
    /// `SOLVE x STEADYSTATE sparse`
    pub steady_state: bool,
    pub if_error: Option<Vec<Statement>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub names: Vec<Name>,
    pub depend: Vec<Name>,
    pub from: Expr,
    pub to: Expr,
    /// A number, or the name of a DEFINE
    pub with: Length,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Species {
    /// The stoichiometric factor, 1 if not written.
    pub factor: f64,
    pub place: Place,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Reaction {
    Reversible {
        left: Vec<Species>,
        right: Vec<Species>,
        forward: Expr,
        backward: Expr,
    },
    /// `~ a << (flux)`
    Flux {
        species: Species,
        flux: Expr,
    },
    /// `~ a -> (rate)`
    OneWay {
        left: Vec<Species>,
        rate: Expr,
    },
}

/// Something that can be assigned to: `name`, `name[index]`, and in old files `name@k`.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    pub name: Name,
    pub index: Option<Box<Expr>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A number and, where written, its unit
    Number(Number, Option<Unit>),
    Name(String),
    Index(String, Box<Expr>),
    /// `m'` read in an expression
    Prime(String, u32),
    String(String),
    Unary(UnaryOp, Box<Expr>),
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    Call(Name, Vec<Expr>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    Minus,
    Not,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
    And,
    Or,
}
