//! Rotation, truncation and odd bytes: each line once, in order, none torn.

mod support;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use support::{Machine, messages, noise};

fn line(text: &str) -> String {
    format!("2026-01-22 14:30:15 - __main__ - INFO - {text}\n")
}

fn append(path: &Path, bytes: &[u8]) {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .unwrap();
    file.write_all(bytes).unwrap();
}

fn numbered(range: std::ops::Range<u32>) -> (String, Vec<String>) {
    let texts: Vec<String> = range.map(|number| format!("line {number:06}")).collect();
    (texts.iter().map(|text| line(text)).collect(), texts)
}

/// Why something is missing, and the lines that came.
fn gaps_and_lines(entries: &[serde_json::Value]) -> (Vec<&str>, Vec<String>) {
    let why = |entry: &&serde_json::Value| entry["context"]["event"] == "gap";
    let gaps = entries.iter().filter(why);
    let gaps = gaps.map(|gap| gap["context"]["why"].as_str().unwrap());
    let lines: Vec<_> = entries.iter().filter(|e| !why(e)).cloned().collect();
    (gaps.collect(), messages(&lines))
}

fn rotated(machine: &Machine, number: u32) -> std::path::PathBuf {
    machine.dir.path().join(format!("log/app.log.{number}"))
}

/// As logrotate does it: `.1` becomes `.2` and so on, the log becomes `.1`.
fn rotate(machine: &Machine) {
    for number in (1..20).rev() {
        let _ = fs::rename(rotated(machine, number), rotated(machine, number + 1));
    }
    fs::rename(machine.log(), rotated(machine, 1)).unwrap();
}

#[test]
fn a_file_that_is_not_there_yet_is_waited_for() {
    let machine = Machine::new("");
    let mut reading = machine.start();
    assert!(reading.drain().is_empty());
    append(&machine.log(), line("one").as_bytes());
    assert_eq!(messages(&reading.drain()), ["one"]);
}

#[test]
fn a_renamed_file_is_finished_before_the_new_one_is_begun() {
    let machine = Machine::new("");
    let mut reading = machine.start();
    append(&machine.log(), line("one").as_bytes());
    assert_eq!(messages(&reading.drain()), ["one"]);
    rotate(&machine);
    append(
        &rotated(&machine, 1),
        line("two, late into the old").as_bytes(),
    );
    append(&machine.log(), line("three").as_bytes());
    assert_eq!(
        messages(&reading.drain()),
        ["two, late into the old", "three"]
    );
}

#[test]
fn several_rotations_between_two_looks_lose_nothing() {
    let machine = Machine::new("");
    let mut reading = machine.start();
    append(&machine.log(), line("0").as_bytes());
    assert_eq!(reading.drain().len(), 1);
    for number in 1..=5 {
        append(&machine.log(), line(&format!("{number}a")).as_bytes());
        rotate(&machine);
        append(&machine.log(), line(&format!("{number}b")).as_bytes());
    }
    let expected: Vec<String> = (1..=5)
        .flat_map(|n| [format!("{n}a"), format!("{n}b")])
        .collect();
    assert_eq!(messages(&reading.drain()), expected);
}

#[test]
fn ten_rotations_while_the_agent_is_down_lose_nothing() {
    let machine = Machine::new("");
    let (text, mut expected) = numbered(0..1000);
    append(&machine.log(), text.as_bytes());
    assert_eq!(messages(&machine.start().drain()), expected);
    expected.clear();
    for rotation in 1..=10 {
        let (text, texts) = numbered(rotation * 1000..rotation * 1000 + 1000);
        append(&machine.log(), text.as_bytes());
        expected.extend(texts);
        rotate(&machine);
        fs::write(machine.log(), b"").unwrap();
    }
    assert_eq!(messages(&machine.start().drain()), expected);
}

#[test]
fn when_rotation_has_removed_the_file_reading_goes_on_with_the_oldest_left() {
    let machine = Machine::new("");
    let (text, _) = numbered(0..100);
    append(&machine.log(), text.as_bytes());
    assert_eq!(machine.start().drain().len(), 100);
    for rotation in 1..=3 {
        rotate(&machine);
        append(&machine.log(), line(&format!("r{rotation}")).as_bytes());
    }
    fs::remove_file(rotated(&machine, 3)).unwrap();
    let entries = machine.start().drain();
    let (gaps, lines) = gaps_and_lines(&entries);
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert_eq!(lines, ["r1", "r2", "r3"]);
}

#[test]
fn a_file_truncated_by_the_restart_of_the_application_is_read_from_its_start() {
    let machine = Machine::new("");
    let mut reading = machine.start();
    append(&machine.log(), numbered(0..100).0.as_bytes());
    assert_eq!(reading.drain().len(), 100);
    fs::write(machine.log(), line("again")).unwrap();
    assert_eq!(messages(&reading.drain()), ["again"]);
    fs::write(machine.log(), b"").unwrap();
    assert!(reading.drain().is_empty());
    append(&machine.log(), line("and again").as_bytes());
    assert_eq!(messages(&reading.drain()), ["and again"]);
}

