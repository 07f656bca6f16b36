//! What does not change along a run is computed once, before the steps.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::graph::{Graph, Id, Input, Node};

/// The values of which a step reads what was computed before: the largest that do not change, as far as it costs more to
/// compute one than to read it.
pub(super) fn invariants(graph: &Graph, roots: &[Id], is_fixed: impl Fn(Input) -> bool) -> Vec<Id> {
    let mut known = FxHashMap::default();
    let order = graph.reachable(roots, false);
    for id in &order {
        judge(graph, *id, &is_fixed, &mut known);
    }
    let mut found = BTreeSet::new();
    let takes = |id: Id| known.get(&id).is_some_and(|judged| judged.is_fixed && judged.is_costly);
    found.extend(roots.iter().copied().filter(|id| takes(*id)));
    for id in order.iter().filter(|id| !known[id].is_fixed) {
        found.extend(graph.operands(*id).iter().copied().filter(|id| takes(*id)));
        found.extend(graph.inside(*id).into_iter().filter(|id| takes(*id)));
    }
    let is_number =
        |id: &Id| !matches!(graph.node(*id), Node::Compare(..) | Node::And(..) | Node::Or(..) | Node::Not(_));
    found.into_iter().filter(is_number).collect()
}

#[derive(Clone, Copy)]
struct Judged {
    is_fixed: bool,
    is_costly: bool,
}

/// Operands first, with a stack of our own: expressions may be deeper than the machine's.
fn judge(graph: &Graph, root: Id, is_fixed: &impl Fn(Input) -> bool, known: &mut FxHashMap<Id, Judged>) {
    let mut stack = vec![(root, false)];
    while let Some((id, is_ready)) = stack.pop() {
        if known.contains_key(&id) {
            continue;
        }
        let operands = graph.operands(id);
        if !is_ready {
            stack.push((id, true));
            stack.extend(operands.iter().map(|id| (*id, false)));
            continue;
        }
        let below: Vec<Judged> = operands.iter().filter_map(|id| known.get(id).copied()).collect();
        let own = match graph.node(id) {
            Node::Number(_) => true,
            Node::Input(input) => !graph.is_inner(*input) && is_fixed(*input),
            // A conditional in an arm of another is written there only.
            Node::Phi(branch, _) => graph.is_outermost(*branch),
            Node::AfterLoop(..) | Node::Element(..) | Node::Unknown(..) => false,
            _ => true,
        };
        let is_costly = matches!(graph.node(id), Node::Div(..) | Node::Call(..) | Node::Phi(..));
        let judged = Judged {
            is_fixed: own && below.iter().all(|one| one.is_fixed),
            is_costly: is_costly || below.iter().any(|one| one.is_costly),
        };
        known.insert(id, judged);
    }
}
