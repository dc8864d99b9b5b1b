//! What the cellular path keeps over restarts and power cuts, in one small file that is written
//! twice for a drop: before it leaves, and when it was sent.
//!
//! A number is given to one drop only: it and the drop are durable together before anybody gets it,
//! and a restart offers the same bytes again until somebody says that they were sent.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use wire::Micros;

use super::budget::Month;
use super::day::Day;
use super::memory::Remembered;
use super::moment::Moment;
use crate::durable::{self, Loaded};

/// The newest of two generations is unreadable: the drop that it had may have left under a number
/// that the other one does not know. A save happens twice a drop, so that it is one number at most.
const SKIPPED_FOR_ONE: u64 = 2;
/// Both are unreadable: more drops than a machine sends in a year, bursts included, are skipped.
const SKIPPED_FOR_ALL: u64 = 20_000;

/// `STATE/eport`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EportState {
    /// The spool that `covered` and `number` belong to.
    pub epoch: u64,
    /// The last number that was given to a drop.
    pub number: u64,
    /// Every entry up to this seq is covered by drops that were sent.
    pub covered: u64,
    /// The drop that waits for the reader, or for word of it.
    pub pending: Option<Pending>,
    /// Entries that may be said again, and in how many drops they were.
    #[serde(default)]
    pub remembered: Vec<Remembered>,
    /// The month's data.
    #[serde(default)]
    pub month: Month,
    /// When the last drop was made.
    pub made: Option<Moment>,
    /// When the reader took the last one, RFC 3339, and its number.
    pub last_sent: Option<(String, u64)>,
    /// What is wrong since then.
    pub last_error: Option<DropError>,
    /// What the reader said of itself.
    #[serde(default)]
    pub reader: KeptReader,
    /// The day so far.
    #[serde(default)]
    pub day: Day,
    /// A daily summary that was in no drop yet.
    #[serde(default)]
    pub summary: Option<u64>,
}

/// A drop that has its number and is not known to be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// Of the spool that it speaks of; not the present one when that was begun anew.
    pub epoch: u64,
    /// Its number.
    pub number: u64,
    /// The file's name.
    pub name: String,
    /// The file.
    pub data: String,
    /// The last seq that it covers; 0: none.
    pub last: u64,
    /// Entries in it, and their levels.
    pub included: Vec<(u64, u8)>,
    /// Entries that it covers and does not have, and their levels.
    pub left: Vec<(u64, u8)>,
    /// It has something that does not wait.
    pub is_urgent: bool,
}

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropError {
    /// When it first did, RFC 3339.
    pub at: String,
    /// What it was.
    pub text: String,
}

/// What the reader said of itself last.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeptReader {
    /// Signal strength.
    pub signal_rssi: Option<i32>,
    /// Bit error rate.
    pub signal_ber: Option<i32>,
    /// Its serial number.
    pub serial: Option<String>,
}

impl EportState {
    /// What is kept at `path`, for the spool of this epoch. Numbers that may have been given are not
    /// given again, whatever happened to the file.
    pub fn load(path: &Path, epoch: u64) -> EportState {
        let (mut state, skipped) = match durable::load_checked::<EportState>(path) {
            Loaded::Newest(state) => (state, 0),
            Loaded::Older(state) => (state, SKIPPED_FOR_ONE),
            Loaded::Damaged => (EportState::new(epoch), SKIPPED_FOR_ALL),
            Loaded::Absent => (EportState::new(epoch), 0),
        };
        if skipped > 0 {
            tracing::warn!(
                skipped,
                "the state of the cellular path was damaged; drop numbers are skipped"
            );
            // What the lost generation had may have been another drop, already on its way, and that
            // under the number of the one that is here: its entries go into a new drop.
            state.pending = None;
            state.number += skipped;
        }
        if state.epoch != epoch {
            // A drop of the old spool is still worth sending; it has its own numbers.
            state = EportState {
                pending: state.pending,
                month: state.month,
                made: state.made,
                last_sent: state.last_sent,
                last_error: state.last_error,
                reader: state.reader,
                // The lost generation may have been of this spool already.
                number: skipped,
                ..EportState::new(epoch)
            };
        }
        state
    }

    /// What is kept at `path`, for somebody who only looks.
    pub fn look(path: &Path, epoch: u64) -> EportState {
        let state: EportState = durable::load(path).unwrap_or_default();
        let covered = if state.epoch == epoch {
            state.covered
        } else {
            0
        };
        EportState { covered, ..state }
    }

    fn new(epoch: u64) -> EportState {
        EportState {
            epoch,
            ..EportState::default()
        }
    }

    /// Makes it durable.
    ///
    /// # Errors
    /// The state directory cannot be written.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        durable::save(path, self)
    }

    /// The highest seq that somebody outside may know of.
    pub fn told_through(&self, epoch: u64) -> u64 {
        let pending = self
            .pending
            .as_ref()
            .filter(|pending| pending.epoch == epoch);
        let pending = pending.map_or(0, |pending| pending.last);
        match self.epoch == epoch {
            true => self.covered.max(pending),
            false => pending,
        }
    }

    /// Notes what went wrong; answers whether that is news.
    pub fn failed(&mut self, text: &str, now: Micros) -> bool {
        if self
            .last_error
            .as_ref()
            .is_some_and(|seen| seen.text == text)
        {
            return false;
        }
        self.last_error = Some(DropError {
            at: now.to_rfc3339(),
            text: text.to_owned(),
        });
        true
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn state(number: u64) -> EportState {
        EportState {
            number,
            covered: 40,
            pending: Some(Pending {
                epoch: 7,
                number,
                name: "n".into(),
                data: "d".into(),
                last: 50,
                included: vec![(41, 3)],
                left: vec![],
                is_urgent: true,
            }),
            ..EportState::new(7)
        }
    }

    #[test]
    fn a_number_is_not_given_again_whatever_happens_to_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("eport");
        assert_eq!(EportState::load(&path, 7), EportState::new(7));
        state(1).save(&path).unwrap();
        state(2).save(&path).unwrap();
        assert_eq!(EportState::load(&path, 7), state(2));
        assert_eq!(state(2).told_through(7), 50);
        fs::write(&path, "torn").unwrap();
        let older = EportState::load(&path, 7);
        assert_eq!(older.number, 1 + SKIPPED_FOR_ONE);
        assert_eq!(older.pending, None, "its number may be another drop's");
        assert_eq!(older.told_through(7), 40, "its entries go into the next");
        let other = EportState::load(&path, 8);
        assert_eq!((other.number, other.pending), (SKIPPED_FOR_ONE, None));
        fs::write(durable::sibling(&path, "prev"), "torn").unwrap();
        assert_eq!(EportState::load(&path, 7).number, SKIPPED_FOR_ALL);
    }

    #[test]
    fn a_drop_of_a_spool_that_is_gone_is_still_sent_under_its_own_number() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("eport");
        state(9).save(&path).unwrap();
        let other = EportState::load(&path, 8);
        assert_eq!((other.number, other.covered), (0, 0));
        assert_eq!(other.pending, state(9).pending);
        assert_eq!(other.told_through(8), 0);
    }
}
