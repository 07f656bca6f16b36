//! Statements, one or more lines each.

use super::expressions::text;
use super::{Printer, arguments, count, locals, names};
use crate::syntax::ast::{Expr, Name, Place, Reaction, Solve, Species, Statement, StatementKind, Table};

impl Printer {
    pub(super) fn statements(&mut self, statements: &[Statement]) {
        for statement in statements {
            self.statement(&statement.kind, "");
        }
    }

    fn statement(&mut self, kind: &StatementKind, prefix: &str) {
        match kind {
            StatementKind::Verbatim(body) => self.opaque("VERBATIM", body),
            StatementKind::Comment(body) => self.opaque("COMMENT", body),
            StatementKind::Group(body) => self.braces("", |printer| printer.statements(body)),
            StatementKind::Protect(inner) => self.statement(&inner.kind, "PROTECT "),
            StatementKind::If(branches, last) => self.if_statement(branches, last.as_deref()),
            StatementKind::While(condition, body) => {
                let head = format!("WHILE ({})", text(condition));
                self.braces(&head, |printer| printer.statements(body));
            }
            StatementKind::From { variable, first, last, step, body } => {
                let step = step.as_ref().map_or_else(String::new, |it| format!(" BY {}", text(it)));
                let (first, last) = (text(first), text(last));
                let head = format!("FROM {} = {first} TO {last}{step}", variable.text);
                self.braces(&head, |printer| printer.statements(body));
            }
            StatementKind::Solve(solve) => self.solve(solve),
            StatementKind::ForNetcons(list, body) => {
                let head = format!("FOR_NETCONS({})", arguments(list));
                self.braces(&head, |printer| printer.statements(body));
            }
            StatementKind::Initial(body) => {
                self.braces("INITIAL", |printer| printer.statements(body));
            }
            _ => self.line(&format!("{prefix}{}", simple(kind))),
        }
    }

    fn if_statement(&mut self, branches: &[(Expr, Vec<Statement>)], last: Option<&[Statement]>) {
        for (index, (condition, body)) in branches.iter().enumerate() {
            let word = if index == 0 { "IF" } else { "} ELSE IF" };
            self.line(&format!("{word} ({}) {{", text(condition)));
            self.inner(body);
        }
        if let Some(body) = last {
            self.line("} ELSE {");
            self.inner(body);
        }
        self.line("}");
    }

    fn inner(&mut self, body: &[Statement]) {
        self.level += 1;
        self.statements(body);
        self.level -= 1;
    }

    fn solve(&mut self, solve: &Solve) {
        let mut line = format!("SOLVE {}", solve.block.text);
        if let Some(method) = &solve.method {
            let word = if solve.steady_state { "STEADYSTATE" } else { "METHOD" };
            line = format!("{line} {word} {}", method.text);
        }
        match &solve.if_error {
            None => self.line(&line),
            Some(body) => {
                self.braces(&format!("{line} IFERROR"), |printer| {
                    printer.statements(body);
                });
            }
        }
    }
}

/// A statement without statements inside.
fn simple(kind: &StatementKind) -> String {
    match kind {
        StatementKind::Local(list) => locals(list),
        StatementKind::Assign(left, right) => format!("{} = {}", place(left), text(right)),
        StatementKind::Prime(left, order, right) => {
            let primes = "'".repeat(usize::try_from(*order).unwrap_or(1));
            let index = left.index.as_ref().map_or_else(String::new, |it| format!("[{}]", text(it)));
            format!("{}{primes}{index} = {}", left.name.text, text(right))
        }
        StatementKind::Expression(call) => text(call),
        StatementKind::Conductance(conductance, ion) => {
            let ion = ion.as_ref().map_or_else(String::new, |ion| format!(" USEION {}", ion.text));
            format!("CONDUCTANCE {}{ion}", conductance.text)
        }
        StatementKind::Table(it) => table(it),
        StatementKind::Reaction(it) => reaction(it),
        StatementKind::Conserve(sum, total) => {
            format!("CONSERVE {} = {}", species_sum(sum), text(total))
        }
        StatementKind::Compartment { index, volume, species } => spread("COMPARTMENT", index.as_ref(), volume, species),
        StatementKind::LongitudinalDiffusion { index, coefficient, species } => {
            spread("LONGITUDINAL_DIFFUSION", index.as_ref(), coefficient, species)
        }
        StatementKind::Equation(left, right) => format!("~ {} = {}", text(left), text(right)),
        StatementKind::Watch(watches) => {
            let watch = |(condition, flag): &(Expr, Expr)| format!("({}) {}", text(condition), text(flag));
            format!("WATCH {}", watches.iter().map(watch).collect::<Vec<_>>().join(", "))
        }
        StatementKind::UnitsSwitch(on) => (if *on { "UNITSON" } else { "UNITSOFF" }).to_owned(),
        StatementKind::Word(word) => word.text.clone(),
        StatementKind::Other(keyword, rest) => format!("{} {}", keyword.text, rest.text),
        // Those with statements inside are printed elsewhere.
        _ => String::new(),
    }
}

fn place(place: &Place) -> String {
    let index = place.index.as_ref().map_or_else(String::new, |it| format!("[{}]", text(it)));
    format!("{}{index}", place.name.text)
}

fn table(table: &Table) -> String {
    let mut line = "TABLE ".to_owned();
    if !table.names.is_empty() {
        line = format!("{line}{} ", names(&table.names));
    }
    if !table.depend.is_empty() {
        line = format!("{line}DEPEND {} ", names(&table.depend));
    }
    line + &format!("FROM {} TO {} WITH {}", text(&table.from), text(&table.to), count(&table.with))
}

fn species_sum(sum: &[Species]) -> String {
    sum.iter().map(species).collect::<Vec<_>>().join(" + ")
}

// 1 is what a missing factor reads as, exactly.
#[allow(clippy::float_cmp)]
fn species(species: &Species) -> String {
    if species.factor == 1.0 {
        place(&species.place)
    } else {
        format!("{:.0} {}", species.factor, place(&species.place))
    }
}

fn reaction(reaction: &Reaction) -> String {
    match reaction {
        Reaction::Reversible { left, right, forward, backward } => {
            let (left, right) = (species_sum(left), species_sum(right));
            format!("~ {left} <-> {right} ({}, {})", text(forward), text(backward))
        }
        Reaction::Flux { species: it, flux } => format!("~ {} << ({})", species(it), text(flux)),
        Reaction::OneWay { left, rate } => format!("~ {} -> ({})", species_sum(left), text(rate)),
    }
}

fn spread(keyword: &str, index: Option<&Name>, expr: &Expr, species: &[Name]) -> String {
    let index = index.map_or_else(String::new, |index| format!("{}, ", index.text));
    let species = species.iter().map(|it| it.text.as_str()).collect::<Vec<_>>().join(" ");
    format!("{keyword} {index}{} {{ {species} }}", text(expr))
}
