//! Runs of seqs without overlap: the arithmetic of the ledger. Pure.

use std::collections::BTreeMap;

/// Came over WiFi.
pub(crate) const RUN_WIFI: i64 = 1;
/// Came in a drop.
pub(crate) const RUN_CELL: i64 = 2;
/// Whole, not a summary.
pub(crate) const RUN_FULL: i64 = 4;
/// Refused for good: there is no row of it, and it is no gap.
pub(crate) const RUN_REFUSED: i64 = 8;
/// The flags that a later arrival by another path adds.
pub(crate) const RUN_PATHS: i64 = RUN_WIFI | RUN_CELL;

/// How good what is stored of a seq with these flags is: 0 a summary, 1 whole with a time that its
/// drop cut, 2 as the machine has it. A better one replaces it, nothing else does.
pub(crate) fn fidelity(flags: i64) -> u8 {
    match (flags & RUN_FULL != 0, flags & RUN_WIFI != 0) {
        (false, _) => 0,
        (true, false) => 1,
        (true, true) => 2,
    }
}

/// What becomes of seqs that are there when a run is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Merge {
    /// They keep their day and gain the new one's paths.
    Keep,
    /// Their rows were replaced: they take the new day and gain all of its flags.
    Replace,
}

/// Seqs `first..=last` with one fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) day: i64,
    pub(crate) flags: i64,
}

impl Run {
    fn continues(&self, before: &Run) -> bool {
        before.last.checked_add(1) == Some(self.first)
            && before.day == self.day
            && before.flags == self.flags
    }
}

/// The runs that `old` (in order, without overlap) become when `new` is added: what happens to seqs
/// that were there [`Merge`] says, the others are as `new` says.
pub(crate) fn merged(old: &[Run], new: Run, merge: Merge) -> Vec<Run> {
    let mut pieces = Vec::with_capacity(old.len() * 2 + 2);
    let mut next = Some(new.first);
    for run in old {
        if run.last < new.first || run.first > new.last {
            if run.first > new.last {
                fill(&mut pieces, &mut next, new.last, new);
            }
            pieces.push(*run);
            continue;
        }
        if run.first > new.first {
            fill(&mut pieces, &mut next, run.first - 1, new);
        }
        let (from, to) = (run.first.max(new.first), run.last.min(new.last));
        let (day, flags) = match merge {
            Merge::Replace => (new.day, run.flags | new.flags),
            Merge::Keep if new.flags & RUN_REFUSED == 0 => {
                (run.day, run.flags | (new.flags & RUN_PATHS))
            }
            Merge::Keep => (run.day, run.flags),
        };
        if run.first < from {
            pieces.push(Run {
                last: from - 1,
                ..*run
            });
        }
        pieces.push(Run {
            first: from,
            last: to,
            day,
            flags,
        });
        if to < run.last {
            pieces.push(Run {
                first: to + 1,
                ..*run
            });
        }
        next = to.checked_add(1);
    }
    fill(&mut pieces, &mut next, new.last, new);
    joined(pieces)
}

/// Adds `new`'s part from `next` to `to`, when there is any.
fn fill(pieces: &mut Vec<Run>, next: &mut Option<i64>, to: i64, new: Run) {
    if let Some(from) = *next
        && from <= to
    {
        pieces.push(Run {
            first: from,
            last: to,
            ..new
        });
        *next = to.checked_add(1);
    }
}

fn joined(pieces: Vec<Run>) -> Vec<Run> {
    let mut out: Vec<Run> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match out.last_mut() {
            Some(before) if piece.continues(before) => before.last = piece.last,
            _ => out.push(piece),
        }
    }
    out
}

/// The seqs of one machine and epoch that are known while a group of batches is planned.
#[derive(Debug, Default)]
pub(crate) struct Known(BTreeMap<i64, Run>);

impl Known {
    pub(crate) fn new(runs: Vec<Run>) -> Known {
        Known(runs.into_iter().map(|run| (run.first, run)).collect())
    }

