//! `vendlog-agent check`: everything that can be wrong with a configuration and its surroundings,
//! found before the agent runs unattended, each with what to do about it.

mod access;
mod eport;
mod inputs;
mod lines;
mod online;
mod service;
mod user;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::clock;
use crate::config::{Config, Wifi};
use crate::wifi::Client;
use lines::Lines;
use wire::{ClockState, Micros};

pub use online::online;
pub use user::{User, become_owner_of};

/// The directory where an ordinary user may make nothing.
const SYSTEM_LOGS: &str = "/var/log";
/// Before it, no agent of this kind existed: a clock that says so was never set. 2026-01-01.
const NO_CLOCK_BEFORE: Micros = Micros(1_767_225_600_000_000);

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The agent could not do its work.
    pub mistakes: Vec<String>,
    /// It could, but somebody may be surprised.
    pub remarks: Vec<String>,
}

/// What is looked at, and by whom.
struct Looking<'a> {
    config: &'a Config,
    lines: Lines<'a>,
    user: User,
}

/// Looks at the surroundings of a configuration that was read without mistakes from `path`, with the
/// rights of this process.
pub fn check(path: &Path, config: &Config, text: &str) -> Findings {
    let looking = Looking {
        config,
        lines: Lines::new(text),
        user: User::current(),
    };
    let mut findings = Findings::default();
    if let Some(refusal) = access::refusal(path, &looking.user) {
        findings
            .mistakes
            .push(format!("{}; run: {}", refusal.why, refusal.advice));
    }
    inputs::check(&looking, &mut findings);
    check_state_dir(&looking, &mut findings);
    check_local(&looking, &mut findings);
    if let Some(wifi) = &config.wifi {
        check_key(&wifi.api_key_file, &looking, &mut findings);
        check_trust(wifi, &looking, &mut findings);
    }
    if let Some(config) = &looking.config.eport {
        eport::check(config, &looking, &mut findings);
    }
    let clock = clock::Source::of(&looking.config.clock).state();
    check_clock(clock::now(), Some(clock), &mut findings);
    service::check(path, &looking, &mut findings);
    findings
}

fn check_state_dir(looking: &Looking, findings: &mut Findings) {
    let dir = &looking.config.state_dir;
    let line = looking.lines.of("", "state_dir");
    check_dir(dir, &line, "state_dir", looking, findings);
    let name = &looking.user.name;
    if let Some(file) = access::foreign_file(dir, &looking.user) {
        findings.mistakes.push(format!(
            "{line}state_dir: {} is not {name}'s own; run: sudo chown -R {name}: {}",
            file.display(),
            dir.display()
        ));
    }
    let free = crate::heartbeat::disk_free_bytes(existing(dir));
    let most = looking.config.spool.max_bytes;
    if let Some(free) = free.filter(|free| *free < most) {
        findings.remarks.push(format!(
            "{line}state_dir: {} MB are free, and the spool may take {} MB; reading pauses when the \
             disk is full",
            free / 1_000_000,
            most / 1_000_000
        ));
    }
}

fn check_local(looking: &Looking, findings: &mut Findings) {
    let line = looking.lines.of("local", "path");
    let path = &looking.config.local.path;
    let Some(dir) = path.parent() else { return };
    let user = &looking.user;
    if dir == Path::new(SYSTEM_LOGS) && access::try_writing(dir).is_err() {
        let name = &user.name;
        findings.mistakes.push(format!(
            "{line}local.path: {name} may not write to {SYSTEM_LOGS}; name a file in \
             /var/log/vendlog, made with: sudo install -d -o {name} -g {name} /var/log/vendlog"
        ));
        return;
    }
    check_dir(dir, &line, "local.path", looking, findings);
    if path.is_dir() {
        findings.mistakes.push(format!(
            "{line}local.path {} is a directory; name a file in it",
            path.display()
        ));
    }
}

