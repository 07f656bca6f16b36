//! Syntax tree -> mechanism.

use std::collections::BTreeMap;

use super::{external, pointer, shadow, size, solved, verbatim};
use crate::diagnostic::{Code, Diagnostic};
use crate::model::bystander::deeds;
use crate::model::mechanism::{
    BeforeAfter, Current, Ion, Kind, Mechanism, NEURON_NAMES, NetReceive, Role, SEEN_VOLTAGE, Variable, Visibility,
};
use crate::model::refuse::refusals;
use crate::model::threadsafe::is_thread_safe;
use crate::model::units::UnitNames;
use crate::step::elements;
use crate::syntax::ast::{
    BlockKind, Item, Length, Name, NeuronStatement, Number, Program, Solve, Statement, StatementKind, UnitDefinition,
    UseIon,
};
use crate::syntax::span::Span;
use crate::trace::{kept_slope, kept_slope_is_set, skipped};

/// Elements of one array; each is followed by itself.
pub const LONGEST: usize = 10_000;
/// Characters that the units of a factor may take: NEURON reads lines of 512.
const LONGEST_UNIT: usize = 200;

/// The mechanism that a file declares, or everything that stands in the way.
///
/// # Errors
///
/// These.
pub fn check(program: &Program) -> Result<Mechanism, Vec<Diagnostic>> {
    let (mechanism, errors) = check_all(program, None);
    match mechanism {
        Some(mechanism) if errors.is_empty() => Ok(mechanism),
        _ => Err(errors),
    }
}

/// The mechanism, if there is one, and everything that stands in the way.
///
/// `file`: what NEURON calls a mechanism that has no name, after its file.
pub fn check_all(program: &Program, file: Option<&str>) -> (Option<Mechanism>, Vec<Diagnostic>) {
    let is_thread_safe = is_thread_safe(&shadow::renamed(program));
    // C code calls a LOCAL otherwise, so it comes first.
    let program = &shadow::renamed(&verbatim::translated(program));
    let mut builder = Builder { is_thread_safe, ..Builder::default() };
    for item in &program.items {
        builder.item(item);
    }
    builder.breakpoint = solved::first(std::mem::take(&mut builder.breakpoint));
    if !is_thread_safe {
        builder.breakpoint.retain(|statement| !matches!(statement.kind, StatementKind::Conductance(..)));
    }
    builder.defaults(&deeds(program).set);
    builder.errors.extend(refusals(program));
    builder.errors.extend(pointer::refusals(program));
    builder.errors.extend(external::refusals(program));
    builder.finish(file)
}

#[derive(Default)]
struct Builder {
    name: Option<(Name, Kind)>,
    variables: BTreeMap<String, Variable>,
    states: Vec<String>,
    randoms: Vec<String>,
    function_tables: Vec<String>,
    pointers: Vec<Name>,
    range: Vec<Name>,
    global: Vec<Name>,
    external: Vec<Name>,
    ions: Vec<Ion>,
    currents: Vec<Current>,
    initial: Vec<crate::syntax::ast::Statement>,
    breakpoint: Vec<crate::syntax::ast::Statement>,
    receive: Option<NetReceive>,
    before_after: Vec<(BeforeAfter, crate::syntax::ast::Block)>,
    blocks: BTreeMap<String, crate::syntax::ast::Block>,
    defines: BTreeMap<String, f64>,
    units: BTreeMap<String, String>,
    unit_names: UnitNames,
    is_thread_safe: bool,
    errors: Vec<Diagnostic>,
}

