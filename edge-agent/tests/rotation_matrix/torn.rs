//! Lines that come in parts, without an end, without being text, or too long: none torn, none lost.

use std::fs;
use std::time::Duration;

use crate::log::append;
use crate::support::{Machine, json_lines, messages, wait_for};

/// So many odd records go through.
const RECORDS: u32 = 20_000;

/// A record that is easily torn, and its message.
fn record(number: u32) -> (Vec<u8>, String) {
    let (bytes, text): (Vec<u8>, String) = match number % 6 {
        0 => ("grüße 😀 €".into(), "grüße 😀 €".into()),
        1 => (
            b"\xff\xfe and \xe2\x82".to_vec(),
            "\\xff\\xfe and \\xe2\\x82".into(),
        ),
        2 => (b"nul \0 inside".to_vec(), "nul \\x00 inside".into()),
        3 => (b"tab\tand space".to_vec(), "tab\tand space".into()),
        4 => (vec![b'a' + (number % 26) as u8; 300], {
            let letter = char::from(b'a' + (number % 26) as u8);
            letter.to_string().repeat(300)
        }),
        _ => (b"plain".to_vec(), "plain".into()),
    };
    let mut line = format!("2026-01-22 14:30:15 - __main__ - INFO - {number:06} ").into_bytes();
    line.extend(&bytes);
    line.extend(if number.is_multiple_of(7) {
        &b"\r\n"[..]
    } else {
        b"\n"
    });
    (line, format!("{number:06} {text}"))
}

#[test]
fn written_in_parts_of_every_size_nothing_is_torn() {
    let machine = Machine::new("");
    let records: Vec<(Vec<u8>, String)> = (0..RECORDS).map(record).collect();
    let bytes: Vec<u8> = records
        .iter()
        .flat_map(|(bytes, _)| bytes.clone())
        .collect();
    let mut reading = machine.start();
    let mut got = Vec::new();
    let (mut at, mut random, mut parts) = (0, 7u64, 0);
    while at < bytes.len() {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let len = 1 + (random >> 33) as usize % if parts % 8 == 0 { 20_000 } else { 90 };
        let to = (at + len).min(bytes.len());
        append(&machine.log(), &bytes[at..to]);
        (at, parts) = (to, parts + 1);
        if parts % 300 == 0 {
            // As after a power cut: what was not whole is read again.
            drop(reading);
            reading = machine.start();
        }
        got.extend(messages(&reading.drain()));
    }
    let wanted: Vec<String> = records.into_iter().map(|(_, message)| message).collect();
    let torn = got
        .iter()
        .filter(|message| !wanted.contains_sorted(message))
        .count();
    println!(
        "in {parts} parts: {RECORDS} records, {} came, {torn} torn",
        got.len()
    );
    assert_eq!((got.len(), torn), (wanted.len(), 0));
    assert!(got == wanted);
}

trait ContainsSorted {
    fn contains_sorted(&self, text: &str) -> bool;
}

impl ContainsSorted for Vec<String> {
    fn contains_sorted(&self, text: &str) -> bool {
        self.binary_search_by(|own| own.as_str().cmp(text)).is_ok()
    }
}

#[test]
fn without_a_final_newline_the_line_survives_sigterm_and_sigkill() {
    let machine = Machine::new("");
    let mut wanted = Vec::new();
    for number in 0..12 {
        let (line, message) = record(number);
        // Once before the end of a character, once before the end of the line.
        let cut = line.len() - 1 - number as usize % 5;
        let agent = machine.spawn();
        append(&machine.log(), &line[..cut]);
        wait_for("the lines before", || {
            json_lines(&machine.local()).len() == wanted.len()
        });
        std::thread::sleep(Duration::from_millis(60));
        match number % 2 {
            0 => agent.kill(),
            _ => assert_eq!(agent.terminate().0, Some(0)),
        }
        append(&machine.log(), &line[cut..]);
        wanted.push(message);
    }
    let agent = machine.spawn();
    wait_for("the last line", || {
        json_lines(&machine.local()).len() == wanted.len()
    });
    agent.kill();
    let got = messages(&json_lines(&machine.local()));
    println!("12 stops inside a line: {} lines, 0 torn", got.len());
    assert_eq!(got, wanted);
}

#[test]
fn a_line_of_a_megabyte_comes_whole_in_pieces_though_the_agent_is_killed_inside_it() {
    let machine = Machine::new("");
    let text = "grüße 😀 from the machine ".repeat(40_000);
    let line = format!("2026-01-22 14:30:15 - __main__ - INFO - {text}\n").into_bytes();
    for part in line.chunks(line.len() / 7 + 1) {
        let agent = machine.spawn();
        append(&machine.log(), part);
        std::thread::sleep(Duration::from_millis(250));
        agent.kill();
    }
    append(
        &machine.log(),
        b"2026-01-22 14:30:16 - __main__ - INFO - after\n",
    );
    let agent = machine.spawn();
    wait_for("the line after it", || {
        fs::read_to_string(machine.local()).is_ok_and(|text| text.contains("\"after\""))
    });
    agent.kill();
    let mut got = messages(&json_lines(&machine.local()));
    assert_eq!(got.pop().as_deref(), Some("after"));
    println!("1 MB line, 7 kills inside it: {} pieces", got.len());
    assert!(got.len() >= 17 && got.concat() == text);
}
