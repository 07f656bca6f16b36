//! Runs the syntax tree itself, on dual numbers: it shares nothing with the compiler but the parser.

use std::collections::HashMap;

use super::dual::Dual;
use gradmod::syntax::ast::{
    BinaryOp, Block, BlockKind, Expr, ExprKind, Item, Program, Statement, StatementKind, UnaryOp,
};

/// Why a program has no value here: what it does is not defined, or takes too long.
#[derive(Debug)]
pub struct Undefined(#[allow(dead_code)] pub &'static str); // read in a debugger

type Run<T> = Result<T, Undefined>;

pub struct Interpreter<'a> {
    blocks: HashMap<&'a str, &'a Block>,
    pub globals: HashMap<String, Dual>,
    /// Of the block that runs, the innermost last.
    scopes: Vec<HashMap<String, Dual>>,
    steps: usize,
}

impl<'a> Interpreter<'a> {
    pub fn new(program: &'a Program, globals: HashMap<String, Dual>) -> Self {
        let blocks = program.items.iter().filter_map(|item| match item {
            Item::Block(block) => match &block.kind {
                BlockKind::Procedure(signature) | BlockKind::Function(signature) => {
                    Some((signature.name.text.as_str(), block))
                }
                _ => None,
            },
            _ => None,
        });
        Self { blocks: blocks.collect(), globals, scopes: Vec::new(), steps: 0 }
    }

    /// Calls a PROCEDURE or FUNCTION.
    pub fn call(&mut self, name: &str, arguments: &[Dual]) -> Run<Dual> {
        let block = *self.blocks.get(name).ok_or(Undefined("unknown function"))?;
        let (BlockKind::Procedure(signature) | BlockKind::Function(signature)) = &block.kind else {
            return Err(Undefined("no procedure"));
        };
        let mut frame: HashMap<String, Dual> =
            signature.arguments.iter().map(|a| a.name.text.clone()).zip(arguments.iter().copied()).collect();
        if matches!(block.kind, BlockKind::Function(_)) {
            frame.insert(name.to_owned(), Dual::default());
        }
        let outer = std::mem::replace(&mut self.scopes, vec![frame]);
        self.body(&block.body)?;
        let mut inner = std::mem::replace(&mut self.scopes, outer);
        Ok(inner[0].remove(name).unwrap_or_default())
    }

    fn body(&mut self, statements: &[Statement]) -> Run<()> {
        self.scopes.push(HashMap::new());
        let result = statements.iter().try_for_each(|statement| self.statement(statement));
        self.scopes.pop();
        result
    }

    fn slot(&mut self, name: &str) -> Run<&mut Dual> {
        for scope in self.scopes.iter_mut().rev() {
            if scope.contains_key(name) {
                return scope.get_mut(name).ok_or(Undefined("name"));
            }
        }
        self.globals.get_mut(name).ok_or(Undefined("unknown name"))
    }

    fn statement(&mut self, statement: &Statement) -> Run<()> {
        self.steps += 1;
        if self.steps > 5000 {
            return Err(Undefined("too long"));
        }
        match &statement.kind {
            StatementKind::Local(definitions) => {
                let scope = self.scopes.last_mut().ok_or(Undefined("scope"))?;
                scope.extend(definitions.iter().map(|one| (one.name.text.clone(), Dual::default())));
            }
            StatementKind::Assign(place, value) => {
                let value = self.value(value)?;
                let name = match &place.index {
                    None => place.name.text.clone(),
                    Some(index) => format!("{}[{}]", place.name.text, self.integer(index)?),
                };
                *self.slot(&name)? = value;
            }
            StatementKind::Expression(expr) => {
                self.value(expr)?;
            }
            StatementKind::If(branches, otherwise) => {
                for (condition, body) in branches {
                    if self.holds(condition)? {
                        return self.body(body);
                    }
                }
                if let Some(body) = otherwise {
                    self.body(body)?;
                }
            }
            StatementKind::While(condition, body) => {
                while self.holds(condition)? {
                    self.body(body)?;
                }
            }
            StatementKind::From { variable, first, last, step: None, body } => {
                let mut index = self.integer(first)?;
                while index <= self.integer(last)? {
                    #[allow(clippy::cast_precision_loss)] // a small number
                    let value = Dual::constant(index as f64);
                    self.scopes.push(HashMap::from([(variable.text.clone(), value)]));
                    self.body(body)?;
                    self.scopes.pop();
                    index += 1;
                }
            }
            _ => return Err(Undefined("statement")),
        }
        Ok(())
    }

