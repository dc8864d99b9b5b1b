//! When what was appended is synced: each sync wears the card, so entries share one as long as
//! nobody is kept waiting by it and nothing can be lost by it.

use std::time::{Duration, Instant};

use wire::Level;

use crate::input::At;

/// In interval mode nobody looks before the next batch, so that one group of syncs in this time is
/// enough. At 1,000 entries an hour it has four entries, and what is written to the disk for them
/// is about a quarter of what it would be with a group a second; see
/// docs/decisions/0004-sync-groups.md.
pub const SPREAD: Duration = Duration::from_secs(15);
/// In continuous mode somebody is looking: a line is to be seen within a second or two.
pub const SPREAD_CONTINUOUS: Duration = Duration::from_millis(200);
/// The first entry after a pause waits so long, for a line seldom comes alone; and an entry that
/// cannot be read again waits no longer than this ever.
const QUICK: Duration = Duration::from_secs(1);
/// From this level up an entry is synced at once, with what was read together with it: a crash
/// loop must not wear the card with a sync for each line.
const AT_ONCE: Level = Level::Error;

/// The group of entries that the next sync is for.
#[derive(Debug)]
pub struct Group {
    spread: Duration,
    due: Option<Instant>,
    synced: Option<Instant>,
}

impl Group {
    /// With syncs so far apart, for entries that can be read again.
    pub fn new(spread: Duration) -> Group {
        Group {
            spread,
            due: None,
            synced: None,
        }
    }

    /// An entry joined it, that came from `at`.
    pub fn joined(&mut self, level: Level, at: &At, now: Instant) {
        let quick = now + QUICK.min(self.spread);
        let due = match at {
            _ if level >= AT_ONCE => now,
            // The file and the journal are the buffer: its position moves only after the sync.
            At::File(_) | At::Journal { .. } => match self.synced {
                Some(synced) => quick.max(synced + self.spread),
                None => quick,
            },
            At::Socket(_) | At::Live => quick,
        };
        self.due = Some(self.due.map_or(due, |other| other.min(due)));
    }

    /// When it is to be synced; `None` when nothing has joined it.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// How far apart syncs are.
    pub fn spread(&self) -> Duration {
        self.spread
    }

    /// It was synced; another begins.
    pub fn synced(&mut self, now: Instant) {
        if self.due.take().is_some() {
            self.synced = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> At {
        At::Journal {
            cursor: String::new(),
        }
    }

    #[test]
    fn syncs_for_what_can_be_read_again_are_spread_but_the_first_after_a_pause_is_quick() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut group = Group::new(SPREAD);
        assert_eq!(group.due(), None);
        group.joined(Level::Info, &journal(), start);
        group.joined(Level::Info, &journal(), start + Duration::from_millis(300));
        assert_eq!(group.due(), Some(after(1)));
        group.synced(after(1));
        group.joined(Level::Info, &journal(), after(2));
        assert_eq!(group.due(), Some(after(16)));
        group.synced(after(16));
        group.joined(Level::Info, &journal(), after(100));
        assert_eq!(group.due(), Some(after(101)));
    }

    #[test]
    fn what_is_grave_or_cannot_be_read_again_hurries_the_whole_group() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut group = Group::new(SPREAD);
        group.joined(Level::Info, &journal(), start);
        group.synced(start);
        group.joined(Level::Info, &journal(), after(1));
        group.joined(Level::Info, &At::Live, after(3));
        assert_eq!(group.due(), Some(after(4)));
        group.joined(Level::Error, &journal(), after(3));
        assert_eq!(group.due(), Some(after(3)));
        group.synced(after(3));
        let mut group = Group::new(SPREAD_CONTINUOUS);
        group.joined(Level::Info, &At::Live, start);
        assert_eq!(group.due(), Some(start + SPREAD_CONTINUOUS));
    }
}
