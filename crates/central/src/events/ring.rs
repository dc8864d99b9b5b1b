//! The last events, bounded in number and bytes.

use std::collections::VecDeque;
use std::sync::Arc;

/// So many events are kept: minutes of a busy fleet, enough for a browser that reconnects.
const EVENTS_MAX: usize = 4096;
/// So many bytes of data are kept: CRITICAL entries may be large.
const DATA_MAX_BYTES: usize = 8 * 1024 * 1024;

/// An event as it is kept: serialised once, shared by all readers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// 1, 2, 3 ... in this run.
    pub number: u64,
    /// Its name.
    pub name: &'static str,
    /// Its JSON.
    pub data: Arc<str>,
}

/// The last events, oldest first, with numbers that have no gap.
#[derive(Default)]
pub struct Ring {
    kept: VecDeque<Kept>,
    newest: u64,
    data_bytes: usize,
}

impl Ring {
    /// Adds an event and answers its number.
    pub fn push(&mut self, name: &'static str, data: Arc<str>) -> u64 {
        self.newest += 1;
        self.data_bytes += data.len();
        self.kept.push_back(Kept {
            number: self.newest,
            name,
            data,
        });
        while self.kept.len() > EVENTS_MAX
            || (self.data_bytes > DATA_MAX_BYTES && self.kept.len() > 1)
        {
            if let Some(gone) = self.kept.pop_front() {
                self.data_bytes -= gone.data.len();
            }
        }
        self.newest
    }

    /// The number of the newest event; 0 when there was none.
    pub fn newest(&self) -> u64 {
        self.newest
    }

    /// The event after this number: `Err(())` when it has gone already, `None` when it has not
    /// happened yet.
    pub fn after(&self, number: u64) -> Result<Option<Kept>, ()> {
        if number >= self.newest {
            return if number == self.newest {
                Ok(None)
            } else {
                Err(())
            };
        }
        let oldest = self.kept.front().ok_or(())?.number;
        let place = (number + 1).checked_sub(oldest).ok_or(())?;
        self.kept.get(place as usize).cloned().map(Some).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_found_after_the_one_before() {
        let mut ring = Ring::default();
        for n in 0..10 {
            ring.push("entries", n.to_string().into());
        }
        for n in 0..10 {
            assert_eq!(ring.after(n).unwrap().unwrap().data.as_ref(), n.to_string());
        }
        assert_eq!(ring.after(10), Ok(None));
        assert_eq!(
            ring.after(11),
            Err(()),
            "a number of the future is not ours"
        );
    }

    #[test]
    fn it_keeps_no_more_than_its_bounds() {
        let mut ring = Ring::default();
        for _ in 0..EVENTS_MAX + 5 {
            ring.push("machine", "{}".into());
        }
        assert_eq!(ring.after(0), Err(()), "the first have gone");
        assert_eq!(ring.after(4), Err(()));
        assert!(ring.after(5).unwrap().is_some());
        let large: Arc<str> = "x".repeat(1024 * 1024).into();
        for _ in 0..20 {
            ring.push("critical", large.clone());
        }
        assert!(ring.data_bytes <= DATA_MAX_BYTES);
        assert_eq!(ring.after(ring.newest()), Ok(None));
    }
}
