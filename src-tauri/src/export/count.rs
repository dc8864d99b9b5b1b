//! Counts the entries in an export as its bytes pass by, in pieces of any size. Pure.

use super::Format;

/// What was counted so far.
pub struct Counter {
    format: Format,
    lines: u64,
    in_quotes: bool,
}

impl Counter {
    /// Nothing counted yet.
    pub fn new(format: Format) -> Self {
        Self {
            format,
            lines: 0,
            in_quotes: false,
        }
    }

    /// Takes the next piece. A quoted CSV cell may hold line ends that end no record.
    pub fn take(&mut self, piece: &[u8]) {
        for byte in piece {
            match byte {
                b'"' if self.format == Format::Csv => self.in_quotes = !self.in_quotes,
                b'\n' if !self.in_quotes => self.lines += 1,
                _ => {}
            }
        }
    }

    /// Whole entries so far; a CSV's header is none.
    pub fn entries(&self) -> u64 {
        match self.format {
            Format::Csv => self.lines.saturating_sub(1),
            Format::Ndjson | Format::Txt => self.lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(format: Format, text: &str, piece_bytes: usize) -> u64 {
        let mut counter = Counter::new(format);
        text.as_bytes()
            .chunks(piece_bytes)
            .for_each(|piece| counter.take(piece));
        counter.entries()
    }

    #[test]
    fn the_header_of_a_table_and_line_ends_in_its_cells_are_no_entries() {
        let table = "time,message\r\n1,\"two\nlines \"\"quoted\"\"\n\"\r\n2,plain\r\n";
        for piece_bytes in 1..table.len() {
            assert_eq!(counted(Format::Csv, table, piece_bytes), 2);
        }
        assert_eq!(counted(Format::Csv, "", 1), 0);
    }

    #[test]
    fn a_line_is_an_entry_elsewhere() {
        assert_eq!(counted(Format::Ndjson, "{\"a\":\"\\\"\"}\n{}\n", 3), 2);
        assert_eq!(counted(Format::Txt, "it said \"no\n\"yes\n", 3), 2);
    }
}
