//! Power cuts, by simulation. strace records every write, sync and change of a name that a real
//! process makes on a spool; then, for each seed, the power goes after one of them: what was not
//! synced is gone, or torn, or there all the same, and the real spool starts on what is left.
//!
//! It cannot show what a card does that lies about a flush, a file system that loses what it has
//! synced, or a change of names that overtakes an earlier one (they are taken to be journaled).
//! turmoil's file system does not serve: it wants the program to be written against it.

mod spool_script;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use spool_script::trace::{self, Call};
use spool_script::{
    PREPARED, Said, child_dir, dir_in_memory, finish_and_check, prepare, under_strace,
};

const SEEDS: u64 = 500;
/// To replay one: `VENDLOG_SEED=17 cargo test -p edge-agent --test spool_power`.
const SEED: &str = "VENDLOG_SEED";
/// A start must not take longer, whatever it finds.
const START: Duration = Duration::from_secs(2);
/// What a disk writes whole or not at all.
const SECTOR: usize = 512;
const CALLS: &str = "trace=openat,write,pwrite64,fdatasync,fsync,ftruncate,rename,unlink,unlinkat";
const CHILD: &str = "the_child_runs_the_script";

#[test]
fn the_child_runs_the_script() {
    if let Some(dir) = child_dir() {
        // One system call for each, so that strace sees it as one.
        let say = |said: Said| {
            let text = said.text();
            // SAFETY: the pointer and the length are those of `text`.
            unsafe { libc::write(1, text.as_ptr().cast(), text.len()) };
        };
        spool_script::run(&dir, PREPARED, |_| {}, &mut { say }).unwrap();
    }
}

#[test]
fn a_power_cut_loses_nothing_that_was_synced() {
    if child_dir().is_some() {
        return;
    }
    let home = dir_in_memory();
    let dir = home.path().join("state");
    prepare(&dir);
    let begin = Disk::holding(&dir);
    let log = home.path().join("log");
    let mut child = under_strace(&log, &["-xx", "-s", "1000000", "-e", CALLS], CHILD, &dir);
    let output = child
        .output()
        .expect("strace is missing; cargo xtask test installs it");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let steps = steps(&trace::parse(&fs::read_to_string(&log).unwrap()), &dir);
    let changes = steps
        .iter()
        .filter(|step| !matches!(step, Step::Said(_)))
        .count();
    assert!(changes > 120, "{changes} operations recorded");

    let only = std::env::var(SEED)
        .ok()
        .map(|seed| seed.parse().expect("a number"));
    let seeds = only.map_or(0..SEEDS, |seed: u64| seed..seed + 1);
    let (count, mut looked_for, mut slowest) = (seeds.clone().count(), 0, Duration::ZERO);
    for seed in seeds {
        let mut random = Random(seed);
        let cut = cut(&steps, &mut random);
        let what = format!(
            "{SEED}={seed} (power cut after {cut} of {} steps)",
            steps.len()
        );
        let mut disk = begin.clone();
        let mut said = Vec::new();
        for step in &steps[..cut] {
            match step {
                Step::Said(one) => said.push(*one),
                step => disk.apply(step),
            }
        }
        let left = home.path().join("left");
        disk.write_what_is_left(&mut random, &left);
        let started = Instant::now();
        looked_for += finish_and_check(&left, said, &what);
        slowest = slowest.max(started.elapsed());
        fs::remove_dir_all(&left).unwrap();
    }
    assert!(
        slowest < START,
        "a start with the rest of the script took {slowest:?}"
    );
    println!(
        "{count} power cuts in {changes} operations: {looked_for} synced entries looked for, 0 \
         lost, 0 twice; slowest start with the rest of the script {} ms",
        slowest.as_millis()
    );
}

