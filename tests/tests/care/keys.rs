//! A key is rotated by heartbeat while agent and server are killed: the machine is never locked out.

use std::collections::BTreeSet;
use std::time::Duration;

use tests::wait::{self, seconds};

use crate::site::Site;

/// Rotations that are cut off, each a little later after the agent's start than the one before.
const AGENT_KILLS: u64 = 24;
/// The step between these moments: the whole of a rotation takes some hundred milliseconds.
const STEP: Duration = Duration::from_millis(15);
/// Rotations in which the server is killed.
const SERVER_KILLS: u64 = 4;
/// How long a busy machine may take for what takes seconds.
const PATIENCE: Duration = seconds(240);

#[test]
fn a_rotation_that_is_killed_at_any_moment_locks_no_machine_out() {
    let mut site = Site::new("");
    let mut agent = site.setup.start();
    site.write(5);
    site.assert_whole();
    let first = site.heartbeat()["key_id"].clone();
    assert!(first.is_string());
    let mut keys = BTreeSet::from([first.to_string()]);
    for kill in 0..AGENT_KILLS {
        let asked = site.api.post(
            "/api/machines/VM001/rotate-key",
            r#"{"by":"heartbeat"}"#.as_bytes(),
        );
        assert_eq!(asked.status, 202);
        agent.process.kill();
        // Every start sends a heartbeat at once.
        agent = site.setup.start();
        std::thread::sleep(STEP * kill as u32);
        agent.process.kill();
        keys.insert(site.heartbeat()["key_id"].to_string());
    }
    agent = site.setup.start();
    for kill in 0..SERVER_KILLS {
        site.write(1);
        site.machine(&["rotate-key", "VM001", "--by-heartbeat"]);
        std::thread::sleep(STEP * (20 + 15 * kill as u32));
        site.server.kill_and_restart();
        keys.insert(site.heartbeat()["key_id"].to_string());
    }
    site.write(5);
    site.assert_whole();
    let last = site.machine(&["rotate-key", "VM001", "--by-heartbeat"]);
    assert!(last["api_key"].is_null(), "nobody is shown it");
    let before = site.heartbeat()["key_id"].clone();
    wait::until("the last key to be in use", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(100));
        (site.heartbeat()["key_id"] != before).then_some(())
    });
    site.write(5);
    site.assert_whole();
    agent.stop();
    for said in [agent.process.messages(), site.server.process.messages()] {
        assert!(!said.contains("vl_"), "no key in any message");
    }
    println!(
        "{} rotations, {AGENT_KILLS} kills of the agent and {SERVER_KILLS} of the server in them, \
         {} keys seen in use, {} lines, 0 lost, 0 twice",
        AGENT_KILLS + SERVER_KILLS + 1,
        keys.len() + 1,
        site.written
    );
    assert!(keys.len() > 3, "rotations came through between the kills");
}
