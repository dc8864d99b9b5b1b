//! `docs/BENCHMARKS.md`: one section for each benchmark, written anew by its own run only.

use std::path::{Path, PathBuf};

/// Opens the document.
const TITLE: &str = "# Benchmarks\n";
/// Opens a section.
const SECTION: &str = "\n## ";

/// Where it is.
pub fn path() -> PathBuf {
    crate::binaries::root().join("docs").join("BENCHMARKS.md")
}

/// Puts the section of this name into the document, in place of the one that was there; `body` is
/// what stands below its heading.
///
/// # Errors
/// The document cannot be written.
pub fn write(path: &Path, name: &str, body: &str) -> std::io::Result<()> {
    let before = std::fs::read_to_string(path).unwrap_or_default();
    std::fs::write(path, replaced(&before, name, body))
}

fn replaced(before: &str, name: &str, body: &str) -> String {
    let new = format!("{name}\n\n{}\n", body.trim());
    let mut sections: Vec<&str> = before.split(SECTION).skip(1).collect();
    let is_it = |section: &&str| section.lines().next() == Some(name);
    match sections.iter().position(is_it) {
        Some(place) => sections[place] = &new,
        None => sections.push(&new),
    }
    let sections = sections
        .iter()
        .map(|section| format!("{SECTION}{}\n", section.trim()));
    TITLE.to_owned() + &sections.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_replaced_and_its_neighbours_stay() {
        let one = replaced("", "The store", "a\n\n### How\n\nb\n");
        let two = replaced(&one, "The agent", "c\n");
        assert_eq!(
            two,
            "# Benchmarks\n\n## The store\n\na\n\n### How\n\nb\n\n## The agent\n\nc\n"
        );
        let again = replaced(&two, "The store", "new");
        assert_eq!(
            again,
            "# Benchmarks\n\n## The store\n\nnew\n\n## The agent\n\nc\n"
        );
    }
}
