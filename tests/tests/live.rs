//! A line written to the application's log is in the API within two seconds, and the live stream
//! says so.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tests::api::encoded;
use tests::wait::{self, seconds};
use tests::{Agent, AgentSetup, Api, Server};

/// What a person in front of the window may wait.
const LIMIT: Duration = Duration::from_secs(2);

/// A machine whose first line has arrived; everything ends when it is dropped.
struct Site {
    log: PathBuf,
    api: Api,
    _agent: Agent,
    _server: Server,
    _dir: tempfile::TempDir,
}

fn site() -> Site {
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("app.log");
    write(&log, "INFO", "Vending machine starting");
    let server = Server::start(&dir.path().join("server"));
    let api = server.api();
    let agent = AgentSetup::new(&dir.path().join("agent"), &server, "VM001", &log).start();
    api.wait_for_total(1, seconds(20));
    Site {
        log,
        api,
        _agent: agent,
        _server: server,
        _dir: dir,
    }
}

#[test]
fn a_written_line_is_answered_by_the_api_within_two_seconds() {
    let Site { api, log, .. } = &site();

    for level in ["INFO", "CRITICAL", "WARNING"] {
        let words = format!("Proof of {level} by word");
        let written = Instant::now();
        write(log, level, &words);
        let path = format!(
            "/api/logs?machine=VM001&q={}",
            encoded(&format!("\"{words}\""))
        );
        wait::until("the line in the API", seconds(20), || {
            let entries = api.get(&path).json()["entries"].as_array()?.clone();
            entries
                .first()
                .filter(|entry| entry["message"] == words.as_str())
                .cloned()
        });
        let took = written.elapsed();
        assert!(took < LIMIT, "{level}: {took:?}");
    }
}

#[test]
fn the_live_stream_tells_of_new_entries_and_of_a_critical_in_full() {
    let Site { api, log, .. } = &site();

    let message = "Too many consecutive errors (10). Exiting.";
    let writer = std::thread::spawn({
        let log = log.clone();
        move || {
            // The stream below is opened meanwhile; the server must not need it to be quick.
            std::thread::sleep(Duration::from_secs(1));
            write(&log, "CRITICAL", message);
        }
    });
    let mut event = String::new();
    let (mut entries_seen, mut critical_seen) = (false, false);
    api.live(seconds(20), |line| {
        if let Some(name) = line.strip_prefix("event:") {
            event = name.trim().to_owned();
        }
        if let Some(data) = line.strip_prefix("data:") {
            entries_seen |= event == "entries" && data.contains("VM001");
            critical_seen |= event == "critical" && data.contains(message);
        }
        (entries_seen && critical_seen).then_some(())
    });
    writer.join().expect("the line is written");
}

fn write(log: &Path, level: &str, message: &str) {
    let stamp = jiff::Timestamp::now()
        .in_tz("America/Los_Angeles")
        .expect("a zone");
    let stamp = stamp.strftime("%Y-%m-%d %H:%M:%S");
    let mut file = File::options()
        .create(true)
        .append(true)
        .open(log)
        .expect("the log");
    writeln!(file, "{stamp} - __main__ - {level} - {message}").expect("a line");
}
