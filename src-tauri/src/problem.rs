//! What the page is told when a command fails: the same `{code, message}` that HTTP answers.

use serde::Serialize;

/// A failed command. `code` is for programs, `message` says to a person what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Stable and lower case, such as `export_running`.
    pub code: String,
    /// One sentence or two, in words of the product.
    pub message: String,
}

impl Problem {
    /// A problem with its code and its words.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
        }
    }
}
