//! Makes a dictionary of what machines have said: counts templates, removes what is one machine's
//! own, and chooses examples. The same samples make the same dictionary.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::super::dense::bytes::ByteWriter;
use super::super::dense::columns::{Column, Survey};
use super::super::dense::json;
use super::super::dense::param;
use super::super::dense::shapes::{Shape, Shapes};
use super::super::dense::walk::{Frame, PACE_FIRST, Walk};
use super::super::{DropEntry, TimePrecision};
use super::Dictionary;
use super::file::{self, Example, SHAPES_MAX};
use super::sample::Sample;
use super::scrub::Scrub;
use crate::{Level, LogEntry, MachineId, Micros, template};

/// A template of one machine alone is the application's when it was said so often.
const OFTEN_ON_ONE: u32 = 20;
/// Entries of one example, about what a drop holds.
const EXAMPLE_ENTRIES: usize = 150;
/// Entries of this level and above go by cell.
const CELL_LEVEL: Level = Level::Warn;
/// Below so many examples zstd finds no dictionary.
const ZSTD_EXAMPLES_MIN: usize = 12;
/// zstd looks at so many examples: enough for its few kilobytes.
const ZSTD_EXAMPLES_MAX: usize = 300;

/// How large a dictionary may get, and how much is looked at.
#[derive(Debug, Clone, Copy)]
pub struct TrainLimits {
    /// The most samples that are looked at; each costs some 500 bytes while training.
    pub samples: usize,
    /// The most combinations of template, level, component and context.
    pub shapes: usize,
    /// The most bytes of the zstd dictionary.
    pub zstd_bytes: usize,
    /// About how many bytes the templates and examples take.
    pub stream_bytes: usize,
    /// The most entries in the examples; each costs time whenever the dictionary is read.
    pub example_entries: usize,
}

impl Default for TrainLimits {
    /// A file of some 60 KB at most: a minute by a bad link, and a second of a Raspberry Pi to
    /// read.
    fn default() -> TrainLimits {
        TrainLimits {
            samples: 400_000,
            shapes: 2_000,
            zstd_bytes: 8 * 1024,
            stream_bytes: 92 * 1024,
            example_entries: 24_000,
        }
    }
}

/// A dictionary for machines that speak as these do. Samples of one machine should come in order of
/// seq. Templates of a single machine are taken only when it says them often; values only when
/// several machines say them often.
pub fn train(samples: impl IntoIterator<Item = Sample>, limits: &TrainLimits) -> Dictionary {
    let mut machines: BTreeMap<MachineId, Vec<LogEntry>> = BTreeMap::new();
    for sample in samples.into_iter().take(limits.samples) {
        machines
            .entry(sample.machine)
            .or_default()
            .push(sample.entry);
    }
    let table = table(&machines, limits.shapes.min(SHAPES_MAX));
    scrub(&mut machines, &table);
    let examples = examples(&machines, limits.example_entries);
    let zstd = zstd(&examples, &table, limits.zstd_bytes);
    let bytes = file::write(
        &zstd,
        &table,
        &columns(&machines),
        &examples,
        limits.stream_bytes,
    );
    let bytes = bytes.expect("a writer takes every entry");
    Dictionary::from_bytes(&bytes).expect("what was just written can be read")
}

/// The shape of an entry.
fn shape_of(entry: &LogEntry) -> Shape {
    let context = json::write(&entry.context);
    Shape {
        level: entry.level,
        component: Arc::from(&*entry.component),
        message: Arc::from(&*template::split(&entry.message).template),
        context: Arc::from(&*template::split(&context).template),
    }
}

/// Where the numbers of the templates lie.
fn columns(machines: &BTreeMap<MachineId, Vec<LogEntry>>) -> BTreeMap<u32, Column> {
    let mut survey = Survey::default();
    for entry in machines.values().flatten() {
        for text in [&entry.message, &json::write(&entry.context)] {
            let split = template::split(text);
            let blob = template::encode_params(&split.params);
            for (key, number) in param::numbers(&split.template, &blob) {
                survey.count(key, number);
            }
        }
    }
    survey.columns()
}

/// The shapes worth a place, the most frequent first.
fn table(machines: &BTreeMap<MachineId, Vec<LogEntry>>, most: usize) -> Vec<Shape> {
    let mut counts: HashMap<Shape, (u32, u32, usize)> = HashMap::new();
    for (number, entries) in machines.values().enumerate() {
        for entry in entries {
            let (times, on, last) = counts.entry(shape_of(entry)).or_insert((0, 0, usize::MAX));
            *times += 1;
            if *last != number {
                *on += 1;
                *last = number;
            }
        }
    }
    let mut shapes: Vec<(Shape, u32, u32)> = counts
        .into_iter()
        .filter(|(_, (times, on, _))| *on >= 2 || *times >= OFTEN_ON_ONE)
        .map(|(shape, (times, on, _))| (shape, times, on))
        .collect();
    // What goes by cell and what many machines say is kept first.
    shapes.sort_by(|(a, times_a, on_a), (b, times_b, on_b)| {
        let rank = |shape: &Shape, on: u32| (shape.level >= CELL_LEVEL, on.min(3));
        let other = rank(b, *on_b).cmp(&rank(a, *on_a));
        other
            .then(times_b.cmp(times_a))
            .then_with(|| words(a).cmp(&words(b)))
    });
    shapes.truncate(most);
    shapes.sort_by(|(a, times_a, _), (b, times_b, _)| {
        times_b.cmp(times_a).then_with(|| words(a).cmp(&words(b)))
    });
    shapes.into_iter().map(|(shape, _, _)| shape).collect()
}

