//! Drops for the tests of the cellular path, and all that a store tells of its entries.

use std::fs;

use store::{ArrivedDrop, EntryQuery, Histogram, Order, Store, StoredEntry};
use wire::drops::{Counts, Covers, DropEntry, DropHeader, ReadDrop, ReadForm, TimePrecision};
use wire::{LogEntry, Micros};

use super::{AMPLE, NOON, Place, all, everything, id, sample};

/// The hour around midnight is looked at as well.
pub const JUST_AFTER_MIDNIGHT: Micros = Micros(NOON.0 - (12 * 60 - 20) * 60_000_000);

/// Bytes of the drops made here.
pub const SIZE: u64 = 700;

/// A drop of these entries, made and arrived at `NOON` moved by `minutes`.
pub fn drop_of(
    name: &str,
    (epoch, number): (u64, u64),
    entries: Vec<DropEntry>,
    minutes: i64,
) -> ArrivedDrop {
    let at = NOON.plus_us(minutes * 60_000_000);
    let seqs = || entries.iter().filter_map(|entry| entry.entry.seq);
    let mut counts = Counts::default();
    for entry in &entries {
        counts.add(entry.entry.level, 1);
    }
    let header = DropHeader {
        machine: id(name),
        number,
        epoch,
        made_at: at,
        uptime_s: Some(number % 1_000 * 3_600),
        covers: Covers {
            first: seqs().min().unwrap_or(0),
            last: seqs().max().unwrap_or(0),
            counts,
        },
        left_out: Counts::default(),
        time: TimePrecision::Second,
    };
    ArrivedDrop {
        read: ReadDrop {
            machine: id(name),
            header: Some(header),
            entries,
            form: ReadForm::Text,
            unread_lines: 0,
        },
        name: format!("{name}-{epoch}-{number}.txt"),
        source: "s1".to_owned(),
        size_bytes: SIZE,
        received_at: at.plus_us(60_000_000),
    }
}

/// A drop of the samples with these seqs, with their times cut.
pub fn drop(name: &str, place: (u64, u64), seqs: impl IntoIterator<Item = u64>) -> ArrivedDrop {
    let entries = seqs.into_iter().map(|seq| in_drop(sample(seq))).collect();
    drop_of(name, place, entries, 0)
}

/// A drop without entries, made at `NOON` moved by `minutes`.
pub fn empty(name: &str, place: (u64, u64), minutes: i64) -> ArrivedDrop {
    drop_of(name, place, Vec::new(), minutes)
}

/// An entry as a drop carries it whole.
pub fn in_drop(mut entry: LogEntry) -> DropEntry {
    entry.timestamp = TimePrecision::Second.cut(entry.timestamp);
    DropEntry {
        entry,
        is_summary: false,
    }
}

/// An entry shortened to fit.
pub fn summary(mut entry: LogEntry) -> DropEntry {
    entry.message = entry.message.chars().take(9).collect();
    entry.context = serde_json::Map::new();
    DropEntry {
        is_summary: true,
        ..in_drop(entry)
    }
}

/// A drop in the PRD's form.
pub fn bare(name: &str, lines: Vec<LogEntry>, minutes: i64) -> ArrivedDrop {
    let entries = lines
        .into_iter()
        .map(|mut entry| {
            entry.seq = None;
            DropEntry {
                is_summary: true,
                ..in_drop(entry)
            }
        })
        .collect();
    let mut drop = drop_of(name, (1, 1), entries, minutes);
    drop.read.header = None;
    drop.read.form = ReadForm::Bare;
    drop
}

/// All that the catalog knows of the entries, and the entries.
#[derive(Debug, PartialEq)]
pub struct Picture {
    pub last_day: Vec<[u64; 5]>,
    pub newest: Vec<Option<(Micros, String, String)>>,
    pub hours: Vec<Histogram>,
    pub minutes: Histogram,
    pub total: u64,
    pub components: Vec<String>,
    pub entries: Vec<StoredEntry>,
}

pub fn picture(store: &Store) -> Picture {
    let histogram = |query: EntryQuery, bins| store.histogram(&query, bins, NOON, AMPLE).unwrap();
    let components = store.components(&[]).unwrap();
    let of = |component: &String| EntryQuery {
        components: vec![component.clone()],
        ..everything()
    };
    let facts = store.fleet_facts(NOON).unwrap();
    let night = store.fleet_facts(JUST_AFTER_MIDNIGHT).unwrap();
    Picture {
        last_day: facts.iter().map(|facts| facts.last_day).collect(),
        newest: facts
            .into_iter()
            .chain(night)
            .flat_map(|facts| [facts.last_error, facts.last_critical])
            .collect(),
        hours: components
            .iter()
            .map(|name| histogram(of(name), 3))
            .collect(),
        minutes: histogram(everything(), 500),
        total: store.total_entries().unwrap(),
        components,
        entries: all(store, &everything(), Order::Asc, 1_000),
    }
}

impl Picture {
    /// Fails when the counts are not what counting the entries gives.
    pub fn check(&self) {
        assert_eq!(self.total, self.entries.len() as u64);
        let mut numbers: Vec<_> = self
            .entries
            .iter()
            .filter(|entry| entry.seq.is_some())
            .map(|entry| (&entry.machine_id, entry.epoch, entry.seq))
            .collect();
        numbers.sort_unstable();
        assert!(
            numbers.windows(2).all(|pair| pair[0] != pair[1]),
            "an entry is there twice"
        );
        assert_eq!(self.minutes.bins, self.counted(&self.minutes, None));
        for (component, hours) in self.components.iter().zip(&self.hours) {
            let bins = self.counted(hours, Some(component));
            assert_eq!(hours.bins, bins, "{component}");
        }
        let mut spoken: Vec<_> = self.entries.iter().map(|entry| &entry.component).collect();
        spoken.sort_unstable();
        spoken.dedup();
        assert_eq!(self.components.iter().collect::<Vec<_>>(), spoken);
    }

    fn counted(&self, histogram: &Histogram, component: Option<&String>) -> Vec<[u64; 5]> {
        let mut bins = vec![[0; 5]; histogram.bins.len()];
        let entries = self
            .entries
            .iter()
            .filter(|entry| component.is_none_or(|name| *name == entry.component));
        for entry in entries {
            let since = entry.filed_at.since_us(histogram.from);
            let bin = since.div_euclid(histogram.step_us) as usize;
            bins[bin][entry.level.as_u8() as usize] += 1;
        }
        bins
    }
}

/// Puts files of the store back to what they were before `work`, as a crash would have left them.
pub fn with_older(place: &Place, files: &[&str], work: impl FnOnce(&Store)) -> Picture {
    let aside: Vec<_> = files
        .iter()
        .map(|file| {
            (
                place.data().join(file),
                fs::read(place.data().join(file)).ok(),
            )
        })
        .collect();
    let store = place.open();
    work(&store);
    let wanted = picture(&store);
    store.close();
    for (path, bytes) in aside {
        match bytes {
            Some(bytes) => fs::write(path, bytes).unwrap(),
            None => fs::remove_file(path).unwrap(),
        }
    }
    wanted
}
