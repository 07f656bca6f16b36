//! The text of a mechanism, put together from its file and those that it INCLUDEs.
//!
//! NEURON's translator reads an included file in place of the statement. What
//! NEURON keeps of a compiled mechanism (`MechanismType.code`) is the text so put
//! together, with the lines `:::INCLUDE "x"`, `:::realpath /x`, `:::end INCLUDE x`
//! around what came from elsewhere; they are read too, so that a place is always
//! one in a file that the user has.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::parser;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::span::Span;

/// Files within files.
const DEPTH: usize = 20;
/// INCLUDE statements that are followed, and bytes of all files together.
const FILES: usize = 500;
/// Messages; more would be noise.
const ERRORS: usize = 20;
pub const LARGEST: usize = 4 << 20;
const MARK: &str = ":::";

/// Finds the file that a file includes: its path and its text.
pub type Find<'a> = dyn FnMut(&Path, &str) -> Option<(PathBuf, String)> + 'a;

#[derive(Clone, Debug)]
pub struct File {
    pub path: PathBuf,
    pub text: String,
}

/// Where a part of the text comes from.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// In the whole text.
    start: usize,
    file: usize,
    /// In the file.
    offset: usize,
}

#[derive(Clone, Debug)]
pub struct Sources {
    pub text: String,
    pub files: Vec<File>,
    pieces: Vec<Piece>,
}

impl Sources {
    /// Reads the included files of `text`, which is that of the file `path`.
    ///
    /// # Errors
    ///
    /// An included file is not found, or includes itself; places are those of the result.
    pub fn new(path: PathBuf, text: String, find: &mut Find) -> (Self, Vec<Diagnostic>) {
        let mut sources = Self { text: String::new(), files: Vec::new(), pieces: Vec::new() };
        let mut errors = Vec::new();
        if text.len() > LARGEST {
            errors.push(too_large("this file"));
            let end = text.char_indices().map(|(at, _)| at).find(|at| *at >= 200).unwrap_or(0);
            sources.add((path, text[..end].to_owned()), DEPTH, &mut |_, _| None, &mut Vec::new());
        } else if is_marked(&text) {
            sources.unmark(path, &text);
        } else {
            sources.add((path, text), 0, find, &mut errors);
        }
        (sources, errors)
    }

    /// The file that a place is in, and the place there.
    #[must_use]
    pub fn place(&self, span: Span) -> (&File, Span) {
        let index = self.pieces.partition_point(|piece| piece.start <= span.start).max(1) - 1;
        let piece = self.pieces[index];
        let end = self.pieces.get(index + 1).map_or(self.text.len(), |next| next.start);
        let shift = |offset: usize| offset.min(end) + piece.offset - piece.start;
        (&self.files[piece.file], Span::new(shift(span.start.max(piece.start)), shift(span.end.max(piece.start))))
    }

    fn piece(&mut self, file: usize, offset: usize) {
        self.pieces.push(Piece { start: self.text.len(), file, offset });
    }

    fn add(&mut self, (path, text): (PathBuf, String), depth: usize, find: &mut Find, errors: &mut Vec<Diagnostic>) {
        let includes = if text.contains("INCLUDE") { parser::includes(&text) } else { Vec::new() };
        let file = self.files.len();
        self.files.push(File { path: path.clone(), text: text.clone() });
        self.piece(file, 0);
        let mut done = 0;
        for (statement, name) in includes {
            self.text.push_str(&text[done..statement.start]);
            done = statement.end;
            let found = self.included((&path, &text[name.start..name.end]), depth, find);
            let diagnostic = match found {
                Ok(found) => {
                    self.add(found, depth + 1, find, errors);
                    self.text.push('\n');
                    self.piece(file, done);
                    if is_enough(errors) {
                        break;
                    }
                    continue;
                }
                Err(diagnostic) => diagnostic,
            };
            let at = self.text.len();
            self.text.push_str(&text[statement.start..statement.end]);
            errors.push(Diagnostic { span: Span::new(at, self.text.len()), ..diagnostic });
            if is_enough(errors) {
                break;
            }
        }
        self.text.push_str(&text[done..]);
    }

    /// The file that one includes, or why there is none; the place is the caller's.
    fn included(
        &self,
        (including, name): (&Path, &str),
        depth: usize,
        find: &mut Find,
    ) -> Result<(PathBuf, String), Diagnostic> {
        let diagnostic = |code, message| Diagnostic::error(code, Span::default(), message);
        if depth >= DEPTH {
            return Err(diagnostic(Code::Include, "these files include one another".to_owned()));
        }
        if self.files.len() > FILES {
            return Err(diagnostic(Code::TooLarge, format!("more than {FILES} files are included")));
        }
        let Some(found) = find(including, name) else {
            return Err(diagnostic(Code::Include, format!("there is no file `{name}`")).help(
                "gradmod looks beside this file, in the working directory and the one above it, and where MODL_INCLUDE says",
            ));
        };
        let size = self.files.iter().map(|file| file.text.len()).sum::<usize>() + found.1.len();
        if size > LARGEST {
            return Err(too_large("this file, with all that are included,"));
        }
        Ok(found)
    }

