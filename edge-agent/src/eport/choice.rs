//! What goes into the next drop: the entries that are new and not delivered otherwise, the most
//! important first, and what earlier drops said or had to leave out, as far as there is room.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde::Deserialize;
use serde_json::Value;
use wire::drops::{Candidate, Counts, DropHeader, Form, MadeDrop, MakeDrop, make};
use wire::time::SECOND_US;
use wire::{Level, LogEntry};

use super::budget::Thrift;
use super::day::DAILY_SUMMARY;
use super::fresh::{Fresh, FreshEntry};
use super::moment::Moment;
use super::shipper::Shipper;
use super::state::Pending;
use super::urgency::is_payment;
use crate::pipeline::AGENT;
use crate::spool::{Levels, Stored};

/// New entries that are tried for one drop: more than the densest has held.
const NEW_MAX: usize = 800;
/// Earlier entries that are tried for its spare bytes.
const REPEATS_MAX: usize = 150;
/// Entries that are read for one drop have at most so many bytes together; the largest of an
/// application are shortened anyway.
const READ_MAX_BYTES: usize = 512 * 1024;
/// Of a spool that is read for a few entries, so many are passed before others have their turn.
const PASSED_AT_ONCE: usize = 256;

/// What is looked at of every entry.
#[derive(Deserialize)]
struct Seen {
    component: String,
    message: String,
    #[serde(default)]
    context: Value,
}

/// What there is to choose from.
struct Choice {
    /// The most important first.
    new: Vec<FreshEntry>,
    /// Said before, or left out before.
    again: Vec<(u64, Level)>,
    /// New ones that are not even tried, and how many more there are of each level.
    left: Vec<(u64, u8)>,
    left_out: Counts,
}

impl Shipper {
    /// Takes note of an entry that has come into the spool.
    pub(super) fn see(&mut self, stored: &Stored, now: Moment) {
        let level = stored.level;
        let is_wanted = self.parts.config.levels[usize::from(level.as_u8())];
        let may_matter = is_wanted || level >= Level::Error || stored.json.contains("\"event\"");
        let seen: Option<Seen> = may_matter
            .then(|| serde_json::from_str(&stored.json).ok())
            .flatten();
        let Some(seen) = seen else {
            self.fresh.see(stored.seq, level, None);
            return;
        };
        let is_summary = seen.component == AGENT
            && seen
                .context
                .get("event")
                .is_some_and(|event| event == DAILY_SUMMARY);
        if is_summary {
            self.state.day.ends(stored.seq, now);
            self.state.summary = Some(stored.seq);
        } else {
            let context = Some(&seen.context);
            self.state
                .day
                .count(stored.seq, level, &seen.component, context);
        }
        let entry = FreshEntry {
            seq: stored.seq,
            level,
            seen_us: now.since_boot_us,
            is_payment: is_payment(level, &seen.component),
            is_summary,
            text_hash: text_hash(&seen.component, &seen.message),
        };
        let entry = (is_wanted || is_summary).then_some(entry);
        self.fresh.see(stored.seq, level, entry);
    }

    /// The drop of this number for the entries of `row`. Nothing of the shipper's state is changed
    /// but what it remembers of words.
    pub(super) async fn choose_and_pack(
        &mut self,
        row: &Fresh,
        (number, is_urgent): (u64, bool),
        now: Moment,
    ) -> io::Result<Pending> {
        let thrift = self.thrift(now);
        let mut choice = self.choose(row, thrift);
        let wanted = choice.new.iter().map(|entry| entry.seq);
        let wanted = wanted
            .chain(choice.again.iter().map(|(seq, _)| *seq))
            .collect();
        let entries = self.read(wanted, now).await?;
        // Those that wait for the clock, are too large for now, or are damaged on the disk.
        let (new, unread): (Vec<_>, Vec<_>) = choice
            .new
            .drain(..)
            .partition(|entry| entries.contains_key(&entry.seq));
        for entry in unread {
            choice.left.push((entry.seq, entry.level.as_u8()));
            choice.left_out.add(entry.level, 1);
        }
        choice.new = new;
        let header = DropHeader {
            machine: self.parts.machine_id.clone(),
            number,
            epoch: self.state.epoch,
            made_at: now.at,
            uptime_s: u64::try_from(now.since_boot_us / SECOND_US).ok(),
            covers: row.covers(),
            left_out: choice.left_out,
            time: self.parts.config.time,
        };
        let made = self.pack(&choice, &entries, header, thrift);
        let included: BTreeSet<u64> = made.included.iter().copied().collect();
        let mut left = choice.left;
        left.extend(
            choice
                .new
                .iter()
                .filter(|entry| !included.contains(&entry.seq))
                .map(|entry| (entry.seq, entry.level.as_u8())),
        );
        self.memory.tidy(&made.included);
        let level_of = |seq: u64| entries.get(&seq).map_or(0, |entry| entry.level.as_u8());
        Ok(Pending {
            epoch: self.state.epoch,
            number,
            name: made.name,
            data: made.data,
            last: row.covers().last,
            included: made
                .included
                .iter()
                .map(|seq| (*seq, level_of(*seq)))
                .collect(),
            left: most_important(left),
            is_urgent,
        })
    }

