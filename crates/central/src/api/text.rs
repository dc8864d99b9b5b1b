//! An entry as a line of csv, ndjson or plain text. Log text is hostile: a cell must not become a
//! formula, a line must not become two or move the cursor of a terminal.

use super::entry::Entry;

/// The formats of the export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, for spreadsheets.
    Csv,
    /// One JSON object a line, as the API answers it.
    Ndjson,
    /// One line an entry, for reading.
    Txt,
}

/// The columns of the csv.
const CSV_HEAD: &str = "timestamp,machine_id,level,component,message,context,filed_at,received_at,\
                        epoch,seq,clock,path,fidelity,id\r\n";

impl Format {
    /// The format of this name.
    pub fn named(name: &str) -> Option<Format> {
        match name {
            "csv" => Some(Format::Csv),
            "ndjson" => Some(Format::Ndjson),
            "txt" => Some(Format::Txt),
            _ => None,
        }
    }

    /// The end of a file name.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Ndjson => "ndjson",
            Format::Txt => "txt",
        }
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Format::Csv => "text/csv; charset=utf-8; header=present",
            Format::Ndjson => "application/x-ndjson",
            Format::Txt => "text/plain; charset=utf-8",
        }
    }

    /// What stands before the first entry.
    pub fn head(self) -> &'static str {
        if self == Format::Csv { CSV_HEAD } else { "" }
    }

    /// Appends an entry.
    pub fn write(self, entry: &Entry, out: &mut String) {
        match self {
            Format::Csv => write_csv(entry, out),
            Format::Ndjson => {
                out.push_str(&serde_json::to_string(entry).unwrap_or_default());
                out.push('\n');
            }
            Format::Txt => write_txt(entry, out),
        }
    }
}

fn write_csv(entry: &Entry, out: &mut String) {
    let number = |number: Option<u64>| number.map(|n| n.to_string()).unwrap_or_default();
    let cells = [
        entry.timestamp.clone(),
        entry.machine_id.to_string(),
        entry.level.to_string(),
        entry.component.clone(),
        entry.message.clone(),
        context(entry),
        entry.filed_at.clone(),
        entry.received_at.clone(),
        number(entry.epoch),
        number(entry.seq),
        clock(entry).to_owned(),
        entry.path.as_str().to_owned(),
        entry.fidelity.as_str().to_owned(),
        entry.id.clone(),
    ];
    for (place, text) in cells.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write_cell(text, out);
    }
    out.push_str("\r\n");
}

/// A cell that a spreadsheet shows and does not run.
fn write_cell(text: &str, out: &mut String) {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let quoted =
        text.contains(['"', ',', '\r', '\n', '\t']) || text.starts_with(' ') || text.ends_with(' ');
    if quoted {
        out.push('"');
    }
    if formula {
        out.push('\'');
    }
    if quoted {
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
}

fn write_txt(entry: &Entry, out: &mut String) {
    let head = format!(
        "{} {:10} {:8} ",
        entry.timestamp,
        entry.machine_id.as_str(),
        entry.level.as_str(),
    );
    out.push_str(&head);
    escape_controls(&entry.component, out);
    out.push_str(": ");
    escape_controls(&entry.message, out);
    let context = context(entry);
    if !context.is_empty() {
        out.push(' ');
        escape_controls(&context, out);
    }
    out.push('\n');
}

/// Control characters (C0, DEL, C1), line separators and bidi controls as `\n`, `\t`, `\u{1b}`.
fn escape_controls(text: &str, out: &mut String) {
    for c in text.chars() {
        let bidi = matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}');
        if c.is_control() || bidi {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
}

fn context(entry: &Entry) -> String {
    if entry.context.is_empty() {
        return String::new();
    }
    serde_json::to_string(&entry.context).unwrap_or_default()
}

fn clock(entry: &Entry) -> &'static str {
    match entry.clock {
        wire::ClockState::Synced => "synced",
        wire::ClockState::Unsynced => "unsynced",
        wire::ClockState::Repaired => "repaired",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str) -> String {
        let mut out = String::new();
        write_cell(text, &mut out);
        out
    }

    #[test]
    fn a_formula_cell_gets_a_leading_quote() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)"] {
            assert_eq!(cell(text), format!("'{text}"));
        }
        assert_eq!(cell("\t=1"), "\"'\t=1\"");
        assert_eq!(cell("\r=1"), "\"'\r=1\"");
        assert_eq!(cell("\n=1"), "\"'\n=1\"");
        assert_eq!(cell("=A,\"B\""), "\"'=A,\"\"B\"\"\"");
    }

    #[test]
    fn quoting_is_rfc_4180() {
        assert_eq!(cell("plain"), "plain");
        assert_eq!(cell("a,b"), "\"a,b\"");
        assert_eq!(cell("say \"hi\""), "\"say \"\"hi\"\"\"");
        assert_eq!(cell("two\nlines"), "\"two\nlines\"");
    }

    #[test]
    fn a_line_of_text_stays_one_line_and_moves_no_cursor() {
        let mut out = String::new();
        escape_controls("a\nb\r\u{1b}[2J\u{9b}x\u{202e}y\u{2028}é🥤", &mut out);
        assert_eq!(out, "a\\nb\\r\\u{1b}[2J\\u{9b}x\\u{202e}y\\u{2028}é🥤");
    }
}
