//! Bytes that nobody wrote, and drops that somebody changed on purpose, into the reader of dense
//! drops: it never panics, stays within its bounds, and takes nothing for a drop that is none.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use wire::drops::{Counts, Covers, Dictionary, DropHeader, TimePrecision, dense};
use wire::{Level, Micros};

/// The same streams on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/fuzz/dense")
}

fn golden() -> (Arc<Dictionary>, Vec<String>) {
    let file = std::fs::read(corpus().join("golden.vdict")).expect("part of the repository");
    let dictionary =
        Dictionary::from_bytes(&file).expect("a dictionary of version 2 stays readable");
    let mut names: Vec<PathBuf> = std::fs::read_dir(corpus())
        .expect("part of the repository")
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|end| end == "drop"))
        .collect();
    names.sort();
    assert!(names.len() >= 3, "{} golden drops", names.len());
    let read = |path: &PathBuf| std::fs::read_to_string(path).expect("a drop is text");
    (Arc::new(dictionary), names.iter().map(read).collect())
}

#[test]
fn what_was_written_by_this_version_stays_readable_and_is_written_alike() {
    let (dictionary, drops) = golden();
    for drop in drops {
        let read = dense::decode(&drop, |_| Some(dictionary.clone()));
        let (header, entries) = read.expect("a drop of version 2 stays readable");
        assert!(!entries.is_empty());
        assert_eq!(dense::encode(&header, &entries, &dictionary), drop);
    }
}

#[test]
fn the_corpus_of_bad_drops_is_refused() {
    let (dictionary, _) = golden();
    let mut tried = 0;
    for entry in std::fs::read_dir(corpus()).expect("part of the repository") {
        let path = entry.expect("it can be listed").path();
        if path.extension().is_some_and(|end| end == "bad") {
            let bytes = std::fs::read(&path).expect("it can be read");
            let text = String::from_utf8_lossy(&bytes);
            let read = dense::decode(&text, |_| Some(dictionary.clone()));
            assert!(read.is_err(), "{} was taken", path.display());
            tried += 1;
        }
    }
    assert!(tried >= 5, "{tried} bad drops");
}

#[test]
fn of_a_million_random_streams_none_is_taken() {
    let (dictionary, drops) = golden();
    let mut dice = Dice(4);
    let mut bytes = Vec::new();
    let mut dense_looking = 0;
    for i in 0..1_000_000 {
        bytes.clear();
        match i % 4 {
            // Nothing but chance.
            0 => bytes.extend((0..dice.below(120)).map(|_| dice.next() as u8)),
            // Printable, after a beginning that is right.
            1 => {
                bytes.extend(b"VD2,VM001,");
                bytes.extend((0..dice.below(120)).map(|_| b' ' + dice.below(95) as u8));
            }
            // A header's own letters.
            2 => {
                bytes.extend(b"VD2,VM001,");
                let letters = b"0123456789AZaz,,,,,!~\n";
                bytes.extend((0..dice.below(160)).map(|_| letters[dice.below(letters.len())]));
            }
            // A real one with some bytes changed.
            _ => {
                bytes.extend(drops[dice.below(drops.len())].as_bytes());
                for _ in 0..=dice.below(3) {
                    let at = dice.below(bytes.len());
                    bytes[at] ^= 1 + dice.below(255) as u8;
                }
            }
        }
        let Ok(text) = std::str::from_utf8(&bytes) else {
            continue;
        };
        dense_looking += usize::from(dense::is_dense(text));
        let read = dense::decode(text, |_| Some(dictionary.clone()));
        let unchanged = drops.iter().any(|drop| drop == text);
        assert!(read.is_err() || unchanged, "taken: {text:?}");
    }
    assert!(
        dense_looking > 500_000,
        "{dense_looking} looked like dense drops"
    );
}

/// The letters of a payload, of which 16 are 13 bytes.
const LETTERS: &[u8] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&()*+,-/:;>?@[]^_`{|}~\"'\\";

/// What a forger would do: the head of a real drop, any codec, any payload, and the checksum that
/// fits it.
fn forged(drop: &str, codec: u128, payload: &str) -> String {
    let (line, real) = drop.split_once('\n').expect("a header");
    let machine = line.split(',').nth(1).expect("a machine");
    let (first, rest) = real.as_bytes().split_at(16);
    let digit = |byte: &u8| LETTERS.iter().position(|other| other == byte);
    let value = first.iter().fold(0, |value, byte| {
        value * 91 + digit(byte).expect("a letter of it") as u128
    });
    // The fifth byte has three precisions of each codec, and flags above 15.
    let forms = value >> 64 & 15;
    let mut value = value - (forms << 64) + (((codec - 1) * 3 + forms % 3) << 64);
    let mut begin = [0; 16];
    for place in begin.iter_mut().rev() {
        *place = LETTERS[(value % 91) as usize];
        value /= 91;
    }
    // The rest of the head lies in the second block.
    let begin = [&begin[..], &rest[..16]].concat();
    let payload = String::from_utf8(begin).expect("letters") + payload;
    let line = format!("VD2,{machine},{},", base62(payload.len() as u64));
    let crc = crc32fast::hash(format!("{line}{payload}").as_bytes());
    format!("{line}{:0>6}\n{payload}", base62(crc.into()))
}

fn base62(mut value: u64) -> String {
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = String::new();
    loop {
        text.insert(0, char::from(digits[(value % 62) as usize]));
        value /= 62;
        if value == 0 {
            return text;
        }
    }
}

#[test]
fn a_forged_payload_neither_panics_nor_grows_without_bound() {
    let (dictionary, drops) = golden();
    let mut dice = Dice(9);
    let mut longest = Duration::ZERO;
    for i in 0..400 {
        let payload: String = match i % 3 {
            0 => (0..dice.below(820))
                .map(|_| char::from(b'A' + dice.below(26) as u8))
                .collect(),
            // What every codec takes for the likeliest, again and again.
            1 => "A".repeat(dice.below(820)),
            _ => "~".repeat(dice.below(820)),
        };
        let codec = 1 + dice.below(4) as u128;
        let drop = forged(&drops[i % drops.len()], codec, &payload);
        let began = Instant::now();
        let read = dense::decode(&drop, |_| Some(dictionary.clone()));
        longest = longest.max(began.elapsed());
        if let Ok((_, entries)) = read {
            let said: usize = entries.iter().map(|entry| entry.entry.message.len()).sum();
            assert!(entries.len() <= 16_384 && said <= 1024 * 1024);
        }
    }
    assert!(longest < Duration::from_secs(20), "one took {longest:?}");
}

#[test]
fn what_repeats_endlessly_is_refused_rather_than_unfolded() {
    let (dictionary, _) = golden();
    let entry = wire::drops::DropEntry {
        entry: wire::LogEntry {
            seq: Some(1),
            timestamp: Micros(0),
            level: Level::Info,
            component: "app".into(),
            message: "the same long sentence over and over ".repeat(50),
            context: Default::default(),
            clock: Default::default(),
        },
        is_summary: false,
    };
    let header = DropHeader {
        machine: "VM001".parse().expect("an id"),
        number: 1,
        epoch: 1,
        made_at: Micros(0),
        uptime_s: None,
        covers: Covers::default(),
        left_out: Counts::default(),
        time: TimePrecision::Second,
    };
    let entries = vec![entry; 5_000];
    let bomb = dense::encode(&header, &entries, &dictionary);
    assert!(bomb.len() < 4_000, "9 MB in {} bytes", bomb.len());
    let read = dense::decode(&bomb, |_| Some(dictionary.clone()));
    assert_eq!(read.unwrap_err().code(), "damaged");
}
