//! `vendlog-agent check`: everything that can be wrong with a configuration and its surroundings,
//! found before the agent runs unattended.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::config::{Config, Wifi};
use crate::wifi::Client;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The agent could not do its work.
    pub mistakes: Vec<String>,
    /// It could, but somebody may be surprised.
    pub remarks: Vec<String>,
}

/// Looks at the surroundings of a configuration that was read without mistakes. `line_of` gives the
/// line of a key's value, such as `wifi.api_key_file`.
pub fn check(config: &Config, text: &str) -> Findings {
    let mut findings = Findings::default();
    for input in &config.inputs {
        let line = crate::config::line_of(text, input.span.start);
        if let Some(path) = input.file_path() {
            check_input(path, line, &mut findings);
        }
    }
    check_dir(&config.state_dir, "state_dir", text, &mut findings);
    if let Some(dir) = config.local.path.parent() {
        check_dir(dir, "local.path", text, &mut findings);
    }
    if let Some(wifi) = &config.wifi {
        check_key(&wifi.api_key_file, text, &mut findings);
        check_trust(wifi, text, &mut findings);
    }
    findings
}

fn check_input(path: &Path, line: usize, findings: &mut Findings) {
    match File::open(path).and_then(|file| file.metadata()) {
        Ok(meta) if meta.is_file() => {}
        Ok(_) => findings.mistakes.push(format!(
            "line {line}: input {} is not a file; name the log file itself",
            path.display()
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            findings.remarks.push(format!(
                "line {line}: input {} is not there yet; the agent will wait for it",
                path.display()
            ));
        }
        Err(error) => findings.mistakes.push(format!(
            "line {line}: input {} cannot be read: {error}; give the agent's user the right to",
            path.display()
        )),
    }
}

fn check_key(path: &Path, text: &str, findings: &mut Findings) {
    let line = line_of_key(text, "api_key_file");
    let name = path.display();
    let key = match fs::read_to_string(path) {
        Ok(key) => key,
        Err(error) => {
            findings.mistakes.push(format!(
                "{line}wifi.api_key_file {name} cannot be read: {error}; put the machine's key there"
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

fn check_trust(wifi: &Wifi, text: &str, findings: &mut Findings) {
    if let Err(error) = Client::new(wifi) {
        let key = if wifi.trust.ca_file.is_some() {
            "ca_file"
        } else {
            "url"
        };
        findings
            .mistakes
            .push(format!("{}{error}", line_of_key(text, key)));
    }
    if wifi.trust.pins.is_empty() && wifi.trust.ca_file.is_none() {
        findings.remarks.push(
            "wifi.pin is not set; the server needs a certificate that the system trusts".to_owned(),
        );
    }
}

/// The directory, or the nearest one above it that is there, must be writable.
fn check_dir(dir: &Path, key: &str, text: &str, findings: &mut Findings) {
    let line = line_of_key(text, key.rsplit('.').next().unwrap_or(key));
    let existing = dir
        .ancestors()
        .find(|dir| dir.exists())
        .unwrap_or(Path::new("."));
    if !existing.is_dir() {
        let name = existing.display();
        findings
            .mistakes
            .push(format!("{line}{key}: {name} is not a directory"));
    } else if let Err(error) = try_writing(existing) {
        findings.mistakes.push(format!(
            "{line}{key}: {} cannot be written: {error}; give the agent's user the right to",
            existing.display()
        ));
    }
}

fn try_writing(dir: &Path) -> io::Result<()> {
    let probe: PathBuf = dir.join(format!(".vendlog-check-{}", std::process::id()));
    File::create_new(&probe)?;
    fs::remove_file(&probe)
}

/// `line n: ` of the first line that sets `key`, or nothing when it is a default.
fn line_of_key(text: &str, key: &str) -> String {
    let sets = |line: &str| {
        line.trim_start()
            .strip_prefix(key)
            .is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    match text.lines().position(sets) {
        Some(index) => format!("line {}: ", index + 1),
        None => String::new(),
    }
}
