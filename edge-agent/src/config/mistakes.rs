//! What is wrong with a configuration, each mistake with its line.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Its line in the file, from 1; `None` when it is about something missing.
    pub line: Option<usize>,
    /// What is wrong and what to do.
    pub text: String,
}

/// Every mistake found in one file.
#[derive(Debug, Clone)]
pub struct Mistakes {
    path: PathBuf,
    text: String,
    list: Vec<Mistake>,
}

impl Mistakes {
    /// None yet, for the file with this text.
    pub fn new(path: &Path, text: &str) -> Mistakes {
        Mistakes {
            path: path.to_owned(),
            text: text.to_owned(),
            list: Vec::new(),
        }
    }

    /// A single one.
    pub fn one(path: &Path, line: Option<usize>, text: String) -> Mistakes {
        let text = text.split('\n').collect::<Vec<_>>().join(" ");
        Mistakes {
            path: path.to_owned(),
            text: String::new(),
            list: vec![Mistake { line, text }],
        }
    }

    /// Notes a mistake at this place of the text.
    pub fn at(&mut self, span: &Range<usize>, text: impl Into<String>) {
        let line = Some(line_of(&self.text, span.start));
        self.list.push(Mistake {
            line,
            text: text.into(),
        });
    }

    /// Notes that something is missing.
    pub fn missing(&mut self, text: impl Into<String>) {
        self.list.push(Mistake {
            line: None,
            text: text.into(),
        });
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All of them.
    pub fn list(&self) -> &[Mistake] {
        &self.list
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.list.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            match mistake.line {
                Some(line) => write!(f, "{}: line {line}: {}", self.path.display(), mistake.text)?,
                None => write!(f, "{}: {}", self.path.display(), mistake.text)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// The line (from 1) of a byte offset.
pub fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}
