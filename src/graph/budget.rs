//! How much work a graph may take: nodes, and what is done with them.

use super::Graph;

/// Nodes: some hundred MiB, and some seconds. The largest mechanism that we know of takes 36,000.
const LARGEST: usize = 1_000_000;
/// Nodes that are looked at in the time of making one.
const LOOKS_PER_NODE: usize = 32;
/// Nodes that are looked at in the time of copying a value.
const LOOKS_PER_COPY: usize = 4;

/// Work that makes no nodes.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// Nodes that are looked at.
    Looks(usize),
    /// Values that are copied, or entered into a set.
    Copies(usize),
}

impl Graph {
    /// Whether the graph has become too large to go on. Derivatives that are made from now on are 0, and solutions
    /// wrong: who made it so large must ask, and refuse.
    pub fn is_full(&self) -> bool {
        self.size() + self.looks / LOOKS_PER_NODE > LARGEST
    }

    /// Counts work on the graph against its limit.
    pub fn charge(&mut self, work: Work) {
        self.looks += match work {
            Work::Looks(looks) => looks,
            Work::Copies(copies) => copies * LOOKS_PER_COPY,
        };
    }
}
