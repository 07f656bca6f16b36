//! Emitted files as the text of a snapshot, without what an earlier snapshot has shown.

use std::collections::HashMap;

use gradmod::emit::File;

/// So many lines in a row are not shown again.
const LINES: usize = 8;

/// The place of a line: a text, and the line in it.
type Place = (usize, usize);

/// All that has been shown.
#[derive(Default)]
pub struct Shortened {
    /// By snapshot the lines of one file.
    texts: Vec<(String, Vec<String>)>,
    /// Where runs of lines begin.
    runs: HashMap<Vec<String>, Vec<Place>>,
}

impl Shortened {
    pub fn text(&mut self, snapshot: &str, files: &[File]) -> String {
        let hashes: Vec<&str> = files.iter().map(hash).collect();
        let plain = |text: &str| hashes.iter().fold(text.to_owned(), |text, hash| text.replace(hash, "HASH"));
        let mut shown = Vec::new();
        for file in files {
            let lines: Vec<String> = plain(&file.text).lines().map(str::to_owned).collect();
            shown.push(format!("######## {}", plain(&file.name)));
            self.show(&lines, &mut shown);
            self.keep(snapshot, lines);
        }
        shown.join("\n")
    }

    fn show(&self, lines: &[String], shown: &mut Vec<String>) {
        let mut at = 0;
        while at < lines.len() {
            let Some((snapshot, count)) = self.longest(&lines[at..]) else {
                shown.push(lines[at].clone());
                at += 1;
                continue;
            };
            let last = &lines[at + count - 1];
            shown.push(format!("######## as in {snapshot}: `{}` to `{}`", lines[at].trim(), last.trim()));
            at += count;
        }
    }

    /// The longest run of lines known from an earlier text, and the snapshot that shows it.
    fn longest(&self, lines: &[String]) -> Option<(&str, usize)> {
        let places = self.runs.get(lines.get(..LINES)?)?;
        let count = |&(text, line): &Place| {
            let known = &self.texts[text].1[line..];
            lines.iter().zip(known).take_while(|(one, other)| one == other).count()
        };
        // Of equally long runs the first.
        let place = places.iter().rev().max_by_key(|place| count(place))?;
        Some((&self.texts[place.0].0, count(place)))
    }

    fn keep(&mut self, snapshot: &str, lines: Vec<String>) {
        for (line, run) in lines.windows(LINES).enumerate() {
            self.runs.entry(run.to_vec()).or_default().push((self.texts.len(), line));
        }
        self.texts.push((snapshot.to_owned(), lines));
    }
}

/// What the name of a file ends with: it changes with every change of the texts.
fn hash(file: &File) -> &str {
    file.name.trim_end_matches(".mod").rsplit('_').next().unwrap_or(&file.name)
}
