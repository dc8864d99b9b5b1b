//! Configurations from the server: taken, refused, tried, rolled back, and beaten by the file.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use wire::care::{ConfigState, NewConfig};

use super::configuration::{Base, Configuration};

const FILE: &str = "machine_id = \"VM001\"\nstate_dir = \"/var/lib/vendlog-agent\"\n\
    [[input]]\nkind = \"file\"\npath = \"/a.log\"\nformat = \"python\"\ntimezone = \"UTC\"\n\
    [wifi]\nurl = \"https://ops-pc:4433\"\napi_key_file = \"/etc/vendlog/api_key\"\n\
    [heartbeat]\ninterval_s = 300\n[care]\ntrial_s = 100\n";

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let place = Place {
            dir: tempfile::tempdir().unwrap(),
        };
        fs::write(place.file(), FILE).unwrap();
        place
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("agent.toml")
    }

    /// As a start of the agent does.
    fn start(&self) -> Configuration {
        let base = Base::read(&self.file()).unwrap();
        Configuration::open(base, &self.dir.path().join("config"))
    }
}

fn with_interval(version: &str, seconds: u64) -> NewConfig {
    NewConfig {
        version: version.to_owned(),
        toml: FILE.replace("interval_s = 300", &format!("interval_s = {seconds}")),
    }
}

fn interval(configuration: &Configuration) -> u64 {
    configuration.in_force().heartbeat.interval_s
}

fn said(configuration: &Configuration) -> (String, ConfigState, String) {
    let report = configuration.report().unwrap().clone();
    (
        report.version,
        report.state,
        report.error.unwrap_or_default(),
    )
}

#[test]
fn a_configuration_is_on_trial_until_a_heartbeat_arrives_and_survives_starts() {
    let place = Place::new();
    let mut configuration = place.start();
    assert!(configuration.report().is_none() && configuration.trial_left().is_none());
    assert!(configuration.offer(&with_interval("v1", 60)).unwrap());
    assert_eq!(interval(&configuration), 60);
    assert_eq!(said(&configuration).1, ConfigState::Trial);
    let mut configuration = place.start();
    assert_eq!(interval(&configuration), 60, "after a kill");
    assert_eq!(said(&configuration).1, ConfigState::Trial);
    assert!(configuration.reached() && !configuration.reached());
    assert_eq!(
        said(&configuration),
        ("v1".into(), ConfigState::Active, String::new())
    );
    assert_eq!(interval(&place.start()), 60);
    assert!(
        !configuration.offer(&with_interval("v1", 60)).unwrap(),
        "known"
    );
}

#[test]
fn every_mistake_is_said_with_its_line_and_the_old_one_stays() {
    let place = Place::new();
    let mut configuration = place.start();
    let mut new = with_interval("v1", 0);
    new.toml = new.toml.replace("https://", "http://");
    assert!(!configuration.offer(&new).unwrap());
    let (version, state, error) = said(&configuration);
    assert_eq!((version.as_str(), state), ("v1", ConfigState::Refused));
    assert!(error.contains("line 9: wifi.url is http://"), "{error}");
    assert!(error.contains("line 12: heartbeat.interval_s"), "{error}");
    assert_eq!(interval(&place.start()), 300);
    for (from, to, says) in [
        ("VM001", "VM002", "machine_id must stay VM001"),
        (
            "/var/lib",
            "/srv",
            "state_dir must stay /var/lib/vendlog-agent",
        ),
        ("[wifi]", "[wifi]\nenabled = false", "[wifi] must be there"),
        ("/etc/vendlog/api_key", "/key", "api_key_file must stay"),
        ("trial_s = 100", "remote_config = false", "must stay true"),
        (
            "[care]",
            "[local]\npath = \"/etc/vendlog/agent.toml\"\n[care]",
            "local.path must stay /var/log/vendlog",
        ),
        ("/a.log", "/etc/vendlog/api_key", "own files"),
        ("/a.log", "/etc/../etc/vendlog/api_key.new", "own files"),
        ("/a.log", "/var/lib/vendlog-agent/hash.key", "own files"),
        (
            "/a.log",
            "/proc/self/root/var/lib/vendlog-agent/api_key",
            "own files",
        ),
    ] {
        let new = NewConfig {
            version: format!("v-{to}"),
            toml: FILE.replace(from, to),
        };
        assert!(!configuration.offer(&new).unwrap());
        assert!(
            said(&configuration).2.contains(says),
            "{:?}",
            said(&configuration)
        );
    }
    let long = NewConfig {
        version: "long".into(),
        toml: format!("{FILE}# {}", "x".repeat(40_000)),
    };
    assert!(!configuration.offer(&long).unwrap());
    assert!(said(&configuration).2.contains("32768 bytes"));
    assert!(
        configuration.offer(&with_interval("v2", 60)).unwrap(),
        "a good one after it"
    );
}

