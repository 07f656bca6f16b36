//! The gradient mechanism of one region.

use std::collections::BTreeSet;

use minijinja::Environment;
use serde::Serialize;

use super::code::Code;
use super::manifest::{
    IonManifest, ParameterManifest, PointerManifest, ProceduresManifest, RegionManifest,
    StateManifest,
};
use super::sources::{own_element, Sources};
use super::{lines, EmitError, File, UNNAMED};
use crate::graph::{Id, Input};
use crate::model::Kind;
use crate::step::{emitted_name, Linearised, Quantity, Row, StateKind};

/// The conductance that holds a gradient cable still in its first step, S/cm2 or uS.
const HOLD: &str = "1e12";

#[derive(Serialize)]
struct Context {
    name: String,
    kind: &'static str,
    region: String,
    mechanisms: Vec<String>,
    directions: usize,
    last: usize,
    current_unit: &'static str,
    conductance_unit: &'static str,
    hold: &'static str,
    ions: Vec<UseIon>,
    range: Vec<String>,
    pointers: Vec<String>,
    pointer_notes: Vec<PointerManifest>,
    parameter_notes: Vec<ParameterManifest>,
    state_notes: Vec<StateManifest>,
    units: Vec<String>,
    settings: Vec<Setting>,
    assigned: Vec<String>,
    now: Vec<(String, String)>,
    first: Procedure,
    linearise: Procedure,
    next_states: Procedure,
    read_cables: Vec<String>,
    remember: Vec<String>,
    functions: Vec<&'static str>,
}

#[derive(Serialize)]
struct UseIon {
    ion: String,
    read: String,
}

#[derive(Serialize)]
struct Setting {
    name: String,
    default: String,
}

#[derive(Serialize)]
struct Procedure {
    locals: String,
    code: Vec<String>,
    in_loop: Vec<String>,
}

pub(super) fn render(
    environment: &Environment,
    linearised: &Linearised,
    directions: usize,
) -> Result<(File, RegionManifest), EmitError> {
    let writer = Writer::new(linearised, directions);
    let context = writer.context()?;
    let text = environment
        .get_template("region.mod")?
        .render(minijinja::value::Value::from_serialize(&context))?;
    let suffix = context.name.clone();
    let file = format!("{suffix}.mod");
    let manifest = writer.manifest(context, suffix, file.clone());
    Ok((File { name: file, text }, manifest))
}

struct Writer<'a> {
    linearised: &'a Linearised,
    directions: usize,
    sources: Sources<'a>,
    step_inputs: BTreeSet<Input>,
    start_inputs: BTreeSet<Input>,
    step_roots: Vec<Id>,
    start_roots: Vec<Id>,
    /// The gradient array of each state, `D_hh_m`.
    gradients: Vec<String>,
}

impl<'a> Writer<'a> {
    fn new(linearised: &'a Linearised, directions: usize) -> Self {
        let mut step_roots = vec![linearised.conductance];
        step_roots.extend(linearised.source.coefficients());
        let mut start_roots = Vec::new();
        for state in &linearised.states {
            step_roots.extend(state.row.coefficients());
            start_roots.extend(state.start.coefficients());
            if let Some((after, start)) = state.own {
                step_roots.push(after);
                start_roots.push(start);
            }
        }
        let step_inputs = linearised.graph.reachable_inputs(&step_roots, false);
        let start_inputs = linearised.graph.reachable_inputs(&start_roots, false);
        let all = step_inputs.union(&start_inputs).copied().collect();
        let gradients = linearised.states.iter().map(|state| gradient_name(linearised, &state.kind));
        Self {
            linearised,
            directions,
            sources: Sources::new(linearised, &all),
            step_inputs,
            start_inputs,
            step_roots,
            start_roots,
            gradients: gradients.collect(),
        }
    }