    /// Cut off, as C does.
    fn integer(&mut self, expr: &Expr) -> Run<i64> {
        let value = self.value(expr)?;
        if value.x.abs() > 1e6 || value.x.is_nan() || !value.is_apart(Dual::constant(value.x.round())) {
            return Err(Undefined("integer"));
        }
        #[allow(clippy::cast_possible_truncation)]
        Ok(value.x as i64)
    }

    fn holds(&mut self, expr: &Expr) -> Run<bool> {
        let value = self.value(expr)?;
        if value.is_apart(Dual::default()) { Ok(value.x != 0.0) } else { Err(Undefined("decided by rounding")) }
    }

    fn value(&mut self, expr: &Expr) -> Run<Dual> {
        let value = self.any_value(expr)?;
        // The compiler may simplify 0*x and x/x whatever x is; and at the end of a root there is no slope.
        if value.x.is_finite() && value.d.is_finite() { Ok(value) } else { Err(Undefined("not finite")) }
    }

    fn any_value(&mut self, expr: &Expr) -> Run<Dual> {
        Ok(match &expr.kind {
            ExprKind::Number(number, _) => Dual::constant(number.value),
            ExprKind::Name(name) => *self.slot(name)?,
            ExprKind::Index(name, index) => {
                let index = self.integer(index)?;
                *self.slot(&format!("{name}[{index}]"))?
            }
            ExprKind::Unary(UnaryOp::Minus, a) => self.value(a)?.signed(-1.0),
            ExprKind::Unary(UnaryOp::Not, a) => truth(!self.holds(a)?),
            ExprKind::Binary(BinaryOp::And, a, b) => truth(self.holds(a)? && self.holds(b)?),
            ExprKind::Binary(BinaryOp::Or, a, b) => truth(self.holds(a)? || self.holds(b)?),
            ExprKind::Binary(op, a, b) => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                binary(*op, a, b)?
            }
            ExprKind::Call(name, arguments) => {
                let values = arguments.iter().map(|one| self.value(one)).collect::<Run<Vec<_>>>()?;
                match (name.text.as_str(), &values[..]) {
                    ("pow", [a, b]) => power(*a, *b)?,
                    // Whether 0 is +0 or -0 decides: the compiler has one 0.
                    ("atan2", [y, x]) if y.x == 0.0 && x.x <= 0.0 => return Err(Undefined("atan2")),
                    ("atan2", [y, x]) => {
                        let square = x.x * x.x + y.x * y.x;
                        let (bend, mixed) =
                            (2.0 * x.x * y.x / square / square, (y.x * y.x - x.x * x.x) / square / square);
                        Dual::combine(y.x.atan2(x.x), [*y, *x], [x.x / square, -y.x / square], [bend, mixed, bend])
                    }
                    ("fmod", [a, b]) => {
                        if b.x == 0.0 {
                            return Err(Undefined("fmod"));
                        }
                        let times = (a.x / b.x).trunc();
                        let near = Dual::constant((a.x / b.x).round());
                        if !(*a / *b).is_apart(near) {
                            return Err(Undefined("decided by rounding"));
                        }
                        *a - Dual::constant(times) * *b
                    }
                    (builtin, [a]) if !self.blocks.contains_key(builtin) => unary(builtin, *a)?,
                    (own, values) => self.call(own, values)?,
                }
            }
            _ => return Err(Undefined("expression")),
        })
    }
}

fn truth(holds: bool) -> Dual {
    Dual::constant(f64::from(u8::from(holds)))
}