    fn choose(&mut self, row: &Fresh, thrift: Thrift) -> Choice {
        let is_grave_only = matches!(thrift, Thrift::Grave | Thrift::Stretched(_) | Thrift::Spent);
        let wifi = self.parts.wifi.as_ref();
        let is_open = |seq: u64, level: Level| wifi.is_none_or(|wifi| !wifi.has(seq, level));
        let mut new: Vec<FreshEntry> = row
            .entries()
            .filter(|entry| entry.is_summary || is_open(entry.seq, entry.level))
            .copied()
            .collect();
        new.sort_by_key(|entry| std::cmp::Reverse(entry.importance()));
        let mut left_out = row.not_kept();
        let mut left = Vec::new();
        let mut tried = Vec::new();
        for entry in new {
            let is_fit = match thrift {
                Thrift::Spent => self.is_immediate(entry.level),
                _ if is_grave_only => entry.level >= Level::Error || entry.is_summary,
                _ => true,
            };
            if is_fit && tried.len() < NEW_MAX {
                tried.push(entry);
            } else {
                left.push((entry.seq, entry.level.as_u8()));
                left_out.add(entry.level, 1);
            }
        }
        let known: BTreeSet<u64> = tried.iter().map(|entry| entry.seq).collect();
        let mut again = Vec::new();
        let mut arrived = Vec::new();
        for entry in self.memory.in_order() {
            if !is_open(entry.seq, entry.level) {
                arrived.push(entry.seq);
            } else if !known.contains(&entry.seq)
                && again.len() < REPEATS_MAX
                && (!is_grave_only || entry.is_owed())
            {
                again.push((entry.seq, entry.level));
            }
        }
        // It is one line, and worth a byte a day.
        let summary = self.state.summary.filter(|seq| !known.contains(seq));
        if let Some(seq) = summary.filter(|_| thrift != Thrift::Spent) {
            again.insert(0, (seq, Level::Info));
        }
        arrived.into_iter().for_each(|seq| self.memory.forget(seq));
        Choice {
            new: tried,
            again,
            left,
            left_out,
        }
    }

    /// The words of these entries, with the times that they are offered with.
    async fn read(
        &mut self,
        mut wanted: BTreeSet<u64>,
        now: Moment,
    ) -> io::Result<BTreeMap<u64, LogEntry>> {
        let mut entries = BTreeMap::new();
        wanted.retain(
            |seq| match self.memory.text(*seq).map(LogEntry::from_json_text) {
                Some(Some(Ok(entry))) => {
                    entries.insert(*seq, entry);
                    false
                }
                _ => true,
            },
        );
        let (mut found, is_whole) = self.find(&wanted).await?;
        if is_whole {
            let there: BTreeSet<u64> = found.iter().map(|stored| stored.seq).collect();
            // Damaged on the disk, or gone: nothing is to wait for it for ever.
            wanted.difference(&there).for_each(|seq| self.lose(*seq));
        }
        if !now.is_known && now.since_boot_us < self.parts.clock_wait_us {
            found.retain(|stored| {
                self.is_immediate(stored.level) || !self.parts.repairs.may_wait(stored)
            });
        }
        self.parts.repairs.settle(&mut found);
        for stored in found {
            self.memory.keep(stored.seq, &stored.json);
            if let Some(Ok(entry)) = LogEntry::from_json_text(&stored.json) {
                entries.insert(stored.seq, entry);
            }
        }
        Ok(entries)
    }

    fn lose(&mut self, seq: u64) {
        self.memory.forget(seq);
        self.state.summary.take_if(|summary| *summary == seq);
    }

    /// Those of these entries that the spool still has, and whether that are all: of too many large
    /// ones the later are passed over.
    async fn find(&mut self, wanted: &BTreeSet<u64>) -> io::Result<(Vec<Stored>, bool)> {
        let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else {
            return Ok((Vec::new(), true));
        };
        let levels = Levels::from(self.parts.config.levels);
        // The summary is INFO.
        let levels = match self.state.summary {
            Some(seq) if wanted.contains(&seq) => Levels::ALL,
            _ => levels,
        };
        self.fetch.seek(first.saturating_sub(1));
        let (mut found, mut bytes, mut passed, mut is_whole) = (Vec::new(), 0, 0, true);
        while let Some(stored) = self.fetch.next_of(levels)? {
            if stored.seq > *last {
                break;
            }
            passed += 1;
            if passed % PASSED_AT_ONCE == 0 {
                tokio::task::yield_now().await;
            }
            if !wanted.contains(&stored.seq) {
                continue;
            }
            if bytes + stored.json.len() > READ_MAX_BYTES {
                is_whole = false;
                continue;
            }
            bytes += stored.json.len();
            found.push(stored);
        }
        Ok((found, is_whole))
    }

