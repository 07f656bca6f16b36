//! Syntax tree -> mechanism.

use std::collections::BTreeMap;

use super::mechanism::{Current, Ion, Kind, Mechanism, Role, Variable, Visibility, NEURON_NAMES};
use super::refuse::refusals;
use crate::diagnostic::Diagnostic;
use crate::syntax::ast::{
    BlockKind, Item, Length, Name, NeuronStatement, Number, Program, UnitDefinition, UseIon,
};
use crate::syntax::span::Span;

/// The mechanism that a file declares, or everything that stands in the way.
pub fn check(program: &Program) -> Result<Mechanism, Vec<Diagnostic>> {
    let mut builder = Builder::default();
    for item in &program.items {
        builder.item(item);
    }
    builder.errors.extend(refusals(program));
    builder.finish()
}

#[derive(Default)]
struct Builder {
    name: Option<(Name, Kind)>,
    variables: BTreeMap<String, Variable>,
    states: Vec<String>,
    range: Vec<Name>,
    global: Vec<Name>,
    ions: Vec<Ion>,
    currents: Vec<Current>,
    initial: Vec<crate::syntax::ast::Statement>,
    breakpoint: Vec<crate::syntax::ast::Statement>,
    blocks: BTreeMap<String, crate::syntax::ast::Block>,
    defines: BTreeMap<String, f64>,
    units: BTreeMap<String, String>,
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
                    self.states.push(definition.name.text.clone());
                }
            }
            Item::Local(definitions, _) => {
                for definition in definitions {
                    self.declare(&definition.name, Role::Assigned, definition.length.as_ref());
                    if let Some(variable) = self.variables.get_mut(&definition.name.text) {
                        variable.visibility = Visibility::File;
                    }
                }
            }
            Item::Block(block) => match &block.kind {
                BlockKind::Initial => self.initial.extend(block.body.iter().cloned()),
                BlockKind::Breakpoint => self.breakpoint.extend(block.body.iter().cloned()),
                BlockKind::Derivative(name) => {
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

    fn neuron_statement(&mut self, statement: &NeuronStatement) {
        match statement {
            NeuronStatement::Suffix(name) => self.name = Some((name.clone(), Kind::Density)),
            NeuronStatement::PointProcess(name) => self.name = Some((name.clone(), Kind::Point)),
            NeuronStatement::UseIon(ion) => self.use_ion(ion),
            NeuronStatement::NonspecificCurrent(names) => {
                self.currents.extend(names.iter().map(|name| Current {
                    name: name.text.clone(),
                    electrode: false,
                }));
            }
            NeuronStatement::ElectrodeCurrent(names) => {
                self.currents.extend(names.iter().map(|name| Current {
                    name: name.text.clone(),
                    electrode: true,
                }));
            }
            NeuronStatement::Range(names) => self.range.extend(names.iter().cloned()),
            NeuronStatement::Global(names) => self.global.extend(names.iter().cloned()),
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
                    "writes-reversal-potential",
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
            UnitDefinition::Alias(..) => {}
            UnitDefinition::Number(name, value, _) => {
                self.declare(name, Role::Constant(*value), None);
            }
            UnitDefinition::Factor(name, first, second) => {
                self.declare(name, Role::Factor, None);
                let text = match second {
                    Some(second) => format!("({}) ({})", first.text, second.text),
                    None => format!("({})", first.text),
                };
                self.units.insert(name.text.clone(), text);
            }
        }
    }

    fn declare(&mut self, name: &Name, role: Role, length: Option<&Length>) {
        let length = match length {
            None => None,
            Some(Length::Number(length)) => Some(*length),
            Some(Length::Define(define)) => match self.defines.get(&define.text) {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                Some(value) => Some(*value as usize),
                None => {
                    self.errors.push(Diagnostic::error(
                        "unknown-define",
                        define.span,
                        format!("no DEFINE gives `{}` a value", define.text),
                    ));
                    None
                }
            },
        };
        let variable = Variable {
            name: name.text.clone(),
            role,
            visibility: Visibility::Hidden,
            length,
            span: name.span,
        };
        self.variables.insert(name.text.clone(), variable);
    }

    fn finish(mut self) -> Result<Mechanism, Vec<Diagnostic>> {
        let Some((name, kind)) = self.name.take() else {
            let message = "no SUFFIX or POINT_PROCESS: this file declares no mechanism";
            let anything = self.errors.is_empty();
            if anything {
                self.errors.push(Diagnostic::error("no-mechanism", Span::default(), message));
            }
            return Err(self.errors);
        };
        for variable in self.variables.values_mut() {
            variable.visibility = match variable.role {
                _ if variable.visibility == Visibility::File => Visibility::File,
                Role::State => Visibility::Range,
                Role::Parameter => Visibility::Global,
                _ => Visibility::Hidden,
            };
        }
        for (names, visibility) in
            [(&self.range, Visibility::Range), (&self.global, Visibility::Global)]
        {
            for name in names {
                if let Some(variable) = self.variables.get_mut(&name.text) {
                    variable.visibility = visibility;
                }
            }
        }
        // An ion's variables are NEURON's, whatever the mechanism calls them.
        let ions = &self.ions;
        self.variables.retain(|name, variable| {
            variable.role == Role::State
                || !(NEURON_NAMES.contains(&name.as_str()) || ions.iter().any(|ion| ion.uses(name)))
        });
        if self.errors.is_empty() {
            Ok(Mechanism {
                name: name.text,
                kind,
                variables: self.variables,
                ions: self.ions,
                currents: self.currents,
                states: self.states,
                initial: self.initial,
                breakpoint: self.breakpoint,
                blocks: self.blocks,
                defines: self.defines,
                units: self.units,
                span: name.span,
            })
        } else {
            Err(self.errors)
        }
    }
}
