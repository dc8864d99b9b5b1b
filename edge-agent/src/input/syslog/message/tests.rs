//! What datagrams become which records.

use crate::assemble::{Format, Python, Zone};
use crate::input::lines::TEXT_MAX_BYTES;

use super::*;

const NOW: Micros = Micros(1_800_000_000_000_000);

fn all(reader: &Reader, bytes: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    reader.read(bytes, NOW, &mut |record| records.push(record));
    records
}

fn one(text: &str) -> Record {
    let mut records = all(&Reader::new(None), text.as_bytes());
    assert_eq!(records.len(), 1, "{text}");
    records.remove(0)
}

fn shown(text: &str) -> String {
    let record = one(text);
    format!("{} {} {}", record.level, record.component, record.message)
}

#[test]
fn what_python_sends_is_a_level_and_a_message() {
    assert_eq!(shown("<14>paid\0"), "INFO syslog paid");
    assert_eq!(shown("<11>soap: failed\0"), "ERROR soap failed");
    assert_eq!(shown("<10>Soap[12]: gone\0"), "CRITICAL Soap gone");
    assert_eq!(one("<10>Soap[12]: gone\0").context["pid"], 12);
    assert_eq!(shown("<15>\u{feff}with a mark"), "DEBUG syslog with a mark");
    assert_eq!(shown("<12>one\ntwo\n\0"), "WARN syslog one\ntwo");
    assert_eq!(one("<14>x").at, NOW);
}

#[test]
fn a_word_with_a_colon_is_not_always_a_program() {
    assert_eq!(shown("<14>Error: no"), "INFO syslog Error: no");
    assert_eq!(shown("<14>error: no"), "INFO syslog error: no");
    assert_eq!(
        shown("<14>Serial error: no"),
        "INFO syslog Serial error: no"
    );
    assert_eq!(shown("<14>12:30:01 now"), "INFO syslog 12:30:01 now");
    assert_eq!(shown("<14>https://x"), "INFO syslog https://x");
}

#[test]
fn rfc_3164_is_read_with_and_without_a_host() {
    let text = "<13>Jan  2 15:04:05 vm001 cron[77]: (pi) CMD";
    assert_eq!(shown(text), "INFO cron (pi) CMD");
    assert_eq!(one(text).context["pid"], 77);
    assert_eq!(one(text).at, NOW, "the stamp has no year");
    assert_eq!(shown("<13>Jan 12 15:04:05 Logger: hi"), "INFO Logger hi");
    assert_eq!(
        shown("<13>Jan 12 15:04:05 vm001 only text"),
        "INFO syslog only text"
    );
}

#[test]
fn rfc_5424_is_read_with_its_time_and_its_data() {
    let text = "<165>1 2026-01-22T22:14:15.003Z vm001 soap.pay 8710 ID47 \
                [ex@1 a=\"1\" b=\"x \\\"y\\\" \\]\"][z] \u{feff}went wrong";
    let record = one(text);
    assert_eq!(
        (record.level, record.component.as_str()),
        (Level::Info, "pay")
    );
    assert_eq!(record.message, "went wrong");
    assert_eq!(record.at.to_rfc3339(), "2026-01-22T22:14:15.003Z");
    assert_eq!(record.context["ex@1"]["b"], "x \"y\" ]");
    assert_eq!(
        (&record.context["pid"], &record.context["msgid"]),
        (&"8710".into(), &"ID47".into())
    );
    assert_eq!(shown("<34>1 - - - - - - text"), "CRITICAL syslog text");
    assert_eq!(shown("<34>1 - - su - - -"), "CRITICAL su ");
    assert_eq!(shown("<34>1 of 5 done"), "CRITICAL syslog 1 of 5 done");
}

#[test]
fn whatever_comes_is_kept() {
    assert_eq!(shown(""), "INFO syslog ");
    assert_eq!(shown("no priority"), "INFO syslog no priority");
    assert_eq!(shown("<999>x"), "INFO syslog <999>x");
    assert_eq!(shown("<>x"), "INFO syslog <>x");
    assert_eq!(
        shown("<14>1 2026 [unclosed \"x"),
        "INFO syslog 1 2026 [unclosed \"x"
    );
    let records = all(&Reader::new(None), b"<14>a\xffb");
    assert_eq!(records[0].message, "a\\xffb");
    assert_eq!(records[0].context["escaped_bytes"], true);
}

#[test]
fn a_formatted_message_is_read_as_a_line_of_a_file_would_be() {
    let reader = Reader::new(Some(Reading {
        format: Format::Python(Python),
        zone: Zone::named("America/Los_Angeles").unwrap(),
    }));
    let text = "<14>2026-01-22 14:30:15,123 - soap.reader - WARNING - slow\nTraceback: x";
    let record = all(&reader, text.as_bytes()).remove(0);
    assert_eq!(record.at.to_rfc3339(), "2026-01-22T22:30:15.123Z");
    assert_eq!(
        (record.level, record.component.as_str()),
        (Level::Warn, "reader")
    );
    assert_eq!(record.message, "slow\nTraceback: x");
    let record = all(&reader, b"<11>past the formatter").remove(0);
    assert_eq!((record.level, record.at), (Level::Error, NOW));
}

#[test]
fn a_message_too_long_for_an_entry_comes_in_marked_pieces() {
    let text = format!("<11>soap: {}", "word ".repeat(20_000));
    let records = all(&Reader::new(None), text.as_bytes());
    assert_eq!(records.len(), 2);
    assert!(records.iter().all(|r| r.message.len() <= TEXT_MAX_BYTES));
    assert!(
        records
            .iter()
            .all(|r| (r.level, r.component.as_str()) == (Level::Error, "soap"))
    );
    let whole: String = records.iter().map(|r| r.message.as_str()).collect();
    assert_eq!(format!("<11>soap: {whole}"), text);
    assert_eq!(
        (
            &records[1].context["piece"],
            &records[1].context["last_piece"]
        ),
        (&2.into(), &true.into())
    );
}
