//! Pairing end to end: a code from the server's command makes a machine send, once and nowhere else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tests::binaries::binary;
use tests::process::{self, Ended, Process};
use tests::wait::seconds;
use tests::{Server, server};
use wire::PairingCode;

fn pair(code: &str, config: &Path, more: &[&str]) -> Ended {
    let mut command = Command::new(binary("vendlog-agent"));
    command
        .args(["pair", code, "--config"])
        .arg(config)
        .args(more);
    process::run(command)
}

fn code(folder: &Path, words: &[&str]) -> String {
    let made = server::run(folder, words).json();
    made["pairing_code"].as_str().expect("a code").to_owned()
}

fn edited(word: &str, edit: impl FnOnce(&mut PairingCode)) -> String {
    let mut code: PairingCode = word.parse().expect("a code");
    edit(&mut code);
    code.to_string()
}

/// Every file under the folder with its text.
fn texts(folder: &Path) -> Vec<(String, String)> {
    let files = fs::read_dir(folder).expect("a directory");
    let paths = files.map(|file| file.expect("a file").path());
    let mut texts: Vec<(String, String)> = paths
        .filter(|path| path.is_file())
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap_or_default();
            (path.display().to_string(), text)
        })
        .collect();
    texts.sort();
    texts
}

#[test]
fn a_code_makes_a_machine_send_and_is_good_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let folder = dir.path().join("server");
    let server = Server::start(&folder);
    let api = server.api();
    let word = code(&folder, &["machine", "add", "VM001"]);
    let config = dir.path().join("etc").join("agent.toml");
    let paired = pair(&word, &config, &[]).json();
    assert_eq!(
        (&paired["machine_id"], &paired["is_new"]),
        (&"VM001".into(), &true.into())
    );
    let key = dir.path().join("etc").join("api_key");
    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode(&key), 0o600);

    // What only this machine knows: where its log is, and where state may be kept.
    let log = dir.path().join("app.log");
    fs::write(&log, "2026-01-22 14:30:15 - __main__ - ERROR - Paired\n").expect("the log");
    let text = fs::read_to_string(&config).expect("the configuration");
    let own = |name: &str| dir.path().join(name).display().to_string();
    let text = text
        .replace("/home/pi/soap/last_tx_log.log", &own("app.log"))
        .replace("/var/lib/vendlog-agent", &own("state"));
    let local = format!("[local]\npath = {:?}\n", own("local.log"));
    fs::write(&config, format!("{text}\n{local}")).expect("the configuration");
    let mut run = Command::new(binary("vendlog-agent"));
    run.arg("run").arg("--config").arg(&config);
    let mut agent = Process::start(run, dir.path());
    api.wait_for_total(1, seconds(30));
    assert!(agent.terminate(seconds(30)).success());

    let again = pair(&word, &config, &[]);
    assert!(again.refusal(1).contains("was used already"), "{again:?}");
    let renewed = code(&folder, &["machine", "pairing-code", "VM001"]);
    let before = fs::read_to_string(&key).expect("the key");
    let paired = pair(&renewed, &config, &[]).json();
    assert_eq!(
        paired["changes"],
        Value::Array(Vec::new()),
        "the same server"
    );
    assert_ne!(fs::read_to_string(&key).expect("the key"), before);
    assert!(!agent.messages().contains("vl_"), "no key in any message");
    println!("paired twice, 1 entry delivered, a used code refused");
}

#[test]
fn what_is_wrong_with_a_code_or_a_server_is_said_and_nothing_changes() {
    let dir = tempfile::tempdir().expect("a directory");
    let folder = dir.path().join("server");
    let server = Server::start(&folder);
    let other = Server::start(&dir.path().join("other"));
    let word = code(&folder, &["machine", "add", "VM002"]);
    let etc = dir.path().join("etc");
    fs::create_dir(&etc).expect("a directory");
    let config = etc.join("agent.toml");
    let text = format!(
        "# the lobby\nmachine_id = \"VM001\"  # ours\nstate_dir = {:?}\n[wifi]\nurl = \
         \"https://old:4433\"\napi_key_file = {:?}\n",
        dir.path().join("state"),
        etc.join("api_key")
    );
    fs::write(&config, &text).expect("a file");
    fs::write(etc.join("api_key"), "vl_01_of-VM001\n").expect("a file");
    let before = texts(&etc);

    let mistyped = word.replace(&word[20..22], "zz");
    let refused = pair(&mistyped, &config, &["--replace"]);
    assert!(refused.refusal(2).contains("mistyped"), "{refused:?}");
    let not_ours = pair(&word, &config, &[]);
    assert!(not_ours.refusal(1).contains("--replace"), "{not_ours:?}");
    let nowhere = edited(&word, |code| code.url = "https://127.0.0.1:1".to_owned());
    let unreachable = pair(&nowhere, &config, &["--replace"]);
    assert!(
        unreachable.refusal(1).contains("still good"),
        "{unreachable:?}"
    );
    let between = edited(&word, |code| code.url = other.url.clone());
    let caught = pair(&between, &config, &["--replace"]);
    assert!(
        caught.refusal(1).contains("somebody stands between"),
        "{caught:?}"
    );
    let wrong = edited(&word, |code| code.pin = [1; 32]);
    let caught = pair(&wrong, &config, &["--replace"]);
    assert!(caught.refusal(1).contains("another key"), "{caught:?}");
    let guessed = edited(&word, |code| code.secret = [1; 32]);
    let refused = pair(&guessed, &config, &["--replace"]);
    assert!(refused.refusal(1).contains("not known here"), "{refused:?}");
    assert_eq!(
        texts(&etc),
        before,
        "nothing was changed, nothing left behind"
    );
    for ended in [&unreachable, &caught, &refused] {
        assert!(!ended.stderr.contains("VLP1-"), "{ended:?}");
    }

    let paired = pair(&word, &config, &["--replace"]);
    assert_eq!(paired.json()["machine_id"], "VM002");
    for change in ["\"VM001\" -> \"VM002\"", "https://old:4433", "wifi.pin"] {
        assert!(paired.stderr.contains(change), "{paired:?}");
    }
    let edited = fs::read_to_string(&config).expect("the configuration");
    assert!(
        edited.contains("# the lobby\nmachine_id = \"VM002\"  # ours"),
        "{edited}"
    );
    assert!(
        edited.contains(&server.url) && edited.contains(&server.pin),
        "{edited}"
    );
    println!("6 wrong codes and servers refused, 0 files changed by them");
}
