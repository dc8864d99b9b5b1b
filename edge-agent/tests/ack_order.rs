//! The order of the real agent's system calls, as strace sees them: no entry is acknowledged on the
//! socket before the fdatasync that makes it durable has returned.

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use support::client::{Client, entry};
use support::{Agent, Machine, wait_for};

/// What the promise is shown with.
const ACKNOWLEDGEMENTS: usize = 10_000;
/// Where a block of the spool begins.
const MARK: [u8; 4] = [0xF7, b'V', b'B', 0xF8];
/// The head of a block, and where in it which numbers are.
const HEAD_BYTES: usize = 40;
const FIRST_SEQ: std::ops::Range<usize> = 8..16;
const COUNT: std::ops::Range<usize> = 20..22;
const BODY_LEN: std::ops::Range<usize> = 24..28;

#[test]
fn no_entry_is_acknowledged_before_it_is_durable() {
    let machine = Machine::new("");
    let path = machine.dir.path().join("agent.sock");
    machine.configure(&format!(
        "[[input]]\nkind = \"socket\"\npath = \"{}\"",
        path.display()
    ));
    let trace = machine.dir.path().join("trace");
    // Strings in full and in hex, descriptors with their paths, every thread.
    let tracer = Command::new("strace")
        .args(["-f", "-y", "-xx", "-s", "4000000", "--seccomp-bpf"])
        .args([
            "-e",
            "trace=write,writev,sendto,sendmsg,pwrite64,pwritev,fdatasync,fsync",
            "-o",
        ])
        .arg(&trace)
        .arg(env!("CARGO_BIN_EXE_vendlog-agent"))
        .args(["run", "--config"])
        .arg(machine.config_path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("strace is needed; install it with: apt-get install strace");
    let tracer = Agent::of(tracer);
    wait_for("the socket", || Client::connect(&path).is_ok());

    // Some one by one, most of them as fast as they can be sent; a few that must not wait.
    let mut client = Client::connect(&path).unwrap();
    for number in 0..20 {
        let mut entry = entry(&format!("single {number}"));
        entry["level"] = "ERROR".into();
        assert_eq!(client.ask(&entry)["ok"], true);
    }
    let rest = ACKNOWLEDGEMENTS - 20;
    let lines: String = (0..rest)
        .map(|n| format!("{}\n", entry(&format!("entry {n}"))))
        .collect();
    let answers = client.ask_all(lines, rest);
    assert!(answers.iter().all(|answer| answer["ok"] == true));
    end(&path, tracer);

    let calls = read_trace(&trace);
    let (acknowledged, early) = judge(&calls);
    let syncs = calls.iter().filter(|call| call.is_sync).count();
    println!("{acknowledged} acknowledgements, {early} before their fdatasync; {syncs} syncs");
    assert_eq!((acknowledged, early), (ACKNOWLEDGEMENTS, 0));
}

/// Ends the agent under strace, whose own signal would only detach it.
fn end(path: &Path, mut tracer: Agent) {
    let pid = tracer.pid().to_string();
    let children = Command::new("pgrep").args(["-P", &pid]).output().unwrap();
    let child = String::from_utf8(children.stdout).unwrap();
    let killed = Command::new("kill")
        .args(["-TERM", child.trim()])
        .status()
        .unwrap();
    assert!(killed.success(), "{path:?}");
    wait_for("the end of the agent", || !tracer.is_running());
    std::thread::sleep(Duration::from_millis(50));
}

/// One system call; a long one stands twice, where it began and where it returned.
struct Call {
    is_sync: bool,
    begins: bool,
    returns: bool,
    thread: String,
    descriptor: String,
    bytes: Vec<u8>,
}

fn read_trace(path: &Path) -> Vec<Call> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut unfinished: BTreeMap<String, (bool, String)> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let Some((thread, rest)) = line.split_once(' ') else {
            continue;
        };
        let (thread, rest) = (thread.to_owned(), rest.trim_start());
        if rest.starts_with("<...") {
            if let Some((is_sync, descriptor)) = unfinished.remove(&thread) {
                calls.push(Call {
                    is_sync,
                    begins: false,
                    returns: !rest.contains(" = -1"),
                    thread,
                    descriptor,
                    bytes: Vec::new(),
                });
            }
            continue;
        }
        let Some((name, arguments)) = rest.split_once('(') else {
            continue;
        };
        let is_sync = matches!(name, "fdatasync" | "fsync");
        let descriptor = arguments
            .split_once('>')
            .map_or("", |(first, _)| first)
            .to_owned();
        let is_unfinished = rest.ends_with("<unfinished ...>");
        if is_unfinished {
            unfinished.insert(thread.clone(), (is_sync, descriptor.clone()));
        }
        calls.push(Call {
            is_sync,
            begins: true,
            returns: !is_unfinished && !rest.contains(" = -1"),
            thread,
            descriptor,
            bytes: hex_bytes(arguments),
        });
    }
    calls
}

/// The first string of the arguments, `"\x7b\x22..."`.
fn hex_bytes(arguments: &str) -> Vec<u8> {
    let Some((_, string)) = arguments.split_once('"') else {
        return Vec::new();
    };
    let string = string.split_once('"').map_or("", |(string, _)| string);
    let digits = string.split("\\x").skip(1);
    digits
        .map(|pair| u8::from_str_radix(&pair[..2], 16).unwrap())
        .collect()
}

/// How many acknowledgements were sent, and how many of them too early.
fn judge(calls: &[Call]) -> (usize, usize) {
    // Per thread and descriptor: the last seq written, and the last one whose sync has begun. A
    // thread that begins a sync has returned from its writes.
    let mut written: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut syncing: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut durable = 0;
    let (mut acknowledged, mut early) = (0, 0);
    for call in calls {
        let file = (call.thread.as_str(), call.descriptor.as_str());
        if call.is_sync {
            if call.begins {
                syncing.insert(file, written.get(&file).copied().unwrap_or(0));
            }
            if call.returns {
                durable = durable.max(syncing.get(&file).copied().unwrap_or(0));
            }
        } else if let Some(blocks) = blocks(&call.bytes) {
            written.insert(file, last_seq(blocks));
        } else if call.bytes.starts_with(b"{\"ok\":true,\"seq\":") {
            for line in call
                .bytes
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
            {
                let answer: serde_json::Value = serde_json::from_slice(line).unwrap();
                acknowledged += 1;
                early += usize::from(answer["seq"].as_u64().unwrap() > durable);
            }
        }
    }
    (acknowledged, early)
}

/// The blocks of a write to the spool; the first of a segment is written with its header.
fn blocks(bytes: &[u8]) -> Option<&[u8]> {
    let is_begun = bytes.starts_with(b"VLSPOOL");
    let at = bytes.windows(MARK.len()).position(|found| found == MARK)?;
    (at == 0 || is_begun).then(|| &bytes[at..])
}

/// The last seq of the blocks in a write.
fn last_seq(mut bytes: &[u8]) -> u64 {
    let mut last = 0;
    while bytes.len() >= HEAD_BYTES {
        let number = |range: std::ops::Range<usize>| {
            let mut all = [0; 8];
            all[..range.len()].copy_from_slice(&bytes[range]);
            u64::from_le_bytes(all)
        };
        last = number(FIRST_SEQ) + number(COUNT) - 1;
        bytes = &bytes[HEAD_BYTES + number(BODY_LEN) as usize..];
    }
    last
}