    /// Takes apart what NEURON's translator has put together.
    fn unmark(&mut self, path: PathBuf, text: &str) {
        self.files.push(File { path, text: String::new() });
        self.piece(0, 0);
        let mut open = vec![0];
        let begins = included(text);
        for line in text.split_inclusive('\n') {
            let marked = line.strip_prefix(MARK);
            let file = open.last().copied().unwrap_or(0);
            if let Some(path) = marked.and_then(|line| line.strip_prefix("realpath ")) {
                self.files[file].path = PathBuf::from(path.trim_end());
            } else if marked.is_some_and(|line| line.starts_with("end INCLUDE ")) && open.len() > 1 {
                open.pop();
            } else if let Some(statement) = marked.filter(|line| begins.contains(&line.as_ptr())) {
                self.files[file].text.push_str(statement);
                let name = statement.split('"').nth(1).unwrap_or_default();
                open.push(self.files.len());
                self.files.push(File { path: PathBuf::from(name), text: String::new() });
            } else {
                self.files[file].text.push_str(line);
                self.text.push_str(line);
                continue;
            }
            // The line itself says nothing to the parser, and belongs to no file.
            let file = open.last().copied().unwrap_or(0);
            let offset = self.files[file].text.len();
            self.piece(file, offset);
        }
    }
}

/// The statements that the translator has put before what it included, and their marks: the file's path comes next.
fn included(text: &str) -> BTreeSet<*const u8> {
    let lines = text.lines().zip(text.lines().skip(1));
    let starts = lines.filter_map(|(line, next)| {
        let statement = line.strip_prefix(MARK)?;
        let is_next = next.strip_prefix(MARK).is_some_and(|next| next.starts_with("realpath "));
        (statement.contains("INCLUDE") && is_next).then_some(statement.as_ptr())
    });
    starts.collect()
}

/// Whether NEURON's translator has put the text together; other lines may begin like its marks.
fn is_marked(text: &str) -> bool {
    !included(text).is_empty()
}

fn too_large(what: &str) -> Diagnostic {
    Diagnostic::error(Code::TooLarge, Span::default(), format!("{what} has more than {} MiB", LARGEST >> 20))
}

/// Whether nothing more need be read.
fn is_enough(errors: &[Diagnostic]) -> bool {
    errors.len() >= ERRORS || errors.iter().any(|error| error.code != Code::Include)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(text: &str, files: &[(&str, &str)]) -> (Sources, Vec<Diagnostic>) {
        let mut find = |_: &Path, name: &str| {
            let found = files.iter().find(|(known, _)| *known == name);
            found.map(|(name, text)| (PathBuf::from(name), (*text).to_owned()))
        };
        Sources::new(PathBuf::from("a.mod"), text.to_owned(), &mut find)
    }

    fn at(sources: &Sources, needle: &str) -> (String, String) {
        let start = sources.text.find(needle).unwrap();
        let (file, span) = sources.place(Span::new(start, start + needle.len()));
        (file.path.display().to_string(), file.text[span.start..span.end].to_owned())
    }

    #[test]
    fn places_are_those_in_the_files() {
        let files = [("b.inc", "DEFINE two 2\nINCLUDE \"c.inc\" DEFINE three 3"), ("c.inc", "DEFINE four 4\n")];
        let main = "DEFINE one 1\n: INCLUDE \"z\"\nINCLUDE \"b.inc\"\nDEFINE five 5\n";
        let (whole, errors) = sources(main, &files);
        assert!(errors.is_empty());
        for (name, file) in
            [("one", "a.mod"), ("two", "b.inc"), ("three", "b.inc"), ("four", "c.inc"), ("five", "a.mod")]
        {
            assert_eq!(at(&whole, name), (file.to_owned(), name.to_owned()));
        }
    }

    #[test]
    fn what_neuron_keeps_is_taken_apart() {
        let text = "DEFINE one 1\n:::INCLUDE \"b.inc\"\n:::realpath /x/b.inc\nDEFINE two 2\n:::end INCLUDE b.inc\nDEFINE five 5\n";
        let (whole, _) = sources(text, &[]);
        assert_eq!(at(&whole, "two"), ("/x/b.inc".to_owned(), "two".to_owned()));
        assert_eq!(at(&whole, "five"), ("a.mod".to_owned(), "five".to_owned()));
        assert_eq!(whole.files[0].text, "DEFINE one 1\nINCLUDE \"b.inc\"\nDEFINE five 5\n");
    }

    #[test]
    fn other_lines_that_begin_like_marks_are_comments() {
        let text = "::: INCLUDE of rates\n:::end INCLUDE x\nINCLUDE \"b.inc\"\nDEFINE five 5\n";
        let (whole, errors) = sources(text, &[("b.inc", "DEFINE two 2")]);
        assert!(errors.is_empty());
        assert_eq!(at(&whole, "two"), ("b.inc".to_owned(), "two".to_owned()));
        assert_eq!(at(&whole, "five"), ("a.mod".to_owned(), "five".to_owned()));
    }

    #[test]
    fn missing_and_circular_files_are_errors() {
        let (whole, errors) = sources("INCLUDE \"no.inc\"\n", &[]);
        assert_eq!((errors.len(), errors[0].code), (1, Code::Include));
        assert_eq!(whole.place(errors[0].span).1.start, 0);
        let (_, errors) = sources("INCLUDE \"b\"\n", &[("b", "INCLUDE \"b\"\n")]);
        assert_eq!(errors.len(), 1);
    }
}