impl Builder {
    fn item(&mut self, item: &Item) {
        match item {
            Item::Define(name, Number { value, .. }) => {
                self.defines.insert(name.text.clone(), *value);
            }
            Item::Neuron(statements, _) => {
                for statement in statements {
                    self.neuron_statement(statement);
                }
            }
            Item::FunctionTable(signature) => self.function_tables.push(signature.name.text.clone()),
            Item::Units(definitions, _) => definitions.iter().for_each(|unit| self.unit(unit)),
            Item::Parameter(definitions, _) => {
                for definition in definitions {
                    let length = definition.length.as_ref();
                    self.declare(&definition.name, Role::Parameter, length);
                }
            }
            Item::Constant(definitions, _) => {
                for definition in definitions {
                    let value = definition.value.unwrap_or(0.0);
                    self.declare(&definition.name, Role::Constant(value), None);
                }
            }
            Item::Assigned(definitions, _) => {
                for definition in definitions {
                    self.declare(&definition.name, Role::Assigned, definition.length.as_ref());
                }
            }
            Item::State(definitions, _) => {
                for definition in definitions {
                    self.declare(&definition.name, Role::State, definition.length.as_ref());
                    if !self.states.contains(&definition.name.text) {
                        self.states.push(definition.name.text.clone());
                    }
                }
            }
            Item::Local(definitions, _) => {
                for definition in definitions {
                    let known = self.variables.get(&definition.name.text);
                    if known.is_some_and(|known| known.visibility == Visibility::File) {
                        continue;
                    }
                    self.declare(&definition.name, Role::Assigned, definition.length.as_ref());
                    if let Some(variable) = self.variables.get_mut(&definition.name.text) {
                        variable.visibility = Visibility::File;
                    }
                }
            }
            Item::Block(block) => match &block.kind {
                BlockKind::Initial => self.initial.extend(block.body.iter().cloned()),
                BlockKind::BeforeAfter(before, word) => self.before_after(*before, word, block),
                BlockKind::Breakpoint => self.breakpoint.extend(block.body.iter().cloned()),
                BlockKind::NetReceive(arguments) => {
                    self.receive = Some(NetReceive {
                        arguments: arguments.iter().map(|argument| argument.name.text.clone()).collect(),
                        body: block.body.clone(),
                        span: block.span,
                    });
                }
                BlockKind::Derivative(name)
                | BlockKind::Kinetic(name, _)
                | BlockKind::Linear(name, _)
                | BlockKind::Nonlinear(name, _) => {
                    self.blocks.insert(name.text.clone(), block.clone());
                }
                BlockKind::Procedure(signature) | BlockKind::Function(signature) => {
                    self.blocks.insert(signature.name.text.clone(), block.clone());
                }
                _ => {}
            },
            _ => {}
        }
    }

    fn before_after(&mut self, before: bool, word: &Name, block: &crate::syntax::ast::Block) {
        let Some(moment) = BeforeAfter::named(before, &word.text) else { return };
        let is_point = self.name.as_ref().is_some_and(|(_, kind)| *kind == Kind::Point);
        let reason = if is_point {
            "BEFORE and AFTER blocks of a point process are not differentiated"
        } else if self.before_after.iter().any(|(known, _)| *known == moment) {
            "a second block of the same kind is not differentiated"
        } else {
            self.before_after.push((moment, block.clone()));
            return;
        };
        let diagnostic = Diagnostic::refusal(Code::BeforeAfter, block.span, reason);
        self.errors.push(diagnostic.label("this block"));
    }

    fn neuron_statement(&mut self, statement: &NeuronStatement) {
        match statement {
            NeuronStatement::Suffix(name) => self.name = Some((name.clone(), Kind::Density)),
            NeuronStatement::PointProcess(name) => self.name = Some((name.clone(), Kind::Point)),
            NeuronStatement::UseIon(ion) => self.use_ion(ion),
            NeuronStatement::NonspecificCurrent(names) => {
                self.currents.extend(names.iter().map(|name| Current { name: name.text.clone(), electrode: false }));
            }
            NeuronStatement::ElectrodeCurrent(names) => {
                self.currents.extend(names.iter().map(|name| Current { name: name.text.clone(), electrode: true }));
            }
            NeuronStatement::Range(names) => self.range.extend(names.iter().cloned()),
            NeuronStatement::Global(names) => self.global.extend(names.iter().cloned()),
            NeuronStatement::External(names) => self.external.extend(names.iter().cloned()),
            NeuronStatement::Pointer(names) | NeuronStatement::BbcorePointer(names) => {
                self.pointers.extend(names.iter().cloned());
            }
            NeuronStatement::Random(names) => {
                for name in names {
                    self.declare(name, Role::Stream, None);
                    self.randoms.push(name.text.clone());
                }
            }
            _ => {}
        }
    }

