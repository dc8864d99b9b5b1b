//! Reads entries back from the local file and those rotated behind it, by epoch and seq.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader};

use serde::Deserialize;
use wire::MachineId;

use super::rotate::{LAST_LINE_BYTES, last_line, numbered};
use crate::config::Local;

#[derive(Deserialize)]
struct Seq {
    seq: u64,
}

/// The first of the wanted entries that are found, as wire JSON by seq: at most `max_entries`, and
/// no further one when they have more than `max_bytes`.
///
/// # Errors
/// A file that is there cannot be read.
pub fn find(
    config: &Local,
    machine_id: &MachineId,
    epoch: u64,
    wanted: &BTreeSet<u64>,
    max_entries: usize,
    max_bytes: usize,
) -> io::Result<BTreeMap<u64, String>> {
    let prefix = format!("{{\"machine_id\":\"{machine_id}\",\"epoch\":{epoch},");
    let mut found = Found {
        entries: BTreeMap::new(),
        bytes: 0,
        max_entries,
        max_bytes,
    };
    // All are opened first, the newest first: a rotation meanwhile shows one twice, and hides none.
    for file in open_all(config, epoch, wanted)?.into_iter().rev() {
        scan(file, &prefix, wanted, &mut found)?;
    }
    Ok(found.entries)
}

struct Found {
    entries: BTreeMap<u64, String>,
    bytes: usize,
    max_entries: usize,
    max_bytes: usize,
}

impl Found {
    /// Keeps the entries with the lowest seqs within the bounds.
    fn add(&mut self, seq: u64, json: String) {
        self.bytes += json.len();
        if let Some(again) = self.entries.insert(seq, json) {
            self.bytes -= again.len();
        }
        while self.entries.len() > self.max_entries
            || (self.bytes > self.max_bytes && self.entries.len() > 1)
        {
            let Some((_, last)) = self.entries.pop_last() else {
                break;
            };
            self.bytes -= last.len();
        }
    }
}

/// The files that may hold one of these, newest first.
fn open_all(config: &Local, epoch: u64, wanted: &BTreeSet<u64>) -> io::Result<Vec<File>> {
    let Some(&first) = wanted.first() else {
        return Ok(Vec::new());
    };
    let mut files = Vec::new();
    for number in 0..config.files {
        let path = match number {
            0 => config.path.clone(),
            number => numbered(&config.path, number),
        };
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            opened => opened?,
        };
        let last = last_line(&path)?;
        let ends_before = last.is_some_and(|last| last.epoch == epoch && last.seq < first);
        if !ends_before {
            files.push(file);
        }
    }
    Ok(files)
}

fn scan(file: File, prefix: &str, wanted: &BTreeSet<u64>, found: &mut Found) -> io::Result<()> {
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    while read_line(&mut reader, &mut line)? {
        let Some(rest) = line.strip_prefix(prefix.as_bytes()) else {
            continue;
        };
        let Ok(rest) = std::str::from_utf8(rest) else {
            continue;
        };
        let json = format!("{{{rest}");
        if let Ok(Seq { seq }) = serde_json::from_str(&json)
            && wanted.contains(&seq)
        {
            found.add(seq, json);
        }
    }
    Ok(())
}

/// The next whole line without its end; one that is longer than any of ours comes empty.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let mut is_too_long = false;
    loop {
        let there = reader.fill_buf()?;
        if there.is_empty() {
            // A line that is being written has no end yet.
            return Ok(false);
        }
        let end = there.iter().position(|byte| *byte == b'\n');
        let part = end.unwrap_or(there.len());
        is_too_long |= line.len() + part > LAST_LINE_BYTES as usize;
        if is_too_long {
            line.clear();
        } else {
            line.extend_from_slice(&there[..part]);
        }
        let used = end.map_or(part, |end| end + 1);
        reader.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn line(machine: &str, epoch: u64, seq: u64) -> String {
        format!(
            "{{\"machine_id\":\"{machine}\",\"epoch\":{epoch},\"seq\":{seq},\"message\":\"m{seq}\"}}\n"
        )
    }

    fn write(path: &Path, epoch: u64, seqs: std::ops::RangeInclusive<u64>) {
        let text: String = seqs.map(|seq| line("VM001", epoch, seq)).collect();
        fs::write(path, text).unwrap();
    }

    fn config(dir: &Path) -> Local {
        Local {
            path: dir.join("local.log"),
            max_bytes: 1024 * 1024,
            files: 5,
        }
    }

    fn seqs(config: &Local, epoch: u64, wanted: impl IntoIterator<Item = u64>) -> Vec<u64> {
        let (wanted, id) = (wanted.into_iter().collect(), "VM001".parse().unwrap());
        let found = find(config, &id, epoch, &wanted, 100, 1_000_000).unwrap();
        found.into_keys().collect()
    }

    #[test]
    fn entries_are_found_across_rotated_files_and_epochs() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        assert_eq!(seqs(&config, 7, 1..=10), [0; 0], "no file at all");
        write(&dir.path().join("local.log.2"), 6, 1..=50);
        write(&dir.path().join("local.log.1"), 7, 1..=20);
        write(&config.path, 7, 21..=40);
        assert_eq!(seqs(&config, 7, 15..=25), (15..=25).collect::<Vec<_>>());
        assert_eq!(seqs(&config, 6, 49..=60), [49, 50]);
        assert_eq!(seqs(&config, 7, [5, 33, 99]), [5, 33]);
        assert_eq!(seqs(&config, 8, 1..=10), [0; 0]);
    }

    #[test]
    fn what_is_torn_foreign_or_endless_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        let mut text = line("VM002", 7, 1) + "garbage\n" + &"x".repeat(3_000_000) + "\n";
        text += &line("VM001", 7, 2);
        text += line("VM001", 7, 3).trim_end();
        fs::write(&config.path, text).unwrap();
        assert_eq!(seqs(&config, 7, 1..=3), [2]);
    }

    #[test]
    fn one_look_brings_a_bounded_number_the_lowest_first() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        write(&config.path, 7, 1..=90);
        let (wanted, id) = ((1..=90).collect(), "VM001".parse().unwrap());
        let few = find(&config, &id, 7, &wanted, 10, 1_000_000).unwrap();
        assert_eq!(
            few.keys().copied().collect::<Vec<_>>(),
            (1..=10).collect::<Vec<_>>()
        );
        let small = find(&config, &id, 7, &wanted, 100, 1).unwrap();
        assert_eq!(
            small.keys().copied().collect::<Vec<_>>(),
            [1],
            "one always fits"
        );
    }
}
