//! The variables of a mechanism, as a step finds them.

use super::array::whole_arrays;
use crate::model::{Role, Variable, Visibility};
use crate::step::{Quantity, Step, When};
use crate::trace::{FAILED, USETABLE, Values};

impl Step<'_> {
    /// Every declared variable of a mechanism with its value before the step.
    pub(in crate::step) fn declared(&mut self, index: usize, whole: bool) -> Values {
        let region = self.region;
        let mechanism = &region.mechanisms[index];
        let mut values = Values::new();
        let arrays = if whole { whole_arrays(mechanism) } else { Vec::new() };
        for (name, length) in &arrays {
            let array = self.new_array(index, name, *length);
            values.insert(name.clone(), self.graph.read(array));
        }
        for variable in mechanism.variables.values() {
            if self.is_whole(&variable.name) {
                continue;
            }
            match variable.role {
                Role::Constant(value) => {
                    values.insert(variable.name.clone(), self.graph.number(value));
                }
                Role::Factor => {
                    let name = self.names.of(index, &variable.name).to_owned();
                    let input = self.input(Quantity::Factor(index, variable.name.clone()), name);
                    self.constants.insert_fixed(input);
                    values.insert(variable.name.clone(), self.graph.read(input));
                }
                Role::Pointed => {
                    let input = self.pointed(index, &variable.name, When::Before);
                    values.insert(variable.name.clone(), self.graph.read(input));
                }
                _ => {
                    for name in variable.elements() {
                        let input = self.variable(index, &name, When::Before);
                        if is_constant_in_tables(variable) {
                            self.constants.insert(input);
                        } else if variable.role == Role::Parameter {
                            self.constants.insert_range(input);
                        }
                        values.insert(name, self.graph.read(input));
                    }
                }
            }
        }
        let usetable = self.input(Quantity::UseTable(index), format!("{}_usetable", mechanism.name));
        // Wherever a table is filled or used it is not 0.
        self.constants.insert_fixed(usetable);
        values.insert(USETABLE.to_owned(), self.graph.read(usetable));
        let zero = self.graph.number(0.0);
        values.insert(FAILED.to_owned(), zero);
        values.insert("celsius".to_owned(), self.celsius);
        values.insert("dt".to_owned(), self.dt);
        let [area, diameter] = if self.region.has_size() { ["area", "diam"] } else { ["area_here", "diam_here"] };
        values.insert("area".to_owned(), self.read(Quantity::Area, area));
        values.insert("diam".to_owned(), self.read(Quantity::Diameter, diameter));
        values
    }
}

fn is_constant_in_tables(variable: &Variable) -> bool {
    matches!(variable.visibility, Visibility::Global | Visibility::External)
        && matches!(variable.role, Role::Parameter | Role::Assigned)
}
