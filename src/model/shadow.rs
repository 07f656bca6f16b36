//! LOCAL variables and arguments that have the name of something else: called by a name of their own, so that
//! whoever looks at a name alone takes neither for the other.

use std::collections::BTreeSet;

use crate::model::mechanism::NEURON_NAMES;
use crate::syntax::ast::{
    Argument, BlockKind, Expr, ExprKind, Item, Name, NeuronStatement, Program, Reaction, Solve, Statement,
    StatementKind, UnitDefinition,
};

/// What a LOCAL is called that has the name of a variable of the file. No name in a file has a point in it.
pub fn local_name(name: &str) -> String {
    format!("{name}.local")
}

/// A program whose LOCAL variables, arguments and counters of loops hide no other name: they are renamed.
pub(super) fn renamed(program: &Program) -> Program {
    let declared = declared(program);
    let mut program = program.clone();
    for item in &mut program.items {
        let Item::Block(block) = item else { continue };
        let mut scope = Scope { declared: &declared, hidden: BTreeSet::new() };
        match &mut block.kind {
            BlockKind::Procedure(signature) | BlockKind::Function(signature) => {
                scope.arguments(&mut signature.arguments);
            }
            BlockKind::NetReceive(arguments) => scope.arguments(arguments),
            _ => {}
        }
        scope.block(&mut block.body);
    }
    program
}

/// All variables that blocks see.
fn declared(program: &Program) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = NEURON_NAMES.map(str::to_owned).into();
    for item in &program.items {
        let found: Vec<&Name> = match item {
            Item::Parameter(list, _) | Item::Constant(list, _) => list.iter().map(|one| &one.name).collect(),
            Item::Assigned(list, _) | Item::State(list, _) => list.iter().map(|one| &one.name).collect(),
            Item::Local(list, _) => list.iter().map(|one| &one.name).collect(),
            Item::Units(list, _) => list.iter().filter_map(number).collect(),
            Item::Neuron(statements, _) => statements.iter().flat_map(visible).collect(),
            _ => Vec::new(),
        };
        names.extend(found.into_iter().map(|name| name.text.clone()));
    }
    names
}

fn number(unit: &UnitDefinition) -> Option<&Name> {
    match unit {
        UnitDefinition::Factor(name, ..) | UnitDefinition::Number(name, ..) => Some(name),
        UnitDefinition::Alias(..) => None,
    }
}

fn visible(statement: &NeuronStatement) -> Vec<&Name> {
    match statement {
        NeuronStatement::UseIon(ion) => ion.read.iter().chain(&ion.write).collect(),
        NeuronStatement::NonspecificCurrent(list)
        | NeuronStatement::ElectrodeCurrent(list)
        | NeuronStatement::Range(list)
        | NeuronStatement::Global(list)
        | NeuronStatement::Pointer(list)
        | NeuronStatement::BbcorePointer(list)
        | NeuronStatement::External(list) => list.iter().collect(),
        _ => Vec::new(),
    }
}

/// Where a piece of code stands.
#[derive(Clone)]
struct Scope<'a> {
    declared: &'a BTreeSet<String>,
    /// Declared names that a LOCAL hides here.
    hidden: BTreeSet<String>,
}

impl Scope<'_> {
    fn hide(&mut self, name: &mut Name) {
        if self.declared.contains(&name.text) {
            self.hidden.insert(name.text.clone());
            name.text = local_name(&name.text);
        }
    }

    fn name(&self, name: &mut String) {
        if self.hidden.contains(name) {
            *name = local_name(name);
        }
    }

    fn arguments(&mut self, arguments: &mut [Argument]) {
        for argument in arguments {
            self.hide(&mut argument.name);
        }
    }

    /// What stands between braces.
    fn block(&self, statements: &mut [Statement]) {
        let mut scope = self.clone();
        for statement in statements {
            scope.statement(statement);
        }
    }

    fn statement(&mut self, statement: &mut Statement) {
        match &mut statement.kind {
            StatementKind::Local(definitions) => {
                for definition in definitions {
                    self.hide(&mut definition.name);
                }
            }
            StatementKind::Assign(place, value) => {
                self.name(&mut place.name.text);
                self.expressions(place.index.iter_mut().map(|index| &mut **index));
                self.expression(value);
            }
            // The state, whatever else has its name.
            StatementKind::Prime(place, _, value) => {
                self.expressions(place.index.iter_mut().map(|index| &mut **index));
                self.expression(value);
            }
            StatementKind::Expression(value) => self.expression(value),
            StatementKind::If(branches, otherwise) => {
                for (condition, body) in branches {
                    self.expression(condition);
                    self.block(body);
                }
                if let Some(body) = otherwise {
                    self.block(body);
                }
            }
            StatementKind::While(condition, body) => {
                self.expression(condition);
                self.block(body);
            }
            StatementKind::From { variable, first, last, step, body } => {
                self.expressions([first, last].into_iter().chain(step));
                let mut inner = self.clone();
                inner.hide(variable);
                inner.block(body);
            }
            StatementKind::Solve(Solve { if_error: Some(body), .. })
            | StatementKind::Initial(body)
            | StatementKind::Group(body) => self.block(body),
            StatementKind::ForNetcons(arguments, body) => {
                let mut inner = self.clone();
                inner.arguments(arguments);
                inner.block(body);
            }
            StatementKind::Conductance(name, _) => self.name(&mut name.text),
            StatementKind::Table(table) => self.expressions([&mut table.from, &mut table.to]),
            StatementKind::Reaction(reaction) => match reaction {
                Reaction::Reversible { forward, backward, .. } => self.expressions([forward, backward]),
                Reaction::Flux { flux: rate, .. } | Reaction::OneWay { rate, .. } => {
                    self.expression(rate);
                }
            },
            StatementKind::Conserve(_, total) => self.expression(total),
            StatementKind::Compartment { volume: value, index, .. }
            | StatementKind::LongitudinalDiffusion { coefficient: value, index, .. } => {
                let mut inner = self.clone();
                if let Some(index) = index {
                    inner.hide(index);
                }
                inner.expression(value);
            }
            StatementKind::Equation(left, right) => self.expressions([left, right]),
            StatementKind::Watch(watches) => {
                for (condition, flag) in watches {
                    self.expressions([condition, flag]);
                }
            }
            StatementKind::Protect(inner) => self.statement(inner),
            StatementKind::Solve(_)
            | StatementKind::Verbatim(_)
            | StatementKind::Comment(_)
            | StatementKind::UnitsSwitch(_)
            | StatementKind::Word(_)
            | StatementKind::Other(..) => {}
        }
    }

    fn expressions<'e>(&self, expressions: impl IntoIterator<Item = &'e mut Expr>) {
        for expression in expressions {
            self.expression(expression);
        }
    }

    fn expression(&self, expression: &mut Expr) {
        match &mut expression.kind {
            ExprKind::Name(name) => self.name(name),
            ExprKind::Index(name, index) => {
                self.name(name);
                self.expression(index);
            }
            ExprKind::Unary(_, operand) => self.expression(operand),
            ExprKind::Binary(_, left, right) => self.expressions([&mut **left, right]),
            ExprKind::Call(_, arguments) => self.expressions(arguments),
            ExprKind::Number(..) | ExprKind::Prime(..) | ExprKind::String(_) => {}
        }
    }
}
