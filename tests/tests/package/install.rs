//! A real installation into a bare Debian 12: users, rights, an upgrade, removal, and purging, which
//! leaves nothing.

use std::process::Command;

use tests::numbered::{self, Tally};
use tests::package::{Debian, must, package};
use tests::wait::{self, seconds};
use tests::{Process, Server};

const INSTALL: &str = "dpkg -i /vendlog-agent.deb";
const ENTRIES: u64 = 200;

#[test]
fn it_is_installed_paired_upgraded_removed_and_purged_without_a_trace() {
    let debian = Debian::new();
    let dir = tempfile::tempdir().expect("a directory");
    // An application that logs at home, where nobody else may look.
    debian.sh("adduser --disabled-password --gecos '' --quiet pi && chmod 700 /home/pi");
    let users = debian.sh("sort /etc/passwd /etc/group");
    let before = debian.listing();
    let package = package("amd64");
    must(
        tests::package::as_root("cp")
            .arg(&package)
            .arg(debian.path("vendlog-agent.deb")),
    );

    let said = debian.sh(INSTALL);
    assert!(said.contains("pair this machine with"), "{said}");
    assert_rights(&debian);

    // As pairing leaves them.
    let server = Server::start(&dir.path().join("server"));
    debian.put("etc/vendlog/agent.toml", &configuration(&server));
    debian.put("etc/vendlog/api_key", &server.add_machine("VM001"));
    debian.sh("chown vendlog-agent: /etc/vendlog/* && chmod 600 /etc/vendlog/api_key");
    debian.sh("install -d -o pi -g pi /home/pi/soap");
    let log = dir.path().join("app.log");
    numbered::append(&log, 1..=ENTRIES);
    debian.put(
        "home/pi/soap/app.log",
        &std::fs::read_to_string(log).expect("the log"),
    );
    debian.sh("chown pi: /home/pi/soap/app.log");
    follow_advice(&debian);
    deliver(&debian, &dir, &server);

    let said = debian.sh(INSTALL);
    assert!(
        !said.contains("pair this machine"),
        "an upgrade keeps the pairing: {said}"
    );
    debian.sh("dpkg --remove vendlog-agent");
    debian.sh("test ! -e /usr/bin/vendlog-agent");
    debian.sh("test -f /etc/vendlog/api_key && test -d /var/lib/vendlog-agent/spool");
    debian.sh(INSTALL);
    debian.sh("test -f /etc/vendlog/api_key");
    // Something of the application's beside the agent's own log.
    debian.put("var/log/vendlog/of-the-application.log", "kept");
    debian.sh("dpkg --purge vendlog-agent");
    debian.sh("grep -q kept /var/log/vendlog/of-the-application.log && rm -r /var/log/vendlog");
    debian.sh("rm -r /home/pi/soap /vendlog-agent.deb && chmod 700 /home/pi");
    assert_eq!(
        debian.sh("sort /etc/passwd /etc/group"),
        users,
        "its user and groups are gone"
    );
    let after = debian.listing();
    let left: Vec<&String> = after
        .iter()
        .filter(|line| !is_of_users(line) && !before.contains(line))
        .collect();
    let gone: Vec<&String> = before
        .iter()
        .filter(|line| !is_of_users(line) && !after.contains(line))
        .collect();
    assert!(
        left.is_empty() && gone.is_empty(),
        "left: {left:#?}, gone: {gone:#?}"
    );
    println!(
        "installed, delivered {ENTRIES} entries as its own user, upgraded, removed, purged: 0 files left"
    );
}

/// The files of users themselves, and the copies that adduser keeps of them.
fn is_of_users(line: &str) -> bool {
    ["passwd", "group", "shadow", "gshadow", "subuid", "subgid"]
        .iter()
        .any(|name| line.contains(&format!("/etc/{name}")))
}

fn assert_rights(debian: &Debian) {
    let groups = debian.sh("id -nG vendlog-agent");
    for group in ["vendlog-agent", "adm", "dialout"] {
        assert!(
            groups.split_whitespace().any(|of| of == group),
            "{group}: {groups}"
        );
    }
    let stat = debian.sh(
        "stat -c '%n %a %U:%G' /etc/vendlog /var/lib/vendlog-agent /var/log/vendlog /usr/bin/vendlog-agent",
    );
    assert_eq!(
        stat,
        "/etc/vendlog 750 vendlog-agent:vendlog-agent\n\
         /var/lib/vendlog-agent 700 vendlog-agent:vendlog-agent\n\
         /var/log/vendlog 750 vendlog-agent:vendlog-agent\n\
         /usr/bin/vendlog-agent 755 root:root\n"
    );
    debian.sh("test -L /etc/systemd/system/multi-user.target.wants/vendlog-agent.service");
    debian.sh("vendlog-agent --version");
    // Nothing is configured until the machine is paired.
    debian.sh("test ! -e /etc/vendlog/agent.toml");
    let module = debian.path("usr/lib/python3/dist-packages");
    let mut python = Command::new("python3");
    python.args(["-B", "-c", "import vendlog; print(vendlog.__file__)"]);
    let said = must(python.env("PYTHONPATH", &module));
    assert!(said.starts_with(&*module.to_string_lossy()), "{said}");
}

fn configuration(server: &Server) -> String {
    format!(
        "machine_id = \"VM001\"\nstate_dir = \"/var/lib/vendlog-agent\"\n\
         [[input]]\nkind = \"file\"\npath = \"/home/pi/soap/app.log\"\nformat = \"python\"\n\
         timezone = \"America/Los_Angeles\"\n\
         [wifi]\nurl = {:?}\npin = {:?}\napi_key_file = \"/etc/vendlog/api_key\"\n\
         mode = \"continuous\"\n",
        server.url, server.pin
    )
}

/// `check` names what is missing; doing exactly that makes it content.
fn follow_advice(debian: &Debian) {
    let check = || {
        let output = debian
            .command(&["vendlog-agent", "check", "--online"])
            .output();
        let output = output.expect("chroot can be started");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    };
    let (code, said) = check();
    assert_eq!(code, Some(1), "{said}");
    let told = "vendlog-agent may not enter /home/pi (mode 700, of pi:pi); run: ";
    let advice = said.split(told).nth(1).unwrap_or_else(|| panic!("{said}"));
    let advice = advice.split(", then").next().unwrap_or_default();
    assert_eq!(
        advice,
        "sudo adduser vendlog-agent pi && sudo chmod g+x /home/pi"
    );
    debian.sh(&advice.replace("sudo ", ""));
    let (code, said) = check();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("it accepts this machine's key"), "{said}");
}

/// The installed agent with its own user's rights, as the unit starts it.
fn deliver(debian: &Debian, dir: &tempfile::TempDir, server: &Server) {
    let run = debian.command(&[
        "setpriv",
        "--reuid=vendlog-agent",
        "--regid=vendlog-agent",
        "--init-groups",
        "--no-new-privs",
        "--bounding-set=-all",
        "vendlog-agent",
        "run",
    ]);
    let mut agent = Process::start(run, dir.path());
    let api = server.api();
    api.wait_for_entries(ENTRIES, seconds(60));
    let mut tally = Tally::default();
    api.entries("")
        .into_iter()
        .for_each(|entry| tally.count(entry));
    tally.assert_whole(ENTRIES);
    // Tier 1, in the directory that the package made.
    let local = "test -s /var/log/vendlog/vending_machine.log && echo there || true";
    wait::until("the local file", seconds(30), || {
        debian.sh(local).contains("there").then_some(())
    });
    let status = agent.terminate(seconds(30));
    assert!(status.success(), "{status}");
}
