//! Files that had to wait at their source, while there is no room in quarantine for them: left
//! alone for a while, so that they are not downloaded again with every poll. In memory only.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use wire::Micros;
use wire::time::MINUTE_US;

/// How long a file that had to wait is left alone: a full quarantine costs no more than four
/// downloads an hour and file, each of 1 MiB at most.
const PAUSE_US: i64 = 15 * MINUTE_US;
/// Files known to wait; those beyond are downloaded with each poll, as many as one poll takes.
const FILES_MAX: usize = ::drops::limits::TAKEN_A_POLL;

/// The files of one source that had to wait, by their keys.
#[derive(Debug, Default)]
pub struct HeldBack {
    files: Mutex<HashMap<String, Held>>,
}

#[derive(Debug)]
struct Held {
    until: Micros,
    why: String,
}

impl HeldBack {
    /// A file has to wait.
    pub fn hold(&self, key: &str, why: &str, now: Micros) {
        let mut files = self.files();
        if files.len() >= FILES_MAX {
            files.retain(|_, held| held.until > now);
        }
        if files.len() < FILES_MAX {
            let held = Held {
                until: now.plus_us(PAUSE_US),
                why: why.to_owned(),
            };
            files.insert(key.to_owned(), held);
        }
    }

    /// Why a file is left alone now, and for how long; `None` when it is to be fetched.
    pub fn why(&self, key: &str, now: Micros) -> Option<String> {
        let files = self.files();
        let held = files.get(key).filter(|held| held.until > now)?;
        let minutes = (held.until.since_us(now) + MINUTE_US - 1) / MINUTE_US;
        Some(format!(
            "{}; it is fetched again in {minutes} min",
            held.why
        ))
    }

    /// There may be room again, or somebody asks for the files now.
    pub fn release(&self) {
        self.files().clear();
    }

    fn files(&self) -> MutexGuard<'_, HashMap<String, Held>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_left_alone_for_a_quarter_of_an_hour_or_until_there_is_room() {
        let held = HeldBack::default();
        let at = |minutes: i64| Micros(minutes * MINUTE_US);
        held.hold("a", "quarantine is full", at(0));
        assert_eq!(
            held.why("a", at(4)).as_deref(),
            Some("quarantine is full; it is fetched again in 11 min")
        );
        assert_eq!(held.why("b", at(4)), None);
        assert_eq!(held.why("a", at(15)), None);
        held.release();
        assert_eq!(held.why("a", at(4)), None);
    }

    #[test]
    fn no_more_is_remembered_than_one_poll_takes() {
        let held = HeldBack::default();
        for n in 0..=FILES_MAX {
            held.hold(&n.to_string(), "full", Micros(0));
        }
        assert_eq!(held.files().len(), FILES_MAX);
        held.hold("later", "full", Micros(PAUSE_US));
        assert_eq!(held.files().len(), 1, "those that waited are over");
    }
}