#[test]
fn a_file_truncated_and_regrown_past_the_position_is_recognised_as_another() {
    for is_running in [true, false] {
        let machine = Machine::new("");
        let mut reading = machine.start();
        append(&machine.log(), numbered(0..100).0.as_bytes());
        assert_eq!(reading.drain().len(), 100);
        let (text, expected) = numbered(500..900);
        fs::write(machine.log(), text).unwrap();
        if !is_running {
            drop(reading);
            reading = machine.start();
        }
        let entries = reading.drain();
        let (gaps, lines) = gaps_and_lines(&entries);
        assert_eq!(lines, expected, "running: {is_running}");
        let said: &[&str] = if is_running { &[] } else { &["truncated"] };
        assert_eq!(gaps, said, "running: {is_running}");
    }
}

#[test]
fn a_file_written_anew_to_the_same_length_is_recognised_as_another() {
    let machine = Machine::new("");
    append(&machine.log(), line("first run").as_bytes());
    let mut reading = machine.start();
    assert_eq!(messages(&reading.drain()), ["first run"]);
    std::thread::sleep(std::time::Duration::from_millis(20));
    fs::write(machine.log(), line("other run")).unwrap();
    assert_eq!(messages(&reading.drain()), ["other run"]);
    append(&machine.log(), line("goes on").as_bytes());
    assert_eq!(messages(&reading.drain()), ["goes on"]);
}

#[test]
fn files_with_an_equal_first_kilobyte_are_told_apart() {
    let machine = Machine::new("");
    let (same, _) = numbered(0..40);
    append(
        &machine.log(),
        format!("{same}{}", numbered(100..200).0).as_bytes(),
    );
    assert_eq!(machine.start().drain().len(), 140);
    fs::write(machine.log(), format!("{same}{}", numbered(300..500).0)).unwrap();
    let entries = machine.start().drain();
    let (gaps, lines) = gaps_and_lines(&entries);
    assert_eq!((gaps, lines.len()), (vec!["truncated"], 240));
}

#[test]
fn a_new_file_under_an_old_inode_number_is_read_from_its_start() {
    let machine = Machine::new("");
    append(&machine.log(), numbered(0..10).0.as_bytes());
    assert_eq!(machine.start().drain().len(), 10);
    // Where the file system reuses the number at once this is the same inode; where it does not,
    // the file is simply a new one. Both must read it whole.
    fs::remove_file(machine.log()).unwrap();
    append(&machine.log(), numbered(50..90).0.as_bytes());
    let entries = machine.start().drain();
    let (gaps, lines) = gaps_and_lines(&entries);
    assert_eq!((gaps.len(), lines.len()), (1, 40));
}

#[test]
fn copytruncate_finishes_the_copy_first() {
    for is_running in [true, false] {
        let machine = Machine::new("");
        let mut reading = machine.start();
        append(&machine.log(), numbered(0..100).0.as_bytes());
        assert_eq!(reading.drain().len(), 100);
        append(&machine.log(), numbered(100..110).0.as_bytes());
        fs::copy(machine.log(), rotated(&machine, 1)).unwrap();
        File::options()
            .write(true)
            .open(machine.log())
            .unwrap()
            .set_len(0)
            .unwrap();
        append(&machine.log(), numbered(110..120).0.as_bytes());
        if !is_running {
            drop(reading);
            reading = machine.start();
        }
        let entries = reading.drain();
        let (gaps, lines) = gaps_and_lines(&entries);
        assert_eq!(gaps, ["copytruncate"], "running: {is_running}");
        assert_eq!(lines, numbered(100..120).1, "running: {is_running}");
    }
}

#[test]
fn a_symbolic_link_is_followed_where_it_points() {
    let machine = Machine::new("");
    let target = |name: &str| machine.dir.path().join("log").join(name);
    let link = |name: &str| {
        let _ = fs::remove_file(machine.log());
        std::os::unix::fs::symlink(target(name), machine.log()).unwrap();
    };
    append(&target("monday"), line("one").as_bytes());
    link("monday");
    let mut reading = machine.start();
    assert_eq!(messages(&reading.drain()), ["one"]);
    append(&target("monday"), line("two").as_bytes());
    append(&target("tuesday"), line("three").as_bytes());
    link("tuesday");
    assert_eq!(messages(&reading.drain()), ["two", "three"]);
}

