//! What the way through the card reader needs: a port that is there, may be used, and that nobody else
//! has; a dictionary that can be read.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use super::{Findings, Looking, access};
use crate::config::{Eport, EportMode};
use crate::eport::read_file;
use crate::eport::serial::holders::{self, Holder};

/// As the kernel cuts it to 15 characters: a running agent may have its own port.
const AGENT_NAME: &str = "vendlog-agent";
/// A serial line that nobody answers on must not hold the check.
const DO_NOT_WAIT: i32 = libc::O_NONBLOCK | libc::O_NOCTTY;

pub(super) fn check(config: &Eport, looking: &Looking, findings: &mut Findings) {
    if let EportMode::Serial(port) = &config.mode {
        check_port(port, looking, findings);
    }
    if let Some(file) = &config.dictionary_file
        && let Err(why) = read_file(file)
    {
        let line = looking.lines.of("eport", "dictionary_file");
        findings.mistakes.push(format!(
            "{line}eport.dictionary_file {}: {why}; the one that came with the agent is used",
            file.display()
        ));
    }
}

fn check_port(port: &Path, looking: &Looking, findings: &mut Findings) {
    let line = looking.lines.of("eport", "port");
    let name = port.display();
    let meta = match fs::metadata(port) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            findings.mistakes.push(format!(
                "{line}eport.port {name} is not there; plug the reader in, and look with: ls \
                 /dev/serial/by-id"
            ));
            return;
        }
        Err(error) => {
            findings
                .mistakes
                .push(format!("{line}eport.port {name}: {error}"));
            return;
        }
    };
    if !meta.file_type().is_char_device() {
        findings
            .mistakes
            .push(format!("{line}eport.port {name} is no serial port"));
        return;
    }
    let holder = holders::look(port).ok().and_then(|sight| sight.holder);
    if let Some(Holder { pid, name: program }) = holder.filter(|holder| holder.name != AGENT_NAME) {
        findings.mistakes.push(format!(
            "{line}eport.port {name} is held by {program} (process {pid}): two programs on one line \
             take each other's bytes; when that is the vending application, set mode = \"handoff\""
        ));
        return;
    }
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(DO_NOT_WAIT)
        .open(port);
    if let Err(error) = opened {
        let advice = match access::refusal(port, &looking.user) {
            Some(refusal) => format!("; run: {}, then restart the agent", refusal.advice),
            None if error.raw_os_error() == Some(libc::EBUSY) => {
                "; another program has it for itself".to_owned()
            }
            None => String::new(),
        };
        findings.mistakes.push(format!(
            "{line}eport.port {name} cannot be opened: {error}{advice}"
        ));
    }
}
