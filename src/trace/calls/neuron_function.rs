//! Functions that NEURON offers to NMODL code.

use crate::graph::{Arm, Comparison, Graph, Id, Scope};
use crate::syntax::ast::{Expr, Name};
use crate::trace::{Trace, Traced};

/// Molar gas constant, J/(mol K), and Faraday constant, C/mol (CODATA 2018, as in NEURON).
const GAS: f64 = 8.314_462_618_153_24;
const FARADAY: f64 = 96_485.332_123_310_02;

impl Trace<'_> {
    /// `nernst(ci, co, z)`, `ghk(v, ci, co, z)`, `at_time(moment)`; `None` for any other name.
    pub(in crate::trace) fn neuron_function(&mut self, name: &Name, arguments: &[Expr]) -> Traced<Option<Id>> {
        let count = match name.text.as_str() {
            "at_time" => 1,
            "nrn_nernst" | "nernst" => 3,
            "nrn_ghk" | "ghk" => 4,
            _ => return Ok(None),
        };
        if arguments.len() != count {
            return Ok(None);
        }
        let x: Vec<Id> = arguments.iter().map(|argument| self.expression(argument)).collect::<Traced<_>>()?;
        if count == 1 {
            return Ok(self.at_time(x[0]));
        }
        let Some(celsius) = self.values.get("celsius").copied() else {
            return Ok(None);
        };
        let value = if count == 3 {
            nernst(self.graph, x[0], x[1], x[2], celsius, self.scope)
        } else {
            let scope = self.scope;
            ghk(self.graph, &x, celsius, scope)
        };
        Ok(Some(value))
    }

    /// Whether this is the fixed step in which a moment falls (NEURON's `at_time`, with its tolerance).
    fn at_time(&mut self, moment: Id) -> Option<Id> {
        let (t, dt) = (*self.values.get("t")?, *self.values.get("dt")?);
        let g = &mut *self.graph;
        let tolerance = g.number(1e-11);
        let moment = g.sub(moment, tolerance);
        let before = g.sub(t, dt);
        let has_come = g.compare(Comparison::Le, moment, t);
        let came_now = g.compare(Comparison::Gt, moment, before);
        Some(g.and(has_come, came_now))
    }
}

/// `RT/F` in mV.
fn thermal_voltage(g: &mut Graph, celsius: Id) -> Id {
    let zero_celsius = g.number(273.15);
    let kelvin = g.add(celsius, zero_celsius);
    let scale = g.number(1000.0 * GAS / FARADAY);
    g.mul(scale, kelvin)
}

/// NEURON's `nrn_nernst`: `RT/(zF) log(co/ci)` in mV; a number where a concentration is not positive.
pub fn nernst(g: &mut Graph, inside: Id, outside: Id, valence: Id, celsius: Id, scope: Scope) -> Id {
    let thermal = thermal_voltage(g, celsius);
    let scale = g.div(thermal, valence);
    let ratio = g.div(outside, inside);
    let log = g.call(crate::graph::Builtin::Log, vec![ratio]);
    let formula = g.mul(scale, log);
    let zero = g.number(0.0);
    let has_inside = g.compare(Comparison::Gt, inside, zero);
    let outer = g.new_branch(has_inside, scope);
    let has_outside = g.compare(Comparison::Gt, outside, zero);
    let inner = g.new_branch(has_outside, Some((outer, Arm::Then)));
    let (low, high) = (g.number(-1e6), g.number(1e6));
    let value = g.join(inner, formula, low);
    g.join(outer, value, high)
}

/// NEURON's `nrn_ghk`, its patch at 0 included.
fn ghk(g: &mut Graph, x: &[Id], celsius: Id, scope: Scope) -> Id {
    let (v, inside, outside, valence) = (x[0], x[1], x[2], x[3]);
    let thermal = thermal_voltage(g, celsius);
    let charge_v = g.mul(valence, v);
    let u = g.div(charge_v, thermal);
    let minus = g.neg(u);
    let flux_out = x_over_expm1(g, u, scope);
    let flux_out = g.mul(outside, flux_out);
    let flux_in = x_over_expm1(g, minus, scope);
    let flux_in = g.mul(inside, flux_in);
    let scale = g.number(0.001 * FARADAY);
    let scale = g.mul(scale, valence);
    let net = g.sub(flux_in, flux_out);
    g.mul(scale, net)
}

fn x_over_expm1(g: &mut Graph, x: Id, scope: Scope) -> Id {
    let (one, half, window) = (g.number(1.0), g.number(0.5), g.number(1e-4));
    let size = g.call(crate::graph::Builtin::Fabs, vec![x]);
    let small = g.compare(Comparison::Lt, size, window);
    let branch = g.new_branch(small, scope);
    let linear = g.mul(half, x);
    let linear = g.sub(one, linear);
    let exp = g.exp(x);
    let below = g.sub(exp, one);
    let value = g.div(x, below);
    g.join(branch, linear, value)
}
