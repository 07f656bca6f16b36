//! Constructors that simplify as they build.
//!
//! `0 * x` is 0 whatever `x` is: a derivative that is structurally zero must
//! stay zero where `x` overflows.

use super::{Builtin, Comparison, Graph, Id, Node};

impl Graph {
    pub fn neg(&mut self, a: Id) -> Id {
        match self.node(a) {
            Node::Number(bits) => {
                let value = -f64::from_bits(*bits);
                self.number(value)
            }
            Node::Neg(inner) => *inner,
            Node::Sub(x, y) => {
                let (x, y) = (*x, *y);
                self.sub(y, x)
            }
            _ => self.intern(Node::Neg(a)),
        }
    }

    pub fn add(&mut self, a: Id, b: Id) -> Id {
        match (self.as_number(a), self.as_number(b)) {
            (Some(x), Some(y)) => return self.number(x + y),
            (Some(0.0), _) => return b,
            (_, Some(0.0)) => return a,
            _ => {}
        }
        if let Node::Neg(inner) = *self.node(b) {
            return self.sub(a, inner);
        }
        if let Node::Neg(inner) = *self.node(a) {
            return self.sub(b, inner);
        }
        // 1 + (x - 1), which a relaxation towards a goal is full of.
        for (number, other) in [(a, b), (b, a)] {
            if let Node::Sub(x, y) = *self.node(other) {
                if y == number && self.as_number(number).is_some() {
                    return x;
                }
            }
        }
        let (a, b) = if a <= b { (a, b) } else { (b, a) };
        self.intern(Node::Add(a, b))
    }

    pub fn sub(&mut self, a: Id, b: Id) -> Id {
        if a == b {
            return self.number(0.0);
        }
        match (self.as_number(a), self.as_number(b)) {
            (Some(x), Some(y)) => return self.number(x - y),
            (Some(0.0), _) => return self.neg(b),
            (_, Some(0.0)) => return a,
            _ => {}
        }
        if let Node::Neg(inner) = *self.node(b) {
            return self.add(a, inner);
        }
        self.intern(Node::Sub(a, b))
    }

    pub fn mul(&mut self, a: Id, b: Id) -> Id {
        match (self.as_number(a), self.as_number(b)) {
            (Some(x), Some(y)) => return self.number(x * y),
            (Some(0.0), _) | (_, Some(0.0)) => return self.number(0.0),
            (Some(1.0), _) => return b,
            (_, Some(1.0)) => return a,
            (Some(-1.0), _) => return self.neg(b),
            (_, Some(-1.0)) => return self.neg(a),
            _ => {}
        }
        match (self.node(a).clone(), self.node(b).clone()) {
            (Node::Neg(x), Node::Neg(y)) => return self.mul(x, y),
            (Node::Neg(x), _) => {
                let product = self.mul(x, b);
                return self.neg(product);
            }
            (_, Node::Neg(y)) => {
                let product = self.mul(a, y);
                return self.neg(product);
            }
            _ => {}
        }
        let (a, b) = if a <= b { (a, b) } else { (b, a) };
        self.intern(Node::Mul(a, b))
    }

    pub fn div(&mut self, a: Id, b: Id) -> Id {
        if a == b && self.as_number(a).is_none() {
            return self.number(1.0);
        }
        match (self.as_number(a), self.as_number(b)) {
            (Some(x), Some(y)) if y != 0.0 => return self.number(x / y),
            (Some(0.0), _) => return self.number(0.0),
            (_, Some(1.0)) => return a,
            (_, Some(-1.0)) => return self.neg(a),
            _ => {}
        }
        match (self.node(a).clone(), self.node(b).clone()) {
            (Node::Neg(x), Node::Neg(y)) => return self.div(x, y),
            // (m/tau) / (-1/tau): NEURON's goal of a state. Divisions are slow.
            (Node::Div(x, s), Node::Div(y, t)) if s == t => return self.div(x, y),
            (Node::Neg(x), _) => {
                let quotient = self.div(x, b);
                return self.neg(quotient);
            }
            (_, Node::Neg(y)) => {
                let quotient = self.div(a, y);
                return self.neg(quotient);
            }
            _ => {}
        }
        self.intern(Node::Div(a, b))
    }