    fn use_ion(&mut self, statement: &UseIon) {
        let ion = Ion {
            name: statement.ion.text.clone(),
            read: statement.read.iter().map(|name| name.text.clone()).collect(),
            write: statement.write.iter().map(|name| name.text.clone()).collect(),
            valence: statement.valence,
            span: statement.span,
        };
        if let Some(name) = ion.write.iter().find(|name| **name == ion.reversal()) {
            self.errors.push(
                Diagnostic::refusal(
                    Code::WritesReversalPotential,
                    statement.span,
                    format!("`{name}` is written by the mechanism: not differentiated"),
                )
                .label("WRITE of a reversal potential"),
            );
        }
        if ion.write.contains(&ion.current()) {
            self.currents.push(Current { name: ion.current(), electrode: false });
        }
        self.ions.push(ion);
    }

    fn unit(&mut self, definition: &UnitDefinition) {
        match definition {
            UnitDefinition::Alias(name, meaning) => self.unit_names.define(name, meaning),
            UnitDefinition::Number(name, value, _) => {
                self.declare(name, Role::Constant(*value), None);
            }
            UnitDefinition::Factor(name, first, second) => {
                self.declare(name, Role::Factor, None);
                let text = self.unit_names.factor(first, second.as_ref());
                if text.len() > LONGEST_UNIT {
                    let message = format!("the units of `{}` take more than {LONGEST_UNIT} characters", name.text);
                    self.errors.push(Diagnostic::refusal(Code::TooLong, name.span, message));
                    return;
                }
                self.units.insert(name.text.clone(), text);
            }
        }
    }

    fn declare(&mut self, name: &Name, role: Role, length: Option<&Length>) {
        let length = match length {
            None => None,
            Some(Length::Number(length)) => Some(*length),
            Some(Length::Define(define)) => {
                let value = self.defines.get(&define.text);
                if value.is_none() {
                    self.errors.push(Diagnostic::error(
                        Code::UnknownDefine,
                        define.span,
                        format!("no DEFINE gives `{}` a value", define.text),
                    ));
                }
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                value.map(|value| *value as usize)
            }
        };
        if length.is_some_and(|length| length > LONGEST) {
            let message = format!("`{}` has more than {LONGEST} elements", name.text);
            self.errors.push(Diagnostic::refusal(Code::TooLarge, name.span, message).help("a shorter array"));
        }
        if self.variables.contains_key(&name.text) {
            let message = format!("`{}` is declared twice", name.text);
            self.errors.push(
                Diagnostic::error(Code::DeclaredTwice, name.span, message)
                    .label("again here")
                    .help("leave one of the two out"),
            );
            return;
        }
        let variable =
            Variable { name: name.text.clone(), role, visibility: Visibility::Hidden, length, span: name.span };
        self.variables.insert(name.text.clone(), variable);
    }

    /// The values that STATEs have before INITIAL: `m0` is 0 where it is not declared. It may still be RANGE or GLOBAL, and
    /// a variable of the file if code sets it.
    fn defaults(&mut self, set: &[String]) {
        for state in self.states.clone() {
            let Some(span) = self.variables.get(&state).map(|variable| variable.span) else { continue };
            let name = Name { text: format!("{state}0"), span };
            if self.variables.contains_key(&name.text) {
                continue;
            }
            let is_named = |names: &[Name]| names.iter().any(|known| known.text == name.text);
            if is_named(&self.range) || is_named(&self.global) {
                self.declare(&name, Role::Parameter, None);
            } else if set.contains(&name.text) {
                self.declare(&name, Role::Assigned, None);
                self.variables.entry(name.text).and_modify(|variable| variable.visibility = Visibility::File);
            } else {
                self.declare(&name, Role::Constant(0.0), None);
            }
        }
    }

    /// What a mechanism keeps besides what it declares: its part of an ion's current, which stays where BREAKPOINT
    /// does not set it; a voltage that is not the present one; right sides that not every step computes.
    fn declare_own(&mut self, span: Span) {
        let mut own: Vec<String> = Vec::new();
        for ion in self.ions.iter().filter(|ion| !ion.read.contains(&ion.current())) {
            own.extend(ion.write.iter().filter(|name| **name == ion.current()).cloned());
        }
        let is_hint = |kind: &StatementKind| matches!(kind, StatementKind::Conductance(..));
        let is_solve = |kind: &StatementKind| matches!(kind, StatementKind::Solve(_));
        let heeds = self.is_thread_safe && self.breakpoint.iter().any(|one| one.any(&is_hint));
        if heeds && !self.breakpoint.iter().any(|one| one.any(&is_solve)) {
            own.push(SEEN_VOLTAGE.to_owned());
        }
        for solve in self.breakpoint.iter().filter_map(solve_of) {
            let is_explicit =
                solve.method.as_ref().is_some_and(|method| ["euler", "runge"].contains(&method.text.as_str()));
            let Some(block) = self.blocks.get(&solve.block.text).filter(|_| is_explicit) else { continue };
            for state in skipped(block).iter().filter_map(|state| self.variables.get(state)) {
                for element in elements(state) {
                    own.extend([kept_slope(&element), kept_slope_is_set(&element)]);
                }
            }
        }
        for name in own {
            let is_shown = self.range.iter().any(|known| known.text == name);
            let visibility = if is_shown { Visibility::Range } else { Visibility::Hidden };
            let variable = Variable { name: name.clone(), role: Role::Assigned, visibility, length: None, span };
            self.variables.entry(name).or_insert(variable);
        }
    }

