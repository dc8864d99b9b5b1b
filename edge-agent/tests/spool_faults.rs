//! Every file operation of a script on the spool fails once, in every way: a real process, whose
//! real system calls strace makes fail. What it had synced is there after the next start, and no
//! line is lost or comes twice.
//!
//! strace lets a call fail without being made. Writes that are made by half are had from a limit on
//! the size of files instead, which is met at a different byte each time.

mod spool_script;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use spool_script::trace::{self, Call};
use spool_script::{
    ENDED, Moment, PREPARED, Said, child_dir, copy, dir_in_memory, finish_and_check, prepare,
    under_strace,
};

/// What may fail: everything the spool does with files.
const CALLS: &str = "openat,mkdir,read,pread64,write,pwrite64,fdatasync,fsync,ftruncate,rename,\
                     unlink,getdents64";
const ERRORS: [&str; 3] = ["EIO", "ENOSPC", "EINTR"];
/// The script's operations; the test is worth little if it does fewer.
const OPERATIONS_MIN: usize = 200;
/// More at a time than cores: each waits for its tracer.
const AT_A_TIME: usize = 4;
/// What the child says of each write that was made by half or not at all.
const HALVED: &str = "halved";
const CHILD: &str = "the_child_runs_the_script";
const CHILD_SHORT: &str = "the_child_runs_the_script_with_short_writes";

fn say(said: Said) {
    let mut out = std::io::stdout();
    out.write_all(said.text().as_bytes()).unwrap();
    out.flush().unwrap();
}

fn end(ended: std::io::Result<()>) {
    if let Err(error) = ended {
        eprintln!("ended by: {error}");
        std::process::exit(ENDED);
    }
}

#[test]
fn the_child_runs_the_script() {
    if let Some(dir) = child_dir() {
        end(spool_script::run(&dir, PREPARED, |_| {}, &mut say));
    }
}

#[test]
fn the_child_runs_the_script_with_short_writes() {
    let Some(dir) = child_dir() else { return };
    // SAFETY: a plain system call on numbers. Else the system would end the process.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    let mut syncs = 0;
    let interfere = |moment| match moment {
        Moment::BeforeSync => {
            let files = fs::read_dir(dir.join("spool")).unwrap();
            let newest = files
                .map(|file| file.unwrap())
                .max_by_key(|file| file.file_name());
            let len = newest.map_or(0, |file| file.metadata().unwrap().len());
            syncs += 1;
            // Some end before the block's head, some within it, some within its body.
            limit_files(len + [0, 1, 30, 44, 500, 900][syncs % 6]);
        }
        Moment::NoRoom => {
            println!("\n{HALVED}");
            limit_files(libc::RLIM_INFINITY);
        }
    };
    end(spool_script::run(&dir, PREPARED, interfere, &mut say));
}

fn limit_files(bytes: u64) {
    let limit = libc::rlimit {
        rlim_cur: bytes,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: the limit is only read.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &limit) }, 0);
}

/// What a child said, its exit code and its stderr.
fn run(mut command: Command) -> (Vec<Said>, Option<i32>, String) {
    let output = command
        .output()
        .expect("strace is missing; cargo xtask test installs it");
    let out = String::from_utf8_lossy(&output.stdout);
    let said = out.lines().filter_map(Said::parse).collect();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (said, output.status.code(), stderr)
}

/// Which call fails: its name, the file that it is for, by its name inside the directory, and the
/// how-manieth such call it is.
struct Target {
    name: String,
    path: String,
    nth: usize,
}

/// Whether the program itself makes such calls too, before and around the script: then those on
/// the one file are counted.
fn by_path(name: &str) -> bool {
    ["openat", "read", "pread64", "write"].contains(&name)
}

