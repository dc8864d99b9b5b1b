//! What goes into a drop: as much as fits, by importance; as text when everything fits whole as
//! text, else dense. What does not fit is counted, never forgotten silently.

mod shorten;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::{Counts, Covers, Dictionary, DropEntry, DropHeader, dense, text};
use crate::LogEntry;

/// How many entries beyond the first that does not fit are tried one by one: short ones may still
/// fill the rest.
const FILL_TRIES: usize = 12;
/// Where the search for how many entries fit begins: about what a full dense drop holds.
const FIRST_GUESS: usize = 64;
/// An entry that may not fit a drop of its own; below this it always does.
const MAYBE_TOO_LARGE_BYTES: usize = 200;

/// An entry that may go into a drop.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The entry, with its seq.
    pub entry: &'a LogEntry,
    /// It went with a drop before.
    pub is_repeat: bool,
}

/// The form a drop is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Text when everything fits whole as text, else dense.
    #[default]
    Auto,
    /// Text.
    Text,
    /// Dense.
    Dense,
}

/// A drop to be made.
#[derive(Debug, Clone)]
pub struct MakeDrop<'a> {
    /// What it says of itself. `left_out` has what is not even a candidate; the rest is counted here.
    pub header: DropHeader,
    /// The most important first; each seq once.
    pub candidates: &'a [Candidate<'a>],
    /// The most bytes it may have; [`super::DROP_MAX_BYTES`] for a reader.
    pub max_bytes: usize,
    /// Text or dense.
    pub form: Form,
    /// What a dense one is packed with.
    pub dictionary: &'a Dictionary,
}

/// A drop that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeDrop {
    /// The file's name: `VM001-42-17.txt` for drop 17 of epoch 42.
    pub name: String,
    /// The drop: printable ASCII and LF.
    pub data: String,
    /// The seqs that are in it, in order, whole or shortened.
    pub included: Vec<u64>,
    /// Those of them that were shortened.
    pub summaries: Vec<u64>,
    /// New candidates that did not fit, and what was left out before, by level.
    pub left_out: Counts,
}

/// Makes a drop of at most `max_bytes`, whatever the candidates are. A drop without candidates says
/// its header, which is what an empty hour needs.
pub fn make(request: &MakeDrop<'_>) -> MadeDrop {
    if request.form != Form::Dense {
        let whole = entries_of(request.candidates, request);
        let packing = Packing {
            request,
            is_dense: false,
        };
        let data = packing.write(&whole, request.header.clone());
        if data.len() <= request.max_bytes {
            return made(request, whole, data);
        }
    }
    let packing = Packing {
        request,
        is_dense: request.form != Form::Text,
    };
    let entries: Vec<DropEntry> = entries_of(request.candidates, request)
        .into_iter()
        .filter_map(|entry| packing.fit_alone(entry))
        .collect();
    let taken = largest(entries.len(), |count| packing.fits(&entries[..count]));
    let mut chosen = entries[..taken].to_vec();
    for entry in entries[taken..].iter().take(FILL_TRIES) {
        chosen.push(entry.clone());
        if !packing.fits(&chosen) {
            chosen.pop();
        }
    }
    let header = packing.header(&chosen);
    let data = packing.write(&chosen, header);
    made(request, chosen, data)
}

/// Makes as many drops as it takes to send every entry, in order of seq; each covers its own part.
/// `header` is that of the first one: its number, and what all of them share.
pub fn make_all(
    header: &DropHeader,
    entries: &[LogEntry],
    (max_bytes, form): (usize, Form),
    dictionary: &Dictionary,
) -> Vec<MadeDrop> {
    let mut drops = Vec::new();
    let mut rest = entries;
    while !rest.is_empty() {
        let build = |count: usize| {
            let candidates: Vec<Candidate<'_>> = rest[..count]
                .iter()
                .map(|entry| Candidate {
                    entry,
                    is_repeat: false,
                })
                .collect();
            let mut header = header.clone();
            header.number = header.number.saturating_add(drops.len() as u64);
            header.covers = covers_of(&rest[..count]);
            make(&MakeDrop {
                header,
                candidates: &candidates,
                max_bytes,
                form,
                dictionary,
            })
        };
        let is_whole = |count: usize, drop: &MadeDrop| {
            // The first goes also when it must be shortened: nothing else would ever send it.
            drop.included.len() == count && (drop.summaries.is_empty() || count == 1)
        };
        let count = largest(rest.len(), |count| is_whole(count, &build(count))).max(1);
        drops.push(build(count));
        rest = &rest[count..];
    }
    drops
}

