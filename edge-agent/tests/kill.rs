//! The real agent, killed again and again while the application writes: each line exactly once.

mod support;

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use support::{Machine, json_lines, wait_for};

/// How often the agent is killed.
const KILLS: u32 = 20;

#[test]
fn killed_at_random_while_the_file_grows_each_line_comes_once_and_in_order() {
    let machine = Machine::new("");
    let done = Arc::new(AtomicBool::new(false));
    let writer = {
        let (log, done) = (machine.log(), done.clone());
        std::thread::spawn(move || write_until(&log, &done))
    };
    let mut random = 12_345u64;
    for _ in 0..KILLS {
        let agent = machine.spawn();
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        std::thread::sleep(Duration::from_millis(40 + (random >> 33) % 260));
        agent.kill();
    }
    done.store(true, Ordering::Relaxed);
    let expected = writer.join().unwrap();
    let agent = machine.spawn();
    wait_for("everything in the local file", || {
        json_lines_of_whole(&machine).len() >= expected.len()
    });
    let (code, said) = agent.terminate();
    assert_eq!(code, Some(0), "{said}");

    let lines = json_lines(&machine.local());
    let messages: Vec<&str> = lines
        .iter()
        .map(|l| l["message"].as_str().unwrap())
        .collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    let differs = messages
        .iter()
        .zip(&expected)
        .position(|(got, wanted)| got != wanted);
    assert_eq!((differs, messages.len()), (None, expected.len()));
    let epochs: BTreeSet<u64> = lines.iter().map(|l| l["epoch"].as_u64().unwrap()).collect();
    assert_eq!(epochs.len(), 1, "one spool, one epoch");
    let seqs: Vec<u64> = lines.iter().map(|l| l["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=lines.len() as u64).collect::<Vec<_>>());
}

/// Writes as the application does, each record in one call; answers the messages.
fn write_until(log: &std::path::Path, done: &AtomicBool) -> Vec<String> {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(log)
        .unwrap();
    let mut messages = Vec::new();
    let mut number = 0;
    while !done.load(Ordering::Relaxed) {
        number += 1;
        let (level, message) = match number % 50 {
            7 => ("WARNING", format!("warning {number}")),
            13 => (
                "ERROR",
                format!(
                    "error {number}\nTraceback (most recent call last):\n  f{number}\nE: {number}"
                ),
            ),
            21 => ("INFO", format!("{number} {}", "long ".repeat(2000))),
            _ => ("INFO", format!("entry {number}")),
        };
        let line = format!("2026-01-22 14:30:15 - __main__ - {level} - {message}\n");
        file.write_all(line.as_bytes()).unwrap();
        messages.push(message);
        if number % 50 == 30 {
            file.write_all(format!("printed {number}\n").as_bytes())
                .unwrap();
            messages.push(format!("printed {number}"));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    messages
}

/// The last line may be half written while the agent runs.
fn json_lines_of_whole(machine: &Machine) -> Vec<()> {
    let text = std::fs::read_to_string(machine.local()).unwrap_or_default();
    text.matches('\n').map(|_| ()).collect()
}

#[test]
fn sigterm_ends_with_0_after_everything_was_written_and_a_second_agent_is_refused() {
    let machine = Machine::new("");
    std::fs::write(machine.log(), "2026-01-22 14:30:15 - a - ERROR - one\n").unwrap();
    let agent = machine.spawn();
    wait_for("the entry", || {
        machine.local().exists() && !json_lines(&machine.local()).is_empty()
    });
    let (code, _, said) = machine.command("run");
    assert_eq!(code, Some(1));
    assert!(said.contains("in use by another vendlog-agent"), "{said}");
    let (code, out, _) = machine.command("status");
    assert_eq!(code, Some(0));
    let status: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&status["machine_id"], &status["last_seq"]),
        (&"VM001".into(), &1.into())
    );
    let mut log = OpenOptions::new().append(true).open(machine.log()).unwrap();
    log.write_all(b"2026-01-22 14:30:16 - a - INFO - two\n")
        .unwrap();
    let (code, said) = agent.terminate();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(
        json_lines(&machine.local()).len(),
        2,
        "what was there was taken along"
    );
    let (_, out, _) = machine.command("status");
    let status: serde_json::Value = serde_json::from_str(&out).unwrap();
    let position = &status["inputs"][machine.log().to_str().unwrap()];
    assert_eq!(
        position["offset"],
        std::fs::metadata(machine.log()).unwrap().len()
    );
}
