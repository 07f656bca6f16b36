//! Runs the syntax tree itself, on dual numbers: it shares nothing with the compiler but the parser.

use std::collections::HashMap;

use gradmod::syntax::ast::{BinaryOp, Block, BlockKind, Expr, ExprKind, Item, Program, Statement, StatementKind, UnaryOp};

/// A value and its derivative by one input.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dual {
    pub x: f64,
    pub d: f64,
}

impl Dual {
    pub fn constant(x: f64) -> Self {
        Self { x, d: 0.0 }
    }

    /// `f(self)`, given its value and its slope.
    fn map(self, x: f64, slope: f64) -> Self {
        Self { x, d: slope * self.d }
    }
}

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
                    if self.value(condition)?.x != 0.0 {
                        return self.body(body);
                    }
                }
                if let Some(body) = otherwise {
                    self.body(body)?;
                }
            }
            StatementKind::While(condition, body) => {
                while self.value(condition)?.x != 0.0 {
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
        let value = self.value(expr)?.x;
        if value.abs() > 1e6 || value.is_nan() {
            return Err(Undefined("integer"));
        }
        #[allow(clippy::cast_possible_truncation)]
        Ok(value as i64)
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
            ExprKind::Unary(UnaryOp::Minus, a) => {
                let a = self.value(a)?;
                a.map(-a.x, -1.0)
            }
            ExprKind::Unary(UnaryOp::Not, a) => truth(self.value(a)?.x == 0.0),
            ExprKind::Binary(BinaryOp::And, a, b) => truth(self.value(a)?.x != 0.0 && self.value(b)?.x != 0.0),
            ExprKind::Binary(BinaryOp::Or, a, b) => truth(self.value(a)?.x != 0.0 || self.value(b)?.x != 0.0),
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
                        Dual { x: y.x.atan2(x.x), d: (x.x * y.d - y.x * x.d) / square }
                    }
                    ("fmod", [a, b]) => {
                        if b.x == 0.0 {
                            return Err(Undefined("fmod"));
                        }
                        Dual { x: a.x % b.x, d: a.d - (a.x / b.x).trunc() * b.d }
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
    Ok(match op {
        BinaryOp::Add => Dual { x: a.x + b.x, d: a.d + b.d },
        BinaryOp::Sub => Dual { x: a.x - b.x, d: a.d - b.d },
        BinaryOp::Mul => Dual { x: a.x * b.x, d: a.d * b.x + a.x * b.d },
        BinaryOp::Div => Dual { x: a.x / b.x, d: (a.d - a.x / b.x * b.d) / b.x },
        BinaryOp::Pow => power(a, b)?,
        BinaryOp::Lt => truth(a.x < b.x),
        BinaryOp::Le => truth(a.x <= b.x),
        BinaryOp::Gt => truth(a.x > b.x),
        BinaryOp::Ge => truth(a.x >= b.x),
        BinaryOp::Eq => truth(a.x == b.x),
        BinaryOp::Ne => truth(a.x != b.x),
        _ => return Err(Undefined("operator")),
    })
}

fn power(a: Dual, b: Dual) -> Run<Dual> {
    let x = a.x.powf(b.x);
    let slope = if b.x == 0.0 { 0.0 } else { b.x * a.x.powf(b.x - 1.0) };
    let by_base = slope * a.d;
    // A Hill curve at 0: x^y is 0 for all y about.
    let by_exponent = if b.d == 0.0 || x == 0.0 { 0.0 } else { x * a.x.ln() * b.d };
    let d = by_base + by_exponent;
    if x.is_finite() { Ok(Dual { x, d }) } else { Err(Undefined("power")) }
}

fn unary(name: &str, a: Dual) -> Run<Dual> {
    let x = a.x;
    Ok(match name {
        // Beyond that NEURON cuts it off.
        "exp" if x.abs() > 300.0 => return Err(Undefined("exp")),
        "exp" => a.map(x.exp(), x.exp()),
        "log" => a.map(x.ln(), 1.0 / x),
        "log10" => a.map(x.log10(), std::f64::consts::LOG10_E / x),
        "sqrt" => a.map(x.sqrt(), 0.5 / x.sqrt()),
        "fabs" => a.map(x.abs(), if x < 0.0 { -1.0 } else { 1.0 }),
        "sin" => a.map(x.sin(), x.cos()),
        "cos" => a.map(x.cos(), -x.sin()),
        "tan" => a.map(x.tan(), 1.0 / (x.cos() * x.cos())),
        "asin" => a.map(x.asin(), 1.0 / (1.0 - x * x).sqrt()),
        "acos" => a.map(x.acos(), -1.0 / (1.0 - x * x).sqrt()),
        "atan" => a.map(x.atan(), 1.0 / (1.0 + x * x)),
        "sinh" => a.map(x.sinh(), x.cosh()),
        "cosh" => a.map(x.cosh(), x.sinh()),
        "tanh" => a.map(x.tanh(), 1.0 / (x.cosh() * x.cosh())),
        "floor" => Dual::constant(x.floor()),
        "ceil" => Dual::constant(x.ceil()),
        _ => return Err(Undefined("unknown builtin")),
    })
}
