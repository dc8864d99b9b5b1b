//! What the socket understands, and what it answers.

use wire::Level;

use super::*;

const NOW: Micros = Micros(1_800_000_000_000_000);

fn refused(line: &str) -> Value {
    let answer = parse(line.as_bytes(), NOW).unwrap_err();
    let mut out = Vec::new();
    answer.write(&mut out);
    serde_json::from_slice(&out).unwrap()
}

fn entry(line: &str) -> Record {
    match parse(line.as_bytes(), NOW) {
        Ok(Request::Entry(record, _)) => *record,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn an_entry_has_its_own_time_or_that_of_its_reading() {
    let plain = r#"{"level":"WARNING","component":"payment","message":"m""#;
    let read = entry(&format!("{plain}}}"));
    assert_eq!((read.at, read.level), (NOW, Level::Warn));
    let read = entry(&format!(
        r#"{plain},"timestamp":"2026-01-22T14:30:15.123-08:00","n":7}}"#
    ));
    assert_eq!(read.at.to_rfc3339(), "2026-01-22T22:30:15.123Z");
    let read = entry(&format!(r#"{plain},"timestamp":1769121015.5}}"#));
    assert_eq!(read.at, Micros(1_769_121_015_500_000));
}

#[test]
fn a_level_of_the_applications_own_is_kept() {
    let read = entry(r#"{"level":"SUCCESS","component":"a","message":"m"}"#);
    assert_eq!(read.level, Level::Info);
    assert_eq!(read.context["logged_level"], "SUCCESS");
}

#[test]
fn each_wrong_line_is_refused_with_its_code_and_number() {
    let long = "x".repeat(ENTRY_MAX_BYTES);
    for (line, code, n) in [
        ("", "bad_entry", None),
        ("[1]", "bad_entry", None),
        (r#"{"level":"INFO""#, "bad_entry", None),
        (r#"{"level":5,"n":3}"#, "bad_entry", Some(3)),
        (
            r#"{"level":"INFO","component":"","message":"m"}"#,
            "bad_entry",
            None,
        ),
        (
            r#"{"level":"INFO","component":"a","n":4}"#,
            "bad_entry",
            Some(4),
        ),
        (
            r#"{"level":"INFO","component":"a","message":"m","n":-4}"#,
            "bad_entry",
            None,
        ),
        (
            r#"{"level":"INFO","component":"a","message":"m","context":[],"n":5}"#,
            "bad_entry",
            Some(5),
        ),
        (
            r#"{"level":"INFO","component":"a","message":"m","timestamp":"now"}"#,
            "bad_entry",
            None,
        ),
        (
            r#"{"level":"INFO","component":"a","message":"m","timestamp":1e300}"#,
            "bad_entry",
            None,
        ),
        (
            &format!(r#"{{"level":"INFO","component":"a","message":"{long}","n":6}}"#),
            "too_large",
            Some(6),
        ),
        (r#"{"cmd":"next_drops"}"#, "unknown_command", None),
        (r#"{"cmd":"drop_sent"}"#, "bad_entry", None),
        (r#"{"cmd":"drop_failed","id":3}"#, "bad_entry", None),
        (r#"{"cmd":7}"#, "unknown_command", None),
        (
            r#"{"cmd":"hello","sender":"a b","next":1}"#,
            "bad_entry",
            None,
        ),
        (
            r#"{"cmd":"hello","sender":"ab","next":0}"#,
            "bad_entry",
            None,
        ),
        (&"[".repeat(100_000), "bad_entry", None),
    ] {
        let refusal = refused(line);
        let shown = &line[..line.len().min(80)];
        assert_eq!(refusal["code"], code, "{shown}");
        assert_eq!(refusal["n"].as_u64(), n, "{shown}");
        assert_eq!(refusal["retry"], false, "{shown}");
    }
}