#[test]
fn a_trial_that_reaches_nobody_is_rolled_back_also_over_reboots() {
    let place = Place::new();
    let mut configuration = place.start();
    configuration.offer(&with_interval("v1", 60)).unwrap();
    configuration.reached();
    let mut new = with_interval("v2", 61);
    // The new one must not grant itself more time.
    new.toml = new.toml.replace("trial_s = 100", "trial_s = 80000");
    assert!(configuration.offer(&new).unwrap());
    assert_eq!(configuration.trial_left(), Some(Duration::from_secs(100)));
    assert!(!configuration.spent(Duration::from_secs(60)));
    let mut configuration = place.start();
    assert_eq!(configuration.trial_left(), Some(Duration::from_secs(40)));
    assert!(configuration.spent(Duration::from_secs(41)));
    for configuration in [configuration, place.start()] {
        let (version, state, error) = said(&configuration);
        assert_eq!((version.as_str(), state), ("v2", ConfigState::RolledBack));
        assert!(error.contains("100 s"), "{error}");
        assert_eq!(interval(&configuration), 60, "the one before, not the file");
    }
    assert!(!place.start().offer(&new).unwrap(), "not tried twice");
}

#[test]
fn a_trial_in_which_nothing_stays_up_is_rolled_back_by_its_starts() {
    let place = Place::new();
    place.start().offer(&with_interval("v1", 60)).unwrap();
    for start in 1..=5 {
        assert_eq!(interval(&place.start()), 60, "start {start}");
    }
    let configuration = place.start();
    assert_eq!(interval(&configuration), 300);
    assert_eq!(said(&configuration).1, ConfigState::RolledBack);
    let mut configuration = place.start();
    configuration.offer(&with_interval("v2", 60)).unwrap();
    assert!(configuration.failed("no such pack"));
    assert!(said(&configuration).2.contains("no such pack"));
    assert!(!configuration.failed("again"), "only what is on trial");
}

#[test]
fn a_file_that_is_edited_later_wins_and_that_is_said() {
    let place = Place::new();
    let mut configuration = place.start();
    configuration.offer(&with_interval("v1", 60)).unwrap();
    configuration.reached();
    fs::write(place.file(), FILE.replace("300", "200")).unwrap();
    let mut configuration = place.start();
    assert_eq!(interval(&configuration), 200);
    let (version, state, error) = said(&configuration);
    assert_eq!((version.as_str(), state), ("v1", ConfigState::Refused));
    assert!(error.contains("edited on the machine"), "{error}");
    assert!(configuration.offer(&with_interval("v2", 60)).unwrap());
    configuration.reached();
    assert_eq!(interval(&place.start()), 60, "until a newer one comes");
}

#[test]
fn a_withdrawal_brings_the_file_back_and_may_itself_be_rolled_back() {
    let place = Place::new();
    let none = NewConfig {
        version: String::new(),
        toml: String::new(),
    };
    let mut configuration = place.start();
    assert!(!configuration.offer(&none).unwrap(), "nothing to withdraw");
    configuration.offer(&with_interval("v1", 60)).unwrap();
    configuration.reached();
    assert!(configuration.offer(&none).unwrap());
    assert_eq!(interval(&configuration), 300);
    assert!(configuration.reached());
    assert!(configuration.report().is_none());
    configuration.offer(&with_interval("v2", 60)).unwrap();
    configuration.reached();
    configuration.offer(&none).unwrap();
    assert!(configuration.spent(Duration::from_secs(100)));
    assert_eq!(interval(&configuration), 60);
    assert_eq!(said(&configuration).1, ConfigState::RolledBack);
}

#[test]
fn a_file_that_is_edited_while_a_withdrawal_is_on_trial_wins_too() {
    let place = Place::new();
    let mut configuration = place.start();
    configuration.offer(&with_interval("v1", 60)).unwrap();
    configuration.reached();
    let none = NewConfig {
        version: String::new(),
        toml: String::new(),
    };
    assert!(configuration.offer(&none).unwrap());
    fs::write(place.file(), FILE.replace("300", "200")).unwrap();
    let mut configuration = place.start();
    assert!(!configuration.spent(Duration::from_secs(1000)));
    assert_eq!(interval(&configuration), 200);
    assert_eq!(interval(&place.start()), 200);
}

#[test]
fn a_machine_may_refuse_every_configuration() {
    let place = Place::new();
    fs::write(
        place.file(),
        FILE.replace("trial_s = 100", "remote_config = false"),
    )
    .unwrap();
    let mut configuration = place.start();
    assert!(!configuration.offer(&with_interval("v1", 60)).unwrap());
    assert!(said(&configuration).2.contains("remote_config is false"));
}
