//! Reliability 8: a disk of 16 MB that is full for a while, under the server's data and under the
//! agent's state. What was acknowledged is there, and work goes on within 10 s of room.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::numbered::{self, Tally};
use tests::small_disk::where_mounting_is_allowed;
use tests::wait::{self, seconds};
use tests::{AgentSetup, Api, Server, SmallDisk};

const DISK_BYTES: u64 = 16 * 1024 * 1024;
/// What is left when the disk begins to be full.
const LEFT_BYTES: u64 = 1024 * 1024;
/// Enough entries to need many times of that on either side; all of them fit once it is free.
const MANY: u64 = 10_000;
/// How long it stays full once nobody can write any more.
const FULL_FOR: Duration = seconds(8);
/// Work goes on within this time of room.
const RESUMED_WITHIN: Duration = seconds(10);
const PATIENCE: Duration = seconds(60);

struct Chain {
    dir: tempfile::TempDir,
    log: PathBuf,
    written: u64,
}

impl Chain {
    fn new() -> Chain {
        let dir = tempfile::tempdir().expect("a directory");
        let log = dir.path().join("app.log");
        Chain {
            dir,
            log,
            written: 0,
        }
    }

    fn setup(&self, server: &Server) -> AgentSetup {
        AgentSetup {
            timezone: "UTC".to_owned(),
            local: "max_bytes = 1048576\nfiles = 2".to_owned(),
            ..AgentSetup::new(&self.folder("agent"), server, "VM001", &self.log)
        }
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&mut self, count: u64) {
        let mut log = File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .expect("the log");
        let stamp = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S");
        let stamp = stamp.to_string();
        for _ in 0..count {
            self.written += 1;
            let line = numbered::line(self.written, &stamp);
            log.write_all(line.as_bytes()).expect("the log grows");
        }
    }

    /// Waits until all that was written is stored, and counts it.
    fn assert_whole(&self, server: &Server, api: &Api) -> usize {
        let found = wait::until("every entry in the store", PATIENCE, || {
            let total = api.total().unwrap_or(0);
            if total < self.written {
                std::thread::sleep(Duration::from_millis(200));
                return None;
            }
            let mut tally = Tally::default();
            server.dump(|entry| {
                if entry["machine_id"] == "VM001" {
                    tally.count(entry);
                }
            });
            tally.lost(self.written).is_empty().then_some(tally)
        });
        let mut found = found;
        found.assert_whole(self.written);
        found.others.len()
    }
}

#[test]
fn a_full_disk_of_the_server_acknowledges_nothing_that_it_does_not_keep() {
    let name = "full_disk::a_full_disk_of_the_server_acknowledges_nothing_that_it_does_not_keep";
    where_mounting_is_allowed(name, || {
        let mut chain = Chain::new();
        let folder = chain.folder("server");
        let disk = SmallDisk::mount(&folder.join("data"), DISK_BYTES);
        let mut server = Server::start(&folder);
        let (api, mut agent) = (server.api(), chain.setup(&server).start());
        let mut script = Script::new(&server);
        chain.write(500);
        api.wait_for_total(500, PATIENCE);
        script.post_next().expect("there is room");

        disk.fill_but(LEFT_BYTES);
        chain.write(MANY);
        let refusal = wait::until("the server to be full", PATIENCE, || {
            // Whoever has room left takes it, until nobody has.
            disk.fill_but(0);
            script.post_next().err()
        });
        assert!(
            [503, 507].contains(&refusal.0),
            "a full disk is no fault of the entries: {refusal:?}"
        );
        settled(&api);
        std::thread::sleep(FULL_FOR);
        let more = (0..5).filter(|_| script.post_next().is_ok()).count();
        assert_eq!(more, 0, "a full disk takes nothing");
        assert!(agent.process.is_running() && server.process.is_running());

        let stored = api.total().expect("a full server still answers") - script.acknowledged;
        disk.free();
        let freed = Instant::now();
        wait::until("a script's next entry", RESUMED_WITHIN, || {
            script.post_next().ok()
        });
        let script_after = freed.elapsed();
        wait::until("the agent's next entry", RESUMED_WITHIN, || {
            (api.total()? - script.acknowledged > stored).then_some(())
        });
        let agent_after = freed.elapsed();
        chain.assert_whole(&server, &api);
        let kept = api.entries("machine=VM002").len() as u64;
        assert_eq!(kept, script.acknowledged, "what was acknowledged, once");
        println!(
            "full server: {} entries, 0 lost, 0 twice; {} posts acknowledged, {kept} kept; {} \
             refused with {}; {stored} of the agent's stored when full; room used after {:.1} s by a script, \
             {:.1} s by the agent",
            chain.written,
            script.acknowledged,
            script.refused,
            refusal.0,
            script_after.as_secs_f64(),
            agent_after.as_secs_f64()
        );
        agent.stop();
        server.stop();
    });
}

