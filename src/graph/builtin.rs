//! The functions that NMODL knows by itself.

/// A function of numbers, without memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Builtin {
    Exp,
    Log,
    Log10,
    Sqrt,
    Fabs,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Floor,
    Ceil,
    Pow,
    Atan2,
    Fmod,
    /// d/dx of x / (exp(x) - 1) of x and exp(x), by a series near 0. Only derivatives make it.
    XOverExpm1Slope,
    /// -1 below 0, else 1. Only derivatives make it.
    Sign,
    /// `y log(x)`, 0 where `x <= 0` (a Hill curve at concentration 0). Only derivatives make it.
    TimesLog,
    /// What the chain rule multiplies by where `exp` is the function: `exp(x)`, but 0 where it is as large as NEURON's gets.
    ExpSlope,
    /// A product that is 0 where a factor is, though the other be infinite. Only derivatives make it.
    Times,
    /// A slope, of s, n and b too: where s is infinite, and so is b, which it is divided by, that of a power n of what is
    /// 0 there, so 0 for n above 1 and else no number. Only derivatives make it.
    AtPole,
    /// The error function (`erf`).
    Erf,
    /// A number between 0 and 1 from a stream of random numbers, at a place in it.
    UniformAt,
    /// A number of the normal distribution from a stream, at a place in it.
    NormalAt,
    /// A whole number of 32 bits from a stream, at a place in it.
    IntegerAt,
    /// The place in a stream after a draw from the normal distribution.
    AfterNormal,
    /// What a script has put into a `FUNCTION_TABLE`: its number, the argument.
    LookUp,
    /// The slope of a `FUNCTION_TABLE` at its argument. Only derivatives make it.
    LookUpSlope,
}

const NAMES: [(Builtin, &str, usize); 32] = [
    (Builtin::Exp, "exp", 1),
    (Builtin::Log, "log", 1),
    (Builtin::Log10, "log10", 1),
    (Builtin::Sqrt, "sqrt", 1),
    (Builtin::Fabs, "fabs", 1),
    (Builtin::Sin, "sin", 1),
    (Builtin::Cos, "cos", 1),
    (Builtin::Tan, "tan", 1),
    (Builtin::Asin, "asin", 1),
    (Builtin::Acos, "acos", 1),
    (Builtin::Atan, "atan", 1),
    (Builtin::Sinh, "sinh", 1),
    (Builtin::Cosh, "cosh", 1),
    (Builtin::Tanh, "tanh", 1),
    (Builtin::Floor, "floor", 1),
    (Builtin::Ceil, "ceil", 1),
    (Builtin::Pow, "pow", 2),
    (Builtin::Atan2, "atan2", 2),
    (Builtin::Fmod, "fmod", 2),
    (Builtin::XOverExpm1Slope, "x_over_expm1_slope", 2),
    (Builtin::Sign, "sign_of", 1),
    (Builtin::TimesLog, "times_log", 2),
    (Builtin::ExpSlope, "exp_slope", 1),
    (Builtin::Times, "times_unless_0", 2),
    (Builtin::AtPole, "at_pole", 4),
    (Builtin::Erf, "erf", 1),
    (Builtin::UniformAt, "uniform_at", 2),
    (Builtin::NormalAt, "normal_at", 2),
    (Builtin::IntegerAt, "integer_at", 2),
    (Builtin::AfterNormal, "after_normal", 2),
    (Builtin::LookUp, "look_up", 2),
    (Builtin::LookUpSlope, "look_up_slope", 2),
];

impl Builtin {
    /// The builtin that NMODL code means by this name.
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(builtin, text, _)| *text == name && !builtin.is_ours()).map(|(builtin, _, _)| *builtin)
    }

    /// Whether NMODL lacks it, so that an emitted mechanism must define it.
    pub fn is_ours(self) -> bool {
        let is_table = matches!(self, Self::LookUp | Self::LookUpSlope);
        let is_slope = matches!(
            self,
            Self::XOverExpm1Slope | Self::Sign | Self::TimesLog | Self::ExpSlope | Self::Times | Self::AtPole
        );
        self.is_random() || is_table || is_slope
    }

    /// Whether it looks into a stream of random numbers: it has no derivative.
    pub fn is_random(self) -> bool {
        matches!(self, Self::UniformAt | Self::NormalAt | Self::IntegerAt | Self::AfterNormal)
    }

    /// Whether it jumps or bends somewhere.
    pub fn has_corners(self) -> bool {
        matches!(self, Self::Fabs | Self::Sign | Self::Floor | Self::Ceil | Self::Fmod | Self::Atan2)
    }

    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(builtin, _, _)| *builtin == self).map_or("", |(_, text, _)| text)
    }

    pub fn arity(self) -> usize {
        NAMES.iter().find(|(builtin, _, _)| *builtin == self).map_or(0, |(_, _, arity)| *arity)
    }

    /// The value at constant arguments, for folding; `None` where it is not finite.
    pub fn evaluate(self, x: &[f64]) -> Option<f64> {
        let value = match (self, x) {
            (Self::Exp, [x]) if x.abs() < 700.0 => x.exp(),
            (Self::Log, [x]) => x.ln(),
            (Self::Log10, [x]) => x.log10(),
            (Self::Sqrt, [x]) => x.sqrt(),
            (Self::Fabs, [x]) => x.abs(),
            (Self::Sin, [x]) => x.sin(),
            (Self::Cos, [x]) => x.cos(),
            (Self::Tan, [x]) => x.tan(),
            (Self::Asin, [x]) => x.asin(),
            (Self::Acos, [x]) => x.acos(),
            (Self::Atan, [x]) => x.atan(),
            (Self::Sinh, [x]) => x.sinh(),
            (Self::Cosh, [x]) => x.cosh(),
            (Self::Tanh, [x]) => x.tanh(),
            (Self::Floor, [x]) => x.floor(),
            (Self::Ceil, [x]) => x.ceil(),
            (Self::Pow, [x, y]) => x.powf(*y),
            (Self::Atan2, [x, y]) => x.atan2(*y),
            (Self::Fmod, [x, y]) => x % y,
            (Self::ExpSlope, [y]) => *y,
            (Self::Times, [0.0, _] | [_, 0.0]) => 0.0,
            (Self::Times, [a, b]) => a * b,
            (Self::AtPole, [_, s, n, b]) if s.abs() > 1e308 && b.abs() > 1e300 => {
                if n.abs() > 1.0 {
                    0.0
                } else {
                    f64::NAN
                }
            }
            (Self::AtPole, [slope, ..]) => *slope,
            _ => return None,
        };
        value.is_finite().then_some(value)
    }
}