/// The directory, or the nearest one above it that is there, must be writable.
fn check_dir(dir: &Path, line: &str, key: &str, looking: &Looking, findings: &mut Findings) {
    let existing = existing(dir);
    let path = existing.display();
    if !existing.is_dir() {
        findings
            .mistakes
            .push(format!("{line}{key}: {path} is not a directory"));
        return;
    }
    let Err(error) = access::try_writing(existing) else {
        return;
    };
    let name = &looking.user.name;
    let owner = fs::metadata(existing).map_or(0, |meta| meta.uid());
    let advice = match existing == dir {
        true if owner != looking.user.uid => format!("sudo chown {name}: {path}"),
        true => format!("sudo chmod u+rwx {path}, and mount its disk for writing"),
        false => format!("sudo install -d -o {name} -g {name} {}", dir.display()),
    };
    findings.mistakes.push(format!(
        "{line}{key}: {path} cannot be written by {name}: {error}; run: {advice}"
    ));
}

/// The directory, or the nearest one above it that is there.
fn existing(dir: &Path) -> &Path {
    let found = dir.ancestors().find(|dir| dir.exists());
    found.unwrap_or(Path::new("."))
}

fn check_key(path: &Path, looking: &Looking, findings: &mut Findings) {
    let line = looking.lines.of("wifi", "api_key_file");
    let name = path.display();
    let user = &looking.user.name;
    let key = match fs::read_to_string(path) {
        Ok(key) => key,
        Err(error) => {
            let advice = match access::refusal(path, &looking.user) {
                Some(_) => format!("run: sudo chown {user}: {name}"),
                None => "pair the machine, or put its key there".to_owned(),
            };
            findings.mistakes.push(format!(
                "{line}wifi.api_key_file {name} cannot be read: {error}; {advice}"
            ));
            return;
        }
    };
    if key.trim().is_empty() || key.trim().contains(char::is_whitespace) {
        findings.mistakes.push(format!(
            "{line}wifi.api_key_file {name} must hold the key as `machine add` prints it, in one line"
        ));
    }
    let mode = fs::metadata(path).map_or(0, |meta| meta.permissions().mode());
    // A group may read it: the service may run as its own user with the file owned by root.
    if mode & 0o027 != 0 {
        findings.mistakes.push(format!(
            "{line}wifi.api_key_file {name} can be read by others (mode {:o}); run: chmod 600 {name}",
            mode & 0o777
        ));
    }
}

fn check_trust(wifi: &Wifi, looking: &Looking, findings: &mut Findings) {
    if let Err(error) = Client::new(wifi) {
        let key = if wifi.trust.ca_file.is_some() {
            "ca_file"
        } else {
            "url"
        };
        let line = looking.lines.of("wifi", key);
        findings.mistakes.push(format!("{line}{error}"));
    }
    if wifi.trust.pins.is_empty() && wifi.trust.ca_file.is_none() {
        findings.remarks.push(
            "wifi.pin is not set; the server needs a certificate that the system trusts".to_owned(),
        );
    }
}

fn check_clock(now: Micros, state: Option<ClockState>, findings: &mut Findings) {
    if now < NO_CLOCK_BEFORE {
        findings.remarks.push(format!(
            "the machine's clock says {}; entries are kept, and their times repaired once it is \
             right. Look with: timedatectl",
            now.to_rfc3339()
        ));
    } else if state == Some(ClockState::Unsynced) {
        findings.remarks.push(
            "no time source sets the machine's clock at the moment; look with: timedatectl"
                .to_owned(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_never_set_or_is_not_disciplined_is_remarked() {
        let remarks = |now, state| {
            let mut findings = Findings::default();
            check_clock(now, state, &mut findings);
            assert_eq!(findings.mistakes, [""; 0]);
            findings.remarks.concat()
        };
        let (start, later) = (Micros(0), NO_CLOCK_BEFORE);
        assert!(remarks(start, Some(ClockState::Unsynced)).contains("says 1970-01-01"));
        assert!(remarks(later, Some(ClockState::Unsynced)).contains("no time source"));
        assert_eq!(remarks(later, Some(ClockState::Synced)), "");
        assert_eq!(remarks(later, None), "");
    }
}
