//! A configuration by heartbeat: taken, refused with its mistakes, rolled back when it cuts the link,
//! beaten by the file; no line is lost on the way.

use std::fs;

use serde_json::Value;
use tests::AgentSetup;

use crate::site::Site;

/// The agent's own file gives a new configuration five seconds.
const CARE: &str = "[care]\ntrial_s = 5\n";

impl Site {
    /// The agent's file with a change.
    fn changed(&self, from: &str, to: &str) -> String {
        let text = fs::read_to_string(self.setup.write_toml()).expect("agent.toml");
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    }

    /// Hands a configuration out; its version.
    fn hand_out(&self, toml: &str) -> Value {
        let file = self.path("handed.toml");
        fs::write(&file, toml).expect("a file");
        let name = file.to_str().expect("a path");
        let view = self.machine(&["agent-config", "VM001", "--set", name]);
        view["desired"]["version"].clone()
    }
}

#[test]
fn a_configuration_is_taken_refused_rolled_back_and_beaten_by_the_file() {
    let mut site = Site::new(CARE);
    let mut agent = site.setup.start();
    site.write(20);
    site.assert_whole();

    let good = site.changed("interval_s = 2", "interval_s = 1");
    let version = site.hand_out(&good);
    site.write(20);
    let report = site.wait_for_state(&version, "active");
    assert!(report["error"].is_null());
    site.write(20);
    site.assert_whole();

    let bad = good
        .replace("mode = \"continuous\"", "moode = \"continuous\"")
        .replace("pack = \"soap\"", "pack = \"soup\"");
    let refused = site.hand_out(&bad);
    let report = site.wait_for_state(&refused, "refused");
    let error = report["error"].as_str().expect("why");
    assert!(
        error.contains("line ") && error.contains("moode"),
        "{error}"
    );
    let two = good
        .replace("pack = \"soap\"", "pack = \"soup\"")
        .replace("interval_s = 1", "interval_s = 0");
    let refused = site.hand_out(&two);
    let report = site.wait_for_state(&refused, "refused");
    let error = report["error"].as_str().expect("why");
    assert!(
        error.contains("soup") && error.contains("interval_s"),
        "{error}"
    );

    // Nobody listens on port 1: this configuration cuts the link that it came by.
    let deaf = good.replace(&site.setup.url, "https://127.0.0.1:1");
    let version = site.hand_out(&deaf);
    site.write(20);
    std::thread::sleep(std::time::Duration::from_secs(3));
    agent.kill_and_restart();
    site.write(20);
    let report = site.wait_for_state(&version, "rolled_back");
    let error = report["error"].as_str().expect("why");
    assert!(error.contains("no heartbeat reached the server"), "{error}");
    site.write(20);
    site.assert_whole();
    assert!(agent.process.is_running());

    agent.stop();
    site.setup = AgentSetup {
        wifi: format!("{}# edited by hand\n", site.setup.wifi),
        ..site.setup
    };
    let version = site.hand_out(&good.replace("interval_s = 1", "interval_s = 3"));
    agent = site.setup.start();
    site.wait_for_state(&version, "active");
    agent.stop();
    site.setup.wifi.push_str("# and once more\n");
    agent = site.setup.start();
    let report = site.wait_for_state(&version, "refused");
    let error = report["error"].as_str().expect("why");
    assert!(error.contains("edited on the machine"), "{error}");
    site.machine(&["agent-config", "VM001", "--withdraw"]);
    site.write(20);
    site.assert_whole();
    agent.stop();
    println!(
        "2 configurations taken, 2 refused, 1 rolled back through a kill, 1 beaten by the file; \
         {} lines, 0 lost, 0 twice",
        site.written
    );
}
