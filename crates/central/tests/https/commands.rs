//! The commands of the real program, with and without a server on the data directory.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use super::support::Home;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_vendlog-server"))
}

fn command(home: &Home, words: &[&str]) -> Output {
    program()
        .args(words)
        .arg("--data")
        .arg(home.data())
        .arg("--key-file")
        .arg(home.key_file())
        .output()
        .unwrap()
}

fn json(output: &Output) -> Value {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A server as a process; killed when the test is over.
struct Process {
    child: Child,
    ready: Value,
}

impl Process {
    fn start(home: &Home, more: &[&str]) -> Process {
        let mut child = program()
            .args(["--data".as_ref(), home.data().as_os_str()])
            .args(["--key-file".as_ref(), home.key_file().as_os_str()])
            .args(["--listen", "127.0.0.1:0"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?}"));
        Process { child, ready }
    }

    /// Sends SIGTERM and waits for the end.
    fn stop(mut self) -> (Option<i32>, String) {
        // SAFETY: a signal to our own child, which was not waited for yet.
        let sent = unsafe { libc::kill(self.child.id() as libc::pid_t, libc::SIGTERM) };
        assert_eq!(sent, 0);
        let status = self.child.wait().unwrap();
        let mut said = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        std::io::Read::read_to_string(&mut stderr, &mut said).unwrap();
        (status.code(), said)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn commands_work_without_and_with_a_server() {
    let home = Home::new();
    let added = json(&command(
        &home,
        &["machine", "add", "VM001", "--name", "Lobby"],
    ));
    let mut keys: Vec<&String> = added.as_object().unwrap().keys().collect();
    // Their order is no promise: it changes with what else is built beside.
    keys.sort();
    assert_eq!(keys, ["api_key", "machine_id", "pairing_code"]);

    let server = Process::start(&home, &["--signin-link"]);
    assert!(
        server.ready["url"]
            .as_str()
            .unwrap()
            .starts_with("https://127.0.0.1:")
    );
    assert!(server.ready["pin"].as_str().unwrap().starts_with("sha256/"));
    let listed = json(&command(&home, &["machine", "list"]));
    assert_eq!(listed["machines"][0]["name"], "Lobby");
    let info = json(&command(&home, &["info"]));
    assert_eq!(info["url"], server.ready["url"]);
    let token = json(&command(
        &home,
        &["token", "add", "script", "--role", "owner"],
    ));
    assert!(token["token"].as_str().unwrap().starts_with("vt_"));
    let link = json(&command(&home, &["signin-link"]));
    let url = server.ready["url"].as_str().unwrap();
    assert!(
        link["url"]
            .as_str()
            .unwrap()
            .starts_with(&format!("{url}/signin/"))
    );
    let renewed = json(&command(&home, &["machine", "rotate-key", "VM001"]));
    assert_ne!(renewed["api_key"], added["api_key"]);
    care_commands(&home);
    json(&command(&home, &["machine", "remove", "VM001"]));
    assert!(command(&home, &["logs", "dump"]).stdout.is_empty());

    let (code, said) = server.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("/signin/"), "the link is on stderr: {said}");
    for secret in ["vl_", "vt_", "vs_"] {
        assert!(!said.contains(secret), "{said}");
    }
    assert!(!home.data().join("admin.sock").exists());
    let listed = json(&command(&home, &["machine", "list"]));
    assert_eq!(listed["machines"], Value::Array(Vec::new()));
}

/// What concerns the agent of VM001.
fn care_commands(home: &Home) {
    let machine = |words: &[&str]| {
        let words: Vec<&str> = ["machine"].iter().chain(words).copied().collect();
        json(&command(home, &words))
    };
    let code = machine(&["pairing-code", "VM001", "--url", "https://ops-pc:4433"]);
    let word = code["pairing_code"].as_str().unwrap();
    let read: wire::PairingCode = word.parse().unwrap();
    assert_eq!(read.url, "https://ops-pc:4433");
    assert_eq!(read.machine_id.as_str(), "VM001");
    let asked = machine(&["rotate-key", "VM001", "--by-heartbeat"]);
    assert!(asked["asked_at"].is_string() && asked["api_key"].is_null());
    let file = home.data().with_file_name("new.toml");
    let toml = "machine_id = \"VM001\"\n[wifi]\nurl = \"https://ops-pc:4433\"\n";
    fs::write(&file, toml).unwrap();
    let set = machine(&["agent-config", "VM001", "--set", file.to_str().unwrap()]);
    assert_eq!(set["desired"]["toml"], toml);
    assert_eq!(machine(&["agent-config", "VM001"]), set);
    let gone = machine(&["agent-config", "VM001", "--withdraw"]);
    assert_eq!(gone["desired"], Value::Null);
    let range = ["--epoch", "7", "--from", "1", "--to", "9"];
    let words: Vec<&str> = ["resend", "VM001"].into_iter().chain(range).collect();
    let asked = machine(&words);
    assert_eq!(machine(&["resend", "VM001"])["resends"][0], asked);
}

#[test]
fn a_failure_is_one_line_and_1_wrong_use_is_2() {
    let home = Home::new();
    json(&command(&home, &["machine", "add", "VM001"]));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    let long = "x".repeat(11);
    for (words, code, says) in [
        (vec!["machine", "add", "VM001"], 1, "exists already"),
        (vec!["machine", "remove", "VM009"], 1, "no machine VM009"),
        (
            vec!["machine", "rotate-key", "VM009"],
            1,
            "no machine VM009",
        ),
        (vec!["signin-link"], 1, "no server runs"),
        (vec!["serve", "--listen", &port], 1, "in use"),
        (
            vec!["serve", "--config", "/nonexistent.toml"],
            1,
            "/nonexistent.toml",
        ),
        (vec!["machine", "add", &long], 2, "longer than 10"),
        (
            vec!["token", "add", "x", "--role", "king"],
            2,
            "manager, technician, owner or source",
        ),
        (vec!["fly"], 2, "fly"),
        (
            vec!["machine", "pairing-code", "VM009"],
            1,
            "no machine VM009",
        ),
        (
            vec!["machine", "pairing-code", "VM001", "--url", "http://x"],
            1,
            "must be https://",
        ),
        (
            vec!["machine", "agent-config", "VM001", "--set", "/nonexistent"],
            1,
            "/nonexistent",
        ),
        (
            vec!["machine", "resend", "VM001", "--epoch", "7"],
            2,
            "--from",
        ),
    ] {
        let output = command(&home, &words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {said}");
        assert!(said.contains(says), "{words:?}: {said}");
        assert!(output.stdout.is_empty(), "{words:?}");
        let lines = said.lines().filter(|line| !line.trim().is_empty()).count();
        assert!(code == 2 || lines == 1, "{words:?}: {said}");
    }
    let nowhere = Home::new();
    let output = command(&nowhere, &["logs", "dump"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code() == Some(1) && said.contains("no data directory"),
        "{said}"
    );
    assert!(!nowhere.data().exists(), "reading makes nothing");
}

#[test]
fn the_admin_socket_is_private_and_works_in_a_deep_directory() {
    use std::os::unix::fs::PermissionsExt;
    let deep = tempfile::tempdir().unwrap();
    let data = deep
        .path()
        .join("d".repeat(100))
        .join("e".repeat(100))
        .join("data");
    let key = deep.path().join("store.key");
    let run = |words: &[&str]| {
        let places = [
            "--data".as_ref(),
            data.as_os_str(),
            "--key-file".as_ref(),
            key.as_os_str(),
        ];
        program().args(words).args(places).output().unwrap()
    };
    fs::create_dir_all(data.parent().unwrap()).unwrap();
    let mut child = program()
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .arg("--key-file")
        .arg(&key)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data.join("admin.sock")), 0o600);
    let added = json(&run(&["machine", "add", "VM001"]));
    assert_eq!(added["machine_id"], "VM001");
    child.kill().unwrap();
    child.wait().unwrap();
    // A killed server leaves its socket behind; it keeps nobody out.
    assert!(data.join("admin.sock").exists());
    let listed = json(&run(&["machine", "list"]));
    assert_eq!(listed["machines"][0]["machine_id"], "VM001");
}

#[test]
fn openapi_prints_the_description() {
    let output = program().arg("openapi").output().unwrap();
    assert_eq!(
        json(&output),
        serde_json::to_value(central::description()).unwrap()
    );
}

#[test]
fn a_dictionary_is_trained_from_what_is_stored_or_from_a_file_of_it() {
    let home = Home::new();
    json(&command(&home, &["machine", "add", "VM001"]));
    let line = |n: u32| {
        format!(
            "{{\"machine_id\":\"VM00{}\",\"seq\":{n},\"timestamp\":\"2026-01-22T14:30:15Z\",\
             \"level\":\"ERROR\",\"component\":\"valve\",\"message\":\"Valve {n} is stuck\"}}\n",
            n % 2
        )
    };
    let logs = home.data().with_file_name("logs.ndjson");
    fs::write(&logs, (1..=400).map(line).collect::<String>()).unwrap();
    let out = home.data().with_file_name("fleet.vdict");
    let trained = program()
        .args(["dictionary", "train", "--from"])
        .arg(&logs)
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    let trained = json(&trained);
    assert_eq!(trained["entries"], 400);
    assert!(trained["templates"].as_u64() >= Some(1), "{trained}");
    println!("a dictionary of one template: {trained}");
    let added = json(&command(
        &home,
        &["dictionary", "add", "--current", out.to_str().unwrap()],
    ));
    assert_eq!(added["id"], trained["id"]);
    let list = json(&command(&home, &["dictionary", "list"]));
    assert_eq!(list["current"], trained["id"]);
    let empty = command(
        &home,
        &["dictionary", "train", "--out", out.to_str().unwrap()],
    );
    assert_eq!(empty.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&empty.stderr).contains("no entries"));
    let neither = program()
        .args(["dictionary", "train", "--out", "x"])
        .output()
        .unwrap();
    assert_eq!(neither.status.code(), Some(2));
}
