//! Arrays that are one input, read at an index that the simulation computes.

use super::{Graph, Id, Input, Node};

#[derive(Clone, Debug)]
pub struct Array {
    pub length: usize,
    /// What emitted code calls it when an event comes.
    pub at_event: String,
    /// The gradients of its elements, in one direction; `None` for an array that is that itself.
    pub tangent: Option<Input>,
}

impl Graph {
    /// A new array and its gradients, by their names in a step and at an event.
    pub fn new_array(&mut self, length: usize, names: [&str; 2], tangents: [&str; 2]) -> Input {
        let tangent = self.input(tangents[0]);
        let at_event = tangents[1].to_owned();
        self.arrays.insert(tangent, Array { length, at_event, tangent: None });
        let array = self.input(names[0]);
        let at_event = names[1].to_owned();
        self.arrays.insert(array, Array { length, at_event, tangent: Some(tangent) });
        array
    }

    pub fn array(&self, input: Input) -> Option<&Array> {
        self.arrays.get(&input)
    }

    /// The array that a value stands for.
    pub fn as_array(&self, id: Id) -> Option<Input> {
        match self.node(id) {
            Node::Input(input) if self.arrays.contains_key(input) => Some(*input),
            _ => None,
        }
    }

    pub fn element(&mut self, array: Input, index: Id) -> Id {
        self.intern(Node::Element(array, index))
    }
}
