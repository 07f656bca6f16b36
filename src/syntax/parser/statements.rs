//! Statements of blocks that compute.

use super::{Context, Parse, Parser};
use crate::syntax::ast::{Expr, Solve, Statement, StatementKind, Table};
use crate::syntax::span::Span;
use crate::syntax::token::TokenKind;

impl Parser<'_> {
    /// Statements up to the closing brace, which is consumed.
    pub(super) fn statements(&mut self, owner: &str, start: Span) -> Parse<Vec<Statement>> {
        let mut statements: Vec<Statement> = Vec::new();
        while !self.accept("}") {
            let inner_initial = self.at("INITIAL") && self.context == Context::NetReceive;
            if self.at_end() || (self.at_block_word() && !inner_initial) {
                return Err(self.unclosed(owner, start));
            }
            let depth = self.depth;
            match self.statement(statements.is_empty()) {
                Ok(statement) => statements.push(statement),
                Err(failure) if failure.fatal => return Err(failure),
                Err(failure) => {
                    self.depth = depth;
                    if !self.report(failure) {
                        self.skip_block();
                        return Ok(statements);
                    }
                    self.skip_line();
                }
            }
        }
        Ok(statements)
    }

    fn statement(&mut self, first: bool) -> Parse<Statement> {
        let start = self.token.span;
        let kind = self.statement_kind(first)?;
        Ok(Statement { kind, span: start.to(self.previous.span) })
    }

    fn statement_kind(&mut self, first: bool) -> Parse<StatementKind> {
        let start = self.token.span;
        match self.token.kind {
            TokenKind::Name | TokenKind::Primed(_) => self.assignment_or_call(),
            TokenKind::Symbol("~") => self.tilde(),
            TokenKind::Symbol("~+") => self.added_equation(),
            TokenKind::Symbol("{") => self.braced("the group", start).map(StatementKind::Group),
            // Those that hold statements recurse from here, where the stack frame is small.
            TokenKind::Keyword("IF") => self.if_statement(),
            TokenKind::Keyword("WHILE") => self.while_statement(),
            TokenKind::Keyword("FROM") => self.loop_statement(),
            TokenKind::Keyword("SOLVE") => self.solve(),
            TokenKind::Keyword("FOR_NETCONS") => self.for_netcons(),
            TokenKind::Keyword("INITIAL") => self.initial(),
            TokenKind::Keyword("PROTECT") => self.protect(),
            TokenKind::Keyword(keyword) => self.keyword_statement(keyword, first),
            _ => Err(self.expected("a statement")),
        }
    }

    fn keyword_statement(&mut self, keyword: &'static str, first: bool) -> Parse<StatementKind> {
        self.check_place(keyword)?;
        match keyword {
            "LOCAL" => self.local(first),
            "CONDUCTANCE" => {
                self.advance();
                let conductance = self.name("the name of a conductance")?;
                let ion = if self.accept("USEION") { Some(self.name("the name of an ion")?) } else { None };
                Ok(StatementKind::Conductance(conductance, ion))
            }
            "TABLE" => self.table().map(StatementKind::Table),
            "CONSERVE" => self.conserve(),
            "COMPARTMENT" => {
                let (index, volume, species) = self.spread()?;
                Ok(StatementKind::Compartment { index, volume, species })
            }
            "LONGITUDINAL_DIFFUSION" => {
                let (index, coefficient, species) = self.spread()?;
                Ok(StatementKind::LongitudinalDiffusion { index, coefficient, species })
            }
            "WATCH" => self.watch(),
            "VERBATIM" => self.opaque_lines("ENDVERBATIM").map(StatementKind::Verbatim),
            "COMMENT" => self.opaque_lines("ENDCOMMENT").map(StatementKind::Comment),
            "UNITSON" | "UNITSOFF" => {
                self.advance();
                Ok(StatementKind::UnitsSwitch(keyword == "UNITSON"))
            }
            "MUTEXLOCK" | "MUTEXUNLOCK" => {
                let token = self.advance();
                Ok(StatementKind::Word(self.named(token)))
            }
            "LAG" => self.lag(),
            _ => Err(self.expected("a statement")),
        }
    }

    fn local(&mut self, first: bool) -> Parse<StatementKind> {
        let start = self.advance().span;
        let locals = self.locals()?;
        if !first {
            let message = "LOCAL must be the first statement of its block";
            let mut failure = self.misplaced(start, message);
            let help = "declare all local variables in one LOCAL after `{`";
            failure.diagnostic.help = Some(help.to_owned());
            self.report(failure);
        }
        Ok(StatementKind::Local(locals))
    }

    fn while_statement(&mut self) -> Parse<StatementKind> {
        let start = self.advance().span;
        let condition = self.condition()?;
        Ok(StatementKind::While(condition, self.braced("WHILE", start)?))
    }

    /// Some statements belong to one kind of block.
    pub(super) fn check_place(&self, keyword: &str) -> Parse<()> {
        let (context, blocks) = match keyword {
            "TABLE" => (Context::Callable, "FUNCTION and PROCEDURE"),
            "CONSERVE" | "COMPARTMENT" | "LONGITUDINAL_DIFFUSION" => (Context::Kinetic, "KINETIC"),
            "FOR_NETCONS" => (Context::NetReceive, "NET_RECEIVE"),
            _ => return Ok(()),
        };
        if self.context == context {
            return Ok(());
        }
        let message = format!("{keyword} is allowed only in {blocks}");
        Err(self.misplaced(self.token.span, &message))
    }

    fn assignment_or_call(&mut self) -> Parse<StatementKind> {
        let token = self.advance();
        let mut name = self.named(token);
        let TokenKind::Primed(order) = token.kind else {
            if self.at("(") {
                return self.call(name).map(StatementKind::Expression);
            }
            let place = self.place(name)?;
            self.assign("`=` or `(`", place.index.is_none())?;
            return Ok(StatementKind::Assign(place, self.expression()?));
        };
        name.text.truncate(name.text.trim_end_matches('\'').len());
        let place = self.place(name)?;
        self.assign("`=`", false)?;
        Ok(StatementKind::Prime(place, order, self.expression()?))
    }

    fn assign(&mut self, what: &str, bare: bool) -> Parse<()> {
        if self.accept("=") {
            return Ok(());
        }
        Err(self.expected_after(if bare { what } else { "`=`" }))
    }

    pub(super) fn condition(&mut self) -> Parse<Expr> {
        self.expect("(", "before the condition")?;
        let condition = self.expression()?;
        self.expect(")", "to close the condition")?;
        Ok(condition)
    }

    fn if_statement(&mut self) -> Parse<StatementKind> {
        let start = self.advance().span;
        let condition = self.condition()?;
        let mut branches = vec![(condition, self.braced("IF", start)?)];
        while self.at("ELSE") {
            let start = self.advance().span;
            if !self.accept("IF") {
                let last = self.braced("ELSE", start)?;
                return Ok(StatementKind::If(branches, Some(last)));
            }
            let condition = self.condition()?;
            branches.push((condition, self.braced("ELSE IF", start)?));
        }
        Ok(StatementKind::If(branches, None))
    }

    fn loop_statement(&mut self) -> Parse<StatementKind> {
        let start = self.advance().span;
        let variable = self.name("the variable of the loop")?;
        self.expect("=", "after the variable of the loop")?;
        let first = self.expression()?;
        self.expect("TO", "after the first value")?;
        let last = self.expression()?;
        let step = if self.accept("BY") { Some(self.expression()?) } else { None };
        let body = self.braced("FROM", start)?;
        Ok(StatementKind::From { variable, first, last, step, body })
    }

    fn solve(&mut self) -> Parse<StatementKind> {
        self.advance();
        let block = self.name("the name of a block")?;
        let steady_state = self.at("STEADYSTATE");
        let method = if self.accept("METHOD") || self.accept("STEADYSTATE") {
            Some(self.name("the name of a method")?)
        } else {
            None
        };
        // Older versions of NEURON have it; now the word is a name.
        let if_error = if self.at_word("IFERROR") {
            let start = self.advance().span;
            Some(self.braced("IFERROR", start)?)
        } else {
            None
        };
        Ok(StatementKind::Solve(Solve { block, method, steady_state, if_error }))
    }

    fn table(&mut self) -> Parse<Table> {
        self.advance();
        let what = "the name of a variable";
        let none = self.at("DEPEND") || self.at("FROM");
        let names = if none { Vec::new() } else { self.names(what)? };
        let depend = if self.accept("DEPEND") { self.names(what)? } else { Vec::new() };
        self.expect("FROM", "before the limits of the table")?;
        let from = self.expression()?;
        self.expect("TO", "after the lower limit")?;
        let to = self.expression()?;
        self.expect("WITH", "after the upper limit")?;
        let with = self.count("the number of intervals")?;
        Ok(Table { names, depend, from, to, with })
    }

    fn protect(&mut self) -> Parse<StatementKind> {
        self.advance();
        if !matches!(self.token.kind, TokenKind::Name | TokenKind::Primed(_)) {
            return Err(self.expected_after("an assignment"));
        }
        let statement = self.statement(false)?;
        Ok(StatementKind::Protect(Box::new(statement)))
    }
}
