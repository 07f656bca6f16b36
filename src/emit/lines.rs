//! Long lines, broken: NEURON's translator reads at most 511 characters a line.

const WIDTH: usize = 100;

/// Items with commas between, on lines that start with `head`.
pub fn list(head: &str, items: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for item in items {
        if line.is_empty() {
            line = format!("{head} {item}");
        } else if line.len() + item.len() + 2 > WIDTH {
            lines.push(std::mem::replace(&mut line, format!("{head} {item}")));
        } else {
            line.push_str(", ");
            line.push_str(item);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Items with commas between, in one list over several lines.
pub fn one_list(items: &[String]) -> String {
    list("", items).iter().map(|line| line.trim_start()).collect::<Vec<_>>().join(",\n    ")
}

/// `target = term + term + ...`, broken between terms.
pub fn sum(target: &str, terms: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = format!("{target} =");
    if terms.is_empty() {
        line.push_str(" 0");
    }
    for (index, term) in terms.iter().enumerate() {
        let sign = if index == 0 { "" } else { " +" };
        if line.len() + term.len() + 3 > WIDTH {
            lines.push(std::mem::replace(&mut line, "   ".to_owned()));
        }
        line.push_str(sign);
        line.push(' ');
        line.push_str(term);
    }
    lines.push(line);
    lines
}
