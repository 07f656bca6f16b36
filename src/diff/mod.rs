//! Derivatives of graph values with respect to inputs, by the chain rule.
//!
//! [`rules`] holds the derivative of each operation; this file walks the graph.
//! A conditional is differentiated as taken: the derivative of a variable after
//! it is again a value after the same conditional.

mod implicit;
mod repeat;
pub mod rules;

use rustc_hash::FxHashMap;

use crate::graph::elimination::Factors;
use crate::graph::{Graph, Id, Input, LoopId, Node, Operands, SystemId, Work};

/// Nodes that are passed without remembering their derivatives: cheaper than to remember them.
const STRIDE: usize = 32;

/// Remembers every derivative it has made.
#[derive(Debug, Default)]
pub struct Differentiator {
    known: FxHashMap<(Id, Input), Id>,
    systems: FxHashMap<SystemId, Option<Factors>>,
    unknowns: FxHashMap<(SystemId, Input), Vec<Id>>,
    /// By slot of a loop, the slot of its derivative if that is not 0.
    slots: FxHashMap<(LoopId, usize, Input), Option<usize>>,
}

impl Differentiator {
    /// d `of` / d `input`.
    pub fn derivative(&mut self, graph: &mut Graph, of: Id, input: Input) -> Id {
        let of = through(graph, of, input);
        if graph.is_full() || !graph.may_touch(of, input) {
            return graph.number(0.0);
        }
        // Operands first, on a stack of our own: graphs may be deep.
        let (mut stack, mut looks) = (vec![(of, false)], 0);
        while let Some((id, ready)) = stack.pop() {
            looks += 1;
            if self.known.contains_key(&(id, input)) {
                continue;
            }
            if ready {
                let derivative = self.one(graph, id, input);
                self.known.insert((id, input), derivative);
                continue;
            }
            stack.push((id, true));
            let operands = tangent_operands(graph, id);
            let operands = operands.iter().filter(|id| graph.may_touch(**id, input));
            stack.extend(
                operands.map(|id| (through(graph, *id, input), false)).filter(|(id, _)| graph.may_touch(*id, input)),
            );
        }
        graph.charge(Work::Looks(looks));
        self.known[&(of, input)]
    }

    fn one(&mut self, graph: &mut Graph, id: Id, input: Input) -> Id {
        match graph.node(id).clone() {
            Node::Input(own) => graph.number(f64::from(u8::from(own == input))),
            Node::Phi(branch, slot) => {
                let (then, otherwise) = graph.branch(branch).slots[slot];
                let then = self.inner(graph, then, input);
                let otherwise = self.inner(graph, otherwise, input);
                graph.join(branch, then, otherwise)
            }
            Node::Anchored { tangent, .. } => self.inner(graph, tangent, input),
            // 0 or 1, whatever its operands do.
            Node::Compare(..) | Node::And(..) | Node::Or(..) | Node::Not(_) => graph.number(0.0),
            Node::Unknown(system, index) => self.unknown(graph, system, index, input),
            Node::AfterLoop(id, slot) => self.after_loop(graph, id, slot, input),
            Node::Element(array, index) => match graph.array(array).and_then(|array| array.tangent) {
                Some(tangent) if array == input => graph.element(tangent, index),
                _ => graph.number(0.0),
            },
            _ => {
                let operands = graph.operands(id).to_vec();
                let inner: Vec<Id> = operands.iter().map(|id| self.inner(graph, *id, input)).collect();
                if inner.iter().all(|id| graph.is_zero(*id)) {
                    return graph.number(0.0);
                }
                rules::chain(graph, id, &operands, &inner)
            }
        }
    }

    /// A derivative that was made before, or is 0.
    fn inner(&self, graph: &mut Graph, id: Id, input: Input) -> Id {
        if !graph.may_touch(id, input) {
            return graph.number(0.0);
        }
        let id = through(graph, id, input);
        let known = self.known.get(&(id, input)).copied();
        debug_assert!(known.is_some() || !graph.may_touch(id, input));
        known.unwrap_or_else(|| graph.number(0.0))
    }
}

/// A node with the same derivative: what is added to it does not change with the input. Long sums have many terms, and
/// as many inputs.
fn through(graph: &Graph, mut id: Id, input: Input) -> Id {
    for _ in 0..STRIDE {
        id = match *graph.node(id) {
            Node::Add(a, b) | Node::Sub(a, b) if !graph.may_touch(b, input) => a,
            Node::Add(a, b) if !graph.may_touch(a, input) => b,
            Node::Anchored { tangent, .. } => tangent,
            _ => break,
        };
    }
    id
}

/// The nodes whose derivatives the derivative of this node needs.
fn tangent_operands(graph: &Graph, id: Id) -> Operands<'_> {
    match graph.node(id) {
        Node::Anchored { tangent, .. } => Operands::One([*tangent]),
        Node::Phi(branch, slot) => {
            let (then, otherwise) = graph.branch(*branch).slots[*slot];
            Operands::Two([then, otherwise])
        }
        // A comparison has no derivative.
        Node::Compare(..) | Node::And(..) | Node::Or(..) | Node::Not(_) => Operands::Many(&[]),
        Node::Unknown(system, _) => Operands::Many(&graph.system(*system).residuals),
        // By their own rules.
        Node::AfterLoop(..) | Node::Element(..) => Operands::Many(&[]),
        _ => graph.operands(id),
    }
}
