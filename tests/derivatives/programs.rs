//! Programs made at random, as text: the same seed makes the same bytes.

/// Random numbers (splitmix64).
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        // Mixed: neighbouring seeds must not make streams that are one shifted by the other.
        let mut first = Self(seed ^ 0x1234_5678_9ABC_DEF1);
        first.next();
        Self(first.next().wrapping_mul(0x2545_F491_4F6C_DD1D))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count as u64).unwrap_or(0)
    }

    fn of(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn one<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    /// A number of three digits from -2 to 2, or a special one.
    pub fn number(&mut self) -> f64 {
        match self.below(12) {
            0 => 0.0,
            1 => 1.0,
            2 => -1.0,
            3 => 2.0,
            4 => 0.5,
            // below(4001) is exact in an f64
            #[allow(clippy::cast_precision_loss)]
            _ => (self.below(4001) as f64 - 2000.0) / 1000.0,
        }
    }
}

/// How many of each there are. Inputs are all `p` and `a`; `b` has three elements.
pub const PARAMETERS: usize = 3;
pub const ASSIGNED: usize = 3;

/// Code while it is written.
struct Writer<'a> {
    chance: &'a mut Chance,
    text: String,
    /// What may be read, and what may be set.
    readable: Vec<String>,
    writable: Vec<String>,
    /// FUNCTIONs with their numbers of arguments, and PROCEDUREs, that may be called.
    functions: Vec<(String, usize)>,
    procedures: Vec<String>,
    loops: usize,
}

/// A file with a PROCEDURE `run`.
pub fn program(seed: u64) -> String {
    let mut chance = Chance::new(seed);
    let mut text = "NEURON { SUFFIX made }\nPARAMETER { p0 p1 p2 }\nASSIGNED { a0 a1 a2 b[3] }\n".to_owned();
    let globals: Vec<String> = (0..PARAMETERS).map(|i| format!("p{i}")).chain(assigned()).collect();
    let (mut functions, mut procedures) = (Vec::new(), Vec::new());
    for index in 0..chance.below(4) {
        let name = format!("f{index}");
        let count = chance.below(3);
        let arguments: Vec<String> =
            (0..count).map(|i| if chance.of(15) { format!("p{i}") } else { format!("x{i}") }).collect();
        let mut readable = globals.clone();
        readable.extend(arguments.iter().cloned());
        let mut writable = arguments.clone();
        writable.push(name.clone());
        if chance.of(25) {
            writable.push(format!("a{}", chance.below(ASSIGNED)));
        }
        let mut writer = Writer {
            chance: &mut chance,
            text: String::new(),
            readable,
            writable,
            functions: functions.clone(),
            procedures: procedures.clone(),
            loops: 0,
        };
        writer.locals();
        writer.statements(1, 2);
        writer.assign(&name);
        let body = writer.text;
        text += &format!("FUNCTION {name}({}) {{\n{body}}}\n", arguments.join(", "));
        functions.push((name, count));
    }
    for (name, count) in [("g0", 2), ("run", 5)] {
        let mut writer = Writer {
            chance: &mut chance,
            text: String::new(),
            readable: globals.clone(),
            writable: assigned().collect(),
            functions: functions.clone(),
            procedures: procedures.clone(),
            loops: 0,
        };
        writer.locals();
        writer.statements(3, count);
        let body = writer.text;
        text += &format!("PROCEDURE {name}() {{\n{body}}}\n");
        procedures.push(name.to_owned());
    }
    text
}

fn assigned() -> impl Iterator<Item = String> {
    (0..ASSIGNED).map(|i| format!("a{i}")).chain((0..3).map(|i| format!("b[{i}]")))
}

