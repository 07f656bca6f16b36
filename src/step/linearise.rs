//! The derivative of the step: what both forward and reverse mode are made of.
//!
//! ```text
//! S        = source . (V_n, x_n, p)
//! Dx_{n+1} = row . (V_n, V_{n+1}, x_n, p)
//! Dx_0     = start . (V_0, p)
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::quantity::elements;
use super::state::state_elements;
use super::{Quantity, Refused, Region, RegionIon, Step, When};
use crate::diagnostic::Diagnostic;
use crate::graph::{Graph, Id, Input};
use crate::model::{Kind, Role, Visibility};

/// The coefficients of one linear form; zeros are left out.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub v_before: Option<Id>,
    pub v_after: Option<Id>,
    /// By index into [`Linearised::states`].
    pub states: Vec<(usize, Id)>,
    /// By index into [`Linearised::parameters`].
    pub parameters: Vec<(usize, Id)>,
}

impl Row {
    pub fn coefficients(&self) -> Vec<Id> {
        let voltages = self.v_before.into_iter().chain(self.v_after);
        let rest = self.states.iter().chain(&self.parameters).map(|(_, id)| *id);
        voltages.chain(rest).collect()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StateKind {
    /// A variable of mechanism `0`
    Variable(usize, String),
    /// A concentration
    Ion(String),
}

/// Something that the step carries on from `t_n` to `t_{n+1}`.
#[derive(Clone, Debug)]
pub struct State {
    pub kind: StateKind,
    /// NEURON's name, `m_hh`
    pub public: String,
    pub row: Row,
    pub start: Row,
    /// The values at the end of a step and after INITIAL, if NEURON does not show them.
    pub own: Option<(Id, Id)>,
}

#[derive(Clone, Debug)]
pub struct Parameter {
    /// NEURON's name, `gnabar_hh`
    pub public: String,
    pub scope: &'static str,
}

/// A region's step with its derivatives.
#[derive(Debug)]
pub struct Linearised {
    pub region: Region,
    pub graph: Graph,
    pub quantities: BTreeMap<Input, Quantity>,
    pub ions: Vec<RegionIon>,
    /// `d`
    pub conductance: Id,
    /// `S`
    pub source: Row,
    pub states: Vec<State>,
    pub parameters: Vec<Parameter>,
}

struct Candidate {
    kind: StateKind,
    input: Input,
    after: Id,
    start: Id,
}

/// Differentiates the step of a region with respect to the voltage, the states
/// and those parameters whose public names are wanted.
pub fn linearise(
    region: &Region,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Linearised, Refused> {
    refuse_point_process(region)?;
    let mut step = Step::new(region);
    let start = step.start()?;
    let rise = step.read(Quantity::Rise, "rise");
    let membrane = step.currents(rise)?;
    step.states()?;

    let (dynamic, constant) = step.candidates(&start);
    let mut roots = vec![membrane.current, membrane.conductance];
    let chosen = step.carried(dynamic, &mut roots);
    roots.extend(chosen.iter().map(|candidate| candidate.start));
    let parameters = step.parameters(&roots, &constant, wanted);

    let order = Order {
        states: chosen.iter().map(|candidate| candidate.input).collect(),
        parameters: parameters.iter().map(|(input, _)| *input).collect(),
    };
    let mut source = step.row(membrane.current, &order);
    step.without_conductance(&mut source, membrane.current, membrane.conductance);
    let mut states = Vec::new();
    for candidate in &chosen {
        let row = step.row(candidate.after, &order);
        let start = Row { states: Vec::new(), v_after: None, ..step.row(candidate.start, &order) };
        step.refuse_shared(states.len(), candidate, (&row, &start))?;
        states.push(State {
            public: step.public_name(&candidate.kind),
            own: step.is_hidden(&candidate.kind).then_some((candidate.after, candidate.start)),
            kind: candidate.kind.clone(),
            row,
            start,
        });
    }
    let mut parameters: Vec<Parameter> =
        parameters.into_iter().map(|(_, parameter)| parameter).collect();
    if region.kind() == Kind::Density && wanted("cm") {
        let capacitive = step.capacitive_current(rise);
        source.parameters.push((parameters.len(), capacitive));
        parameters.push(Parameter { public: "cm".to_owned(), scope: "cable" });
    }
    Ok(Linearised {
        region: region.clone(),
        graph: step.graph,
        quantities: step.quantities,
        ions: step.ions,
        conductance: membrane.conductance,
        source,
        states,
        parameters,
    })
}

/// A point process may act on the voltage only: an ionic current would reach
/// pools, which are another region's, and states are not compared with differences yet.
fn refuse_point_process(region: &Region) -> Result<(), Refused> {
    let Some(mechanism) = region.mechanisms.first().filter(|first| first.kind == Kind::Point) else {
        return Ok(());
    };
    let (code, span, what) = if let Some(ion) = mechanism.ions.first() {
        ("point-ion", ion.span, format!("uses the ion `{}`", ion.name))
    } else if let Some(state) = mechanism.states.first() {
        let span = mechanism.variable(state).map_or(mechanism.span, |variable| variable.span);
        ("point-state", span, format!("has the state `{state}`"))
    } else {
        return Ok(());
    };
    let message = format!("a point process that {what} is not differentiated");
    Err(Refused { mechanism: 0, diagnostic: Diagnostic::refusal(code, span, message) })
}

/// The inputs that rows refer to, in their order.
struct Order {
    states: Vec<Input>,
    parameters: Vec<Input>,
}

impl Step<'_> {
    /// Variables that code changes, and the inputs of those that none does.
    fn candidates(&mut self, start: &super::initial::Start) -> (Vec<Candidate>, BTreeSet<Input>) {
        let mut dynamic = Vec::new();
        let mut constant = BTreeSet::new();
        let region = self.region;
        for (index, mechanism) in region.mechanisms.iter().enumerate() {
            for variable in mechanism.variables.values() {
                let is_ion = mechanism.ions.iter().any(|ion| ion.uses(&variable.name));
                if is_ion || matches!(variable.role, Role::Constant(_) | Role::Factor) {
                    continue;
                }
                for name in elements(variable) {
                    let input = self.variable(index, &name, When::Before);
                    let before = self.graph.read(input);
                    let after = self.values[index][&name];
                    let start = start.values[index][&name];
                    if after == before && start == before {
                        constant.insert(input);
                    } else {
                        let kind = StateKind::Variable(index, name);
                        dynamic.push(Candidate { kind, input, after, start });
                    }
                }
            }
        }
        for ion in self.ions.clone() {
            for name in &ion.concentrations {
                let input = self.input(Quantity::Ion(name.clone(), When::Before), String::new());
                if ion.written.contains(name) {
                    dynamic.push(Candidate {
                        kind: StateKind::Ion(name.clone()),
                        input,
                        after: self.ion_values[name],
                        start: start.ions[name],
                    });
                } else {
                    constant.insert(input);
                }
            }
        }
        (dynamic, constant)
    }

    /// All STATEs and concentrations, and whatever else reaches the next step.
    fn carried(&mut self, dynamic: Vec<Candidate>, roots: &mut Vec<Id>) -> Vec<Candidate> {
        let (mut chosen, mut others): (Vec<_>, Vec<_>) =
            dynamic.into_iter().partition(|candidate| self.is_state(&candidate.kind));
        roots.extend(chosen.iter().map(|candidate| candidate.after));
        loop {
            let reached = self.graph.reachable_inputs(roots, true);
            let (new, rest): (Vec<_>, Vec<_>) =
                others.into_iter().partition(|candidate| reached.contains(&candidate.input));
            others = rest;
            if new.is_empty() {
                return chosen;
            }
            roots.extend(new.iter().map(|candidate| candidate.after));
            chosen.extend(new);
        }
    }

    fn is_state(&self, kind: &StateKind) -> bool {
        match kind {
            StateKind::Variable(index, name) => {
                state_elements(&self.region.mechanisms[*index]).contains(name)
            }
            StateKind::Ion(_) => true,
        }
    }

    /// The constant inputs that the roots depend on and that have a public name.
    fn parameters(
        &self,
        roots: &[Id],
        constant: &BTreeSet<Input>,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Vec<(Input, Parameter)> {
        let reached = self.graph.reachable_inputs(roots, true);
        let mut parameters = Vec::new();
        for input in reached {
            let Some((public, scope)) = self.as_parameter(input, constant) else { continue };
            if wanted(&public) {
                parameters.push((input, Parameter { public, scope }));
            }
        }
        parameters.sort_by(|(_, a), (_, b)| (a.scope, &a.public).cmp(&(b.scope, &b.public)));
        parameters
    }

    fn as_parameter(
        &self,
        input: Input,
        constant: &BTreeSet<Input>,
    ) -> Option<(String, &'static str)> {
        match self.quantities.get(&input)? {
            Quantity::Variable(index, name, When::Before) if constant.contains(&input) => {
                let mechanism = &self.region.mechanisms[*index];
                let plain = name.split('[').next().unwrap_or(name);
                let public = match name.split_once('[') {
                    None => mechanism.public_name(name),
                    Some((plain, rest)) => format!("{}[{rest}", mechanism.public_name(plain)),
                };
                match mechanism.variable(plain)?.visibility {
                    Visibility::Range => Some((public, "range")),
                    Visibility::Global => Some((public, "global")),
                    Visibility::Hidden | Visibility::File => None,
                }
            }
            Quantity::Ion(name, When::Before) => {
                let fixed = |ion: &RegionIon| {
                    ion.ion.current() == *name || ion.written.contains(name)
                };
                (!self.ions.iter().any(fixed)).then(|| (name.clone(), "ion"))
            }
            Quantity::InitialConcentration(name) => Some((name.clone(), "global")),
            Quantity::Celsius => Some(("celsius".to_owned(), "global")),
            _ => None,
        }
    }

    fn row(&mut self, of: Id, order: &Order) -> Row {
        let (v_before, v_after) = (self.v_before, self.v_after);
        let mut row = Row {
            v_before: self.nonzero(of, v_before),
            v_after: self.nonzero(of, v_after),
            ..Row::default()
        };
        for (index, input) in order.states.iter().enumerate() {
            row.states.extend(self.nonzero(of, *input).map(|id| (index, id)));
        }
        for (index, input) in order.parameters.iter().enumerate() {
            row.parameters.extend(self.nonzero(of, *input).map(|id| (index, id)));
        }
        row
    }

    fn nonzero(&mut self, of: Id, by: Input) -> Option<Id> {
        let derivative = self.derivative(of, by);
        (!self.graph.is_zero(derivative)).then_some(derivative)
    }

    /// The cable's own current is `d W`, so `S` holds `dJ/dV - d`: nothing for
    /// a current that is linear in the voltage.
    fn without_conductance(&mut self, source: &mut Row, current: Id, conductance: Id) {
        let slope = self.derivative(current, self.v_before);
        let rest = self.graph.sub(slope, conductance);
        source.v_before = (!self.graph.is_zero(rest)).then_some(rest);
    }

    /// `1e-3 (V_{n+1} - V_n) / dt`: mA/cm2 per uF/cm2.
    fn capacitive_current(&mut self, rise: Id) -> Id {
        let scale = self.graph.number(1e-3);
        let per_step = self.graph.div(rise, self.dt);
        self.graph.mul(scale, per_step)
    }

    fn public_name(&self, kind: &StateKind) -> String {
        match kind {
            StateKind::Ion(name) => name.clone(),
            StateKind::Variable(index, name) => {
                let mechanism = &self.region.mechanisms[*index];
                match name.split_once('[') {
                    None => mechanism.public_name(name),
                    Some((plain, rest)) => format!("{}[{rest}", mechanism.public_name(plain)),
                }
            }
        }
    }

    fn visibility(&self, kind: &StateKind) -> Visibility {
        match kind {
            StateKind::Ion(_) => Visibility::Range,
            StateKind::Variable(index, name) => {
                let plain = name.split('[').next().unwrap_or(name);
                self.region.mechanisms[*index]
                    .variable(plain)
                    .map_or(Visibility::Hidden, |variable| variable.visibility)
            }
        }
    }

    fn is_hidden(&self, kind: &StateKind) -> bool {
        matches!(self.visibility(kind), Visibility::Hidden | Visibility::File)
    }

    /// One memory for all segments can't carry what differs between them.
    fn refuse_shared(
        &self,
        own: usize,
        candidate: &Candidate,
        (row, start): (&Row, &Row),
    ) -> Result<(), Refused> {
        let StateKind::Variable(index, name) = &candidate.kind else { return Ok(()) };
        let is_shared =
            matches!(self.visibility(&candidate.kind), Visibility::File | Visibility::Global);
        let differs = row.v_before.is_some()
            || row.v_after.is_some()
            || start.v_before.is_some()
            || row.states.iter().any(|(state, _)| *state != own);
        if !(is_shared && differs) {
            return Ok(());
        }
        let mechanism = &self.region.mechanisms[*index];
        let span = mechanism
            .variable(name.split('[').next().unwrap_or(name))
            .map_or(mechanism.span, |variable| variable.span);
        let message = format!(
            "`{name}` is one variable for all segments, and its value is used before it is set anew"
        );
        let diagnostic = Diagnostic::refusal("shared-memory", span, message)
            .label("each segment leaves its value to the next one")
            .help("make it RANGE, or set it wherever it is used");
        Err(Refused { mechanism: *index, diagnostic })
    }
}
