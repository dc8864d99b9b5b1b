//! The real agent on a disk that is full for a while: it pauses, goes on, and nothing is lost.

mod support;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Agent, Machine, json_lines, messages, noise, wait_for};

/// The small disk, and what is left of it before the agent fills the rest.
const DISK_BYTES: u64 = 16 * 1024 * 1024;
const LEFT_BYTES: u64 = 4 * 1024 * 1024;
/// Entries that need twice of that, in the spool and in the local file.
const MANY: usize = 12_000;
/// Without the right to mount one: no file may be larger. A segment of the spool wants to be.
const FILE_BYTES: u64 = 700 * 1024;
/// A number that has not moved for so long has stopped: the disk is tried again every 5 s.
const STOPPED: Duration = Duration::from_secs(7);
/// After the disk was freed, entries must be taken again within this time.
const RESUME: Duration = Duration::from_secs(10);

#[test]
fn a_full_disk_pauses_the_agent_also_over_a_restart_and_it_resumes_when_freed() {
    // On a thread of its own: its mounts are seen by nobody else, and end with it.
    let test = std::thread::spawn(|| {
        let machine = Machine::new("");
        let disk = SmallDisk::new(&machine);
        fill_pause_and_resume(&machine, &disk);
    });
    test.join().unwrap();
}

fn fill_pause_and_resume(machine: &Machine, disk: &SmallDisk) {
    let mut expected = Vec::new();
    log(machine, 500, &mut expected);
    let agent = disk.spawn(machine);
    wait_for("the first entries", || last_seq(machine) == 500);

    disk.fill();
    log(machine, MANY, &mut expected);
    let paused = wait_until_it_stops(machine);
    assert!(
        paused < expected.len() as u64,
        "all {paused} entries fitted"
    );
    log(machine, 100, &mut expected);
    agent.kill();
    let mut agent = disk.spawn(machine);
    let paused = wait_until_it_stops(machine);
    assert!(
        paused < expected.len() as u64,
        "all {paused} entries fitted"
    );
    assert!(agent.is_running(), "a full disk is no reason to end");

    disk.free(&agent);
    let freed = Instant::now();
    wait_for("the next entry", || last_seq(machine) > paused);
    assert!(freed.elapsed() < RESUME, "it took {:?}", freed.elapsed());
    wait_for("all entries", || last_seq(machine) >= expected.len() as u64);
    let (code, said) = agent.terminate();
    assert_eq!(code, Some(0), "{said}");

    let lines = json_lines(&disk.path.join("local/vending.log"));
    assert!(messages(&lines) == expected, "{} lines", lines.len());
    let seqs: Vec<u64> = lines.iter().map(|l| l["seq"].as_u64().unwrap()).collect();
    assert!(
        seqs.is_sorted_by(|one, next| one < next),
        "in order, each once"
    );
}

