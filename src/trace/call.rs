//! Calls of PROCEDUREs and FUNCTIONs: entered where they are made.

use super::{refuse, Trace, Traced, Values, CALL_LIMIT};
use crate::graph::{Builtin, Id};
use crate::syntax::ast::{
    Block, BlockKind, Expr, ExprKind, Name, Signature, StatementKind, Table,
};

impl Trace<'_> {
    /// A call whose value, if any, is not used.
    pub(super) fn expression_statement(&mut self, expr: &Expr) -> Traced<()> {
        if let ExprKind::Call(name, _) = &expr.kind {
            let idle = ["at_time", "printf", "prterr"].contains(&name.text.as_str());
            if idle && !self.mechanism.blocks.contains_key(&name.text) {
                return Ok(());
            }
        }
        self.expression(expr).map(|_| ())
    }

    pub(super) fn call(&mut self, name: &Name, arguments: &[Expr]) -> Traced<Id> {
        let mechanism = self.mechanism;
        if let Some(block) = mechanism.blocks.get(&name.text) {
            let values: Vec<Id> =
                arguments.iter().map(|argument| self.expression(argument)).collect::<Traced<_>>()?;
            return self.enter(name, block, &values);
        }
        if let Some(builtin) = Builtin::named(&name.text) {
            let values: Vec<Id> =
                arguments.iter().map(|argument| self.expression(argument)).collect::<Traced<_>>()?;
            if values.len() != builtin.arity() {
                let message = format!("{} takes {} argument(s)", name.text, builtin.arity());
                return Err(refuse("arguments", name.span, message));
            }
            return Ok(if builtin == Builtin::Pow {
                self.graph.pow(values[0], values[1])
            } else {
                self.graph.call(builtin, values)
            });
        }
        if let Some(value) = self.neuron_function(name, arguments)? {
            return Ok(value);
        }
        Err(refuse(
            "unknown-function",
            name.span,
            format!("`{}` is no function that can be differentiated", name.text),
        ))
    }

    fn enter(&mut self, name: &Name, block: &Block, arguments: &[Id]) -> Traced<Id> {
        let (signature, is_function) = match &block.kind {
            BlockKind::Procedure(signature) => (signature, false),
            BlockKind::Function(signature) => (signature, true),
            _ => {
                let message = format!("`{}` is not a PROCEDURE or FUNCTION", name.text);
                return Err(refuse("call", name.span, message));
            }
        };
        if self.calls.len() >= CALL_LIMIT || self.calls.contains(&name.text) {
            return Err(refuse("recursion", name.span, format!("`{}` calls itself", name.text)));
        }
        if signature.arguments.len() != arguments.len() {
            let message = format!(
                "`{}` takes {} argument(s), {} given",
                name.text,
                signature.arguments.len(),
                arguments.len()
            );
            return Err(refuse("arguments", name.span, message));
        }
        self.calls.push(name.text.clone());
        let table = block.body.iter().find_map(|statement| match &statement.kind {
            StatementKind::Table(table) => Some((table, statement.span)),
            _ => None,
        });
        let result = match table {
            Some((table, span)) => {
                self.tabulated((table, span), block, signature, is_function, arguments)
            }
            None => self.body(block, signature, is_function, arguments),
        };
        self.calls.pop();
        result
    }

    /// Runs the body, TABLE aside; the value is 0 for a PROCEDURE.
    pub(super) fn body(
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
        let statements: Vec<_> = block
            .body
            .iter()
            .filter(|statement| !matches!(statement.kind, StatementKind::Table(Table { .. })))
            .cloned()
            .collect();
        let result = self.statements(&statements);
        let frame = self.frames.pop().unwrap_or_default();
        result?;
        Ok(frame.get(&signature.name.text).copied().filter(|_| is_function).unwrap_or(zero))
    }
}
