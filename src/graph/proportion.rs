//! Whether one expression is a fixed multiple of another, up to factors.
//!
//! Needed to see that `0.1 * (v + 40) / (1 - exp(-(v + 40) / 10))` is
//! `c * x / (exp(x) - 1)`, whose derivative cancels badly near `x = 0`.

use std::collections::BTreeMap;

use super::{Graph, Id, Node};

/// A sum of nodes with weights, and a constant; the first weight is 1.
type Sum = (Vec<(Id, u64)>, u64);

/// `coefficient * product of sums ^ powers`
struct Product {
    coefficient: f64,
    factors: BTreeMap<Sum, i32>,
    /// Any node with the value of the sum, to rebuild the expression from.
    nodes: BTreeMap<Sum, (Id, f64)>,
}

impl Graph {
    /// `a / b`, if they share all factors that are not free of zeros elsewhere:
    /// `Some(c)` with `a = c * b` for every value of the inputs, `c` a product
    /// of numbers and of nodes that do not occur in `b`'s vanishing factor.
    pub(crate) fn proportion(&mut self, a: Id, b: Id) -> Option<Id> {
        let (numerator, denominator) = (self.product(a), self.product(b));
        let mut powers = numerator.factors.clone();
        for (sum, power) in &denominator.factors {
            *powers.entry(sum.clone()).or_default() -= power;
        }
        // Every factor that can make b vanish must be gone from the ratio.
        let vanishing: Vec<&Sum> =
            denominator.factors.iter().filter(|(_, power)| **power > 0).map(|(sum, _)| sum).collect();
        if vanishing.is_empty() || vanishing.iter().any(|sum| powers.get(*sum) != Some(&0)) {
            return None;
        }
        let mut ratio = self.number(numerator.coefficient / denominator.coefficient);
        for (sum, power) in powers {
            let (node, scale) = *numerator.nodes.get(&sum).or(denominator.nodes.get(&sum))?;
            let scale = self.number(scale);
            let node = self.mul(node, scale);
            for _ in 0..power.unsigned_abs() {
                ratio = if power > 0 { self.mul(ratio, node) } else { self.div(ratio, node) };
            }
        }
        Some(ratio)
    }

    fn product(&self, id: Id) -> Product {
        let mut product = Product { coefficient: 1.0, factors: BTreeMap::new(), nodes: BTreeMap::new() };
        self.collect_factors(id, 1, &mut product);
        product.factors.retain(|_, power| *power != 0);
        product
    }

    fn collect_factors(&self, id: Id, power: i32, product: &mut Product) {
        match self.node(id) {
            Node::Number(bits) => product.coefficient *= f64::from_bits(*bits).powi(power),
            Node::Neg(a) => {
                product.coefficient *= if power % 2 == 0 { 1.0 } else { -1.0 };
                self.collect_factors(*a, power, product);
            }
            Node::Mul(a, b) => {
                self.collect_factors(*a, power, product);
                self.collect_factors(*b, power, product);
            }
            Node::Div(a, b) => {
                self.collect_factors(*a, power, product);
                self.collect_factors(*b, -power, product);
            }
            _ => {
                let mut weights = BTreeMap::new();
                let mut constant = 0.0;
                self.collect_terms(id, 1.0, &mut weights, &mut constant);
                weights.retain(|_, weight| *weight != 0.0);
                let lead = weights.values().next().copied().unwrap_or(1.0);
                let sum: Sum = (
                    weights.iter().map(|(id, weight)| (*id, (weight / lead).to_bits())).collect(),
                    (constant / lead + 0.0).to_bits(), // + 0.0: no negative zero
                );
                product.coefficient *= lead.powi(power);
                *product.factors.entry(sum.clone()).or_default() += power;
                product.nodes.insert(sum, (id, 1.0 / lead));
            }
        }
    }

    fn collect_terms(&self, id: Id, weight: f64, weights: &mut BTreeMap<Id, f64>, constant: &mut f64) {
        match self.node(id) {
            Node::Number(bits) => *constant += weight * f64::from_bits(*bits),
            Node::Neg(a) => self.collect_terms(*a, -weight, weights, constant),
            Node::Add(a, b) => {
                self.collect_terms(*a, weight, weights, constant);
                self.collect_terms(*b, weight, weights, constant);
            }
            Node::Sub(a, b) => {
                self.collect_terms(*a, weight, weights, constant);
                self.collect_terms(*b, -weight, weights, constant);
            }
            Node::Mul(a, b) if self.as_number(*a).is_some() => {
                self.collect_terms(*b, weight * self.as_number(*a).unwrap_or(0.0), weights, constant);
            }
            Node::Mul(a, b) if self.as_number(*b).is_some() => {
                self.collect_terms(*a, weight * self.as_number(*b).unwrap_or(0.0), weights, constant);
            }
            Node::Div(a, b) if self.as_number(*b).is_some_and(|b| b != 0.0) => {
                self.collect_terms(*a, weight / self.as_number(*b).unwrap_or(1.0), weights, constant);
            }
            _ => *weights.entry(id).or_default() += weight,
        }
    }
}
