//! `cargo bench -p tests --bench alerts`: what judging costs where entries are stored. The same batches
//! of a thousand machines go into two stores in turn, one with fifty rules and one with none; the share
//! of throughput that is lost is the figure. Writes its section of `docs/BENCHMARKS.md`; gates nothing.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use alerts::config::condition::{Condition, SplitBy};
use alerts::config::filter::Filter;
use alerts::config::people::{Address, Person};
use alerts::{AlertConfig, MachineNow};
use anyhow::{Context, Result, ensure};
use serde_json::{Map, json};
use store::{Credential, Holder, KeyState, Machine, NewEntries, PathKind, Store, WrappingKey};
use wire::time::{MINUTE_US, SECOND_US};
use wire::{ClockState, Level, LogEntry, MachineId, Micros};

const MACHINES: usize = 1_000;
const RULES: usize = 50;
/// Entries of one batch, as an agent sends them.
const BATCH: usize = 50;
/// Batches that wait together, as from many machines at once.
const TOGETHER: usize = 40;
/// Rounds in each store, in turn; the first of each is not counted.
const ROUNDS: usize = 11;
/// 2026-11-20, noon.
const NOON: Micros = Micros(1_795_176_000_000_000);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench alerts: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let folder = tempfile::tempdir().context("cannot make a folder for the stores")?;
    let with = open(&folder.path().join("with"), rules())?;
    let without = open(&folder.path().join("without"), AlertConfig::default())?;
    let (mut judged, mut plain) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // The one that goes first changes, so that neither has the warmer disk.
        let first_with = round % 2 == 0;
        for turn in [first_with, !first_with] {
            let (store, times) = if turn {
                (&with, &mut judged)
            } else {
                (&without, &mut plain)
            };
            let spent = ingest(store, round)?;
            if round > 0 {
                times.push(spent);
            }
        }
    }
    let (judged, plain) = (median(judged), median(plain));
    let entries = with.total_entries()?;
    ensure!(entries == without.total_entries()?, "the stores differ");
    let [_, firing, _] = with.alerts().counts()?;
    ensure!(firing > 0, "no rule fired, so nothing was judged");
    let tick = tick(&with)?;
    let per_second = |spent: Duration| (TOGETHER * BATCH) as f64 / spent.as_secs_f64();
    let lost = 100.0 * (1.0 - per_second(judged) / per_second(plain));
    let body = format!(
        "{RULES} rules over {MACHINES} machines, judged in the transaction that stores an entry; \
         batches of {BATCH} entries,\n{TOGETHER} of them together, fsync before the answer \
         (`synchronous=FULL`). {entries} entries in each store, {firing} alerts firing.\n\
         Measured on {date}; a build of profile `{profile}`.\n\n\
         | | entries a second |\n|---|---:|\n\
         | with {RULES} rules | {:.0} |\n| without rules | {:.0} |\n\n\
         Judging costs **{lost:.1} %** of the throughput (target: less than 15 %). A tick over \
         all machines takes {:.1} ms.\n\
         Repeat: `cargo xtask bench alerts`.\n",
        per_second(judged),
        per_second(plain),
        tick.as_secs_f64() * 1_000.0,
        date = jiff::Timestamp::now().strftime("%Y-%m-%d"),
        profile = if cfg!(debug_assertions) {
            "dev"
        } else {
            "release"
        },
    );
    print!("{body}");
    tests::benchmarks::write(&tests::benchmarks::path(), "Alerts", &body)
        .context("cannot write the section")
}

fn open(dir: &std::path::Path, config: AlertConfig) -> Result<Store> {
    let data = dir.join("data");
    let key = WrappingKey::load_or_create(&dir.join("key"), &data)?;
    let store = Store::open(&data, &key, NOON)?;
    for n in 0..MACHINES {
        let id = machine(n);
        let known = Machine {
            id: id.clone(),
            name: format!("Machine {id}"),
            location: String::new(),
            timezone: String::new(),
            site: format!("Site {}", n % 20),
            route: String::new(),
            tags: vec![format!("tag{}", n % 5)],
            owner: String::new(),
            opening_hours: String::new(),
            reader_serials: Vec::new(),
            created_at: NOON,
        };
        let key = Credential {
            key_id: format!("key{n}"),
            sha256: [0; 32],
            holder: Holder::Machine(id),
            created_at: NOON,
            expires_at: None,
            state: KeyState::InUse,
        };
        store.add_machine(&known, &key)?;
    }
    store.alerts().configure(config, NOON)?;
    store.alerts().tick(machines(), NOON)?;
    Ok(store)
}

