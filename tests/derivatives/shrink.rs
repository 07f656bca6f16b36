//! What fails made small: lines, blocks and parts in parentheses are taken out of the text while it still fails.

/// The smallest text that still fails, as far as taking out one piece after another finds it.
pub fn shrink(text: &str, fails: impl Fn(&str) -> bool) -> String {
    let mut text = text.to_owned();
    loop {
        let before = text.clone();
        for candidates in [fewer_lines, smaller_parts] {
            let mut next = 0;
            loop {
                let all = candidates(&text);
                let is_smaller = |candidate: &str| candidate.len() < text.len() && fails(candidate);
                let found = all.iter().enumerate().skip(next).find(|(_, candidate)| is_smaller(candidate));
                let Some(found) = found else { break };
                (next, text) = (found.0, found.1.clone());
            }
        }
        if text == before {
            return text;
        }
    }
}

/// Without a block, without the braces of one, without a line.
fn fewer_lines(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let without = |gone: &dyn Fn(usize) -> bool| {
        let kept = lines.iter().enumerate().filter(|(index, _)| !gone(*index)).map(|(_, line)| *line);
        kept.collect::<Vec<_>>().join("\n")
    };
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        if !line.ends_with('{') {
            if *line != "}" {
                found.push(without(&|index| index == start));
            }
            continue;
        }
        let mut depth = 0;
        for (end, line) in lines.iter().enumerate().skip(start) {
            depth += i32::from(line.ends_with('{')) - i32::from(*line == "}");
            if depth == 0 {
                found.push(without(&|index| (start..=end).contains(&index)));
                found.push(without(&|index| index == start || index == end));
                break;
            }
        }
    }
    found
}

/// With a number in place of what is in parentheses, or with that alone in place of all.
fn smaller_parts(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (start, _) in text.match_indices('(') {
        let mut depth = 0;
        for (offset, character) in text[start..].char_indices() {
            depth += i32::from(character == '(') - i32::from(character == ')');
            if depth == 0 {
                let end = start + offset;
                let (head, inside, tail) = (&text[..start], &text[start + 1..end], &text[end + 1..]);
                found.push(format!("{head}{inside}{tail}"));
                found.push(format!("{head}0.5{tail}"));
                let name = head.trim_end_matches(|c: char| c.is_alphanumeric());
                found.push(format!("{name}({inside}){tail}"));
                // Without what is added or multiplied beside it.
                let line = text[end + 1..].find('\n').map_or(text.len(), |length| end + 1 + length);
                found.push(format!("{head}({inside}){}", &text[line..]));
                break;
            }
        }
    }
    found
}
