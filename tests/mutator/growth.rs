//! Files that become large in some way: what compilers take too long over, or too much memory.

use super::{Random, insert, replace_number, runs};

pub fn grow(bytes: &mut Vec<u8>, files: usize, random: &mut Random) {
    match random.below(9) {
        0 | 1 => lengthen_name(bytes, random),
        2 => replace_number(bytes, random),
        3 => repeat_operand(bytes, random),
        4 => repeat_lines(bytes, random),
        5 => include(bytes, files, random),
        6 => many_parameters(bytes, random),
        7 => unroll(bytes, random),
        _ => square(bytes, random),
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn words(bytes: &[u8]) -> Vec<(usize, usize)> {
    let named = |(start, _): &(usize, usize)| bytes[*start].is_ascii_alphabetic();
    runs(bytes, is_word).into_iter().filter(named).collect()
}

/// A word gets longer wherever it stands.
fn lengthen_name(bytes: &mut Vec<u8>, random: &mut Random) {
    let words = words(bytes);
    if words.is_empty() {
        return;
    }
    let (start, end) = words[random.below(words.len())];
    let name = bytes[start..end].to_vec();
    let longer = [name.clone(), vec![b'q'; [20, 40, 70, 100, 300, 600, 5000][random.below(7)]]].concat();
    let mut new = Vec::new();
    let mut done = 0;
    for (start, end) in words.into_iter().filter(|(start, end)| bytes[*start..*end] == name) {
        new.extend(&bytes[done..start]);
        new.extend(&longer);
        done = end;
    }
    new.extend(&bytes[done..]);
    *bytes = new;
}

/// `x` becomes `x*x*x*...`, or with other operators.
fn repeat_operand(bytes: &mut Vec<u8>, random: &mut Random) {
    let all = words(bytes);
    if all.is_empty() {
        return;
    }
    let (start, end) = all[random.below(all.len())];
    let operator = ["*", "+", " - ", "/", "^", "*-", "*exp(v)*"][random.below(7)];
    let count = [5, 30, 120, 400, 3000][random.below(5)];
    let others: Vec<&[u8]> = (0..count)
        .map(|_| {
            let (from, to) = if random.below(3) == 0 { all[random.below(all.len())] } else { (start, end) };
            &bytes[from..to]
        })
        .collect();
    let product = others.join(operator.as_bytes());
    bytes.splice(start..end, product);
}

/// Some lines stand there many times.
fn repeat_lines(bytes: &mut Vec<u8>, random: &mut Random) {
    let lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
    let first = random.below(lines.len());
    let last = (first + 1 + random.below(4)).min(lines.len());
    let block = lines[first..last].join(&b'\n');
    let count = [3, 20, 200, 2000][random.below(4)].min(200_000 / (block.len() + 1) + 1);
    let repeated = vec![block; count].join(&b'\n');
    *bytes = [lines[..first].join(&b'\n'), repeated, lines[last..].join(&b'\n')].join(&b'\n');
}

/// The reader of INCLUDE knows the files by number, and the damaged file as `self`.
fn include(bytes: &mut Vec<u8>, files: usize, random: &mut Random) {
    let name = if random.below(3) == 0 { "self".to_owned() } else { random.below(files).to_string() };
    let at = if random.below(2) == 0 { 0 } else { bytes.len() };
    let statement = format!("\nINCLUDE \"{name}\"\n");
    insert(bytes, at, &statement.repeat([1, 2, 50][random.below(3)]));
}

/// New parameters, all of them in one formula.
fn many_parameters(bytes: &mut Vec<u8>, random: &mut Random) {
    let count = [10, 100, 480, 3000][random.below(4)];
    let names: Vec<String> = (0..count).map(|k| format!("new{k}")).collect();
    let operator = ["+", "*", "-"][random.below(3)];
    let text = String::from_utf8_lossy(bytes).into_owned();
    let block = names.iter().map(|name| format!("{name} = 1\n")).collect::<Vec<_>>().concat();
    let text = text.replacen("PARAMETER {", &format!("PARAMETER {{\n{block}"), 1);
    let text = if random.below(2) == 0 {
        let statements = names.iter().map(|name| format!("sum_new = sum_new {operator} {name}\n"));
        let statements = statements.collect::<Vec<_>>().concat();
        text.replacen("BREAKPOINT {", &format!("BREAKPOINT {{ LOCAL sum_new\nsum_new = v\n{statements}"), 1)
    } else {
        text.replacen(" = ", &format!(" = ({})*", names.join(operator)), 1 + random.below(20))
    };
    *bytes = text.into_bytes();
}

/// A loop, or loops in loops, round a line.
fn unroll(bytes: &mut Vec<u8>, random: &mut Random) {
    let mut lines: Vec<Vec<u8>> = bytes.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    let at = random.below(lines.len());
    let depth = [1, 1, 2, 5, 12][random.below(5)];
    let most = [3, 10, 1000, 100_000_000][random.below(4)];
    let heads = (0..depth).map(|k| format!("FROM k{k} = 0 TO {most} {{ ")).collect::<Vec<_>>().concat();
    let line = [heads.as_bytes(), &lines[at], "}".repeat(depth).as_bytes()].concat();
    lines[at] = line;
    *bytes = lines.join(&b'\n');
}

/// All variables of a line in one long array.
fn square(bytes: &mut Vec<u8>, random: &mut Random) {
    let all = words(bytes);
    if all.is_empty() {
        return;
    }
    let (start, end) = all[random.below(all.len())];
    let name = bytes[start..end].to_vec();
    let index = [b"[3]".to_vec(), b"[300]".to_vec(), b"[9999]".to_vec(), b"[100000000]".to_vec()];
    let index = &index[random.below(4)];
    let mut found = all;
    found.retain(|(start, end)| bytes[*start..*end] == name);
    for (_, end) in found.into_iter().rev() {
        bytes.splice(end..end, index.iter().copied());
    }
}
