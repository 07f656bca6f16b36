//! Calls of PROCEDUREs and FUNCTIONs: entered where they are made.

use crate::diagnostic::Code;
use crate::graph::{Builtin, Id};
use crate::syntax::ast::{Block, BlockKind, Expr, ExprKind, Name, Signature, Solve, StatementKind, Table};
use crate::syntax::span::Span;
use crate::trace::returns::may_return;
use crate::trace::verbatim::random_help;
use crate::trace::{CALL_LIMIT, Primes, Trace, Traced, Values, keeps_cnexp, refuse};

impl Trace<'_> {
    /// A call whose value, if any, is not used.
    pub(in crate::trace) fn expression_statement(&mut self, expr: &Expr) -> Traced<()> {
        if let ExprKind::Call(name, arguments) = &expr.kind {
            let idle = ["at_time", "printf", "prterr"].contains(&name.text.as_str());
            if idle && !self.mechanism.blocks.contains_key(&name.text) {
                return Ok(());
            }
            if self.event_call(name, arguments)? {
                return Ok(());
            }
        }
        self.expression(expr).map(|_| ())
    }

    pub(in crate::trace) fn call(&mut self, name: &Name, arguments: &[Expr]) -> Traced<Id> {
        let mechanism = self.mechanism;
        if let Some(block) = mechanism.blocks.get(&name.text) {
            let values = self.arguments(arguments)?;
            return self.enter(name, block, &values);
        }
        if let Some(number) = mechanism.function_tables.iter().position(|known| *known == name.text) {
            let values = self.arguments(arguments)?;
            let [value] = values[..] else {
                return Err(refuse(Code::Arguments, name.span, format!("{} takes one argument", name.text)));
            };
            #[allow(clippy::cast_precision_loss)]
            let number = self.graph.number((mechanism.first_function_table + number) as f64);
            return Ok(self.graph.call(Builtin::LookUp, vec![number, value]));
        }
        if let Some(builtin) = Builtin::named(&name.text) {
            let values = self.arguments(arguments)?;
            if values.len() != builtin.arity() {
                let message = format!("{} takes {} argument(s)", name.text, builtin.arity());
                return Err(refuse(Code::Arguments, name.span, message));
            }
            return Ok(if builtin == Builtin::Pow {
                self.graph.pow(values[0], values[1])
            } else {
                self.graph.call(builtin, values)
            });
        }
        if let Some(value) = self.random_function(name, arguments)? {
            return Ok(value);
        }
        if let Some(value) = self.neuron_function(name, arguments)? {
            return Ok(value);
        }
        let message = format!("`{}` is no function that can be differentiated", name.text);
        let refused = refuse(Code::UnknownFunction, name.span, message);
        Err(match random_help(&name.text) {
            Some(help) => Box::new(refused.help(help)),
            None => refused,
        })
    }

    /// The values of some arguments.
    pub(in crate::trace) fn arguments(&mut self, arguments: &[Expr]) -> Traced<Vec<Id>> {
        let mut values = Vec::new();
        let before = self.places();
        // Only a FUNCTION of the mechanism sets anything.
        let may_set = arguments.len() > 1 && arguments.iter().any(|argument| self.called_in(argument).is_some());
        let start = may_set.then(|| (self.values.clone(), self.frames.clone()));
        for argument in arguments {
            let between = self.places();
            values.push(self.expression(argument)?);
            self.refuse_both((&before, &between), argument.span)?;
        }
        if let Some(start) = start {
            if self.values != start.0 {
                self.refuse_order(arguments, &values, start)?;
            }
        }
        Ok(values)
    }

    /// C++ leaves open which argument is computed first: it must not matter what FUNCTIONs among them set.
    fn refuse_order(&mut self, arguments: &[Expr], values: &[Id], start: (Values, Vec<Values>)) -> Traced<()> {
        let end = (std::mem::replace(&mut self.values, start.0), std::mem::replace(&mut self.frames, start.1));
        let mut others = Vec::new();
        for argument in arguments.iter().rev() {
            others.push(self.expression(argument)?);
        }
        others.reverse();
        let is_same = self.values.len() == end.0.len()
            && self.values.keys().eq(end.0.keys())
            && others
                .iter()
                .zip(values)
                .chain(self.values.values().zip(end.0.values()))
                .all(|(one, other)| self.graph.are_alike(*one, *other));
        (self.values, self.frames) = end;
        if is_same {
            return Ok(());
        }
        let span = arguments.first().map_or(Span::default(), |argument| argument.span);
        let message = "a FUNCTION among these arguments sets what another argument depends on, and C++ leaves open which is computed first";
        Err(Box::new(refuse(Code::Order, span, message).help("compute the arguments in statements of their own")))
    }

    fn enter(&mut self, name: &Name, block: &Block, arguments: &[Id]) -> Traced<Id> {
        self.refuse_recursion(name)?;
        let (signature, is_function) = match &block.kind {
            BlockKind::Procedure(signature) => (signature, false),
            BlockKind::Function(signature) => (signature, true),
            BlockKind::Derivative(_) => return self.called_derivative(name, block),
            _ => {
                let message = format!("`{}` is not a PROCEDURE or FUNCTION", name.text);
                return Err(refuse(Code::Call, name.span, message));
            }
        };
        if signature.arguments.len() != arguments.len() {
            let message =
                format!("`{}` takes {} argument(s), {} given", name.text, signature.arguments.len(), arguments.len());
            return Err(refuse(Code::Arguments, name.span, message));
        }
        self.calls.push(name.text.clone());
        let table = block.body.iter().find_map(|statement| match &statement.kind {
            StatementKind::Table(table) => Some((table, statement.span)),
            _ => None,
        });
        let result = match table {
            Some((table, span)) => self.tabulated((table, span), block, signature, is_function, arguments),
            None => self.body(block, signature, is_function, arguments),
        };
        self.calls.pop();
        result
    }

    fn refuse_recursion(&self, name: &Name) -> Traced<()> {
        if self.calls.len() >= CALL_LIMIT || self.calls.contains(&name.text) {
            return Err(refuse(Code::Recursion, name.span, format!("`{}` calls itself", name.text)));
        }
        Ok(())
    }

    /// A SOLVE in code that other code calls: NEURON's translator writes a call of the block.
    pub(in crate::trace) fn solve_in_place(&mut self, solve: &Solve, span: Span) -> Traced<()> {
        let method = solve.method.as_ref().map(|method| method.text.as_str());
        match self.mechanism.blocks.get(&solve.block.text) {
            Some(block) if matches!(block.kind, BlockKind::Procedure(_)) && method.is_none() => {
                self.enter(&solve.block, block, &[]).map(|_| ())
            }
            Some(block)
                if matches!(block.kind, BlockKind::Derivative(_)) && method == Some("cnexp") && keeps_cnexp(block) =>
            {
                self.derivative_block(&solve.block, block, method).map(|_| ())
            }
            _ => {
                let message = format!("SOLVE {} outside of BREAKPOINT, by a method that iterates", solve.block.text);
                Err(Box::new(refuse(Code::SolvePlace, span, message).help("SOLVE in BREAKPOINT")))
            }
        }
    }

    /// A DERIVATIVE block that is called.
    fn called_derivative(&mut self, name: &Name, block: &Block) -> Traced<Id> {
        let solve = self.mechanism.breakpoint.iter().find_map(|statement| match &statement.kind {
            StatementKind::Solve(solve) if solve.block.text == name.text => Some(solve),
            _ => None,
        });
        let method = solve.and_then(|solve| solve.method.as_ref()).map(|method| method.text.as_str());
        self.derivative_block(name, block, method)
    }

    /// By cnexp it takes a step, by euler it changes no state.
    fn derivative_block(&mut self, name: &Name, block: &Block, method: Option<&str>) -> Traced<Id> {
        self.refuse_recursion(name)?;
        let primes = match (method, self.values.get("dt")) {
            (Some("cnexp"), Some(dt)) if keeps_cnexp(block) => Primes::Exponential { dt: *dt },
            (Some("euler"), _) => Primes::Collect(Vec::new()),
            _ => {
                let message = format!("`{}` is called, and what it does then depends on its METHOD", name.text);
                return Err(Box::new(
                    refuse(Code::Call, name.span, message)
                        .help("call the PROCEDURE that it calls, or use METHOD cnexp"),
                ));
            }
        };
        let outer = std::mem::replace(&mut self.primes, primes);
        self.calls.push(name.text.clone());
        let result = self.run_block(block);
        self.calls.pop();
        self.primes = outer;
        result?;
        Ok(self.graph.number(0.0))
    }

    /// Runs the body, TABLE aside; the value is 0 for a PROCEDURE.
    pub(in crate::trace) fn body(
        &mut self,
        block: &Block,
        signature: &Signature,
        is_function: bool,
        arguments: &[Id],
    ) -> Traced<Id> {
        let zero = self.graph.number(0.0);
        let mut frame: Values = signature
            .arguments
            .iter()
            .map(|argument| argument.name.text.clone())
            .zip(arguments.iter().copied())
            .collect();
        if is_function {
            frame.insert(signature.name.text.clone(), zero);
        }
        self.frames.push(frame);
        let is_first = self.calls.len() == 1;
        let seen = self.called_voltage.filter(|_| is_first);
        let present = seen.and_then(|seen| self.values.insert("v".to_owned(), seen));
        let statements: Vec<_> = block
            .body
            .iter()
            .filter(|statement| !matches!(statement.kind, StatementKind::Table(Table { .. })))
            .cloned()
            .collect();
        let returned = statements.iter().find(|statement| is_function && may_return(statement));
        let result = match returned {
            Some(statement) => {
                Err(refuse(Code::Verbatim, statement.span, "`return` in a FUNCTION gives another value"))
            }
            None => self.statements(&statements),
        };
        let frame = self.frames.pop().unwrap_or_default();
        if let Some(present) = present {
            self.values.insert("v".to_owned(), present);
        }
        result?;
        Ok(frame.get(&signature.name.text).copied().filter(|_| is_function).unwrap_or(zero))
    }
}