    /// After a restart: the words of what is remembered, as far as the spool still has them.
    pub(super) async fn restore_texts(&mut self) -> io::Result<()> {
        let wanted: BTreeSet<u64> = self.memory.list().iter().map(|entry| entry.seq).collect();
        let (mut found, _) = self.find(&wanted).await?;
        self.parts.repairs.settle(&mut found);
        for stored in &found {
            self.memory.keep(stored.seq, &stored.json);
        }
        let removed_through = self.parts.shared.synced().removed_through;
        for seq in wanted {
            if seq <= removed_through && self.memory.text(seq).is_none() {
                self.memory.forget(seq);
            }
        }
        Ok(())
    }

    fn pack(
        &self,
        choice: &Choice,
        entries: &BTreeMap<u64, LogEntry>,
        header: DropHeader,
        thrift: Thrift,
    ) -> MadeDrop {
        let new = |is_critical: bool| {
            let new = choice.new.iter();
            let new = new.filter(move |entry| (entry.level == Level::Critical) == is_critical);
            new.filter_map(|entry| candidate(entries, entry.seq, false))
        };
        let again: Vec<Candidate<'_>> = choice
            .again
            .iter()
            .filter_map(|(seq, _)| candidate(entries, *seq, true))
            .collect();
        let is_first = |candidate: &&Candidate<'_>| {
            let seq = candidate.entry.seq.unwrap_or(0);
            self.state.summary == Some(seq) || self.memory.owes(seq)
        };
        // What was never sent although it had to is no repeat that spare bytes are for.
        let (first, spare): (Vec<&Candidate<'_>>, Vec<&Candidate<'_>>) =
            again.iter().partition(is_first);
        let mut candidates: Vec<Candidate<'_>> = new(true).collect();
        candidates.extend(first.into_iter().copied());
        candidates.extend(new(false));
        let max_bytes = self.parts.config.max_drop_bytes;
        let dictionary = self.parts.dictionaries.in_use();
        let pack = |candidates: &[Candidate<'_>], max_bytes: usize, form: Form| {
            make(&MakeDrop {
                header: header.clone(),
                candidates,
                max_bytes,
                form,
                dictionary: &dictionary,
            })
        };
        let plain = pack(&candidates, max_bytes, Form::Auto);
        if spare.is_empty() {
            return plain;
        }
        let fill_bytes = match thrift {
            Thrift::Spare(bytes) => usize::try_from(bytes)
                .unwrap_or(max_bytes)
                .clamp(plain.data.len(), max_bytes),
            _ => max_bytes,
        };
        candidates.extend(spare.iter().copied());
        let text_start = format!("{}|", self.parts.machine_id);
        if plain.data.starts_with(&text_start) {
            // A person can read it, and stays able to; unless something grave would not be said.
            let text = pack(&candidates, fill_bytes, Form::Text);
            let has = |candidate: &&Candidate<'_>| {
                text.included.contains(&candidate.entry.seq.unwrap_or(0))
            };
            let mut grave = spare
                .iter()
                .filter(|other| other.entry.level == Level::Critical);
            if grave.all(has) {
                return text;
            }
        }
        pack(&candidates, fill_bytes, Form::Auto)
    }
}

fn candidate(
    entries: &BTreeMap<u64, LogEntry>,
    seq: u64,
    is_repeat: bool,
) -> Option<Candidate<'_>> {
    let entry = entries.get(&seq)?;
    Some(Candidate { entry, is_repeat })
}

/// Those that are worth being remembered by number: every CRITICAL, which is owed, and of the others
/// what the state file has room for.
fn most_important(mut left: Vec<(u64, u8)>) -> Vec<(u64, u8)> {
    left.sort_unstable_by_key(|(seq, level)| std::cmp::Reverse((*level, *seq)));
    let owed = left.partition_point(|(_, level)| *level >= Level::Critical.as_u8());
    left.truncate(owed.max(NEW_MAX / 2));
    left
}

/// FNV-1a of what an entry says.
fn text_hash(component: &str, message: &str) -> u64 {
    let bytes = component.bytes().chain([0]).chain(message.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_critical_that_did_not_fit_is_remembered_and_of_the_others_some() {
        let critical = Level::Critical.as_u8();
        let rows = |count: u64| (0..count).flat_map(|seq| [(seq, 2), (10_000 + seq, critical)]);
        let of_many = most_important(rows(1000).collect());
        assert_eq!(of_many.len(), 1000);
        assert!(of_many.iter().all(|(_, level)| *level == critical));
        assert_eq!(most_important(rows(300).collect()).len(), NEW_MAX / 2);
    }
}