#[allow(clippy::float_cmp)] // NMODL's own
fn binary(op: BinaryOp, a: Dual, b: Dual) -> Run<Dual> {
    let holds = match op {
        BinaryOp::Add => return Ok(a + b),
        BinaryOp::Sub => return Ok(a - b),
        BinaryOp::Mul => return Ok(a * b),
        BinaryOp::Div => return Ok(a / b),
        BinaryOp::Pow => return power(a, b),
        BinaryOp::Lt => a.x < b.x,
        BinaryOp::Le => a.x <= b.x,
        BinaryOp::Gt => a.x > b.x,
        BinaryOp::Ge => a.x >= b.x,
        BinaryOp::Eq => a.x == b.x,
        BinaryOp::Ne => a.x != b.x,
        _ => return Err(Undefined("operator")),
    };
    if a.is_apart(b) { Ok(truth(holds)) } else { Err(Undefined("decided by rounding")) }
}

fn power(a: Dual, b: Dual) -> Run<Dual> {
    let x = a.x.powf(b.x);
    if !x.is_finite() {
        return Err(Undefined("power"));
    }
    let of = |factor: f64, less: f64| if factor == 0.0 { 0.0 } else { factor * a.x.powf(b.x - less) };
    // A Hill curve at 0: x^y is 0 for all y about.
    let log = if x == 0.0 || (b.d == 0.0 && b.x_error == 0.0) { 0.0 } else { a.x.ln() };
    let slopes = [of(b.x, 1.0), x * log];
    let bends = [of(b.x * (b.x - 1.0), 2.0), of(1.0 + b.x * log, 1.0), x * log * log];
    let found = Dual::combine(x, [a, b], slopes, bends);
    // Whole numbers have whole powers.
    let is_whole = |number: f64| number.fract() == 0.0 && number.abs() < 1e15;
    let is_exact = b.x_error == 0.0 && (b.x == 0.0 || (a.x_error == 0.0 && [a.x, b.x, x].into_iter().all(is_whole)));
    Ok(if is_exact { Dual { x_error: 0.0, ..found } } else { found })
}

fn unary(name: &str, a: Dual) -> Run<Dual> {
    let x = a.x;
    Ok(match name {
        // Beyond that NEURON cuts it off.
        "exp" if x.abs() > 300.0 => return Err(Undefined("exp")),
        "exp" => a.map(x.exp(), x.exp(), x.exp()),
        "log" => a.map(x.ln(), 1.0 / x, -1.0 / (x * x)),
        "log10" => a.map(x.log10(), std::f64::consts::LOG10_E / x, -std::f64::consts::LOG10_E / (x * x)),
        "sqrt" => a.map(x.sqrt(), 0.5 / x.sqrt(), -0.25 / (x * x.sqrt())),
        "fabs" if a.is_apart(Dual::default()) => a.signed(if x < 0.0 { -1.0 } else { 1.0 }),
        "sin" => a.map(x.sin(), x.cos(), -x.sin()),
        "cos" => a.map(x.cos(), -x.sin(), -x.cos()),
        "tan" => {
            let slope = 1.0 / (x.cos() * x.cos());
            a.map(x.tan(), slope, 2.0 * x.tan() * slope)
        }
        "asin" | "acos" => {
            let below = 1.0 - x * x;
            let slope = 1.0 / below.sqrt();
            let bend = x * slope / below;
            if name == "asin" { a.map(x.asin(), slope, bend) } else { a.map(x.acos(), -slope, -bend) }
        }
        "atan" => {
            let slope = 1.0 / (1.0 + x * x);
            a.map(x.atan(), slope, -2.0 * x * slope * slope)
        }
        "sinh" => a.map(x.sinh(), x.cosh(), x.sinh()),
        "cosh" => a.map(x.cosh(), x.sinh(), x.cosh()),
        "tanh" => {
            let slope = 1.0 / (x.cosh() * x.cosh());
            a.map(x.tanh(), slope, -2.0 * x.tanh() * slope)
        }
        "floor" | "ceil" if a.is_apart(Dual::constant(x.round())) => {
            Dual::constant(if name == "floor" { x.floor() } else { x.ceil() })
        }
        "fabs" | "floor" | "ceil" => return Err(Undefined("decided by rounding")),
        _ => return Err(Undefined("unknown builtin")),
    })
}
