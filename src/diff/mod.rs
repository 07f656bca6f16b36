//! Derivatives of graph values with respect to inputs, by the chain rule.
//!
//! [`rules`] holds the derivative of each operation; this file walks the graph.
//! A conditional is differentiated as taken: the derivative of a variable after
//! it is again a value after the same conditional.

mod implicit;
pub mod rules;

use std::collections::HashMap;

use crate::graph::{Graph, Id, Input, Node};

/// Remembers every derivative it has made.
#[derive(Debug, Default)]
pub struct Differentiator {
    known: HashMap<(Id, Input), Id>,
    eliminated: HashMap<crate::graph::SystemId, implicit::Elimination>,
}

impl Differentiator {
    /// d `of` / d `input`.
    pub fn derivative(&mut self, graph: &mut Graph, of: Id, input: Input) -> Id {
        // Operands first, on a stack of our own: graphs may be deep.
        let mut stack = vec![(of, false)];
        while let Some((id, ready)) = stack.pop() {
            if self.known.contains_key(&(id, input)) {
                continue;
            }
            if ready {
                let derivative = self.one(graph, id, input);
                self.known.insert((id, input), derivative);
                continue;
            }
            stack.push((id, true));
            stack.extend(tangent_operands(graph, id).into_iter().map(|id| (id, false)));
        }
        self.known[&(of, input)]
    }

    fn one(&mut self, graph: &mut Graph, id: Id, input: Input) -> Id {
        match graph.node(id).clone() {
            Node::Input(own) => graph.number(f64::from(u8::from(own == input))),
            Node::Phi(branch, slot) => {
                let (then, otherwise) = graph.branch(branch).slots[slot];
                let then = self.known[&(then, input)];
                let otherwise = self.known[&(otherwise, input)];
                graph.join(branch, then, otherwise)
            }
            Node::Anchored { tangent, .. } => self.known[&(tangent, input)],
            Node::Unknown(system, index) => self.unknown(graph, system, index, input),
            _ => {
                let operands = graph.operands(id);
                let inner: Vec<Id> = operands.iter().map(|id| self.known[&(*id, input)]).collect();
                if inner.iter().all(|id| graph.is_zero(*id)) {
                    return graph.number(0.0);
                }
                rules::chain(graph, id, &operands, &inner)
            }
        }
    }
}

/// The nodes whose derivatives the derivative of this node needs.
fn tangent_operands(graph: &Graph, id: Id) -> Vec<Id> {
    match graph.node(id) {
        Node::Anchored { tangent, .. } => vec![*tangent],
        Node::Phi(branch, slot) => {
            let (then, otherwise) = graph.branch(*branch).slots[*slot];
            vec![then, otherwise]
        }
        // A comparison has no derivative.
        Node::Compare(..) | Node::And(..) | Node::Or(..) | Node::Not(_) => Vec::new(),
        Node::Unknown(system, _) => graph.system(*system).residuals.clone(),
        _ => graph.operands(id),
    }
}