/// After how many steps the power goes: anywhere, or where a write waits for its sync, or where the
/// largest does, which has most to tear.
fn cut(steps: &[Step], random: &mut Random) -> usize {
    let len = |step: &Step| match step {
        Step::Write(_, _, bytes) => bytes.len(),
        _ => 0,
    };
    let written = |index: &usize| len(&steps[*index]) > 0;
    match random.below(3) {
        0 => random.below(steps.len() + 1),
        1 => {
            let writes: Vec<usize> = (0..steps.len()).filter(written).collect();
            writes[random.below(writes.len())] + 1
        }
        _ => (0..steps.len())
            .max_by_key(|index| len(&steps[*index]))
            .map_or(0, |index| index + 1),
    }
}

/// What happened, in order.
#[derive(Debug)]
enum Step {
    Create(String),
    Write(String, u64, Vec<u8>),
    SetLen(String, u64),
    Sync(String),
    Rename(String, String),
    Remove(String),
    Said(Said),
}

/// The calls on files in `dir`, by their names inside it, and what was said between them.
fn steps(calls: &[Call], dir: &Path) -> Vec<Step> {
    let prefix = format!("{}/", dir.display());
    let inside = |path: String| path.strip_prefix(&prefix).map(str::to_owned);
    // What each file descriptor is, and where `write` goes on.
    let mut open: BTreeMap<u64, (Option<String>, u64)> = BTreeMap::new();
    let mut steps = Vec::new();
    for call in calls.iter().filter(|call| call.answer >= 0) {
        match call.name.as_str() {
            "openat" => {
                let path = call.text(1);
                let name = match path == dir.to_str().unwrap() {
                    true => Some(String::new()),
                    false => inside(path),
                };
                if let Some(name) = &name {
                    let flags = &call.arguments[2];
                    if flags.contains("O_CREAT") {
                        steps.push(Step::Create(name.clone()));
                    }
                    if flags.contains("O_TRUNC") {
                        steps.push(Step::SetLen(name.clone(), 0));
                    }
                }
                open.insert(call.answer as u64, (name, 0));
            }
            "rename" => {
                if let (Some(from), Some(to)) = (inside(call.text(0)), inside(call.text(1))) {
                    for file in open
                        .values_mut()
                        .filter(|file| file.0.as_ref() == Some(&from))
                    {
                        file.0 = Some(to.clone());
                    }
                    steps.push(Step::Rename(from, to));
                }
            }
            "unlink" => steps.extend(inside(call.text(0)).map(Step::Remove)),
            "write" if call.number(0) == 1 => {
                let text = String::from_utf8_lossy(&call.bytes(1)).into_owned();
                steps.extend(Said::parse(&text).map(Step::Said));
            }
            name => {
                let Some((Some(file), end)) = open.get_mut(&call.number(0)) else {
                    continue;
                };
                let file = file.clone();
                match name {
                    "write" => {
                        steps.push(Step::Write(file, *end, call.bytes(1)));
                        *end += call.answer as u64;
                    }
                    "pwrite64" => steps.push(Step::Write(file, call.number(3), call.bytes(1))),
                    "ftruncate" => steps.push(Step::SetLen(file, call.number(1))),
                    _ => steps.push(Step::Sync(file)),
                }
            }
        }
    }
    steps
}

/// A disk that has written some of what it was told.
#[derive(Clone, Default)]
struct Disk {
    files: Vec<File>,
    /// Names as the running system sees them, and as the disk has them.
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    /// Changes of names that no sync of their directory has made durable, oldest first.
    pending_names: Vec<NameChange>,
}

#[derive(Clone, Default)]
struct File {
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write(u64, Vec<u8>),
    SetLen(u64),
}

#[derive(Clone)]
enum NameChange {
    Link(String, usize),
    Unlink(String),
    Rename(String, String),
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            NameChange::Link(name, file) => drop(names.insert(name.clone(), *file)),
            NameChange::Unlink(name) => drop(names.remove(name)),
            NameChange::Rename(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
        }
    }

    fn is_in(&self, dir: &str) -> bool {
        let (NameChange::Link(name, _) | NameChange::Unlink(name) | NameChange::Rename(name, _)) =
            self;
        name.rsplit_once('/').map_or("", |(parent, _)| parent) == dir
    }
}

