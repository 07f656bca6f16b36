//! What begins with `~`, and the other statements of KINETIC.

use super::{Context, Parse, Parser};
use crate::syntax::ast::{Expr, ExprKind, Name, Opaque, Reaction, Species, StatementKind};
use crate::syntax::token::TokenKind;

impl Parser<'_> {
    pub(super) fn tilde(&mut self) -> Parse<StatementKind> {
        let tilde = self.advance();
        match self.context {
            Context::Kinetic => self.reaction().map(StatementKind::Reaction),
            Context::Equations => {
                let left = self.expression()?;
                self.expect("=", "between the sides of the equation")?;
                Ok(StatementKind::Equation(left, self.expression()?))
            }
            _ => {
                let message = "`~` is allowed only in KINETIC, LINEAR, NONLINEAR and DERIVATIVE";
                Err(self.misplaced(tilde.span, message))
            }
        }
    }

    /// `~+ left = right` adds to the equation before it; kept as text.
    pub(super) fn added_equation(&mut self) -> Parse<StatementKind> {
        let tilde = self.advance();
        if self.context != Context::Equations {
            let message = "`~+` is allowed only in LINEAR, NONLINEAR and DERIVATIVE";
            return Err(self.misplaced(tilde.span, message));
        }
        let left = self.expression()?;
        self.expect("=", "between the sides of the equation")?;
        let right = self.expression()?;
        let text = self.opaque(left.span.to(right.span));
        Ok(StatementKind::Other(self.named(tilde), text))
    }

    fn reaction(&mut self) -> Parse<Reaction> {
        let left = self.species_sum()?;
        if self.accept("<->") {
            let right = self.species_sum()?;
            self.expect("(", "before the rates")?;
            let forward = self.expression()?;
            self.expect(",", "between the rates")?;
            let backward = self.expression()?;
            self.expect(")", "to close the rates")?;
            return Ok(Reaction::Reversible { left, right, forward, backward });
        }
        if self.at("<") {
            let sign = self.advance().span;
            self.expect("<", "to make `<<`")?;
            let mut left = left.into_iter();
            let (Some(species), None) = (left.next(), left.next()) else {
                return Err(self.misplaced(sign, "`<<` takes one species on its left"));
            };
            return Ok(Reaction::Flux { species, flux: self.rate()? });
        }
        if self.accept("-") {
            self.expect(">", "to make `->`")?;
            return Ok(Reaction::OneWay { left, rate: self.rate()? });
        }
        Err(self.expected_after("`<->`, `<<` or `->`"))
    }

    fn rate(&mut self) -> Parse<Expr> {
        self.expect("(", "before the rate")?;
        let rate = self.expression()?;
        self.expect(")", "to close the rate")?;
        Ok(rate)
    }

    /// `a + 2 b`
    pub(super) fn species_sum(&mut self) -> Parse<Vec<Species>> {
        let mut sum = vec![self.species()?];
        while self.accept("+") {
            sum.push(self.species()?);
        }
        Ok(sum)
    }

    fn species(&mut self) -> Parse<Species> {
        let mut factor = 1.0;
        if self.token.kind == TokenKind::Integer {
            factor = self.number()?.value;
        }
        let name = self.species_name()?;
        if self.token.kind == TokenKind::Name {
            // `N a`, where N is a DEFINE
            if let Some(number) = self.defines.get(name.text.as_str()) {
                factor = number.value;
                let name = self.species_name()?;
                return Ok(Species { factor, place: self.place(name)? });
            }
        }
        Ok(Species { factor, place: self.place(name)? })
    }

    fn species_name(&mut self) -> Parse<Name> {
        self.name("the name of a species")
    }

    pub(super) fn conserve(&mut self) -> Parse<StatementKind> {
        self.advance();
        let sum = self.species_sum()?;
        self.expect("=", "before the total")?;
        Ok(StatementKind::Conserve(sum, self.expression()?))
    }

    /// COMPARTMENT and `LONGITUDINAL_DIFFUSION`: `index, expression { species }`
    pub(super) fn spread(&mut self) -> Parse<(Option<Name>, Expr, Vec<Name>)> {
        let keyword = self.advance();
        let mut expression = self.expression()?;
        let mut index = None;
        if let (ExprKind::Name(text), true) = (&expression.kind, self.at(",")) {
            index = Some(Name { text: text.clone(), span: expression.span });
            self.advance();
            expression = self.expression()?;
        }
        self.expect("{", "before the species")?;
        let mut species = vec![self.species_name()?];
        while !self.accept("}") {
            if self.at_end() || self.at_block_word() {
                return Err(self.unclosed(self.text(keyword), keyword.span));
            }
            species.push(self.species_name()?);
        }
        Ok((index, expression, species))
    }

    /// `LAG x BY tau`; kept as text.
    pub(super) fn lag(&mut self) -> Parse<StatementKind> {
        let keyword = self.advance();
        let variable = self.name("the name of a variable")?;
        self.expect("BY", "after the variable")?;
        let by = self.name("the name of a constant")?;
        let text = format!("{} BY {}", variable.text, by.text);
        let span = variable.span.to(by.span);
        Ok(StatementKind::Other(self.named(keyword), Opaque { text, span }))
    }
}