/// The covers of entries in order of seq.
fn covers_of(entries: &[LogEntry]) -> Covers {
    let mut counts = Counts::default();
    for entry in entries {
        counts.add(entry.level, 1);
    }
    let seqs = || entries.iter().filter_map(|entry| entry.seq);
    Covers {
        first: seqs().min().unwrap_or(0),
        last: seqs().max().unwrap_or(0),
        counts,
    }
}

/// How many of the first entries fit, when fewer always fit where more do.
fn largest(count: usize, mut fits: impl FnMut(usize) -> bool) -> usize {
    let (mut good, mut next) = (0, FIRST_GUESS.min(count));
    while next > good && fits(next) {
        good = next;
        next = next.saturating_mul(2).min(count);
    }
    let mut bad = next;
    if good == count {
        return good;
    }
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if fits(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    good
}

fn entries_of(candidates: &[Candidate<'_>], request: &MakeDrop<'_>) -> Vec<DropEntry> {
    candidates
        .iter()
        .map(|candidate| {
            let mut entry = candidate.entry.clone();
            entry.timestamp = request.header.time.cut(entry.timestamp);
            DropEntry {
                entry,
                is_summary: false,
            }
        })
        .collect()
}

/// One way of writing, with what it needs.
struct Packing<'a> {
    request: &'a MakeDrop<'a>,
    is_dense: bool,
}

impl Packing<'_> {
    /// The header of a drop with these entries.
    fn header(&self, chosen: &[DropEntry]) -> DropHeader {
        let mut header = self.request.header.clone();
        header.left_out = left_out(self.request, chosen);
        header
    }

    fn write(&self, chosen: &[DropEntry], header: DropHeader) -> String {
        let mut in_order: Vec<DropEntry> = chosen.to_vec();
        in_order.sort_by_key(|entry| entry.entry.seq);
        if self.is_dense {
            dense::encode(&header, &in_order, self.request.dictionary)
        } else {
            text::encode(&header, &in_order)
        }
    }

    fn fits(&self, chosen: &[DropEntry]) -> bool {
        self.write(chosen, self.header(chosen)).len() <= self.request.max_bytes
    }

    /// The entry, shortened when it would not even fit a drop of its own; `None` when no rest of it
    /// does.
    fn fit_alone(&self, entry: DropEntry) -> Option<DropEntry> {
        if entry.entry.size_bytes() < MAYBE_TOO_LARGE_BYTES
            || self.fits(std::slice::from_ref(&entry))
        {
            return Some(entry);
        }
        shorten::steps(&entry).find(|short| self.fits(std::slice::from_ref(short)))
    }
}

/// Candidates of the covered range that are not among the chosen.
fn left_out(request: &MakeDrop<'_>, chosen: &[DropEntry]) -> Counts {
    let chosen: BTreeSet<u64> = chosen.iter().filter_map(|entry| entry.entry.seq).collect();
    let mut counts = request.header.left_out;
    for Candidate { entry, is_repeat } in request.candidates {
        let seq = entry.seq.unwrap_or(0);
        if !is_repeat && request.header.covers.contains(seq) && !chosen.contains(&seq) {
            counts.add(entry.level, 1);
        }
    }
    counts
}

fn made(request: &MakeDrop<'_>, mut chosen: Vec<DropEntry>, data: String) -> MadeDrop {
    chosen.sort_by_key(|entry| entry.entry.seq);
    let left_out = left_out(request, &chosen);
    let seq = |entry: &DropEntry| entry.entry.seq.unwrap_or(0);
    let header = &request.header;
    MadeDrop {
        name: format!("{}-{}-{}.txt", header.machine, header.epoch, header.number),
        data,
        included: chosen.iter().map(seq).collect(),
        summaries: chosen
            .iter()
            .filter(|entry| entry.is_summary)
            .map(seq)
            .collect(),
        left_out,
    }
}
