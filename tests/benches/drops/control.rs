//! The other ways to put entries into a file of 900 bytes: the paper's text, the paper's sample
//! compressor, gzip, and zstd with a dictionary trained on the same machines as ours.

use std::collections::HashMap;
use std::io::Write;

use anyhow::{Context, Result};
use base64::Engine;
use wire::drops::DROP_MAX_BYTES;
use wire::{Level, LogEntry};

/// The largest dictionary that zstd's own trainer makes by default.
const ZSTD_DICTIONARY_BYTES: usize = 112_640;
/// Lines of one example for zstd, about a drop's worth.
const ZSTD_EXAMPLE_LINES: usize = 100;
const ZSTD_LEVEL: i32 = 19;
/// The sample compressor tells messages apart by so many characters.
const SAMPLE_CHARS: usize = 20;

/// The paper's line `MACHINE|MMDD-HHMM|L|COMPONENT|MESSAGE|CONTEXT`, nothing shortened.
pub fn line(entry: &LogEntry) -> String {
    let at = entry.timestamp.to_timestamp().strftime("%m%d-%H%M");
    let letter = match entry.level {
        Level::Debug => 'D',
        Level::Info => 'I',
        Level::Warn => 'W',
        Level::Error => 'E',
        Level::Critical => 'C',
    };
    let context = match entry.context.is_empty() {
        true => String::new(),
        false => serde_json::to_string(&entry.context).expect("a context is JSON"),
    };
    let (component, message) = (&entry.component, &entry.message);
    format!("VM001|{at}|{letter}|{component}|{message}|{context}\n")
}

/// How many of the first entries fit as plain text.
pub fn text(entries: &[LogEntry]) -> usize {
    let mut room = DROP_MAX_BYTES;
    let fits = entries.iter().take_while(|entry| {
        let len = line(entry).len();
        let fits = len <= room;
        room = room.saturating_sub(len);
        fits
    });
    fits.count()
}

/// How many of the first entries fit as the text through gzip and base64.
pub fn gzip(entries: &[LogEntry]) -> usize {
    most(entries.len(), |count| {
        let level = flate2::Compression::best();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), level);
        let written = gzip.write_all(lines(&entries[..count]).as_bytes());
        let bytes = written.and_then(|()| gzip.finish());
        let bytes = bytes.expect("memory takes everything");
        base64::engine::general_purpose::STANDARD
            .encode(bytes)
            .len()
    })
}

/// zstd with a dictionary of the lines of these machines.
pub struct Zstd(zstd::bulk::Compressor<'static>);

impl Zstd {
    /// Trains the dictionary.
    ///
    /// # Errors
    /// zstd refuses the examples.
    pub fn train(entries: &[LogEntry]) -> Result<Zstd> {
        let examples: Vec<String> = entries.chunks(ZSTD_EXAMPLE_LINES).map(lines).collect();
        let dictionary = zstd::dict::from_samples(&examples, ZSTD_DICTIONARY_BYTES);
        let dictionary = dictionary.context("zstd cannot train on these examples")?;
        let mut zstd = zstd::bulk::Compressor::with_dictionary(ZSTD_LEVEL, &dictionary)?;
        zstd.include_checksum(false)?;
        zstd.include_contentsize(false)?;
        zstd.include_dictid(false)?;
        Ok(Zstd(zstd))
    }

    /// How many of the first entries fit as the text through it and base85.
    pub fn fits(&mut self, entries: &[LogEntry]) -> usize {
        most(entries.len(), |count| {
            let bytes = self.0.compress(lines(&entries[..count]).as_bytes());
            // Five characters for four bytes.
            (bytes.expect("memory takes everything").len() * 5).div_ceil(4)
        })
    }
}

/// What the paper's `compress_for_eport` keeps of entries: the entries whose line is within the 900
/// bytes, counted at least, and of them those whose message is whole. Times, levels, contexts and
/// the machine are never kept.
pub fn sample_compressor(entries: &[LogEntry]) -> (usize, usize) {
    let mut groups: Vec<(String, usize)> = Vec::new();
    let mut places = HashMap::new();
    let mut whole = HashMap::new();
    for entry in entries {
        let cut: String = entry.message.chars().take(SAMPLE_CHARS).collect();
        let key = format!("{}:{cut}", entry.component);
        let place = *places.entry(key.clone()).or_insert_with(|| {
            groups.push((key, 0));
            groups.len() - 1
        });
        groups[place].1 += 1;
        if cut == entry.message {
            *whole.entry(place).or_insert(0) += 1;
        }
    }
    let mut used = 0;
    let (mut counted, mut kept_whole) = (0, 0);
    for (place, (key, count)) in groups.iter().enumerate() {
        let suffix = match count {
            1 => String::new(),
            count => format!("|x{count}"),
        };
        used += key.len() + suffix.len() + usize::from(place > 0);
        if used > DROP_MAX_BYTES {
            break;
        }
        counted += count;
        kept_whole += whole.get(&place).copied().unwrap_or(0);
    }
    (counted, kept_whole)
}

fn lines(entries: &[LogEntry]) -> String {
    entries.iter().map(line).collect()
}

/// The largest count up to `all` whose size fits into a drop.
pub fn most(all: usize, mut size: impl FnMut(usize) -> usize) -> usize {
    let (mut fits, mut too_many) = (0, all + 1);
    // First the order of magnitude: what is far too large takes long to try.
    let mut guess = 16;
    while guess < too_many && size(guess) <= DROP_MAX_BYTES {
        fits = guess;
        guess *= 2;
    }
    too_many = too_many.min(guess);
    while too_many - fits > 1 {
        let middle = (fits + too_many) / 2;
        if size(middle) <= DROP_MAX_BYTES {
            fits = middle;
        } else {
            too_many = middle;
        }
    }
    fits
}
