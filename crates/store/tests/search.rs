//! A search finds exactly what a full scan over the rendered text finds.

mod support;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use store::{EntryQuery, Order, Store, StoredEntry};
use support::{NOON, Place, all, batch, entry, everything, id};
use wire::{Level, LogEntry};

const MESSAGES: [&str; 14] = [
    "Authorization timeout after 30s",
    "Authorization timeout after 7s",
    "authorization TIMEOUT after 300 seconds",
    "Motor row 3 jammed (code 0x1F)",
    "Motor row 12 jammed (code 0x2e)",
    "Reader said \"card declined\" for id a1b2c3d4e5",
    "Reader said \"try again\"",
    "price $1.25 paid at 12:30:05",
    "a < b and <int> << c",
    "Größe ÄNDERT sich um 5",
    "plain words only",
    "",
    "10.0.0.1 unreachable -retry later",
    "line one\n  line two 42",
];
const COMPONENTS: [&str; 4] = ["payment", "Motor", "net-30", "größe"];
/// Words that match wholly, partly, over a hole's edge, in contexts, or nowhere.
const WORDS: [&str; 34] = [
    "timeout",
    "time",
    "30",
    "30s",
    "0s",
    "r 3",
    "row 3",
    "row 1",
    "motor",
    "MOTOR",
    "jammed (code",
    "0x1f",
    "card declined",
    "\u{00e4}ndert",
    "GRÖSSE",
    "größe",
    "<",
    "<int>",
    "<<",
    "$1",
    "12:30",
    "plain",
    "retry",
    "event=sale",
    "sale",
    "3",
    "deep",
    "row\":3",
    "later",
    "nowhere",
    "words only",
    "two 42",
    "e 3",
    "true",
];
const FIELDS: [(&str, &str); 6] = [
    ("event", "sale"),
    ("EVENT", "Sale"),
    ("event", "sal"),
    ("motor.row", "3"),
    ("ok", "true"),
    ("missing", "x"),
];

#[derive(Debug, Clone)]
enum Wanted {
    Text(String),
    Field(String, String),
}

fn contexts() -> Vec<Map<String, Value>> {
    [
        json!({}),
        json!({"event": "Sale", "amount_cents": 125}),
        json!({"motor": {"row": 3, "deep": "Retry"}, "ok": true}),
        json!({"note": "timeout of \"30\"\nseconds", "Event": "refund"}),
    ]
    .into_iter()
    .filter_map(|value| match value {
        Value::Object(map) => Some(map),
        _ => None,
    })
    .collect()
}

fn entries() -> impl Strategy<Value = Vec<LogEntry>> {
    let one = (0..MESSAGES.len(), 0..COMPONENTS.len(), 0..4usize, 0..5usize);
    proptest::collection::vec(one, 1..60).prop_map(|choices| {
        let contexts = contexts();
        choices
            .into_iter()
            .enumerate()
            .map(|(n, (message, component, context, level))| {
                let at = NOON.plus_us(-(n as i64) * 7_000_000_000);
                let level = Level::ALL[level];
                let mut made = entry(
                    n as u64 + 1,
                    at,
                    level,
                    COMPONENTS[component],
                    MESSAGES[message],
                );
                made.context = contexts[context].clone();
                made
            })
            .collect()
    })
}

fn terms() -> impl Strategy<Value = Vec<(Wanted, bool)>> {
    let word = (0..WORDS.len()).prop_map(|at| Wanted::Text(WORDS[at].to_owned()));
    let field = (0..FIELDS.len())
        .prop_map(|at| Wanted::Field(FIELDS[at].0.to_owned(), FIELDS[at].1.to_owned()));
    let term = prop_oneof![4 => word, 1 => field];
    proptest::collection::vec((term, proptest::bool::weighted(0.25)), 1..4)
}

/// The search text of these terms.
fn spelled(terms: &[(Wanted, bool)]) -> String {
    let one = |(wanted, negated): &(Wanted, bool)| {
        let text = match wanted {
            Wanted::Text(text) if text.contains('"') => text.clone(),
            Wanted::Text(text) => format!("\"{text}\""),
            Wanted::Field(name, value) => format!("{name}:{value}"),
        };
        format!("{}{text}", if *negated { "-" } else { "" })
    };
    terms.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The definition, spelled out over the rendered entry.
fn scan_finds(entry: &StoredEntry, (wanted, negated): &(Wanted, bool)) -> bool {
    let found = match wanted {
        Wanted::Text(text) => {
            let mut texts = vec![entry.component.clone(), entry.message.clone()];
            texts.extend(
                entry
                    .context
                    .iter()
                    .map(|(k, v)| format!("{k}={}", shown(v))),
            );
            texts.iter().any(|part| lower(part).contains(&lower(text)))
        }
        Wanted::Field(name, value) => {
            let mut places = entry.context.iter().flat_map(|(key, found)| {
                let nested = found.as_object().into_iter().flatten();
                let nested = nested.map(move |(inner, v)| (format!("{key}.{inner}"), v));
                std::iter::once((key.clone(), found)).chain(nested)
            });
            places.any(|(key, found)| {
                lower(&key) == lower(name) && lower(&shown(found)) == lower(value)
            })
        }
    };
    found != *negated
}

fn agree(store: &Store, everything: &[StoredEntry], query: EntryQuery, terms: &[(Wanted, bool)]) {
    let wanted: Vec<&StoredEntry> = everything
        .iter()
        .filter(|entry| query.min_level.is_none_or(|level| entry.level >= level))
        .filter(|entry| query.machines.is_empty() || query.machines.contains(&entry.machine_id))
        .filter(|entry| terms.iter().all(|term| scan_finds(entry, term)))
        .collect();
    let found = all(store, &query, Order::Desc, 9);
    assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{query:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_search_is_the_same_as_a_full_scan(
        one in entries(),
        other in entries(),
        searches in proptest::collection::vec(terms(), 25),
    ) {
        let place = Place::new();
        let store = place.with_machines(&["VM001", "VM002"]);
        for (name, entries) in [("VM001", one), ("VM002", other)] {
            let mut new = batch(name, 1, []);
            new.entries = entries;
            store.append_wait(new).unwrap();
        }
        let everything = all(&store, &everything(), Order::Desc, 1_000);
        for (round, terms) in searches.iter().enumerate() {
            let query = EntryQuery {
                q: spelled(terms),
                min_level: [None, Some(Level::Warn)][round % 2],
                machines: if round % 3 == 0 { vec![id("VM002")] } else { vec![] },
                ..EntryQuery::default()
            };
            agree(&store, &everything, query, terms);
        }
    }
}

#[test]
fn bare_words_must_all_be_there() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    let mut new = batch("VM001", 1, []);
    new.entries = MESSAGES
        .iter()
        .enumerate()
        .map(|(n, message)| entry(n as u64 + 1, NOON, Level::Info, "main", message))
        .collect();
    store.append_wait(new).unwrap();
    let found = |q: &str| {
        let query = EntryQuery {
            q: q.to_owned(),
            ..everything()
        };
        all(&store, &query, Order::Asc, 100)
            .into_iter()
            .map(|e| e.message)
            .collect::<Vec<_>>()
    };
    assert_eq!(found("timeout 30s"), ["Authorization timeout after 30s"]);
    assert_eq!(found("jammed -12"), ["Motor row 3 jammed (code 0x1F)"]);
    assert_eq!(found("\"said \\\"\" nothing such"), Vec::<String>::new());
    assert_eq!(found("   "), found(""), "white space is no word");
    assert_eq!(found("12:30:05"), ["price $1.25 paid at 12:30:05"]);
}
