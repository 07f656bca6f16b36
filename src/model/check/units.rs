//! UNITS: factors as text, for NEURON's translator to compute.

use std::collections::BTreeMap;

use crate::syntax::ast::Unit;

/// The names that a file gives to units.
#[derive(Default)]
pub(super) struct UnitNames {
    known: BTreeMap<String, String>,
}

impl UnitNames {
    /// `(mV) = (millivolt)`
    pub fn define(&mut self, name: &Unit, meaning: &Unit) {
        let meaning = self.spelled_out(&meaning.text);
        self.known.insert(name.text.trim().to_owned(), meaning);
    }

    /// The units of a factor without the names of this file, as far as these stand for one unit: another file does
    /// not know them.
    pub fn spelled_out(&self, text: &str) -> String {
        let mut found = String::new();
        let mut rest = text;
        while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic()) {
            let (before, word) = rest.split_at(start);
            let end = word.find(|c: char| !c.is_ascii_alphabetic() && c != '_').unwrap_or(word.len());
            let (word, after) = word.split_at(end);
            let meaning = self.known.get(word).filter(|meaning| meaning.chars().all(|c| c.is_ascii_alphabetic()));
            found.push_str(before);
            found.push_str(meaning.map_or(word, String::as_str));
            rest = after;
        }
        found + rest
    }

    /// `name = (first) (second)`, without the name.
    pub fn factor(&self, first: &Unit, second: Option<&Unit>) -> String {
        let first = self.spelled_out(&first.text);
        match second {
            Some(second) => format!("({first}) ({})", self.spelled_out(&second.text)),
            None => format!("({first})"),
        }
    }
}