/// Every operation on a file in `dir`, in the order of the script.
fn operations(calls: &[Call], dir: &Path) -> Vec<Target> {
    let prefix = format!("{}/", dir.display());
    let mut seen: BTreeMap<(&str, Option<String>), usize> = BTreeMap::new();
    let mut targets = Vec::new();
    for call in calls {
        let paths = call.arguments.iter().flat_map(|argument| {
            let inside = argument.split(&prefix).skip(1);
            inside.map(|path| path.split(['"', '>']).next().unwrap_or(path).to_owned())
        });
        let paths: Vec<String> = paths.collect();
        let Some(path) = paths.first().cloned() else {
            continue;
        };
        let only = by_path(&call.name).then(|| path.clone());
        let nth = seen.entry((&call.name, only)).or_default();
        *nth += 1;
        targets.push(Target {
            name: call.name.clone(),
            path,
            nth: *nth,
        });
    }
    targets
}

#[test]
fn whichever_operation_fails_nothing_synced_is_lost() {
    if child_dir().is_some() {
        return;
    }
    let home = dir_in_memory();
    let prepared = home.path().join("prepared");
    prepare(&prepared);
    let recorded = home.path().join("recorded");
    copy(&prepared, &recorded);
    let log = home.path().join("log");
    let trace_calls = format!("trace={CALLS}");
    let options = ["-y", "-s", "64", "-e", &trace_calls];
    let (_, code, said) = run(under_strace(&log, &options, CHILD, &recorded));
    assert_eq!(code, Some(0), "{said}");
    let targets = operations(&trace::parse(&fs::read_to_string(&log).unwrap()), &recorded);
    assert!(
        targets.len() >= OPERATIONS_MIN,
        "{} operations",
        targets.len()
    );

    let cases: Vec<(&Target, &str)> = targets
        .iter()
        .flat_map(|target| ERRORS.map(|error| (target, error)))
        .collect();
    let (next, ended, synced) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(0));
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some((target, error)) = cases.get(index) else {
                        return;
                    };
                    let dir = home.path().join(index.to_string());
                    copy(&prepared, &dir);
                    let (looked_for, was_ended) = one_failure(&dir, target, error);
                    *synced.lock().unwrap() += looked_for;
                    ended.fetch_add(usize::from(was_ended), Ordering::Relaxed);
                    fs::remove_dir_all(&dir).unwrap();
                }
            });
        }
    });
    println!(
        "{} operations x {} errors = {} runs: {} ended the process and {} it survived; {} synced \
         entries looked for, 0 lost, 0 twice, 0 panics",
        targets.len(),
        ERRORS.len(),
        cases.len(),
        ended.load(Ordering::Relaxed),
        cases.len() - ended.load(Ordering::Relaxed),
        synced.lock().unwrap(),
    );
}

/// Answers how many synced entries were looked for, and whether the failure ended the process.
fn one_failure(dir: &Path, target: &Target, error: &str) -> (usize, bool) {
    let Target { name, path, nth } = target;
    let what = format!("{name} number {nth} on {path} fails with {error}");
    let inject = format!("inject={name}:error={error}:when={nth}");
    let (trace_calls, log) = (format!("trace={name}"), dir.join("log"));
    let file = dir.join(path).display().to_string();
    let mut options = vec!["-e", &trace_calls, "-e", &inject];
    if by_path(name) {
        options.extend(["-P", &file]);
    }
    let (said, code, stderr) = run(under_strace(&log, &options, CHILD, dir));
    assert!(
        matches!(code, Some(0) | Some(ENDED)),
        "{what}: {code:?}\n{stderr}"
    );
    assert!(!stderr.contains("panicked"), "{what}: {stderr}");
    let injected = fs::read_to_string(&log).unwrap();
    assert!(injected.contains("(INJECTED)"), "{what}: it was not met");
    (finish_and_check(dir, said, &what), code == Some(ENDED))
}

#[test]
fn writes_that_are_made_by_half_leave_nothing_behind() {
    if child_dir().is_some() {
        return;
    }
    let home = dir_in_memory();
    prepare(home.path());
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", CHILD_SHORT, "--nocapture", "--test-threads=1"]);
    let output = command
        .env(spool_script::DIR, home.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let out = String::from_utf8_lossy(&output.stdout);
    let said = out.lines().filter_map(Said::parse).collect();
    let halved = out.lines().filter(|line| *line == HALVED).count();
    assert!(halved >= 40, "{halved} writes made by half");
    let synced = finish_and_check(home.path(), said, "writes made by half");
    println!("{halved} writes made by half, {synced} synced entries looked for, 0 lost, 0 twice");
}
