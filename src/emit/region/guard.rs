//! Statements that run only where what they read is there.

use crate::step::Region;

/// What must be there for a statement to run: where it is not, a POINTER may be unset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guard {
    None,
    Mechanism(usize),
    /// A mechanism that uses the ion of this variable.
    Ion(String),
}

impl Guard {
    /// The condition in NMODL or C; `None` where it always holds.
    pub fn switch(&self, region: &Region) -> Option<String> {
        let mechanisms = &region.mechanisms;
        let uses = |index: &usize| match self {
            Self::None => false,
            Self::Mechanism(mechanism) => index == mechanism,
            Self::Ion(name) => mechanisms[*index].ions.iter().any(|ion| ion.owns(name)),
        };
        let switches = (0..mechanisms.len()).filter(uses).map(|index| format!("has_{} != 0", mechanisms[index].name));
        let switches: Vec<String> = switches.collect();
        (region.switched && !switches.is_empty()).then(|| switches.join(" || "))
    }

    /// The NMODL statement under this condition.
    pub fn around(&self, region: &Region, line: String) -> String {
        match self.switch(region) {
            Some(switch) => format!("IF ({switch}) {{ {line} }}"),
            None => line,
        }
    }
}
