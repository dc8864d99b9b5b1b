//! The simulated application against the real one's recorded log.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use super::*;

const ALL: [Fault; 5] = [
    Fault::SilentReader,
    Fault::Link,
    Fault::Motor,
    Fault::CrashLoop,
    Fault::LostPayment,
];

fn start() -> Micros {
    Micros::parse_rfc3339("2026-01-22T13:58:03Z").unwrap()
}

fn hours(app: &mut Application, hours: i64) -> Vec<Step> {
    let end = start().plus_us(hours * 3_600 * 1_000_000);
    std::iter::from_fn(|| (app.next_at() < end).then(|| app.next_step())).collect()
}

fn written(seed: u64, faults: &[Fault]) -> String {
    let mut app = Application::new(Setup {
        faults: faults.to_vec(),
        ..Setup::real(seed, start())
    });
    hours(&mut app, 24)
        .iter()
        .map(|step| text::render(step, &TimeZone::UTC, false))
        .collect()
}

/// A line without its numbers and without its stamp.
fn shape(line: &str) -> String {
    let text = line.split_once(" - ").map_or(line, |(_, rest)| rest);
    let mut shape = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' if shape.ends_with('N') => {}
            '0'..='9' => shape.push('N'),
            _ => shape.push(c),
        }
    }
    shape
}

#[test]
fn a_seed_always_writes_the_same_log_and_another_seed_another() {
    assert_eq!(written(1, &ALL), written(1, &ALL));
    assert_ne!(written(1, &ALL), written(2, &ALL));
}

#[test]
fn it_writes_the_same_kinds_of_line_as_the_recorded_log() {
    let recorded = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/vending_app.log"
    );
    let recorded = std::fs::read_to_string(recorded).unwrap();
    let shapes = |log: &str| log.lines().map(shape).collect::<BTreeSet<String>>();
    let simulated = shapes(&written(3, &ALL));
    for shape in shapes(&recorded) {
        // Calls in a traceback differ from crash to crash; every other line must be known.
        let call = shape.starts_with("    ");
        assert!(call || simulated.contains(&shape), "never written: {shape}");
    }
}

#[test]
fn steps_come_in_order_of_time() {
    let mut app = Application::new(Setup {
        faults: ALL.to_vec(),
        ..Setup::real(5, start())
    });
    let steps = hours(&mut app, 24);
    assert!(steps.windows(2).all(|pair| pair[0].at <= pair[1].at));
    assert!(
        steps.len() > 24 * 2_000,
        "an idle machine polls some 2,880 times an hour"
    );
}

#[test]
fn a_machine_without_faults_logs_no_errors() {
    let mut app = Application::new(Setup::real(9, start()));
    for step in hours(&mut app, 24) {
        if let Output::Record(record) = step.output {
            assert!(record.meant.level <= Level::Warn, "{}", record.message);
        }
    }
}

#[test]
fn each_fault_can_be_demanded_and_shows_its_own_component() {
    for (fault, component, level) in [
        (Fault::SilentReader, "reader", Level::Debug),
        (Fault::Link, "eport-link", Level::Error),
        (Fault::Motor, "motor", Level::Error),
        (Fault::CrashLoop, "app", Level::Critical),
        (Fault::LostPayment, "payment", Level::Critical),
    ] {
        let mut app = Application::new(Setup::real(11, start()));
        app.demand(fault);
        let seen = hours(&mut app, 1)
            .into_iter()
            .any(|step| match step.output {
                Output::Record(r) => r.meant.component == component && r.meant.level == level,
                _ => false,
            });
        assert!(seen, "{fault:?} must show as {component} {level}");
    }
}

#[test]
fn a_silence_is_an_error_once_and_only_from_thirty_seconds_on() {
    let setup = Setup {
        faults: vec![Fault::SilentReader],
        ..Setup::real(13, start())
    };
    let mut by_run: BTreeMap<i64, (usize, i64)> = BTreeMap::new();
    let mut since: Option<i64> = None;
    for step in hours(&mut Application::new(setup), 24) {
        let Output::Record(record) = step.output else {
            continue;
        };
        let at = step.at.0.div_euclid(1_000_000);
        if record.message.starts_with("[STATUS-?]") {
            let run = *since.get_or_insert(at);
            let entry = by_run.entry(run).or_default();
            entry.0 += usize::from(record.meant.level == Level::Error);
            entry.1 = at - run;
        } else if record.message.starts_with("[STATUS-") {
            since = None;
        }
    }
    assert!(by_run.len() > 20, "a day must have silences");
    for (run, (errors, seconds)) in by_run {
        assert_eq!(
            errors,
            usize::from(seconds >= 30),
            "run at {run} of {seconds} s"
        );
    }
}
