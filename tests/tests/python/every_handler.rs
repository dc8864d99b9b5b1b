//! Issue point 3: 100,000 records through each handler that Python's `logging` has for this, while
//! files rotate and the agent is killed.

use std::path::Path;

use serde_json::Value;
use tests::numbered::Tally;
use tests::wait::{self, seconds};
use tests::{AgentSetup, Server};

use crate::support::{
    Local, PATIENCE, assert_whole, everything, python, setup, socket_input, written,
};

const RECORDS: u64 = 100_000;
/// As fast as Python can.
const FULL_SPEED: u64 = 0;
/// Records a second over UDP: what a debug build on a busy machine takes without the kernel's queue
/// running over.
const UDP_SPEED: u64 = 10_000;

/// Logs `first..=last` with this handler and waits for the end; what the program says.
fn log(handler: &str, target: &str, (first, last): (u64, u64), folder: &Path, speed: u64) -> Value {
    let [first, last, speed] = [first, last, speed].map(|number| number.to_string());
    written(python(
        "writer.py",
        &[handler, target, &first, &last, &speed],
        folder,
    ))
}

#[test]
fn the_handler_delivers_to_the_server_across_killed_agents() {
    let dir = tempfile::tempdir().expect("a directory");
    let socket = dir.path().join("agent.sock");
    let mut server = Server::start(&dir.path().join("server"));
    let api = server.api();
    let agent_folder = dir.path().join("agent");
    let log = dir.path().join("app.log");
    let mut setup = AgentSetup::new(&agent_folder, &server, "VM001", &log);
    everything(&mut setup, &socket_input(&socket));
    let mut agent = setup.start();
    let socket = socket.to_str().expect("text");
    let last = RECORDS.to_string();
    let words = ["vendlog", socket, "1", &last, "12000"];
    let writer = python("writer.py", &words, dir.path());
    for _ in 0..3 {
        std::thread::sleep(seconds(2));
        agent.kill_and_restart();
    }
    let done = written(writer);
    assert_eq!(done["flushed"], true, "{done}");
    assert_eq!(
        (&done["stats"]["dropped"], &done["stats"]["refused"]),
        (&0.into(), &0.into())
    );
    let mut tally = Tally::default();
    api.wait_for_total(RECORDS, PATIENCE);
    wait::until("the rest at the server", PATIENCE, || {
        let lag = api.try_get("/api/machines/VM001/status")?.json()["heartbeat"]["spool_entries"]
            .as_u64();
        (lag == Some(0)).then_some(())
    });
    agent.stop();
    for line in tests::server::run(&dir.path().join("server"), &["logs", "dump"])
        .stdout
        .lines()
    {
        tally.count(serde_json::from_str(line).expect("the dump is NDJSON"));
    }
    tally.assert_whole(RECORDS);
    println!(
        "vendlog.Handler: {RECORDS} records in the server's store, agent killed 3 times: \
         0 lost, 0 twice; {done}"
    );
    server.stop();
}

#[test]
fn a_file_handler_that_empties_its_file_at_each_start_loses_nothing() {
    const STARTS: u64 = 5;
    let dir = tempfile::tempdir().expect("a directory");
    let setup = setup(dir.path(), "");
    let (agent, mut local) = (setup.start(), Local::new(&setup));
    let path = setup.log.to_str().expect("text");
    for start in 0..STARTS {
        let first = start * RECORDS / STARTS + 1;
        let last = (start + 1) * RECORDS / STARTS;
        log("file-w", path, (first, last), dir.path(), FULL_SPEED);
        // What was not read when the file is emptied is lost to everybody: systemd waits, too.
        local.wait_for(last);
    }
    assert_whole(local, agent, RECORDS, "FileHandler('w'), 5 starts");
}

#[test]
fn a_rotating_file_handler_at_full_speed_loses_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let setup = setup(dir.path(), "");
    let (agent, local) = (setup.start(), Local::new(&setup));
    let path = setup.log.to_str().expect("text");
    log("rotating", path, (1, RECORDS), dir.path(), FULL_SPEED);
    let files = rotated(dir.path());
    assert!(files >= 10, "{files} rotated files");
    let what = format!("RotatingFileHandler, {files} rotations");
    assert_whole(local, agent, RECORDS, &what);
}

#[test]
fn a_timed_rotating_file_handler_loses_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let setup = setup(dir.path(), "");
    let (agent, local) = (setup.start(), Local::new(&setup));
    let path = setup.log.to_str().expect("text");
    log("timed", path, (1, RECORDS), dir.path(), 20_000);
    let files = rotated(dir.path());
    assert!(files >= 3, "{files} rotated files");
    let what = format!("TimedRotatingFileHandler, {files} rotations");
    assert_whole(local, agent, RECORDS, &what);
}

fn rotated(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).expect("the folder").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("app.log.")).count()
}

#[test]
fn a_syslog_handler_over_a_unix_socket_loses_nothing_at_full_speed() {
    let dir = tempfile::tempdir().expect("a directory");
    let socket = dir.path().join("syslog.sock");
    let setup = setup(
        dir.path(),
        &format!("[[input]]\nkind = \"syslog\"\npath = {socket:?}\n"),
    );
    let (agent, local) = (setup.start(), Local::new(&setup));
    wait::until("the socket", PATIENCE, || socket.exists().then_some(()));
    let target = socket.to_str().expect("text");
    log("syslog-unix", target, (1, RECORDS), dir.path(), FULL_SPEED);
    assert_whole(local, agent, RECORDS, "SysLogHandler, Unix datagrams");
}

#[test]
fn a_syslog_handler_over_udp_loses_nothing_at_a_speed_that_the_agent_keeps_up_with() {
    let dir = tempfile::tempdir().expect("a directory");
    let port = free_udp_port();
    let udp = format!("127.0.0.1:{port}");
    let setup = setup(
        dir.path(),
        &format!("[[input]]\nkind = \"syslog\"\nudp = \"{udp}\"\n"),
    );
    let (agent, mut local) = (setup.start(), Local::new(&setup));
    wait::until("the port", PATIENCE, || {
        std::net::UdpSocket::bind(&udp).is_err().then_some(())
    });
    // UDP has nobody who waits: in steps, each when the one before has arrived.
    const STEP: u64 = RECORDS / 10;
    for first in (1..=RECORDS).step_by(STEP as usize) {
        let last = first + STEP - 1;
        log("syslog-udp", &udp, (first, last), dir.path(), UDP_SPEED);
        local.wait_for(last);
    }
    assert_whole(local, agent, RECORDS, "SysLogHandler, UDP");
}

/// A port that nobody has at the moment.
fn free_udp_port() -> u16 {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.local_addr().expect("its address").port()
}