impl Disk {
    /// With everything in `dir`, durable.
    fn holding(dir: &Path) -> Disk {
        let mut disk = Disk::default();
        let mut dirs = vec![PathBuf::new()];
        while let Some(inside) = dirs.pop() {
            for file in fs::read_dir(dir.join(&inside)).unwrap() {
                let name = inside.join(file.unwrap().file_name());
                if dir.join(&name).is_dir() {
                    dirs.push(name);
                    continue;
                }
                let durable = fs::read(dir.join(&name)).unwrap();
                let pending = Vec::new();
                disk.names
                    .insert(name.display().to_string(), disk.files.len());
                disk.files.push(File { durable, pending });
            }
        }
        disk.durable_names = disk.names.clone();
        disk
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Create(name) if !self.names.contains_key(name) => {
                self.files.push(File::default());
                self.rename(NameChange::Link(name.clone(), self.files.len() - 1));
            }
            Step::Create(_) | Step::Said(_) => {}
            Step::Write(name, at, bytes) => {
                self.file(name)
                    .pending
                    .push(Change::Write(*at, bytes.clone()));
            }
            Step::SetLen(name, len) => self.file(name).pending.push(Change::SetLen(*len)),
            Step::Sync(name) if self.names.contains_key(name) => {
                let file = self.file(name);
                for change in std::mem::take(&mut file.pending) {
                    file.durable = change.applied(std::mem::take(&mut file.durable), |_| true);
                }
            }
            Step::Sync(dir) => {
                let (now, later) = std::mem::take(&mut self.pending_names)
                    .into_iter()
                    .partition(|change| change.is_in(dir));
                self.pending_names = later;
                let now: Vec<NameChange> = now;
                now.iter()
                    .for_each(|change| change.apply(&mut self.durable_names));
            }
            Step::Rename(from, to) => self.rename(NameChange::Rename(from.clone(), to.clone())),
            Step::Remove(name) => self.rename(NameChange::Unlink(name.clone())),
        }
    }

    fn rename(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.pending_names.push(change);
    }

    fn file(&mut self, name: &str) -> &mut File {
        let index = self.names[name];
        &mut self.files[index]
    }

    /// The power has gone: of what was not synced some is there, some torn, some gone.
    fn write_what_is_left(mut self, random: &mut Random, dir: &Path) {
        let kept = random.below(self.pending_names.len() + 1);
        for change in &self.pending_names[..kept] {
            change.apply(&mut self.durable_names);
        }
        fs::create_dir_all(dir.join("spool")).unwrap();
        for (name, index) in &self.durable_names {
            let file = &self.files[*index];
            let mut bytes = file.durable.clone();
            for change in &file.pending {
                // Of a torn write every second sector is gone, or only a few.
                let gone = [2, 64, 256][random.below(3)];
                bytes = match random.below(3) {
                    0 => bytes,
                    1 => change.applied(bytes, |_| true),
                    _ => change.applied(bytes, |_| random.below(gone) != 0),
                };
            }
            fs::write(dir.join(name), bytes).unwrap();
        }
    }
}

impl Change {
    /// The file with it; of a write, only the sectors that `is_written` says.
    fn applied(&self, mut file: Vec<u8>, mut is_written: impl FnMut(usize) -> bool) -> Vec<u8> {
        match self {
            Change::SetLen(len) => file.resize(*len as usize, 0),
            Change::Write(at, bytes) => {
                let at = *at as usize;
                file.resize(file.len().max(at + bytes.len()), 0);
                let mut from = 0;
                while from < bytes.len() {
                    // To the end of the sector on the disk.
                    let to = (from + SECTOR - (at + from) % SECTOR).min(bytes.len());
                    if is_written((at + from) / SECTOR) {
                        file[at + from..at + to].copy_from_slice(&bytes[from..to]);
                    }
                    from = to;
                }
            }
        }
        file
    }
}

/// Numbers that look random and are the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}
