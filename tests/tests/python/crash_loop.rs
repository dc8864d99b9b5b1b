//! An application that crashes and is started again and again, as the real one does without its
//! card reader: the machine tells of it, and of its last sale.

use std::fs;

use tests::wait::{self, seconds};
use tests::{AgentSetup, Server};

#[test]
fn a_crash_loop_is_told_once_and_stands_in_the_status() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("last_tx_log.log");
    let mut server = Server::start(&dir.path().join("server"));
    let api = server.api();
    let setup = AgentSetup::new(&dir.path().join("agent"), &server, "VM001", &log);
    let mut agent = setup.start();
    let stamp = jiff::Zoned::now()
        .with_time_zone(jiff::tz::TimeZone::get("America/Los_Angeles").expect("a zone"))
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string();
    for start in 1..=5 {
        // Python's mode w.
        let text = format!(
            "{stamp} - __main__ - INFO - Start {start}\n\
             {stamp} - __main__ - INFO - Transaction complete: 1 items, \
             $0.76 (tax: $0.06, total: $0.82)\n\
             {stamp} - __main__ - CRITICAL - Serial connection error: \
             could not open port /dev/ttyUSB0\n"
        );
        fs::write(&log, text).expect("the log");
        // With the agent's own word from the fourth on.
        api.wait_for_total(start * 3 + u64::from(start > 3), seconds(60));
    }
    let status = wait::until("the heartbeat that tells", seconds(60), || {
        let status = api.get("/api/machines/VM001/status").json();
        let app = &status["heartbeat"]["app"];
        (app["crash_loop"] == true && app["starts_1h"] == 4).then_some(status)
    });
    let reason = status["reason"].as_str().expect("a reason");
    let words = "The application crashes and starts again, 4 starts in the last hour.";
    assert!(reason.ends_with(words), "{reason}");
    let app = &status["heartbeat"]["app"];
    for age in ["last_sale_age_s", "last_start_age_s", "last_entry_age_s"] {
        assert!(
            app[age].as_u64().is_some_and(|age| age < 60),
            "{age} of {app}"
        );
    }
    let input = &status["heartbeat"]["inputs"][0];
    assert_eq!(
        (&input["state"], &input["lag_bytes"]),
        (&"reading".into(), &0.into())
    );
    for fact in ["load_1m", "memory_total_bytes", "disk_total_bytes"] {
        assert!(status["heartbeat"][fact].is_number(), "{fact}");
    }
    let told = api.entries("component=agent&q=event:crash_loop");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (&told[0]["level"], &told[0]["context"]["state"]),
        (&"ERROR".into(), &"began".into())
    );
    println!("crash loop told: {}", told[0]["message"]);

    // The last sale outlives the agent.
    agent.stop();
    let mut agent = setup.start();
    wait::until("a heartbeat of the new agent", seconds(60), || {
        let app = api.get("/api/machines/VM001/status").json()["heartbeat"]["app"].clone();
        let is_new = app["starts_1h"] == 0;
        (is_new && app["last_sale_age_s"].is_u64() && app["crash_loop"] == true).then_some(())
    });
    agent.stop();
    server.stop();
}