    /// The run that holds this seq.
    pub(crate) fn find(&self, seq: i64) -> Option<Run> {
        self.0
            .range(..=seq)
            .next_back()
            .map(|(_, run)| *run)
            .filter(|run| run.last >= seq)
    }

    /// The greatest seq known; 0 when there is none.
    pub(crate) fn last(&self) -> i64 {
        self.0.last_key_value().map_or(0, |(_, run)| run.last)
    }

    /// Changes a seq that is there.
    pub(crate) fn change(&mut self, seq: i64, day: i64, flags: i64, merge: Merge) {
        let Some(run) = self.find(seq) else { return };
        let new = Run {
            first: seq,
            last: seq,
            day,
            flags,
        };
        let parts = merged(&[run], new, merge);
        self.0.remove(&run.first);
        self.0
            .extend(parts.into_iter().map(|part| (part.first, part)));
    }

    /// Adds a seq that [`Known::find`] did not find.
    pub(crate) fn insert(&mut self, seq: i64, day: i64, flags: i64) {
        let new = Run {
            first: seq,
            last: seq,
            day,
            flags,
        };
        match self.0.range_mut(..seq).next_back() {
            Some((_, before)) if new.continues(before) => before.last = seq,
            _ => {
                self.0.insert(seq, new);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn runs() -> impl Strategy<Value = Vec<Run>> {
        proptest::collection::vec((1i64..60, 0i64..12, 0i64..2, 1i64..8), 1..25).prop_map(|parts| {
            parts
                .into_iter()
                .map(|(first, length, day, paths)| Run {
                    first,
                    last: first + length,
                    day,
                    flags: paths,
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn merging_runs_is_the_same_as_keeping_every_seq(
            new in runs(), replaces in proptest::collection::vec(any::<bool>(), 25),
        ) {
            let mut model: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
            let mut ledger: Vec<Run> = Vec::new();
            for (run, replaces) in new.into_iter().zip(replaces) {
                let merge = if replaces { Merge::Replace } else { Merge::Keep };
                ledger = merged(&ledger, run, merge);
                for seq in run.first..=run.last {
                    model
                        .entry(seq)
                        .and_modify(|kept| {
                            *kept = if replaces {
                                (run.day, kept.1 | run.flags)
                            } else {
                                (kept.0, kept.1 | (run.flags & RUN_PATHS))
                            }
                        })
                        .or_insert((run.day, run.flags));
                }
                let mut spelled = BTreeMap::new();
                for run in &ledger {
                    prop_assert!(run.first <= run.last);
                    for seq in run.first..=run.last {
                        let twice = spelled.insert(seq, (run.day, run.flags));
                        prop_assert!(twice.is_none(), "runs must not overlap");
                    }
                }
                prop_assert_eq!(&spelled, &model);
                for pair in ledger.windows(2) {
                    prop_assert!(!pair[1].continues(&pair[0]), "runs must be joined");
                }
            }
        }
    }

    #[test]
    fn a_refused_seq_changes_nothing_that_is_there() {
        let there = Run {
            first: 1,
            last: 9,
            day: 3,
            flags: RUN_WIFI | RUN_FULL,
        };
        let refused = Run {
            first: 5,
            last: 12,
            day: 4,
            flags: RUN_REFUSED,
        };
        assert_eq!(
            merged(&[there], refused, Merge::Keep),
            vec![
                there,
                Run {
                    first: 10,
                    ..refused
                }
            ]
        );
    }

    #[test]
    fn the_largest_seq_does_not_overflow() {
        let last = Run {
            first: i64::MAX,
            last: i64::MAX,
            day: 0,
            flags: RUN_WIFI,
        };
        for merge in [Merge::Keep, Merge::Replace] {
            assert_eq!(merged(&[], last, merge), vec![last]);
            assert_eq!(merged(&[last], last, merge), vec![last]);
        }
        let mut known = Known::default();
        known.insert(i64::MAX, 0, RUN_WIFI);
        assert!(known.find(i64::MAX).is_some());
    }
}