fn machine(n: usize) -> MachineId {
    format!("VM{n:04}").parse().expect("an id")
}

fn machines() -> Vec<MachineNow> {
    (0..MACHINES).map(|n| MachineNow::new(machine(n))).collect()
}

/// The ready rules, and others of every kind that hears entries.
fn rules() -> AlertConfig {
    let mut config = alerts::config::defaults::config();
    config.people = vec![Person {
        id: "ops".into(),
        name: "Operations".into(),
        addresses: vec![Address {
            channel: "email".into(),
            to: "ops@example.com".into(),
        }],
        ..Person::default()
    }];
    config.groups[0].people = vec!["ops".into()];
    let template = config.rules[0].clone();
    for n in config.rules.len()..RULES {
        let mut rule = template.clone();
        rule.id = format!("rule{n}");
        rule.name = format!("Rule {n}");
        let mut filter = Filter {
            level: Some([Level::Info, Level::Warn, Level::Error][n % 3]),
            ..Filter::default()
        };
        match n % 5 {
            0 => filter.components = vec![format!("component{}", n % 7)],
            1 => filter.text = Some(format!("word{n}")),
            2 => filter.pattern = Some(format!(r"product \d+ (jam|block){n}")),
            3 => {
                filter.context.insert("event".into(), format!("event{n}"));
            }
            _ => filter.components = vec!["motor".into(), "pump".into()],
        }
        rule.when = Condition::Entries {
            filter,
            count: 20,
            within_s: 600,
            split_by: SplitBy::Machine,
        };
        rule.severity = alerts::config::rule::Severity::Warning;
        rule.tell = Vec::new();
        config.rules.push(rule);
    }
    config
}

/// Stores one round of batches, all waiting together, and says how long it took.
fn ingest(store: &Store, round: usize) -> Result<Duration> {
    let batches: Vec<NewEntries> = (0..TOGETHER).map(|n| batch(round, n)).collect();
    let (sender, receiver) = std::sync::mpsc::channel();
    let began = Instant::now();
    for batch in batches {
        let sender = sender.clone();
        store.append(batch, move |outcome| {
            let _ = sender.send(outcome);
        });
    }
    for _ in 0..TOGETHER {
        let receipt = receiver.recv().context("the store is gone")??;
        ensure!(receipt.accepted == BATCH as u64, "an entry was not taken");
    }
    Ok(began.elapsed())
}

/// What a machine says in a while: mostly INFO, a few warnings, an error now and then.
fn batch(round: usize, n: usize) -> NewEntries {
    let machine_no = (round * TOGETHER + n) % MACHINES;
    let at = NOON.plus_us(round as i64 * MINUTE_US);
    let entry = |k: usize| {
        let number = round * 1_000 + n * 31 + k;
        // One machine in fifty is in trouble, so that rules hold and alerts are kept.
        let is_bad = machine_no.is_multiple_of(50) && k.is_multiple_of(4);
        let (level, component, message) = match number % 100 {
            _ if is_bad => (
                Level::Error,
                "payment",
                format!("Declined by host, code {k}"),
            ),
            0 => (
                Level::Error,
                "payment",
                format!("Authorization timeout after {k}s"),
            ),
            1 | 2 => (
                Level::Warn,
                "motor",
                format!("Motor row {} slow, retry", k % 7),
            ),
            3..20 => (
                Level::Debug,
                "eport",
                format!("[STATUS-7] enabled {number}"),
            ),
            _ => (
                Level::Info,
                "app",
                format!("Dispensed {k}.{} oz of product {}", number % 10, k % 5),
            ),
        };
        let mut context = Map::new();
        if number % 50 == 7 {
            context.insert("event".into(), json!("sale"));
        }
        LogEntry {
            seq: Some((round * BATCH + k) as u64 + 1),
            timestamp: at.plus_us(k as i64 * SECOND_US - MINUTE_US),
            level,
            component: component.to_owned(),
            message,
            context,
            clock: ClockState::Synced,
        }
    };
    NewEntries {
        machine: machine(machine_no),
        epoch: Some(n as u64 + 1),
        entries: (0..BATCH).map(entry).collect(),
        refused_seqs: Vec::new(),
        path: PathKind::Wifi,
        received_at: at,
    }
}

fn tick(store: &Store) -> Result<Duration> {
    let mut times = Vec::new();
    for n in 0..7 {
        let machines = machines();
        let began = Instant::now();
        store
            .alerts()
            .tick(machines, NOON.plus_us(12 * MINUTE_US + n * SECOND_US))?;
        times.push(began.elapsed());
    }
    Ok(median(times))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