/// Appends so many records, some of them grave enough to be synced at once.
fn log(machine: &Machine, count: usize, expected: &mut Vec<String>) {
    let mut text = String::new();
    for _ in 0..count {
        let message = format!("entry {} {}", expected.len(), noise(expected.len(), 400));
        let level = if expected.len() % 97 == 5 {
            "ERROR"
        } else {
            "INFO"
        };
        text.push_str(&format!("2026-01-22 14:30:15 - a - {level} - {message}\n"));
        expected.push(message);
    }
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(machine.log())
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn last_seq(machine: &Machine) -> u64 {
    let (_, out, _) = machine.command("status");
    let status: Value = serde_json::from_str(&out).unwrap_or_default();
    status["last_seq"].as_u64().unwrap_or(0)
}

fn wait_until_it_stops(machine: &Machine) -> u64 {
    let mut last = (last_seq(machine), Instant::now());
    wait_for("the pause", || {
        let seq = last_seq(machine);
        if seq != last.0 {
            last = (seq, Instant::now());
        }
        last.1.elapsed() > STOPPED
    });
    last.0
}

/// The disk that holds the state and the local file, but not the application's log.
struct SmallDisk {
    path: PathBuf,
    is_mounted: bool,
}

impl SmallDisk {
    fn new(machine: &Machine) -> SmallDisk {
        let path = machine.dir.path().join("disk");
        fs::create_dir(&path).unwrap();
        let dir = machine.dir.path().display().to_string();
        let config = fs::read_to_string(machine.config_path()).unwrap();
        let config = config
            .replace(&format!("{dir}/state"), &format!("{dir}/disk/state"))
            .replace(&format!("{dir}/local"), &format!("{dir}/disk/local"));
        fs::write(machine.config_path(), config).unwrap();
        let is_mounted = mount_here(&path);
        SmallDisk { path, is_mounted }
    }

    fn spawn(&self, machine: &Machine) -> Agent {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vendlog-agent"));
        command.args(["run", "--config"]).arg(machine.config_path());
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        if !self.is_mounted {
            let limit = file_limit(FILE_BYTES);
            // SAFETY: both are plain system calls on numbers, allowed between fork and exec.
            unsafe {
                command.pre_exec(move || {
                    // Without this the system ends the process instead of failing the write.
                    libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
                    match libc::setrlimit(libc::RLIMIT_FSIZE, &limit) {
                        0 => Ok(()),
                        _ => Err(std::io::Error::last_os_error()),
                    }
                });
            }
        }
        Agent::of(command.spawn().unwrap())
    }

    /// Another program takes the disk. A limit on file sizes needs no filling.
    fn fill(&self) {
        if self.is_mounted {
            let mut file = File::create(self.path.join("other")).unwrap();
            while free_bytes(&self.path) > LEFT_BYTES {
                file.write_all(&[b'x'; 64 * 1024]).unwrap();
            }
        }
    }

    fn free(&self, agent: &Agent) {
        if self.is_mounted {
            fs::remove_file(self.path.join("other")).unwrap();
            return;
        }
        let limit = file_limit(libc::RLIM_INFINITY);
        let pid = agent.pid() as libc::pid_t;
        // SAFETY: `limit` is only read, and nothing is written through the null pointer.
        let answer =
            unsafe { libc::prlimit(pid, libc::RLIMIT_FSIZE, &limit, std::ptr::null_mut()) };
        assert_eq!(answer, 0, "{}", std::io::Error::last_os_error());
    }
}

/// Mounts a small tmpfs that only this thread and its children see; false without the right to.
fn mount_here(path: &Path) -> bool {
    let path = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
    let options = std::ffi::CString::new(format!("size={DISK_BYTES}")).unwrap();
    // SAFETY: every pointer is to a text that ends in NUL, or null where the call allows it.
    unsafe {
        libc::unshare(libc::CLONE_NEWNS) == 0
            && libc::mount(
                std::ptr::null(),
                c"/".as_ptr(),
                std::ptr::null(),
                libc::MS_REC | libc::MS_PRIVATE,
                std::ptr::null(),
            ) == 0
            && libc::mount(
                c"tmpfs".as_ptr(),
                path.as_ptr(),
                c"tmpfs".as_ptr(),
                0,
                options.as_ptr().cast(),
            ) == 0
    }
}

fn free_bytes(path: &Path) -> u64 {
    let path = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: the path ends in NUL, and all zeros is a valid `statvfs`.
    let stat = unsafe {
        let mut stat: libc::statvfs = std::mem::zeroed();
        assert_eq!(libc::statvfs(path.as_ptr(), &mut stat), 0);
        stat
    };
    stat.f_bavail * stat.f_frsize
}

/// The soft limit: it can be taken back.
fn file_limit(bytes: u64) -> libc::rlimit {
    libc::rlimit {
        rlim_cur: bytes,
        rlim_max: libc::RLIM_INFINITY,
    }
}
