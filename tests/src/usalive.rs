//! A `vendlog-sim usalive` that forwards what the simulated reader uploads, and what it knows of
//! each drop: the truth that the server's view is held against.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use serde_json::Value;

use crate::binaries::binary;
use crate::process::Process;
use crate::wait;

/// A running forwarder; killed when dropped.
pub struct Usalive {
    process: Process,
    events: Arc<Mutex<Vec<Value>>>,
    reading: Option<JoinHandle<()>>,
    keep: PathBuf,
}

/// What became of every upload.
#[derive(Debug)]
pub struct Truth {
    /// Names in the order of their uploads.
    pub uploaded: Vec<String>,
    /// Uploads; more than names when the reader did not say that it took one.
    pub uploads: u64,
    /// Of these, those that were never forwarded.
    pub lost: BTreeSet<String>,
    /// Those that nobody took.
    pub failed: BTreeSet<String>,
    /// How often each of the others was taken.
    pub delivered: BTreeMap<String, u64>,
    /// Deliveries by way, such as `ftp`.
    pub by_way: BTreeMap<String, u64>,
    /// The folder with every upload, as the reader wrote it.
    pub keep: PathBuf,
}

impl Usalive {
    /// Starts one on this folder of uploads; `words` name its ways and its faults.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn start(folder: &Path, uploads: &Path, words: &[&str]) -> Usalive {
        fs::create_dir_all(uploads).expect("the folder of uploads");
        let keep = folder.join("forwarded");
        let mut command = Command::new(binary("vendlog-sim"));
        command.arg("usalive").arg("--uploads").arg(uploads);
        command.arg("--keep").arg(&keep).args(words);
        let mut process = Process::start(command, folder);
        let output = process.take_output();
        let events = Arc::new(Mutex::new(Vec::new()));
        let reading = Some(std::thread::spawn({
            let events = events.clone();
            move || read(output, &events)
        }));
        Usalive {
            process,
            events,
            reading,
            keep,
        }
    }

    /// How many events of this name there were so far.
    pub fn count(&self, event: &str) -> usize {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.iter().filter(|said| said["event"] == event).count()
    }

    /// How many uploads of this machine it has said so far.
    ///
    /// # Panics
    /// It has ended: what is waited for would never come.
    pub fn uploaded_by(&mut self, machine: &str) -> usize {
        assert!(self.process.is_running(), "usalive ended by itself");
        let of_it = format!("{machine}-");
        let is_of_it = |said: &&Value| {
            said["event"] == "uploaded"
                && said["name"]
                    .as_str()
                    .is_some_and(|name| name.starts_with(&of_it))
        };
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.iter().filter(is_of_it).count()
    }

    /// Has it forward what is left, ends it, and gives back the truth.
    ///
    /// # Panics
    /// It does not end well, or its total is not the sum of its events.
    pub fn finish(mut self) -> Truth {
        let status = self.process.terminate(wait::seconds(60));
        assert!(status.success(), "usalive ends well: {status}");
        if let Some(reading) = self.reading.take() {
            reading.join().expect("the reader does not fail");
        }
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        Truth::of(&events, &self.keep)
    }
}

fn read(output: BufReader<ChildStdout>, events: &Mutex<Vec<Value>>) {
    for line in output.lines().map_while(Result::ok) {
        let event = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        let mut events = events.lock().unwrap_or_else(PoisonError::into_inner);
        events.push(event);
    }
}

impl Truth {
    fn of(events: &[Value], keep: &Path) -> Truth {
        let mut truth = Truth {
            uploaded: Vec::new(),
            uploads: 0,
            lost: BTreeSet::new(),
            failed: BTreeSet::new(),
            delivered: BTreeMap::new(),
            by_way: BTreeMap::new(),
            keep: keep.to_owned(),
        };
        let text = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
        for event in events {
            let name = text(event, "name");
            match event["event"].as_str().unwrap_or_default() {
                "uploaded" => {
                    truth.uploads += 1;
                    // A drop that the reader took, and whose thanks were garbled, comes again.
                    if !truth.uploaded.contains(&name) {
                        truth.uploaded.push(name);
                    }
                }
                "lost" => {
                    truth.lost.insert(name);
                }
                "failed" => {
                    truth.failed.insert(name);
                }
                "delivered" => {
                    *truth.delivered.entry(name).or_default() += 1;
                    *truth.by_way.entry(text(event, "way")).or_default() += 1;
                }
                _ => {}
            }
        }
        let is_delivered = |name: &String| truth.delivered.contains_key(name);
        truth.lost.retain(|name| !is_delivered(name));
        truth.failed.retain(|name| !is_delivered(name));
        let total = events.last().filter(|event| event["event"] == "total");
        let copies = total.and_then(|total| total["copies"].as_u64());
        assert_eq!(
            copies,
            Some(truth.delivered.values().sum()),
            "the total is the sum of the events"
        );
        truth
    }

    /// The bytes of an upload.
    ///
    /// # Panics
    /// There was none of this name.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.keep.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

/// Epoch and number of a drop, from the name that our agents give it: `VM001-EPOCH-NUMBER.txt`.
///
/// # Panics
/// It has another form.
pub fn drop_number(name: &str) -> (u64, u64) {
    let stem = name.strip_suffix(".txt").unwrap_or(name);
    let mut parts = stem.rsplit('-');
    let number = parts.next().and_then(|number| number.parse().ok());
    let epoch = parts.next().and_then(|epoch| epoch.parse().ok());
    number
        .and_then(|number| Some((epoch?, number)))
        .unwrap_or_else(|| panic!("{name} is no name of a drop"))
}
