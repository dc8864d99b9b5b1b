//! A step as the bytes that the real application writes: Python's default format, local time.

use jiff::tz::TimeZone;
use wire::Micros;

use super::{Output, Step};

/// The text of a step with its final newline; empty for a restart, which writes nothing.
pub fn render(step: &Step, zone: &TimeZone, milliseconds: bool) -> String {
    match &step.output {
        Output::Restart => String::new(),
        Output::Print(line) => format!("{line}\n"),
        Output::Record(record) => format!(
            "{} - {} - {} - {}\n",
            stamp(step.at, zone, milliseconds),
            record.logger,
            record.level,
            record.message
        ),
    }
}

/// `2026-01-22 14:30:15`, or with Python's comma and milliseconds.
fn stamp(at: Micros, zone: &TimeZone, milliseconds: bool) -> String {
    let local = at.to_timestamp().to_zoned(zone.clone());
    let whole = local.strftime("%Y-%m-%d %H:%M:%S");
    if milliseconds {
        format!("{whole},{:03}", local.millisecond())
    } else {
        whole.to_string()
    }
}
