//! The NEURON block.

use super::{Parse, Parser};
use crate::syntax::ast::{Name, NeuronStatement, Opaque, UseIon};
use crate::syntax::span::Span;
use crate::syntax::token::TokenKind;

impl Parser<'_> {
    pub(super) fn neuron_statement(&mut self) -> Parse<NeuronStatement> {
        if self.at_word("SECTION") {
            self.advance();
            return self.list_of(NeuronStatement::Section);
        }
        let TokenKind::Keyword(keyword) = self.token.kind else {
            return Err(self.expected("a statement of NEURON (such as SUFFIX, USEION or RANGE)"));
        };
        match keyword {
            "SUFFIX" => self.one(NeuronStatement::Suffix),
            "POINT_PROCESS" => self.one(NeuronStatement::PointProcess),
            "ARTIFICIAL_CELL" => self.one(NeuronStatement::ArtificialCell),
            "USEION" => self.use_ion().map(NeuronStatement::UseIon),
            "THREADSAFE" => Ok(NeuronStatement::ThreadSafe(self.advance().span)),
            "REPRESENTS" => {
                let start = self.token.span;
                let term = self.represents()?;
                let text = format!("REPRESENTS {}", term.text);
                Ok(NeuronStatement::Other(Opaque { text, span: start.to(term.span) }))
            }
            _ => {
                let wrap = match keyword {
                    "NONSPECIFIC_CURRENT" => NeuronStatement::NonspecificCurrent,
                    "ELECTRODE_CURRENT" => NeuronStatement::ElectrodeCurrent,
                    "RANGE" => NeuronStatement::Range,
                    "GLOBAL" => NeuronStatement::Global,
                    "POINTER" => NeuronStatement::Pointer,
                    "BBCOREPOINTER" => NeuronStatement::BbcorePointer,
                    "EXTERNAL" => NeuronStatement::External,
                    "RANDOM" => NeuronStatement::Random,
                    _ => {
                        let what = "a statement of NEURON (such as SUFFIX, USEION or RANGE)";
                        return Err(self.expected(what));
                    }
                };
                self.advance();
                self.list_of(wrap)
            }
        }
    }

    fn one(&mut self, wrap: fn(Name) -> NeuronStatement) -> Parse<NeuronStatement> {
        self.advance();
        self.name("a name").map(wrap)
    }

    fn list_of(&mut self, wrap: fn(Vec<Name>) -> NeuronStatement) -> Parse<NeuronStatement> {
        self.names("a name").map(wrap)
    }

    fn use_ion(&mut self) -> Parse<UseIon> {
        let start = self.advance().span;
        let ion = self.name("the name of an ion")?;
        let read = if self.accept("READ") { self.names("a variable of the ion")? } else { vec![] };
        let write = if self.accept("WRITE") { self.names("a variable of the ion")? } else { vec![] };
        if read.is_empty() && write.is_empty() {
            return Err(self.expected_after("READ or WRITE"));
        }
        let valence = if self.accept("VALENCE") || self.accept("CHARGE") { Some(self.signed()?) } else { None };
        let represents = if self.at("REPRESENTS") { Some(self.represents()?) } else { None };
        Ok(UseIon { ion, read, write, valence, represents, span: start.to(self.previous.span) })
    }

    /// A term of an ontology; NEURON reads it and forgets it.
    fn represents(&mut self) -> Parse<Opaque> {
        let keyword = self.token.span;
        let Some(span) = self.lexer.ontology() else {
            self.advance();
            return Err(self.expected_after("a term such as `CHEBI:29108`"));
        };
        self.advance();
        self.previous.span = Span::new(keyword.start, span.end);
        Ok(self.opaque(span))
    }
}
