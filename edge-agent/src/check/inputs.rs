//! What each input needs: a log that may be read, a journal that may be read, a place for a socket.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::access;
use super::user::group_id;
use super::{Findings, Looking, check_dir};
use crate::config::{InputKind, Journal, SocketFile, Syslog};

/// Only root may listen below it.
const FIRST_FREE_PORT: u16 = 1024;
/// Where systemd keeps the journal over a restart of the machine.
const KEPT_JOURNAL: &str = "/var/log/journal";
/// Made by systemd when the service starts, and gone when it does not run.
const RUNTIME_DIR: &str = "/run/vendlog";

pub(super) fn check(looking: &Looking, findings: &mut Findings) {
    for input in &looking.config.inputs {
        let line = looking.lines.at(input.span.start);
        match &input.kind {
            InputKind::File(file) => check_file(&file.path, &line, looking, findings),
            InputKind::Journal(journal) => check_journal(journal, &line, looking, findings),
            InputKind::Socket(socket) => check_socket(&socket.file, &line, looking, findings),
            InputKind::Syslog(syslog) => check_syslog(syslog, &line, looking, findings),
        }
    }
}

fn check_file(path: &Path, line: &str, looking: &Looking, findings: &mut Findings) {
    let name = path.display();
    match File::open(path).and_then(|file| file.metadata()) {
        Ok(meta) if meta.is_file() => {}
        Ok(_) => findings.mistakes.push(format!(
            "{line}input {name} is not a file; name the log file itself"
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            findings.remarks.push(format!(
                "{line}input {name} is not there yet; the agent will wait for it"
            ));
        }
        Err(error) => findings
            .mistakes
            .push(match access::refusal(path, &looking.user) {
                Some(refusal) => format!(
                    "{line}input {name} cannot be read: {}; run: {}, then restart the agent",
                    refusal.why, refusal.advice
                ),
                None => format!("{line}input {name} cannot be read: {error}"),
            }),
    }
}

fn check_journal(journal: &Journal, line: &str, looking: &Looking, findings: &mut Findings) {
    if !is_program("journalctl") {
        findings.mistakes.push(format!(
            "{line}journal input needs journalctl, which is not there; run: sudo apt install systemd"
        ));
        return;
    }
    if let Some(place) = journal.directory.as_deref().or(journal.file.as_deref()) {
        let readable = match place.is_dir() {
            true => fs::read_dir(place).map(drop),
            false => File::open(place).map(drop),
        };
        if let Err(error) = readable {
            let place = place.display();
            findings
                .mistakes
                .push(format!("{line}journal {place} cannot be read: {error}"));
        }
        return;
    }
    let user = &looking.user;
    if !user.is_root() && !user.is_in("systemd-journal") && !user.is_in("adm") {
        findings.mistakes.push(format!(
            "{line}journal: {0} may not read it; run: sudo adduser {0} systemd-journal, then restart \
             the agent",
            user.name
        ));
    }
    if !Path::new(KEPT_JOURNAL).is_dir() {
        findings.remarks.push(format!(
            "{line}the journal is kept in memory only: what was not read goes with the power; to keep \
             it: sudo mkdir -p {KEPT_JOURNAL} && sudo systemctl restart systemd-journald"
        ));
    }
}

fn check_syslog(syslog: &Syslog, line: &str, looking: &Looking, findings: &mut Findings) {
    if let Some(file) = &syslog.file {
        check_socket(file, line, looking, findings);
    }
    let port = syslog.udp.map_or(0, |address| address.port());
    if port != 0 && port < FIRST_FREE_PORT && !looking.user.is_root() {
        findings.mistakes.push(format!(
            "{line}udp port {port}: {} may not listen below {FIRST_FREE_PORT}; use 5514",
            looking.user.name
        ));
    }
}

fn check_socket(file: &SocketFile, line: &str, looking: &Looking, findings: &mut Findings) {
    if let Some(group) = &file.group {
        let name = &looking.user.name;
        let advice = match group_id(group) {
            None => Some(format!(
                "there is no group {group}; run: sudo addgroup {group}"
            )),
            Some(_) if looking.user.is_root() || looking.user.is_in(group) => None,
            Some(_) => Some(format!(
                "{name} is not in the group {group}; run: sudo adduser {name} {group}, then restart \
                 the agent"
            )),
        };
        findings
            .mistakes
            .extend(advice.map(|advice| format!("{line}socket: {advice}")));
    }
    let Some(dir) = file.path.parent() else {
        return;
    };
    if dir == Path::new(RUNTIME_DIR) && !dir.exists() {
        findings.remarks.push(format!(
            "{line}{RUNTIME_DIR} is not there; the service makes it when it starts"
        ));
        return;
    }
    check_dir(dir, line, "socket", looking, findings);
}

fn is_program(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|dir| dir.join(name).is_file())
}
