//! A million streams of bytes into the unpackers: noise, and valid files with bytes changed.

use std::path::Path;

use super::*;

/// Streams of each of the four kinds.
const STREAMS: u32 = 250_000;

/// Numbers that are the same at every run (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn noise(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most);
        (0..length).map(|_| (self.next() >> 32) as u8).collect()
    }

    /// A few bytes changed, a piece cut out, doubled or swapped.
    fn mutate(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let (a, b) = (self.below(bytes.len()), self.below(bytes.len()));
            let (from, to) = (a.min(b), a.max(b));
            match self.below(5) {
                0 => drop(bytes.drain(from..to.min(from + 40))),
                1 => {
                    let piece = bytes[from..to.min(from + 40)].to_vec();
                    bytes.splice(to..to, piece);
                }
                2 => bytes.truncate(to),
                _ if !bytes.is_empty() => bytes[from] = (self.next() >> 40) as u8,
                _ => {}
            }
        }
        bytes
    }
}

/// The committed files: what once was found, and one of each kind.
fn corpus() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/fuzz/unpack");
    let mut paths: Vec<_> = std::fs::read_dir(root)
        .expect("the corpus")
        .map(|entry| entry.expect("a file").path())
        .collect();
    paths.sort();
    assert!(paths.len() >= 8, "the corpus is there");
    paths
        .iter()
        .map(|path| std::fs::read(path).expect("a file"))
        .collect()
}

/// Whatever it is: no panic, and never more than was allowed.
fn try_one(bytes: &[u8]) -> bool {
    let outcomes = [unpack("x", bytes), as_mail(bytes)];
    for outcome in &outcomes {
        let broke = outcome
            .as_ref()
            .is_err_and(|e| e.message == mail::BROKE_THE_READER);
        assert!(!broke, "a panic for {bytes:?}");
    }
    for parts in outcomes.into_iter().flatten() {
        let total: usize = parts.iter().map(|part| part.bytes.len()).sum();
        assert!(parts.len() <= limits::PARTS && total <= limits::UNPACKED_BYTES);
        if !parts.is_empty() {
            return true;
        }
    }
    false
}

/// As a mail, whatever it looks like.
fn as_mail(bytes: &[u8]) -> Result<Vec<Part>, UnpackError> {
    let mut opened = Opened::default();
    mail::open(&mut opened, "x", bytes, Depth::default())?;
    Ok(opened.parts)
}

#[test]
fn the_corpus_replays() {
    for bytes in corpus() {
        try_one(&bytes);
    }
}

#[test]
fn a_million_streams_of_bytes_do_no_harm() {
    let began = std::time::Instant::now();
    let mut numbers = Numbers(0x5eed);
    let corpus = corpus();
    let (zips, mails): (Vec<_>, Vec<_>) = corpus
        .iter()
        .partition(|bytes| bytes[0] < b' ' || bytes.starts_with(b"PK"));
    let mut opened = 0;
    for _ in 0..STREAMS {
        opened += u32::from(try_one(&numbers.noise(120)));
        let mut zip = b"PK\x03\x04".to_vec();
        zip.extend(numbers.noise(120));
        opened += u32::from(try_one(&zip));
        for set in [&zips, &mails] {
            let valid = set[numbers.below(set.len())];
            let mutated = numbers.mutate(valid);
            opened += u32::from(try_one(&mutated));
        }
    }
    println!(
        "{} streams, {opened} of them had something inside, 0 panics, {:?}",
        4 * STREAMS,
        began.elapsed()
    );
}
