//! The loop of every test that kills a writer: the test binary itself is started as the writer,
//! killed with SIGKILL, and started again. What the writer does is the test's own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use store::{Store, WrappingKey};

use super::{NOON, Place};

/// Tells the test binary to be the writer; holds the data directory and where to begin.
const ROLE: &str = "STORE_TEST_WRITER";
/// What the writer says before the number that it has done.
const SAID: &str = "acknowledged ";
/// The name of the test that is the writer.
const WRITER: &str = "writer_process";

/// What to kill and how often.
pub struct Kills {
    /// How often.
    pub count: u32,
    /// How long the first writer lives; each later one lives [`LONGER`] more.
    pub first: Duration,
}

/// So that the kills come at other moments of the writer's work.
const LONGER: Duration = Duration::from_millis(13);

/// In the process that is to be the writer: the store, and where to begin. `None` in the test.
pub fn as_writer() -> Option<(Store, u64)> {
    let role = std::env::var(ROLE).ok()?;
    let (data, first) = role.rsplit_once('=').unwrap();
    let data = Path::new(data);
    let key_file = data.parent().unwrap().join("config/store.key");
    let key = WrappingKey::load_or_create(&key_file, data).unwrap();
    let store = Store::open(data, &key, NOON).unwrap();
    Some((store, first.parse().unwrap()))
}

/// In the writer: it was answered for this number.
pub fn acknowledge(number: u64) {
    println!("{SAID}{number}");
}

/// Starts and kills writers. `begin` says where one begins, given the largest number that was
/// acknowledged; answers the largest of all, and `None` when none came to write.
pub fn kill_writers(
    place: &Place,
    kills: &Kills,
    begin: impl Fn(Option<u64>) -> u64,
) -> Option<u64> {
    let mut done: Option<u64> = None;
    for round in 0..kills.count {
        let role = format!("{}={}", place.data().display(), begin(done));
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", WRITER, "--nocapture"])
            .env(ROLE, role)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        let pid = writer.id();
        let lives = kills.first + LONGER * round;
        let killer = std::thread::spawn(move || {
            std::thread::sleep(lives);
            let status = Command::new("kill").args(["-9", &pid.to_string()]).status();
            assert!(
                status.unwrap().success(),
                "the writer must be alive to be killed"
            );
            writer.wait().unwrap();
        });
        for line in lines {
            let line = line.unwrap();
            if let Some((_, number)) = line.rsplit_once(SAID) {
                done = done.max(number.parse().ok());
            }
        }
        killer.join().unwrap();
    }
    done
}
