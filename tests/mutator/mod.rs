//! Files with damage: a seeded mutator that knows what NMODL is made of.

mod growth;

/// What is put in somewhere: words and symbols that change what a file means.
const PIECES: &[&str] = &[
    "NEURON",
    "STATE",
    "PARAMETER",
    "ASSIGNED",
    "INITIAL",
    "BREAKPOINT",
    "DERIVATIVE",
    "KINETIC",
    "LINEAR",
    "NONLINEAR",
    "PROCEDURE",
    "FUNCTION",
    "FUNCTION_TABLE",
    "NET_RECEIVE",
    "UNITS",
    "CONSTANT",
    "LOCAL",
    "TABLE",
    "DEPEND",
    "FROM",
    "TO",
    "WITH",
    "WHILE",
    "IF",
    "ELSE",
    "SOLVE",
    "METHOD",
    "STEADYSTATE",
    "cnexp",
    "derivimplicit",
    "sparse",
    "euler",
    "runge",
    "CONSERVE",
    "COMPARTMENT",
    "LONGITUDINAL_DIFFUSION",
    "USEION",
    "READ",
    "WRITE",
    "VALENCE",
    "RANGE",
    "GLOBAL",
    "POINTER",
    "SUFFIX",
    "POINT_PROCESS",
    "NONSPECIFIC_CURRENT",
    "ELECTRODE_CURRENT",
    "CONDUCTANCE",
    "VERBATIM",
    "ENDVERBATIM",
    "COMMENT",
    "ENDCOMMENT",
    "DEFINE",
    "INCLUDE",
    "BEFORE",
    "AFTER",
    "UNITSOFF",
    "UNITSON",
    "WATCH",
    "v",
    "t",
    "dt",
    "celsius",
    "area",
    "diam",
    "exp",
    "log",
    "pow",
    "sqrt",
    "fabs",
    "floor",
    "ca",
    "ica",
    "cai",
    "eca",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "=",
    "'",
    "''",
    "^",
    "*",
    "/",
    "-",
    "+",
    "~",
    "<->",
    "<<",
    "->",
    "<",
    ">",
    "==",
    "!=",
    "&&",
    "||",
    "!",
    ",",
    ":",
    "?",
    "\"",
    "$",
    "\n",
    "\0",
    "\u{fc}",
    "\u{fffd}",
];

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "1e308",
    "1e-308",
    "1e999",
    "0.0",
    "4294967296",
    "99999999999999999999",
    "100000000",
    "1000",
    "1e",
    ".",
    "1.5.2",
    "0x10",
    "-0",
];

/// A small generator, the same everywhere (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        if limit == 0 {
            return 0;
        }
        usize::try_from((self.next() >> 33) % limit as u64).unwrap_or(0)
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// One of these files, with some damage: for half of them of a kind that mostly still parses. A few become large.
pub fn mutated(files: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = files[random.below(files.len())].clone();
    let gentle = random.below(2) == 0;
    if random.below(8) == 0 {
        growth::grow(&mut bytes, files.len(), random);
    }
    for _ in 0..=random.below(3) {
        if gentle {
            change(&mut bytes, random);
        } else {
            damage(&mut bytes, files, random);
        }
    }
    bytes
}

/// Words, numbers and lines become others of the file.
fn change(bytes: &mut Vec<u8>, random: &mut Random) {
    match random.below(6) {
        0 | 1 => replace_word(bytes, random, false),
        2 => replace_number(bytes, random),
        3 => swap_operators(bytes, random),
        _ => edit_lines(bytes, random),
    }
}

fn damage(bytes: &mut Vec<u8>, files: &[Vec<u8>], random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    match random.below(12) {
        0 => {
            let end = (at + 1 + random.below(40)).min(bytes.len());
            bytes.drain(at.min(end)..end);
        }
        1 => {
            let end = (at + 1 + random.below(200)).min(bytes.len());
            let piece = bytes[at.min(end)..end].to_vec();
            let to = random.below(bytes.len() + 1);
            bytes.splice(to..to, piece);
        }
        2 => insert(bytes, at, random.of(PIECES)),
        3 => insert(bytes, at, random.of(NUMBERS)),
        4 | 5 => replace_word(bytes, random, true),
        6 => replace_number(bytes, random),
        7 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = u8::try_from(random.below(256)).unwrap_or(0);
            }
        }
        8 => bytes.truncate(at),
        9 => {
            let piece = random.of(&["(", "{", "-", "!", "IF (v) {", "[", "x = ", "'", "a b "]);
            insert(bytes, at, &piece.repeat(1 + random.below(400)));
        }
        10 => edit_lines(bytes, random),
        _ => {
            let other = &files[random.below(files.len())];
            let from = random.below(other.len() + 1);
            let end = (from + random.below(400)).min(other.len());
            bytes.splice(at..at, other[from..end].to_vec());
        }
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &str) {
    let spaced = format!(" {piece} ");
    bytes.splice(at..at, spaced.into_bytes());
}

/// The runs of bytes that fit.
fn runs(bytes: &[u8], fits: impl Fn(u8) -> bool) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, &byte) in bytes.iter().chain([&b' ']).enumerate() {
        match (fits(byte), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                found.push((from, at));
                start = None;
            }
            _ => {}
        }
    }
    found
}

/// A word becomes another word of the file, or any piece.
fn replace_word(bytes: &mut Vec<u8>, random: &mut Random, any: bool) {
    let words = runs(bytes, |byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if words.is_empty() {
        return;
    }
    let (start, end) = words[random.below(words.len())];
    let new = if any && random.below(3) == 0 {
        random.of(PIECES).as_bytes().to_vec()
    } else {
        let (from, to) = words[random.below(words.len())];
        bytes[from..to].to_vec()
    };
    bytes.splice(start..end, new);
}

fn replace_number(bytes: &mut Vec<u8>, random: &mut Random) {
    let numbers = runs(bytes, |byte| byte.is_ascii_digit() || byte == b'.');
    if numbers.is_empty() {
        return;
    }
    let (start, end) = numbers[random.below(numbers.len())];
    bytes.splice(start..end, random.of(NUMBERS).bytes());
}

/// One operator becomes another.
fn swap_operators(bytes: &mut [u8], random: &mut Random) {
    let places: Vec<usize> = (0..bytes.len()).filter(|&at| b"+-*/^<>".contains(&bytes[at])).collect();
    if let Some(&at) = places.get(random.below(places.len())) {
        bytes[at] = b"+-*/^<>"[random.below(7)];
    }
}

/// Two lines change places, one is doubled, or one goes.
fn edit_lines(bytes: &mut Vec<u8>, random: &mut Random) {
    let mut lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
    let (a, b) = (random.below(lines.len()), random.below(lines.len()));
    match random.below(3) {
        0 => lines.swap(a, b),
        1 => lines.insert(b, lines[a]),
        _ => {
            lines.remove(a);
        }
    }
    *bytes = lines.join(&b'\n');
}
