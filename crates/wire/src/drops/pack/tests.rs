//! What goes into a drop, and what is said of the rest.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;
use crate::drops::{DROP_MAX_BYTES, ReadForm, TimePrecision, read};
use crate::{ClockState, Level, Micros};

fn entry(seq: u64, level: Level, message: String) -> LogEntry {
    LogEntry {
        seq: Some(seq),
        timestamp: Micros(1_769_092_215_000_000 + seq as i64 * 7_000_000),
        level,
        component: "payment".to_owned(),
        message,
        context: Map::new(),
        clock: ClockState::Synced,
    }
}

fn header(covers: Covers) -> DropHeader {
    DropHeader {
        machine: "VM001".parse().unwrap(),
        number: 17,
        epoch: 42,
        made_at: Micros(1_769_095_807_000_000),
        uptime_s: Some(86_400),
        covers,
        left_out: Counts::default(),
        time: TimePrecision::Second,
    }
}

fn make_of(entries: &[LogEntry], form: Form) -> MadeDrop {
    let candidates: Vec<Candidate<'_>> = entries
        .iter()
        .map(|entry| Candidate {
            entry,
            is_repeat: false,
        })
        .collect();
    make(&MakeDrop {
        header: header(covers_of(entries)),
        candidates: &candidates,
        max_bytes: DROP_MAX_BYTES,
        form,
        dictionary: &Dictionary::shipped(),
    })
}

fn read_back(drop: &MadeDrop) -> crate::drops::ReadDrop {
    let received = Micros(1_769_100_000_000_000);
    read(drop.data.as_bytes(), received, |_| {
        Some(Dictionary::shipped())
    })
    .unwrap()
}

/// Text that no form makes shorter.
fn noise(n: u64) -> String {
    (0..90u64)
        .map(|i| {
            let x = (n * 1_000_003 + i).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            char::from(b'!' + (x % 90) as u8)
        })
        .collect()
}

#[test]
fn a_quiet_hour_is_text_and_an_empty_one_too() {
    let few = [entry(3, Level::Error, "Auth timeout after 30s".to_owned())];
    let drop = make_of(&few, Form::Auto);
    assert_eq!(drop.name, "VM001-42-17.txt");
    assert!(
        drop.data.contains("Auth timeout after 30s"),
        "{}",
        drop.data
    );
    assert_eq!(read_back(&drop).entries[0].entry, few[0]);
    let empty = make_of(&[], Form::Auto);
    assert!(read_back(&empty).entries.is_empty());
    assert!(empty.data.len() < 100, "{}", empty.data);
}

#[test]
fn what_does_not_fit_goes_by_importance_and_is_counted() {
    let mut entries: Vec<LogEntry> = (1..=60).map(|n| entry(n, Level::Warn, noise(n))).collect();
    entries[40].level = Level::Critical;
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.level));
    let drop = make_of(&entries, Form::Auto);
    assert!(drop.data.len() <= DROP_MAX_BYTES);
    assert!(drop.included.contains(&41), "the grave one goes first");
    assert!(drop.included.len() < 60);
    let back = read_back(&drop);
    assert_eq!(back.form, ReadForm::Dense);
    let header = back.header.unwrap();
    assert_eq!(header.left_out, drop.left_out);
    assert_eq!(
        header.left_out.total() as usize + drop.included.len(),
        60,
        "each is in it or counted"
    );
    assert_eq!(header.left_out.of(Level::Critical), 0);
}

#[test]
fn an_entry_that_fits_no_drop_is_shortened_and_marked() {
    let message: Vec<String> = (0..400).map(|n| format!("{n}é😀\n{}", noise(n))).collect();
    let mut large = entry(5, Level::Critical, message.concat());
    large.context = Map::from_iter([
        ("event".to_owned(), Value::from("tamper")),
        ("dump".to_owned(), Value::from(noise(9_999).repeat(9))),
    ]);
    for form in [Form::Auto, Form::Text, Form::Dense] {
        let drop = make_of(std::slice::from_ref(&large), form);
        assert!(drop.data.len() <= DROP_MAX_BYTES, "{form:?}");
        assert_eq!(
            (drop.included.clone(), drop.summaries.clone()),
            (vec![5], vec![5])
        );
        let back = read_back(&drop);
        let short = &back.entries[0];
        assert!(short.is_summary);
        assert!(large.message.starts_with(&short.entry.message));
        assert!(!short.entry.message.is_empty());
        assert_eq!(short.entry.context["event"], Value::from("tamper"));
        assert_eq!(short.entry.level, Level::Critical);
    }
}

#[test]
fn all_entries_go_with_as_many_drops_as_it_takes() {
    let entries: Vec<LogEntry> = (1..=3_000)
        .map(|n| {
            entry(
                n,
                Level::Info,
                format!("Dispensed {n} ml of product {}", n % 7),
            )
        })
        .collect();
    for form in [Form::Auto, Form::Text, Form::Dense] {
        let dictionary = Dictionary::shipped();
        let first = header(Covers::default());
        let drops = make_all(&first, &entries, (DROP_MAX_BYTES, form), &dictionary);
        let mut back = Vec::new();
        for (at, drop) in drops.iter().enumerate() {
            assert!(drop.data.len() <= DROP_MAX_BYTES);
            let read = read_back(drop);
            let header = read.header.unwrap();
            assert_eq!(header.number, 17 + at as u64);
            assert_eq!(header.left_out.total(), 0);
            assert_eq!(header.covers.first as usize, back.len() + 1);
            back.extend(read.entries.into_iter().map(|entry| entry.entry));
        }
        assert_eq!(back, entries, "{form:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]
    #[test]
    fn a_drop_never_exceeds_its_limit_and_never_forgets(
        sizes in vec((0usize..3_000, 0u8..5, ".{0,3}"), 0..40), max_bytes in 300usize..=900
    ) {
        let entries: Vec<LogEntry> = sizes
            .iter()
            .enumerate()
            .map(|(at, (size, level, seed))| {
                let level = Level::from_u8(*level).unwrap();
                entry(at as u64 + 1, level, format!("{at}{seed}").repeat(size / 4))
            })
            .collect();
        let candidates: Vec<Candidate<'_>> =
            entries.iter().map(|entry| Candidate { entry, is_repeat: false }).collect();
        let drop = make(&MakeDrop {
            header: header(covers_of(&entries)),
            candidates: &candidates,
            max_bytes,
            form: Form::Auto,
            dictionary: &Dictionary::shipped(),
        });
        prop_assert!(drop.data.len() <= max_bytes);
        prop_assert!(drop.data.bytes().all(|b| b == b'\n' || (b' '..=b'~').contains(&b)));
        let read = read_back(&drop);
        prop_assert_eq!(read.entries.len() + drop.left_out.total() as usize, entries.len());
        for back in read.entries {
            let sent = &entries[back.entry.seq.unwrap() as usize - 1];
            let is_same = back.is_summary || back.entry == *sent;
            prop_assert!(is_same);
        }
    }
}