    fn context(&self) -> Result<Context, EmitError> {
        let linearised = self.linearised;
        let is_density = linearised.region.kind() == Kind::Density;
        let step = Code::new(&linearised.graph, &self.step_roots);
        let start = Code::new(&linearised.graph, &self.start_roots);
        let mut functions = step.functions(&self.step_roots);
        functions.extend(start.functions(&self.start_roots));
        let (linearise, next_states) = self.linearise(&step);
        let settings = self.settings();
        let now: Vec<(String, String)> =
            self.sources.now.iter().map(|now| (now.name.clone(), now.source.clone())).collect();
        let mut range: Vec<String> =
            ["d", "S", "flag"].map(str::to_owned).to_vec();
        range.extend(settings.iter().map(|setting| setting.name.clone()));
        range.extend(now.iter().map(|(name, _)| name.clone()));
        range.extend(self.gradients.iter().cloned());
        range.extend(self.seeds());
        let mut pointers: Vec<String> = (0..self.directions).map(cable_pointer).collect();
        pointers.extend(self.sources.pointers.iter().map(|pointer| pointer.name.clone()));
        self.refuse_clash(range.iter().chain(&pointers))?;
        Ok(Context {
            name: format!("gm_{}_{UNNAMED}", linearised.region.name),
            kind: if is_density { "SUFFIX" } else { "POINT_PROCESS" },
            region: linearised.region.name.clone(),
            mechanisms: self.mechanism_names(),
            directions: self.directions,
            last: self.directions - 1,
            current_unit: if is_density { "mA/cm2" } else { "nA" },
            conductance_unit: if is_density { "S/cm2" } else { "uS" },
            hold: HOLD,
            ions: self.use_ions(),
            range: lines::list("RANGE", &range),
            pointers: lines::list("POINTER", &pointers),
            pointer_notes: self.sources.pointers.clone(),
            parameter_notes: self.parameters(),
            state_notes: self.states(),
            units: self.units(),
            settings,
            assigned: self.assigned(),
            now,
            first: self.first(&start),
            linearise,
            next_states,
            read_cables: (0..self.directions)
                .map(|k| format!("W_new[{k}] = {}", cable_pointer(k)))
                .collect(),
            remember: self.sources.remember_statements(),
            functions: functions.into_iter().collect(),
        })
    }

    fn first(&self, code: &Code) -> Procedure {
        let (mut locals, mut body) = self.sources.load(&self.start_inputs, true);
        locals.extend(code.locals());
        body.extend(code.statements());
        let mut in_loop = Vec::new();
        for (state, gradient) in self.linearised.states.iter().zip(&self.gradients) {
            if let Some((_, start)) = state.own {
                body.push(format!("{} = {}", own_element(self.linearised, &state.kind), code.value(start)));
            }
            let voltage = state.start.v_before.map(|id| (id, "W".to_owned()));
            let parameters = state.start.parameters.iter().map(|(index, id)| (*id, self.seed(*index)));
            let terms: Vec<String> = voltage
                .into_iter()
                .chain(parameters)
                .map(|(id, name)| product(&code.factor(id), &format!("{name}[k]")))
                .collect();
            in_loop.extend(lines::sum(&format!("{gradient}[k]"), &terms));
        }
        Procedure { locals: locals_statement(&locals), code: body, in_loop }
    }

    /// The procedures that make the coefficients of a step and use them.
    fn linearise(&self, code: &Code) -> (Procedure, Procedure) {
        let linearised = self.linearised;
        let (mut locals, mut body) = self.sources.load(&self.step_inputs, false);
        locals.extend(code.locals());
        body.extend(code.statements());
        body.push(format!("d = {}", code.value(linearised.conductance)));
        for state in &linearised.states {
            if let Some((after, _)) = state.own {
                body.push(format!("{} = {}", own_element(linearised, &state.kind), code.value(after)));
            }
        }
        let mut stored = 0;
        let mut store = |id: Id, body: &mut Vec<String>| {
            if linearised.graph.as_number(id).is_some() {
                return code.factor(id);
            }
            body.push(format!("c[{stored}] = {}", code.value(id)));
            stored += 1;
            format!("c[{}]", stored - 1)
        };
        let mut updates = Vec::new();
        let mut copies = Vec::new();
        for (index, (state, gradient)) in linearised.states.iter().zip(&self.gradients).enumerate() {
            let mut terms = Vec::new();
            for (other, id) in &state.row.states {
                let coefficient = store(*id, &mut body);
                terms.push(product(&coefficient, &format!("{}[k]", self.gradients[*other])));
            }
            if let Some(id) = state.row.v_after {
                terms.push(product(&store(id, &mut body), "W_new[k]"));
            }
            if let Some(id) = state.row.v_before {
                terms.push(product(&store(id, &mut body), "W[k]"));
            }
            for (parameter, id) in &state.row.parameters {
                let coefficient = store(*id, &mut body);
                terms.push(product(&coefficient, &format!("{}[k]", self.seed(*parameter))));
            }
            updates.extend(lines::sum(&format!("y{index}"), &terms));
            copies.push(format!("{gradient}[k] = y{index}"));
        }
        let mut terms = Vec::new();
        let row = &linearised.source;
        let gradients = row.states.iter().map(|(state, id)| (self.gradients[*state].clone(), *id));
        let voltage = row.v_before.map(|id| ("W".to_owned(), id));
        let parameters = row.parameters.iter().map(|(index, id)| (self.seed(*index), *id));
        for (index, (name, id)) in gradients.chain(voltage).chain(parameters).enumerate() {
            let coefficient = format!("s{index}");
            body.push(format!("{coefficient} = {}", code.value(id)));
            terms.push(format!("{coefficient}*{name}[k]"));
            locals.push(coefficient);
        }
        let source = lines::sum("S[k]", &terms);
        let ys: Vec<String> = (0..linearised.states.len()).map(|index| format!("y{index}")).collect();
        updates.extend(copies);
        (
            Procedure { locals: locals_statement(&locals), code: body, in_loop: source },
            Procedure { locals: locals_statement(&ys), code: Vec::new(), in_loop: updates },
        )
    }

