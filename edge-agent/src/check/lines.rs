//! Where a key stands in the file, for what is found only later than the file was read.

/// The lines of a configuration.
pub struct Lines<'a> {
    text: &'a str,
}

impl<'a> Lines<'a> {
    /// Of this text.
    pub fn new(text: &'a str) -> Lines<'a> {
        Lines { text }
    }

    /// `line n: ` of the line that sets `key` in `[section]` (`""`: above all sections), or nothing
    /// when it is a default.
    pub fn of(&self, section: &str, key: &str) -> String {
        let mut present = String::new();
        for (index, line) in self.text.lines().enumerate() {
            let line = line.trim();
            if let Some(header) = line.strip_prefix('[') {
                let name = header.trim_start_matches('[').split(']').next();
                present = name.unwrap_or_default().trim().to_owned();
            } else if present == section && sets(line, key) {
                return format!("line {}: ", index + 1);
            }
        }
        String::new()
    }

    /// `line n: ` of a byte offset.
    pub fn at(&self, offset: usize) -> String {
        format!("line {}: ", crate::config::line_of(self.text, offset))
    }
}

fn sets(line: &str, key: &str) -> bool {
    let rest = line.strip_prefix(key);
    rest.is_some_and(|rest| rest.trim_start().starts_with('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_its_own_section_only() {
        let text = "state_dir = 's'\n[[input]]\npath = 'a'\n[local] # here\n  path= 'b'\n";
        let lines = Lines::new(text);
        assert_eq!(lines.of("", "state_dir"), "line 1: ");
        assert_eq!(lines.of("local", "path"), "line 5: ");
        assert_eq!(lines.of("wifi", "url"), "");
        assert_eq!(lines.of("", "path"), "");
        assert_eq!(
            lines.at(text.find("[local]").expect("it is there")),
            "line 4: "
        );
    }
}