fn words(shape: &Shape) -> (&str, &str, &str, Level) {
    (
        &shape.message,
        &shape.component,
        &shape.context,
        shape.level,
    )
}

/// Takes what is one machine's own out of the entries, and entries whose shape is not in the table.
fn scrub(machines: &mut BTreeMap<MachineId, Vec<LogEntry>>, table: &[Shape]) {
    let known: std::collections::HashSet<&Shape> = table.iter().collect();
    let mut scrub = Scrub::new();
    for (machine, entries) in machines.iter() {
        for entry in entries {
            scrub.count(machine, &entry.message);
            scrub.count(machine, &json::write(&entry.context));
        }
    }
    for entries in machines.values_mut() {
        entries.retain_mut(|entry| {
            if !known.contains(&shape_of(entry)) {
                return false;
            }
            entry.message = scrub.scrubbed(&entry.message);
            let context = scrub.scrubbed(&json::write(&entry.context));
            let Ok(context) = json::read(&context) else {
                return false;
            };
            entry.context = context;
            // Chance may have made another shape of it.
            known.contains(&shape_of(entry))
        });
    }
}

/// Drops as the machines would have sent them, of those levels that go by cell and of all, the
/// machines in turn; spread over all that there is of each.
fn examples(machines: &BTreeMap<MachineId, Vec<LogEntry>>, most: usize) -> Vec<Example> {
    let mut kinds = [Vec::new(), Vec::new()];
    for (of_kind, least) in kinds.iter_mut().zip([CELL_LEVEL, Level::Debug]) {
        let lists = machines.values().map(|entries| {
            let list: Vec<&LogEntry> = entries.iter().filter(|e| e.level >= least).collect();
            list.chunks(EXAMPLE_ENTRIES)
                .map(example)
                .collect::<Vec<_>>()
        });
        let lists: Vec<Vec<Example>> = lists.collect();
        let share = (most / 2 / EXAMPLE_ENTRIES).div_ceil(lists.len().max(1));
        for turn in 0..share {
            // Of many, every so manieth.
            let at = |list: &Vec<Example>| turn * list.len() / share.min(list.len()).max(1);
            of_kind.extend(lists.iter().filter_map(|list| list.get(at(list))).cloned());
        }
    }
    let [cell, all] = kinds;
    let turns = cell.len().max(all.len());
    let mut cell = cell.into_iter();
    let mut all = all.into_iter();
    // What goes by cell comes last: it is what the model is to have fresh in mind.
    (0..turns)
        .flat_map(|_| [all.next(), cell.next()])
        .flatten()
        .collect()
}

/// An example of these entries, whenever they were.
fn example(entries: &[&LogEntry]) -> Example {
    let end = entries.last().map_or(Micros(0), |entry| entry.timestamp);
    let first = entries.first().and_then(|entry| entry.seq).unwrap_or(1);
    entries
        .iter()
        .map(|entry| DropEntry {
            entry: LogEntry {
                seq: entry
                    .seq
                    .map(|seq| seq.saturating_sub(first).saturating_add(1)),
                timestamp: Micros(entry.timestamp.since_us(end)),
                ..(*entry).clone()
            },
            is_summary: false,
        })
        .collect()
}

/// A dictionary for zstd of the examples as the two codecs that use it write them.
fn zstd(examples: &[Example], table: &[Shape], most: usize) -> Vec<u8> {
    let mut parts = Vec::new();
    for example in examples.iter().take(ZSTD_EXAMPLES_MAX) {
        for whole in [true, false] {
            let mut shapes = Shapes::default();
            table.iter().for_each(|shape| shapes.add(shape.clone()));
            shapes.close();
            let frame = Frame {
                at: Micros(0),
                seq: 0,
                time: TimePrecision::Second,
                pace: PACE_FIRST,
                whole,
            };
            let mut writer = ByteWriter::default();
            let written = Walk::new(&mut shapes, frame, usize::MAX).write(&mut writer, example);
            if written.is_ok() && !writer.0.is_empty() {
                parts.push(writer.0);
            }
        }
    }
    if parts.len() < ZSTD_EXAMPLES_MIN {
        return Vec::new();
    }
    // Without a dictionary zstd still works, only less well.
    zstd::dict::from_samples(&parts, most).unwrap_or_default()
}
