//! Which numbers the entries of a batch are stored under: the sender's own, ones made from an
//! `Idempotency-Key`, or none.

use std::collections::HashSet;

use sha2::{Digest, Sha256};
use wire::{LogEntry, RejectedEntry};

use super::batch::Refused;

/// The longest `Idempotency-Key` that is used; a longer one is refused by the caller.
pub const IDEMPOTENCY_KEY_MAX_BYTES: usize = 255;

/// How a batch is numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbering {
    /// By the sender's spool: each entry must bring its seq.
    Spool(u64),
    /// By the `Idempotency-Key`: the seq is the place in the batch plus one.
    ByPlace(u64),
    /// Not at all: entries are simply stored.
    None,
}

impl Numbering {
    /// What this batch's frame and header say. A spool's own numbers go before a key.
    pub fn of(epoch: Option<u64>, idempotency_key: Option<&str>) -> Numbering {
        match (epoch, idempotency_key) {
            (Some(epoch), _) => Numbering::Spool(epoch),
            (None, Some(key)) => Numbering::ByPlace(epoch_of(key)),
            (None, None) => Numbering::None,
        }
    }

    /// The epoch to store under.
    pub fn epoch(self) -> Option<u64> {
        match self {
            Numbering::Spool(epoch) | Numbering::ByPlace(epoch) => Some(epoch),
            Numbering::None => None,
        }
    }
}

/// The epoch of an `Idempotency-Key`: 53 bits of its SHA-256, so that JavaScript reads it exactly;
/// the highest is set, so that it never meets an epoch made from a clock in microseconds.
fn epoch_of(key: &str) -> u64 {
    let digest = Sha256::digest(key.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    const HIGHEST: u64 = 1 << 52;
    (u64::from_be_bytes(first) & (HIGHEST - 1)) | HIGHEST
}

/// A batch sorted out: what to store, what to refuse.
#[derive(Debug, Default)]
pub struct Sorted {
    /// To store; with an epoch each has a seq of its own.
    pub entries: Vec<LogEntry>,
    /// Entries whose number stood before in the same batch.
    pub repeated: u64,
    /// Not taken, in order of their place.
    pub rejected: Vec<RejectedEntry>,
    /// The numbers of what was not taken, for the ledger.
    pub refused_seqs: Vec<u64>,
}

/// Sorts the entries of a batch out.
pub fn sort_out(numbering: Numbering, entries: Vec<Result<LogEntry, Refused>>) -> Sorted {
    let mut sorted = Sorted::default();
    let mut taken = HashSet::new();
    let mut refused = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        let place = index as u64 + 1;
        let numbered = entry.and_then(|mut entry| {
            entry.seq = match numbering {
                Numbering::Spool(_) => Some(entry.seq.ok_or_else(|| without_seq(index))?),
                Numbering::ByPlace(_) => Some(place),
                Numbering::None => None,
            };
            Ok(entry)
        });
        match numbered {
            Ok(entry) if entry.seq.is_some_and(|seq| !taken.insert(seq)) => sorted.repeated += 1,
            Ok(entry) => sorted.entries.push(entry),
            Err(refusal) => {
                refused.extend(match numbering {
                    Numbering::Spool(_) => refusal.seq,
                    Numbering::ByPlace(_) => Some(place),
                    Numbering::None => None,
                });
                sorted.rejected.push(refusal.answer);
            }
        }
    }
    // 0 and beyond i64 are no numbers of a spool; a number that was taken after all is not refused.
    refused.retain(|seq| (1..=i64::MAX as u64).contains(seq) && taken.insert(*seq));
    sorted.refused_seqs = refused;
    sorted
}

fn without_seq(index: usize) -> Refused {
    let message = "field \"seq\" is missing; a batch with an epoch numbers every entry".to_owned();
    let answer = RejectedEntry {
        index,
        code: "bad_field".to_owned(),
        message,
    };
    Refused { seq: None, answer }
}

#[cfg(test)]
mod tests {
    use wire::{ClockState, Level, Micros};

    use super::*;

    fn entry(seq: Option<u64>) -> Result<LogEntry, Refused> {
        Ok(LogEntry {
            seq,
            timestamp: Micros(0),
            level: Level::Info,
            component: "c".into(),
            message: "m".into(),
            context: serde_json::Map::new(),
            clock: ClockState::Synced,
        })
    }

    fn refused(index: usize, seq: Option<u64>) -> Result<LogEntry, Refused> {
        let answer = RejectedEntry {
            index,
            code: "bad_field".into(),
            message: "no".into(),
        };
        Err(Refused { seq, answer })
    }

    fn seqs(sorted: &Sorted) -> Vec<Option<u64>> {
        sorted.entries.iter().map(|entry| entry.seq).collect()
    }

    #[test]
    fn a_spools_numbers_are_kept_and_each_entry_must_have_one() {
        let batch = vec![
            entry(Some(4)),
            entry(None),
            refused(2, Some(6)),
            refused(3, None),
        ];
        let sorted = sort_out(Numbering::Spool(1), batch);
        assert_eq!(seqs(&sorted), [Some(4)]);
        assert_eq!(sorted.refused_seqs, [6]);
        let places: Vec<usize> = sorted
            .rejected
            .iter()
            .map(|rejected| rejected.index)
            .collect();
        assert_eq!(places, [1, 2, 3]);
    }

    #[test]
    fn the_same_number_twice_counts_as_a_duplicate() {
        let batch = vec![
            entry(Some(4)),
            entry(Some(4)),
            refused(2, Some(4)),
            refused(3, Some(0)),
        ];
        let sorted = sort_out(Numbering::Spool(1), batch);
        assert_eq!((seqs(&sorted), sorted.repeated), (vec![Some(4)], 1));
        assert!(
            sorted.refused_seqs.is_empty(),
            "4 was taken, 0 is no number"
        );
    }

    #[test]
    fn an_idempotency_key_numbers_by_place() {
        let batch = vec![entry(Some(99)), refused(1, None), entry(None)];
        let sorted = sort_out(Numbering::of(None, Some("k")), batch);
        assert_eq!(seqs(&sorted), [Some(1), Some(3)]);
        assert_eq!(sorted.refused_seqs, [2]);
        let epoch = Numbering::of(None, Some("k")).epoch().unwrap();
        assert_eq!(
            Numbering::of(None, Some("k")).epoch(),
            Some(epoch),
            "always the same"
        );
        assert!((1 << 52..1 << 53).contains(&epoch), "{epoch}");
        assert_ne!(Numbering::of(None, Some("l")).epoch(), Some(epoch));
    }

    #[test]
    fn without_epoch_and_key_nothing_is_numbered() {
        let sorted = sort_out(
            Numbering::of(None, None),
            vec![entry(Some(3)), refused(1, Some(4))],
        );
        assert_eq!(seqs(&sorted), [None]);
        assert!(sorted.refused_seqs.is_empty());
    }
}
