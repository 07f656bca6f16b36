//! Blocks that hold declarations.

use super::{Parse, Parser};
use crate::syntax::ast::{Item, Name, Opaque, ParameterDefinition, UnitDefinition, VariableDefinition};
use crate::syntax::span::Span;
use crate::syntax::token::TokenKind;

impl Parser<'_> {
    pub(super) fn declarations(&mut self, keyword: &'static str) -> Parse<Item> {
        let start = self.advance().span;
        if keyword == "INDEPENDENT" {
            return self.braced_text(keyword).map(Item::Independent);
        }
        self.expect("{", &format!("to open {keyword}"))?;
        Ok(match keyword {
            "NEURON" => {
                let list = self.list(keyword, start, Self::neuron_statement)?;
                Item::Neuron(list, start.to(self.previous.span))
            }
            "UNITS" => {
                let list = self.list(keyword, start, Self::unit_definition)?;
                Item::Units(list, start.to(self.previous.span))
            }
            "PARAMETER" => {
                let list = self.list(keyword, start, Self::parameter)?;
                Item::Parameter(list, start.to(self.previous.span))
            }
            "CONSTANT" => {
                let list = self.list(keyword, start, Self::constant)?;
                Item::Constant(list, start.to(self.previous.span))
            }
            "STATE" => {
                let list = self.list(keyword, start, Self::variable_definition)?;
                Item::State(list, start.to(self.previous.span))
            }
            _ => {
                let list = self.list(keyword, start, Self::variable_definition)?;
                Item::Assigned(list, start.to(self.previous.span))
            }
        })
    }

    /// Entries up to the closing brace; after a wrong one, goes on at the next line.
    fn list<T>(&mut self, owner: &str, start: Span, entry: impl Fn(&mut Self) -> Parse<T>) -> Parse<Vec<T>> {
        let mut entries = Vec::new();
        while !self.accept("}") {
            if self.at_end() || self.at_block_word() {
                return Err(self.unclosed(owner, start));
            }
            match entry(self) {
                Ok(entry) => entries.push(entry),
                Err(failure) => {
                    let fatal = failure.fatal;
                    if fatal || !self.report(failure) {
                        self.skip_block();
                        return Ok(entries);
                    }
                    self.skip_line();
                }
            }
        }
        Ok(entries)
    }

    fn unit_definition(&mut self) -> Parse<UnitDefinition> {
        if self.at("(") {
            let new = self.required_unit()?;
            self.expect("=", "after the new unit")?;
            return Ok(UnitDefinition::Alias(new, self.required_unit()?));
        }
        let name = self.name("`(unit) = (unit)` or `name = value (unit)`")?;
        self.expect("=", "after the name")?;
        if !self.at("(") {
            let number = self.signed()?;
            return Ok(UnitDefinition::Number(name, number, self.unit()?));
        }
        let from = self.required_unit()?;
        let arrow = self.accept("-");
        if arrow {
            self.expect(">", "after `-`")?;
        }
        let to = if arrow { Some(self.required_unit()?) } else { self.unit()? };
        Ok(UnitDefinition::Factor(name, from, to))
    }

    fn parameter(&mut self) -> Parse<ParameterDefinition> {
        let name = self.name("the name of a parameter")?;
        let length = self.length()?;
        let value = if length.is_none() && self.accept("=") { Some(self.signed()?) } else { None };
        let unit = self.unit()?;
        let limits = if self.accept("<") {
            let low = self.signed()?;
            self.expect(",", "between the limits")?;
            let high = self.signed()?;
            self.expect(">", "after the limits")?;
            Some((low, high))
        } else {
            None
        };
        Ok(ParameterDefinition { name, length, value, unit, limits })
    }

    fn constant(&mut self) -> Parse<ParameterDefinition> {
        let name = self.name("the name of a constant")?;
        self.expect("=", "after the name of the constant")?;
        let value = Some(self.signed()?);
        let unit = self.unit()?;
        Ok(ParameterDefinition { name, length: None, value, unit, limits: None })
    }

    fn variable_definition(&mut self) -> Parse<VariableDefinition> {
        let name = self.declared_name()?;
        let length = self.length()?;
        let mut extra = Vec::new();
        let mut pieces: Vec<Span> = Vec::new();
        if self.at("FROM") {
            pieces.push(self.advance().span);
            extra.push(format!("FROM {}", self.signed()?));
            self.expect("TO", "after the lower limit")?;
            extra.push(format!("TO {}", self.signed()?));
            pieces.push(self.previous.span);
        }
        let mut start = None;
        if self.at("START") {
            pieces.push(self.advance().span);
            let value = self.signed()?;
            extra.push(format!("START {value}"));
            start = Some(value);
            pieces.push(self.previous.span);
        }
        let unit = self.unit()?;
        if self.at("<") {
            pieces.push(self.advance().span);
            let tolerance = self.number()?;
            extra.push(format!("<{}>", tolerance.text));
            pieces.push(self.expect(">", "after the tolerance")?.span);
        }
        let span = pieces.into_iter().reduce(Span::to);
        let extra = span.map(|span| Opaque { text: extra.join(" "), span });
        Ok(VariableDefinition { name, length, unit, extra, start })
    }

    /// A variable; older files also declare `m'`.
    fn declared_name(&mut self) -> Parse<Name> {
        if let TokenKind::Primed(_) = self.token.kind {
            let token = self.advance();
            return Ok(self.named(token));
        }
        self.name("the name of a variable")
    }
}