impl Writer<'_> {
    /// LOCALs, some of which shadow; each gets a value.
    fn locals(&mut self) {
        if !self.chance.of(40) {
            return;
        }
        let mut names = vec![self.chance.one(&["y", "z", "p0", "p1", "a0", "a1"]).to_owned()];
        if self.chance.of(40) {
            names.push("w".to_owned());
        }
        self.text += &format!("LOCAL {}\n", names.join(", "));
        for name in names {
            // It is 0 until it has a value, and can't be seen before.
            let hidden = self.readable.clone();
            self.readable.retain(|known| *known != name);
            let value = self.expression(2);
            self.readable = hidden;
            self.text += &format!("{name} = {value}\n");
            self.readable.push(name.clone());
            self.writable.push(name);
        }
    }

    fn statements(&mut self, depth: usize, most: usize) {
        for _ in 0..=self.chance.below(most + 1) {
            self.statement(depth);
        }
    }

    fn assign(&mut self, name: &str) {
        let value = self.expression(3);
        self.text += &format!("{name} = {value}\n");
    }

    fn target(&mut self) -> String {
        let index = self.chance.below(self.writable.len());
        self.writable[index].clone()
    }

    fn statement(&mut self, depth: usize) {
        let kind = if depth == 0 { 0 } else { self.chance.below(12) };
        match kind {
            4..=6 => {
                let condition = self.condition(2);
                self.text += &format!("IF ({condition}) {{\n");
                self.inner(depth);
                self.text += "}\n";
                if self.chance.of(25) {
                    let condition = self.condition(1);
                    self.text += &format!("ELSE IF ({condition}) {{\n");
                    self.inner(depth);
                    self.text += "}\n";
                }
                if self.chance.of(60) {
                    self.text += "ELSE {\n";
                    self.inner(depth);
                    self.text += "}\n";
                }
            }
            7 if self.loops < 2 => {
                self.loops += 1;
                let name = format!("i{}", self.loops);
                let last = if self.chance.of(50) { self.chance.below(4).to_string() } else { self.bound() };
                self.text += &format!("FROM {name} = {} TO {last} {{\n", self.chance.below(2));
                self.readable.push(name);
                self.inner(depth);
                self.readable.pop();
                self.text += "}\n";
                self.loops -= 1;
            }
            8 if self.loops == 0 => {
                self.loops += 2;
                let (name, other) = (self.target(), self.expression(1));
                self.text += &format!("{name} = 0.3\nWHILE ({name} < {}) {{\n", self.chance.below(3));
                let keep = self.writable.clone();
                self.writable.retain(|known| *known != name);
                if !self.writable.is_empty() {
                    self.inner(0);
                }
                self.writable = keep;
                self.text += &format!("{name} = {name} + 0.6 + 0.1*fabs({other})\n}}\n");
                self.loops -= 2;
            }
            9 => {
                let name = self.procedures.last().cloned();
                if let Some(name) = name {
                    self.text += &format!("{name}()\n");
                }
            }
            10 if self.writable.iter().any(|name| name == "b[0]") => {
                let (index, value) = (self.bound(), self.expression(2));
                self.text += &format!("b[{index}] = {value}\n");
            }
            _ => {
                let name = self.target();
                self.assign(&name);
            }
        }
    }

    /// Statements of an arm or a round, with LOCALs of their own.
    fn inner(&mut self, depth: usize) {
        let before = (self.readable.clone(), self.writable.clone());
        if self.chance.of(20) {
            self.locals();
        }
        self.statements(depth.saturating_sub(1), 1);
        (self.readable, self.writable) = before;
    }

    /// A whole number from 0 to 2, or what is cut off to one.
    fn bound(&mut self) -> String {
        let name = format!("p{}", self.chance.below(PARAMETERS));
        if self.chance.of(60) && self.readable.contains(&name) { name } else { self.chance.below(3).to_string() }
    }

    fn condition(&mut self, depth: usize) -> String {
        if depth > 0 && self.chance.of(25) {
            let (left, right) = (self.condition(depth - 1), self.condition(depth - 1));
            return format!("({left}) {} ({right})", self.chance.one(&["&&", "||"]));
        }
        if self.chance.of(6) {
            return format!("!({})", self.condition(0));
        }
        let (left, right) = (self.expression(1), self.expression(1));
        format!("{left} {} {right}", self.chance.one(&["<", ">", "<=", ">=", "==", "!="]))
    }

    fn atom(&mut self) -> String {
        if self.chance.of(70) {
            let index = self.chance.below(self.readable.len());
            return self.readable[index].clone();
        }
        let value = self.chance.number();
        if value < 0.0 { format!("({value})") } else { value.to_string() }
    }

    fn expression(&mut self, depth: usize) -> String {
        if depth == 0 || self.chance.of(20) {
            return self.atom();
        }
        let a = self.expression(depth - 1);
        match self.chance.below(40) {
            0..=4 => format!("({a} + {})", self.expression(depth - 1)),
            5..=8 => format!("({a} - {})", self.expression(depth - 1)),
            9..=13 => format!("({a})*({})", self.expression(depth - 1)),
            14..=16 => format!("({a})/({})", self.expression(depth - 1)),
            17 => format!("(-({a}))"),
            18 => format!("({a})^2"),
            19 => format!("({a})^{}", self.chance.one(&["3", "0.5", "(-1)", "1.5", "0"])),
            20 => format!("fabs({a})^({})", self.expression(depth - 1)),
            21 => format!("pow(fabs({a}), {})", self.expression(depth - 1)),
            22..=23 => format!("exp({a})"),
            24 => format!("log(fabs({a}) + 0.2)"),
            25 => format!("log10({a})"),
            26 => format!("sqrt({a})"),
            27 => format!("{}({a})", self.chance.one(&["sin", "cos", "tan", "atan", "tanh", "sinh", "cosh"])),
            28 => format!("{}({a})", self.chance.one(&["asin", "acos"])),
            29 => format!("{}({a})", self.chance.one(&["fabs", "floor", "ceil", "fabs"])),
            30 => format!("atan2({a}, {})", self.expression(depth - 1)),
            31 => format!("fmod({a}, {})", self.expression(depth - 1)),
            32 => format!("({a})/(exp({a}) - 1)"),
            33 => format!("({a})/(1 - exp(-({a})/{}))", self.chance.one(&["2", "p0", "a1"])),
            34 => format!("1/(1 + exp({a}))"),
            35 => format!("({})", self.condition(0)),
            _ if self.functions.is_empty() => a,
            _ => {
                let index = self.chance.below(self.functions.len());
                let (name, count) = self.functions[index].clone();
                let arguments: Vec<String> = (0..count).map(|_| self.expression(depth - 1)).collect();
                format!("{name}({})", arguments.join(", "))
            }
        }
    }
}