    pub fn pow(&mut self, base: Id, exponent: Id) -> Id {
        match self.as_number(exponent) {
            Some(0.0) => return self.number(1.0),
            Some(1.0) => return base,
            Some(2.0) => return self.mul(base, base),
            Some(3.0) => {
                let square = self.mul(base, base);
                return self.mul(square, base);
            }
            Some(4.0) => {
                let square = self.mul(base, base);
                return self.mul(square, square);
            }
            _ => {}
        }
        self.call(Builtin::Pow, vec![base, exponent])
    }

    pub fn call(&mut self, builtin: Builtin, arguments: Vec<Id>) -> Id {
        let numbers: Option<Vec<f64>> = arguments.iter().map(|id| self.as_number(*id)).collect();
        if let Some(value) = numbers.and_then(|numbers| builtin.evaluate(&numbers)) {
            return self.number(value);
        }
        self.intern(Node::Call(builtin, arguments))
    }

    pub fn exp(&mut self, a: Id) -> Id {
        self.call(Builtin::Exp, vec![a])
    }

    pub fn compare(&mut self, comparison: Comparison, a: Id, b: Id) -> Id {
        if let (Some(x), Some(y)) = (self.as_number(a), self.as_number(b)) {
            #[allow(clippy::float_cmp)]
            let holds = match comparison {
                Comparison::Lt => x < y,
                Comparison::Le => x <= y,
                Comparison::Gt => x > y,
                Comparison::Ge => x >= y,
                Comparison::Eq => x == y,
                Comparison::Ne => x != y,
            };
            return self.number(f64::from(u8::from(holds)));
        }
        if a == b && comparison == Comparison::Ne {
            return self.number(0.0);
        }
        self.intern(Node::Compare(comparison, a, b))
    }

    pub fn and(&mut self, a: Id, b: Id) -> Id {
        match (self.as_number(a), self.as_number(b)) {
            (Some(0.0), _) | (_, Some(0.0)) => self.number(0.0),
            (Some(_), _) => self.truth(b),
            (_, Some(_)) => self.truth(a),
            _ => self.intern(Node::And(a, b)),
        }
    }

    /// 1 where a is not 0.
    fn truth(&mut self, a: Id) -> Id {
        if self.is_truth(a) {
            return a;
        }
        let zero = self.number(0.0);
        self.compare(Comparison::Ne, a, zero)
    }

    /// Whether a value is 0 or 1.
    fn is_truth(&self, a: Id) -> bool {
        matches!(self.node(a), Node::Compare(..) | Node::And(..) | Node::Or(..) | Node::Not(_))
    }

    pub fn or(&mut self, a: Id, b: Id) -> Id {
        match (self.as_number(a), self.as_number(b)) {
            (Some(0.0), _) => self.truth(b),
            (_, Some(0.0)) => self.truth(a),
            (Some(_), _) | (_, Some(_)) => self.number(1.0),
            _ if self.is_among(b, a) => self.truth(a),
            _ => self.intern(Node::Or(a, b)),
        }
    }

    /// Whether a condition is one of those that are joined by `or`.
    fn is_among(&self, one: Id, mut joined: Id) -> bool {
        while let Node::Or(rest, last) = *self.node(joined) {
            if last == one {
                return true;
            }
            joined = rest;
        }
        joined == one
    }

    pub fn not(&mut self, a: Id) -> Id {
        match (self.as_number(a), self.node(a)) {
            (Some(x), _) => self.number(f64::from(u8::from(x == 0.0))),
            (None, Node::Not(inner)) => self.truth(*inner),
            (None, _) => self.intern(Node::Not(a)),
        }
    }
}