/// The number of entries once it stands still.
fn settled(api: &Api) -> u64 {
    let mut last = (api.total(), Instant::now());
    wait::until("the store to stand still", PATIENCE, || {
        let total = api.total();
        if total != last.0 {
            last = (total, Instant::now());
        }
        (last.1.elapsed() > seconds(1)).then_some(())
    });
    last.0.expect("a full server still answers")
}

/// A sender that posts one numbered entry at a time, and the same again until it is acknowledged.
struct Script {
    api: Api,
    acknowledged: u64,
    refused: u64,
}

impl Script {
    fn new(server: &Server) -> Script {
        Script {
            api: server.api_as(&server.add_machine("VM002")),
            acknowledged: 0,
            refused: 0,
        }
    }

    /// Posts; the status and words of a refusal.
    fn post_next(&mut self) -> Result<(), (u16, String)> {
        let seq = self.acknowledged + 1;
        let entry = json!({
            "seq": seq, "timestamp": jiff::Timestamp::now().to_string(), "level": "INFO",
            "component": "script", "message": numbered::message(seq).repeat(20),
        });
        let body = json!({"machine_id": "VM002", "epoch": 1, "logs": [entry]});
        let answer = self.api.post("/api/logs", body.to_string());
        let words = String::from_utf8_lossy(&answer.body).into_owned();
        if answer.status != 200 {
            self.refused += 1;
            return Err((answer.status, words));
        }
        let taken: Value = answer.json();
        let taken = ["accepted", "duplicates"].map(|key| taken[key].as_u64().unwrap_or(0));
        assert_eq!(taken.iter().sum::<u64>(), 1, "{words}");
        self.acknowledged += 1;
        Ok(())
    }
}

#[test]
fn a_full_disk_of_the_agent_pauses_it_and_its_heartbeats_go_on() {
    let name = "full_disk::a_full_disk_of_the_agent_pauses_it_and_its_heartbeats_go_on";
    where_mounting_is_allowed(name, || {
        let mut chain = Chain::new();
        let disk = SmallDisk::mount(&chain.folder("agent"), DISK_BYTES);
        let mut server = Server::start(&chain.folder("server"));
        let (api, setup) = (server.api(), chain.setup(&server));
        let mut agent = setup.start();
        chain.write(500);
        api.wait_for_total(500, PATIENCE);

        disk.fill_but(LEFT_BYTES);
        chain.write(MANY);
        wait::until("the agent to be full", PATIENCE, || {
            disk.fill_but(0);
            chain.write(20);
            agent
                .process
                .messages()
                .contains("disk is full")
                .then_some(())
        });
        wait_for_heartbeat(&api);
        let refused_by = settled(&api);
        // A power cut in the middle of it; the first messages stay in the file.
        let said = agent.process.messages().len();
        agent.kill_and_restart();
        chain.write(20);
        std::thread::sleep(FULL_FOR);
        wait_for_heartbeat(&api);
        assert!(
            agent.process.is_running(),
            "a full disk is no reason to end"
        );
        let said = agent.process.messages()[said..].to_owned();

        disk.free();
        let freed = Instant::now();
        let at_rest = last_seq(&setup);
        wait::until("the agent's next entry", RESUMED_WITHIN, || {
            (last_seq(&setup) > at_rest).then_some(())
        });
        let resumed = freed.elapsed();
        let own = chain.assert_whole(&server, &api);
        println!(
            "full agent: {} entries, 0 lost, 0 twice; {refused_by} delivered when full; reads \
             again {:.1} s after there was room; {own} entries of its own",
            chain.written,
            resumed.as_secs_f64()
        );
        assert!(!said.contains("panicked"), "{said}");
        agent.stop();
        server.stop();
    });
}

/// The machine is heard again after now.
fn wait_for_heartbeat(api: &Api) {
    let now = jiff::Timestamp::now();
    wait::until("a heartbeat from a full disk", seconds(20), || {
        let machine = api.get("/api/machines/VM001/status").json();
        let heard = machine.pointer("/last_contact/wifi")?.as_str()?.to_owned();
        (heard.parse::<jiff::Timestamp>().ok()? > now).then_some(())
    });
}

fn last_seq(setup: &AgentSetup) -> u64 {
    setup.run("status").json()["last_seq"].as_u64().unwrap_or(0)
}
