//! What a file declares, gathered item by item.

use std::collections::BTreeMap;

use super::size;
use super::units::UnitNames;
use crate::diagnostic::{Code, Diagnostic};
use crate::model::mechanism::{
    BeforeAfter, Current, Ion, Kind, Mechanism, NEURON_NAMES, NetReceive, Role, Variable, Visibility,
};
use crate::syntax::ast::{Block, BlockKind, Item, Name, NeuronStatement, Number, Statement, UnitDefinition, UseIon};
use crate::syntax::span::Span;

/// Characters that the units of a factor may take: NEURON reads lines of 512.
const LONGEST_UNIT: usize = 200;

#[derive(Default)]
pub(super) struct Builder {
    pub(super) name: Option<(Name, Kind)>,
    pub(super) variables: BTreeMap<String, Variable>,
    pub(super) states: Vec<String>,
    pub(super) randoms: Vec<String>,
    pub(super) function_tables: Vec<String>,
    pub(super) pointers: Vec<Name>,
    pub(super) range: Vec<Name>,
    pub(super) global: Vec<Name>,
    pub(super) external: Vec<Name>,
    pub(super) ions: Vec<Ion>,
    pub(super) currents: Vec<Current>,
    pub(super) initial: Vec<Statement>,
    pub(super) breakpoint: Vec<Statement>,
    pub(super) receive: Option<NetReceive>,
    pub(super) before_after: Vec<(BeforeAfter, Block)>,
    pub(super) blocks: BTreeMap<String, Block>,
    pub(super) defines: BTreeMap<String, f64>,
    pub(super) units: BTreeMap<String, String>,
    pub(super) unit_names: UnitNames,
    pub(super) is_thread_safe: bool,
    pub(super) errors: Vec<Diagnostic>,
}

impl Builder {
    pub(super) fn item(&mut self, item: &Item) {
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

    fn before_after(&mut self, before: bool, word: &Name, block: &Block) {
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
            // NEURON's translator takes the last name, and any POINT_PROCESS makes it one.
            NeuronStatement::Suffix(name) => {
                let kind = self.name.take().map_or(Kind::Density, |(_, kind)| kind);
                self.name = Some((name.clone(), kind));
            }
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

    pub(super) fn finish(mut self, file: Option<&str>) -> (Option<Mechanism>, Vec<Diagnostic>) {
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
