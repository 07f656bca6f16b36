//! Dual numbers that know how much rounding they carry (running error analysis, Wilkinson's): to first order, nobody
//! who adds up the same terms in double precision differs by much more.

const UNIT: f64 = f64::EPSILON;

/// A value and its derivative by one input, and bounds of what rounding has done to them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dual {
    pub x: f64,
    pub d: f64,
    pub x_error: f64,
    pub d_error: f64,
}

/// 0 where one of them is 0: an exact argument passes on no error, however steep the function is.
fn times(a: f64, b: f64) -> f64 {
    if a == 0.0 || b == 0.0 { 0.0 } else { (a * b).abs() }
}

fn rounding(x: f64, is_exact: bool) -> f64 {
    if is_exact { 0.0 } else { UNIT * x.abs() }
}

impl Dual {
    pub fn constant(x: f64) -> Self {
        Self { x, ..Self::default() }
    }

    /// An input: its derivative by itself or by another one.
    pub fn input(x: f64, d: f64) -> Self {
        Self { x, d, ..Self::default() }
    }

    /// `f(self)`, given its value, its slope and how that bends.
    pub fn map(self, x: f64, slope: f64, bend: f64) -> Self {
        let d = slope * self.d;
        Self {
            x,
            d,
            x_error: times(slope, self.x_error) + UNIT * x.abs(),
            d_error: times(slope, self.d_error) + times(times(bend, self.d), self.x_error) + 4.0 * UNIT * d.abs(),
        }
    }

    /// `sign*self`, without rounding.
    pub fn signed(self, sign: f64) -> Self {
        Self { x: sign * self.x, d: sign * self.d, ..self }
    }

    /// `f(a, b)`, given its value, its two slopes and its three second derivatives.
    pub fn combine(x: f64, [a, b]: [Self; 2], [by_a, by_b]: [f64; 2], [aa, ab, bb]: [f64; 3]) -> Self {
        let parts = [by_a, by_b].map(|slope| if slope == 0.0 { 0.0 } else { slope });
        let (left, right) = (parts[0] * a.d, parts[1] * b.d);
        let moved_a = times(aa, a.x_error) + times(ab, b.x_error);
        let moved_b = times(ab, a.x_error) + times(bb, b.x_error);
        Self {
            x,
            d: left + right,
            x_error: times(by_a, a.x_error) + times(by_b, b.x_error) + UNIT * x.abs(),
            d_error: times(by_a, a.d_error)
                + times(by_b, b.d_error)
                + times(moved_a, a.d)
                + times(moved_b, b.d)
                + 4.0 * UNIT * (left.abs() + right.abs()),
        }
    }

    /// Whether rounding can't have decided which of two numbers is the larger one: equal ones that are exact are equal.
    pub fn is_apart(self, other: Self) -> bool {
        let error = self.x_error + other.x_error;
        error == 0.0 || (self.x - other.x).abs() > 8.0 * error
    }
}

impl std::ops::Add for Dual {
    type Output = Self;

    #[allow(clippy::float_cmp)] // whether it is exact
    fn add(self, other: Self) -> Self {
        let x = self.x + other.x;
        let is_exact = x - self.x == other.x && x - other.x == self.x;
        let d = self.d + other.d;
        Self {
            x,
            d,
            x_error: self.x_error + other.x_error + rounding(x, is_exact),
            d_error: self.d_error + other.d_error + UNIT * d.abs(),
        }
    }
}

impl std::ops::Sub for Dual {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + other.signed(-1.0)
    }
}

impl std::ops::Mul for Dual {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let x = self.x * other.x;
        let (left, right) = (self.d * other.x, self.x * other.d);
        Self {
            x,
            d: left + right,
            x_error: times(self.x, other.x_error)
                + times(other.x, self.x_error)
                + rounding(x, self.x.mul_add(other.x, -x) == 0.0),
            d_error: times(other.x, self.d_error)
                + times(self.x, other.d_error)
                + times(self.d, other.x_error)
                + times(other.d, self.x_error)
                + 2.0 * UNIT * (left.abs() + right.abs()),
        }
    }
}

impl std::ops::Div for Dual {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        let x = self.x / other.x;
        let d = (self.d - x * other.d) / other.x;
        let x_error =
            (self.x_error + times(x, other.x_error)) / other.x.abs() + rounding(x, x.mul_add(other.x, -self.x) == 0.0);
        let above = self.d_error + times(x, other.d_error) + times(x_error, other.d) + times(d, other.x_error);
        let d_error = (above + 3.0 * UNIT * (self.d.abs() + (x * other.d).abs())) / other.x.abs();
        Self { x, d, x_error, d_error }
    }
}
