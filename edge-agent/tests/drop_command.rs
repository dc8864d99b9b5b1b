//! `vendlog-agent drop encode|decode` as a person and a script use them.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

fn agent(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_vendlog-agent"))
        .arg("drop")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // A command that refuses its arguments closes its end unread.
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn entries(count: u64) -> Vec<Value> {
    (1..=count)
        .map(|n| {
            json!({
                "seq": n, "timestamp": format!("2026-01-22T14:{:02}:{:02}.000Z", n / 60, n % 60),
                "level": (wire::Level::ALL[n as usize % 5].as_str()),
                "component": "payment", "message": format!("Auth timeout after {n}s | try {}", n % 3),
                "context": {"amount_cents": n * 25, "txn": format!("t{n}")}, "epoch": 7
            })
        })
        .collect()
}

fn ndjson(values: &[Value]) -> String {
    values.iter().map(|value| format!("{value}\n")).collect()
}

#[test]
fn every_entry_comes_back_from_every_form() {
    let entries = entries(400);
    for form in [&["--text"][..], &["--dense"], &[]] {
        let encoded = agent(
            &[&["encode", "--machine", "VM001"], form].concat(),
            &ndjson(&entries),
        );
        assert!(encoded.status.success(), "{}", said(&encoded));
        let drops = lines(&encoded);
        for (at, drop) in drops.iter().enumerate() {
            assert!(drop["data"].as_str().unwrap().len() <= 900);
            assert_eq!(drop["name"], json!(format!("VM001-7-{}.txt", at + 1)));
        }
        // Any order: each says itself what it holds.
        let mut shuffled = drops.clone();
        shuffled.reverse();
        let decoded = agent(&["decode"], &ndjson(&shuffled));
        assert!(decoded.status.success(), "{}", said(&decoded));
        let mut back = lines(&decoded);
        back.sort_by_key(|entry| entry["seq"].as_u64());
        assert_eq!(back.len(), entries.len());
        for (back, sent) in back.iter().zip(&entries) {
            for field in [
                "seq",
                "timestamp",
                "level",
                "component",
                "message",
                "context",
                "epoch",
            ] {
                assert_eq!(back[field], sent[field], "{field}");
            }
            assert_eq!(
                (&back["machine_id"], &back["fidelity"]),
                (&json!("VM001"), &json!("full"))
            );
        }
    }
}

#[test]
fn times_stay_as_exact_as_asked() {
    let entry = json!({"timestamp": "2026-01-22T14:30:15.123Z", "level": "WARN",
                       "component": "motor", "message": "slow"});
    for (time, kept) in [
        ("minute", "2026-01-22T14:30:00.000Z"),
        ("second", "2026-01-22T14:30:15.000Z"),
        ("ms", "2026-01-22T14:30:15.123Z"),
    ] {
        for form in ["--text", "--dense"] {
            let arguments = ["encode", "--machine", "VM001", "--time", time, form];
            let encoded = agent(&arguments, &ndjson(std::slice::from_ref(&entry)));
            let decoded = agent(&["decode"], &ndjson(&lines(&encoded)));
            assert_eq!(
                lines(&decoded)[0]["timestamp"],
                json!(kept),
                "{time} {form}"
            );
        }
    }
}

#[test]
fn the_prds_bare_lines_are_read_as_they_are_with_the_year_of_their_arrival() {
    let bare = "VM001|1231-2359|E|payment|Auth timeout 30s|txn:abc123\r\n";
    let decoded = agent(&["decode", "--received", "2027-01-01T00:10:00Z"], bare);
    let back = &lines(&decoded)[0];
    assert_eq!(back["timestamp"], json!("2026-12-31T23:59:00.000Z"));
    assert_eq!((&back["seq"], &back["epoch"]), (&Value::Null, &Value::Null));
    assert_eq!(back["fidelity"], json!("summary"));
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let no_machine = agent(&["encode"], "");
    assert_eq!(no_machine.status.code(), Some(2));
    let two_forms = agent(&["encode", "--machine", "VM001", "--text", "--dense"], "");
    assert_eq!(two_forms.status.code(), Some(2));
    let bad_line = agent(&["encode", "--machine", "VM001"], "{\"level\": \"LOUD\"}\n");
    assert_eq!(bad_line.status.code(), Some(1));
    assert!(said(&bad_line).contains("line 1"), "{}", said(&bad_line));
    assert!(bad_line.stdout.is_empty());

    let good = agent(&["encode", "--machine", "VM001"], &ndjson(&entries(3)));
    let mut broken = lines(&good);
    let data = broken[0]["data"]
        .as_str()
        .unwrap()
        .replace("Auth timeout", "Auth time");
    broken.push(json!({"name": "edited.txt", "data": data}));
    let decoded = agent(&["decode"], &ndjson(&broken));
    assert_eq!(decoded.status.code(), Some(1));
    assert_eq!(lines(&decoded).len(), 3, "the whole one is read");
    assert!(
        said(&decoded).contains("edited.txt: the drop is damaged"),
        "{}",
        said(&decoded)
    );
    let no_file = agent(&["decode", "--dictionary", "/no/such/file"], "");
    assert_eq!(no_file.status.code(), Some(1));
}
