//! Long lines, broken: NEURON's translator reads at most 511 characters a line.

const WIDTH: usize = 100;
/// What no line may be longer than.
const LONGEST: usize = 500;
/// More terms than this are added in several statements: the translator's stack is not without end.
const TERMS: usize = 120;

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

/// Text without lines that are too long: less indented, and broken between words, or in a product.
pub fn fitted(text: &str) -> String {
    if text.lines().all(|line| line.len() <= LONGEST) {
        return text.to_owned();
    }
    let mut fitted = String::with_capacity(text.len());
    for line in text.lines() {
        let mut rest = line;
        if line.len() > LONGEST {
            let words = line.trim_start();
            rest = &line[(line.len() - words.len()).saturating_sub(WIDTH)..];
        }
        let is_comment = rest.trim_start().starts_with(':');
        while let Some(end) = place_to_break(rest) {
            fitted.push_str(&rest[..end]);
            fitted.push_str(if is_comment { "\n:" } else { "\n" });
            rest = &rest[end..];
        }
        fitted.push_str(rest);
        fitted.push('\n');
    }
    fitted
}

/// Where a line that is too long can end; a word that has no end stays.
fn place_to_break(line: &str) -> Option<usize> {
    if line.len() <= LONGEST {
        return None;
    }
    let start = line.len() - line.trim_start().len();
    let head = line.as_bytes().get(..LONGEST)?;
    // Something must be before the place, or the rest would never get shorter.
    let places = (start + 1..head.len()).rev();
    let find = |is_place: &dyn Fn(u8, u8) -> bool| places.clone().find(|at| is_place(head[*at - 1], head[*at]));
    let is_operand = |byte: u8| byte.is_ascii_alphanumeric() || b"_()[]".contains(&byte);
    let blank = find(&|before, after| before != b' ' && after == b' ');
    blank.or_else(|| find(&|before, after| b"*(,".contains(&before) && is_operand(after)))
}

/// `target = term + term + ...`, broken between terms.
pub fn sum(target: &str, terms: &[String]) -> Vec<String> {
    if terms.len() > TERMS && !terms.iter().any(|term| term.contains(target)) {
        let (first, rest) = terms.split_at(TERMS);
        let mut lines = sum(target, first);
        for part in rest.chunks(TERMS) {
            lines.extend(sum(target, &[&[target.to_owned()], part].concat()));
        }
        return lines;
    }
    whole_sum(target, terms)
}

/// A [`sum`] in one statement, as C has it: `target` may declare what is set.
pub fn whole_sum(target: &str, terms: &[String]) -> Vec<String> {
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

/// A term of a [`sum`].
pub fn product(coefficient: &str, variable: &str) -> String {
    if coefficient == "1" { variable.to_owned() } else { format!("{coefficient}*{variable}") }
}

/// The declaration of LOCAL names; empty if there are none.
pub fn locals(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("LOCAL {}", one_list(names)) }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, fitted, sum};

    #[test]
    fn what_is_indented_far_or_long_fits() {
        let deep = format!("{}IF (x > 1) {{\n", " ".repeat(600));
        let long = format!("y = {}\n", vec!["first*second"; 90].join(" + "));
        for text in [deep, long] {
            let short = fitted(&text);
            assert!(short.lines().all(|line| line.len() <= LONGEST), "{short}");
            assert!(short.split_whitespace().eq(text.split_whitespace()));
        }
        assert_eq!(fitted("y = 1"), "y = 1");
    }

    #[test]
    fn long_words_end_between_factors_or_stay() {
        let name = "a".repeat(90);
        let product = format!("  y = {}\n", vec![name.as_str(); 40].join("*"));
        let short = fitted(&product);
        assert!(short.lines().all(|line| line.len() <= LONGEST), "{short}");
        assert_eq!(short.replace([' ', '\n'], ""), product.replace([' ', '\n'], ""));
        let word = format!("    {}\n", "a".repeat(700));
        assert_eq!(fitted(&word), word);
        let comment = format!("  : {}\n", "word ".repeat(200));
        assert!(fitted(&comment).lines().all(|line| line.len() <= LONGEST && line.trim_start().starts_with(':')));
    }

    #[test]
    fn many_terms_are_added_in_several_statements() {
        let terms: Vec<String> = (0..300).map(|k| format!("x{k}*w[k]")).collect();
        let lines = sum("S[k]", &terms);
        assert_eq!(lines.iter().filter(|line| line.starts_with("S[k] =")).count(), 3);
        assert_eq!(lines.concat().matches("S[k]").count(), 5);
        // The old value is still to be read.
        let own = [terms, vec!["a*S[k]".to_owned()]].concat();
        assert_eq!(sum("S[k]", &own).concat().matches("S[k]").count(), 2);
    }
}