    fn stored_coefficients(&self) -> usize {
        let count = |row: &Row| {
            let voltages = row.v_before.into_iter().chain(row.v_after);
            voltages
                .chain(row.states.iter().chain(&row.parameters).map(|(_, id)| *id))
                .filter(|id| self.linearised.graph.as_number(*id).is_none())
                .count()
        };
        self.linearised.states.iter().map(|state| count(&state.row)).sum()
    }

    fn assigned(&self) -> Vec<String> {
        let k = self.directions;
        let own = self.linearised.states.iter().filter(|state| state.own.is_some()).count();
        let mut names = vec![
            "v (mV)".to_owned(),
            "d".to_owned(),
            format!("S[{k}]"),
            format!("W[{k}]"),
            format!("W_new[{k}]"),
            format!("was[{}]", self.sources.memory_size()),
            format!("c[{}]", self.stored_coefficients().max(1)),
            format!("own[{}]", own.max(1)),
            "flag".to_owned(),
            "fresh".to_owned(),
            "step_index".to_owned(),
            "t_start (ms)".to_owned(),
            "dt_start (ms)".to_owned(),
            "dt (ms)".to_owned(),
        ];
        for gradient in &self.gradients {
            names.push(format!("{gradient}[{k}]"));
        }
        names.extend(self.seeds().iter().map(|seed| format!("{seed}[{k}]")));
        names.extend(self.sources.now.iter().map(|now| now.name.clone()));
        names.extend(self.use_ions().into_iter().flat_map(|ion| {
            ion.read.split(", ").map(str::to_owned).collect::<Vec<_>>()
        }));
        names.extend((0..k).map(cable_pointer));
        names.extend(self.sources.pointers.iter().map(|pointer| pointer.name.clone()));
        for (input, name) in [(Quantity::Celsius, "celsius (degC)"), (Quantity::Area, "area (micron2)"), (Quantity::Diameter, "diam (micron)")] {
            if self.inputs().any(|known| self.linearised.quantities[&known] == input) {
                names.push(name.to_owned());
            }
        }
        names
    }