#[test]
fn a_partial_line_waits_over_a_restart_and_is_never_torn() {
    let machine = Machine::new("");
    let whole = line("gr\u{fc}\u{df}e");
    let (first, second) = whole.as_bytes().split_at(whole.len() - 5);
    append(&machine.log(), line("one").as_bytes());
    append(&machine.log(), first);
    let mut reading = machine.start();
    assert_eq!(messages(&reading.drain()), ["one"]);
    drop(reading);
    let mut reading = machine.start();
    assert!(reading.drain().is_empty());
    append(&machine.log(), second);
    assert_eq!(messages(&reading.drain()), ["gr\u{fc}\u{df}e"]);
}

#[test]
fn the_last_line_of_a_rotated_file_needs_no_end() {
    let machine = Machine::new("");
    append(&machine.log(), line("one").trim_end().as_bytes());
    let mut reading = machine.start();
    assert!(reading.drain().is_empty());
    rotate(&machine);
    append(&machine.log(), line("two").as_bytes());
    assert_eq!(messages(&reading.drain()), ["one", "two"]);
}

#[test]
fn carriage_returns_nul_and_broken_utf8_are_kept_readable() {
    let machine = Machine::new("");
    append(&machine.log(), b"2026-01-22 14:30:15 - a - INFO - dos\r\n");
    append(
        &machine.log(),
        b"2026-01-22 14:30:15 - a - INFO - \xff\x00 odd\n",
    );
    let entries = machine.start().drain();
    assert_eq!(messages(&entries), ["dos", "\\xff\\x00 odd"]);
    assert_eq!(entries[1]["context"]["escaped_bytes"], true);
    assert!(entries[0].get("context").is_none());
}

#[test]
fn a_line_of_two_megabytes_comes_whole_in_marked_pieces_also_over_a_restart() {
    let machine = Machine::new("");
    let text = "word ".repeat(400_000);
    let whole = line(&text);
    let (first, second) = whole.as_bytes().split_at(1_000_000);
    append(&machine.log(), first);
    let mut entries = machine.start().drain();
    assert!(
        entries.len() > 10,
        "pieces do not wait for the end of the line"
    );
    append(&machine.log(), second);
    append(&machine.log(), line("after").as_bytes());
    entries.extend(machine.start().drain());
    let after = entries.pop().unwrap();
    assert_eq!(after["message"], "after");
    assert_eq!(messages(&entries).concat(), text);
    let pieces: Vec<u64> = entries
        .iter()
        .map(|entry| entry["context"]["piece"].as_u64().unwrap())
        .collect();
    assert_eq!(pieces, (1..=entries.len() as u64).collect::<Vec<_>>());
    assert_eq!(entries.last().unwrap()["context"]["last_piece"], true);
    assert!(
        entries
            .iter()
            .all(|entry| entry["level"] == "INFO" && entry["component"] == "app")
    );
}

/// Lines that fill a spool though it packs them.
fn noisy(count: usize) -> (String, Vec<String>) {
    let messages: Vec<String> = (0..count).map(|number| noise(number, 600)).collect();
    let lines: Vec<String> = messages.iter().map(|message| line(message)).collect();
    (lines.concat(), messages)
}

#[test]
fn a_full_spool_pauses_reading_and_a_delivery_resumes_it() {
    let machine = Machine::new("[spool]\nmax_bytes = 4194304");
    let (text, expected) = noisy(20_000);
    append(&machine.log(), text.as_bytes());
    let mut reading = machine.start();
    let mut got = messages(&reading.drain());
    assert!(got.len() < expected.len(), "it must have paused");
    for _ in 0..20 {
        let delivered = got.len() as u64;
        reading
            .progress
            .wifi_delivered
            .store(delivered, std::sync::atomic::Ordering::Relaxed);
        reading
            .progress
            .local_written
            .store(delivered, std::sync::atomic::Ordering::Relaxed);
        got.extend(messages(&reading.drain()));
    }
    assert_eq!(got, expected);
}

#[test]
fn without_wifi_nothing_goes_that_the_local_file_lacks() {
    let machine = Machine::new("[spool]\nmax_bytes = 4194304");
    let (text, expected) = noisy(20_000);
    append(&machine.log(), text.as_bytes());
    let mut reading = machine.start();
    let relaxed = std::sync::atomic::Ordering::Relaxed;
    reading.progress.wifi_delivered.store(u64::MAX, relaxed);
    reading.progress.local_failing.store(true, relaxed);
    let mut got = messages(&reading.drain());
    let paused = got.len();
    got.extend(messages(&reading.drain()));
    assert_eq!(got.len(), paused, "it must stay paused");
    assert!(paused < expected.len());
    reading.progress.local_failing.store(false, relaxed);
    while got.len() < expected.len() {
        let written = got.len() as u64;
        reading.progress.local_written.store(written, relaxed);
        got.extend(messages(&reading.drain()));
    }
    assert_eq!(got, expected);
}