    fn finish(mut self, file: Option<&str>) -> (Option<Mechanism>, Vec<Diagnostic>) {
        let of_file = file.map(|name| (Name { text: name.to_owned(), span: Span::default() }, Kind::Density));
        let Some((name, kind)) = self.name.take().or(of_file) else {
            let message = "no SUFFIX or POINT_PROCESS: this file declares no mechanism";
            let anything = self.errors.is_empty();
            if anything {
                self.errors.push(Diagnostic::error(Code::NoMechanism, Span::default(), message));
            }
            return (None, self.errors);
        };
        for variable in self.variables.values_mut() {
            variable.visibility = match variable.role {
                _ if variable.visibility == Visibility::File => Visibility::File,
                Role::State => Visibility::Range,
                Role::Parameter => Visibility::Global,
                _ => Visibility::Hidden,
            };
        }
        for (names, visibility) in [(&self.range, Visibility::Range), (&self.global, Visibility::Global)] {
            for name in names {
                if let Some(variable) = self.variables.get_mut(&name.text) {
                    variable.visibility = visibility;
                }
            }
        }
        for name in std::mem::take(&mut self.external) {
            let length = self.variables.get(&name.text).and_then(|variable| variable.length);
            let (role, visibility, span) = (Role::Parameter, Visibility::External, name.span);
            self.variables.insert(name.text.clone(), Variable { name: name.text, role, visibility, length, span });
        }
        for name in std::mem::take(&mut self.pointers) {
            let (text, span) = (name.text, name.span);
            let is_array = self.variables.get(&text).is_some_and(|variable| variable.length.is_some());
            if is_array || self.range.iter().any(|known| known.text == text) {
                let what =
                    if is_array { "that is an array is not differentiated" } else { "that is RANGE too can't be set" };
                let message = format!("`{text}`: a POINTER {what}");
                self.errors.push(Diagnostic::refusal(Code::Pointer, span, message).label("declared here"));
            }
            let visibility = Visibility::Hidden;
            let variable = Variable { name: text.clone(), role: Role::Pointed, visibility, length: None, span };
            self.variables.insert(text, variable);
        }
        // NEURON subtracts all currents of a file, or none.
        if self.currents.iter().any(|current| current.electrode) {
            self.currents.iter_mut().for_each(|current| current.electrode = true);
        }
        // An ion's variables are NEURON's, whatever the mechanism calls them.
        let ions = &self.ions;
        self.variables.retain(|name, variable| {
            variable.role == Role::State
                || !(NEURON_NAMES.contains(&name.as_str()) || ions.iter().any(|ion| ion.uses(name)))
        });
        self.declare_own(name.span);
        let mechanism = Mechanism {
            name: name.text,
            kind,
            variables: self.variables,
            ions: self.ions,
            currents: self.currents,
            states: self.states,
            randoms: self.randoms,
            first_stream: 0,
            function_tables: self.function_tables,
            first_function_table: 0,
            initial: self.initial,
            breakpoint: self.breakpoint,
            receive: self.receive,
            before_after: self.before_after,
            blocks: self.blocks,
            defines: self.defines,
            units: self.units,
            is_thread_safe: self.is_thread_safe,
            span: name.span,
        };
        let large = size::refusals(&mechanism);
        if large.is_empty() {
            (Some(mechanism), self.errors)
        } else {
            // Nothing more is looked for in it.
            self.errors.extend(large);
            (None, self.errors)
        }
    }
}

fn solve_of(statement: &Statement) -> Option<&Solve> {
    match &statement.kind {
        StatementKind::Solve(solve) => Some(solve),
        _ => None,
    }
}