    fn inputs(&self) -> impl Iterator<Item = Input> + '_ {
        self.step_inputs.union(&self.start_inputs).copied()
    }

    fn settings(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        for mechanism in self.linearised.region.mechanisms.iter().filter(|_| self.linearised.region.switched) {
            settings.push(Setting { name: format!("has_{}", mechanism.name), default: "0".to_owned() });
        }
        for ion in self.linearised.ions.iter().filter(|ion| !ion.concentrations.is_empty()) {
            let valence = ion.ion.valence.unwrap_or(match ion.ion.name.as_str() {
                "ca" => 2.0,
                _ => 1.0,
            });
            let names = [ion.nernst(), ion.nernst_init(), ion.conc_init()];
            settings.extend(names.map(|name| Setting { name, default: "0".to_owned() }));
            settings.push(Setting { name: ion.valence(), default: format!("{valence}") });
        }
        settings
    }

    fn use_ions(&self) -> Vec<UseIon> {
        let mut ions = Vec::new();
        for ion in &self.linearised.ions {
            let own = [ion.ion.reversal(), ion.ion.inside(), ion.ion.outside(), ion.ion.current()];
            let read: Vec<String> = own
                .into_iter()
                .filter(|name| self.sources.now.iter().any(|now| now.source == *name))
                .collect();
            if !read.is_empty() {
                ions.push(UseIon { ion: ion.ion.name.clone(), read: read.join(", ") });
            }
        }
        ions
    }

    fn units(&self) -> Vec<String> {
        let factors = self.inputs().filter_map(|input| match &self.linearised.quantities[&input] {
            Quantity::Factor(mechanism, name) => {
                let text = self.linearised.region.mechanisms[*mechanism].units.get(name)?;
                Some(format!("{} = {text}", self.linearised.graph.input_name(input)))
            }
            _ => None,
        });
        factors.collect()
    }

    fn mechanism_names(&self) -> Vec<String> {
        self.linearised.region.mechanisms.iter().map(|mechanism| mechanism.name.clone()).collect()
    }

    fn parameters(&self) -> Vec<ParameterManifest> {
        let parameters = self.linearised.parameters.iter().enumerate();
        parameters
            .map(|(index, parameter)| ParameterManifest {
                name: parameter.public.clone(),
                seed: self.seed(index),
                scope: parameter.scope,
            })
            .collect()
    }

    /// The array that says how much each direction changes a parameter, `w_gnabar_hh`.
    fn seed(&self, parameter: usize) -> String {
        let public = &self.linearised.parameters[parameter].public;
        let plain: String = public
            .chars()
            .filter(|c| *c != ']')
            .map(|c| if c == '[' || c == '.' { '_' } else { c })
            .collect();
        format!("w_{plain}")
    }

    fn seeds(&self) -> Vec<String> {
        (0..self.linearised.parameters.len()).map(|index| self.seed(index)).collect()
    }

    fn states(&self) -> Vec<StateManifest> {
        let states = self.linearised.states.iter().zip(&self.gradients);
        states
            .map(|(state, gradient)| StateManifest {
                name: state.public.clone(),
                gradient: gradient.clone(),
            })
            .collect()
    }

    fn refuse_clash<'b>(&self, names: impl Iterator<Item = &'b String>) -> Result<(), EmitError> {
        let mut seen = BTreeSet::new();
        for name in names {
            if !seen.insert(name) {
                let region = self.linearised.region.name.clone();
                return Err(EmitError::NameClash { region, name: name.clone() });
            }
        }
        Ok(())
    }

    fn manifest(&self, context: Context, suffix: String, file: String) -> RegionManifest {
        let region = &self.linearised.region;
        let switches = region.mechanisms.iter().filter(|_| region.switched);
        RegionManifest {
            name: region.name.clone(),
            suffix,
            file,
            kind: if region.kind() == Kind::Density { "density" } else { "point" },
            mechanisms: context.mechanisms,
            switches: switches.map(|mechanism| format!("has_{}", mechanism.name)).collect(),
            pointers: context.pointer_notes,
            cable_pointers: (0..self.directions).map(cable_pointer).collect(),
            conductance: "d",
            source: "S",
            parameters: context.parameter_notes,
            states: context.state_notes,
            now: self.sources.now.clone(),
            ions: self
                .linearised
                .ions
                .iter()
                .filter(|ion| !ion.concentrations.is_empty())
                .map(|ion| IonManifest {
                    ion: ion.ion.name.clone(),
                    nernst: ion.nernst(),
                    nernst_init: ion.nernst_init(),
                    conc_init: ion.conc_init(),
                    valence: ion.valence(),
                    written: ion.written.clone(),
                })
                .collect(),
            procedures: ProceduresManifest { advance: "advance", states: "next_states" },
        }
    }
}

fn cable_pointer(direction: usize) -> String {
    format!("W{direction}")
}

fn gradient_name(linearised: &Linearised, kind: &StateKind) -> String {
    match kind {
        StateKind::Ion(name) => format!("D_{name}"),
        StateKind::Variable(mechanism, name) => {
            format!("D_{}", emitted_name(&linearised.region.mechanisms[*mechanism], name))
        }
    }
}

fn product(coefficient: &str, variable: &str) -> String {
    if coefficient == "1" {
        variable.to_owned()
    } else {
        format!("{coefficient}*{variable}")
    }
}

fn locals_statement(names: &[String]) -> String {
    if names.is_empty() {
        String::new()
    } else {
        format!("LOCAL {}", lines::one_list(names))
    }
}
