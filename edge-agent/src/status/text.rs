//! The status in plain words, for a person at the machine.

use wire::ClockState;
use wire::care::ConfigState;

use super::{EportStatus, LastEntry, Status, WifiStatus};

/// What stands before each line's words.
const LABEL_CHARS: usize = 15;
/// A message is cut here: it is to be known again, not read in full.
const MESSAGE_CHARS: usize = 100;

pub(super) fn text(status: &Status) -> String {
    let mut lines = Lines::default();
    lines.add("machine", &status.machine_id);
    lines.add(
        "agent",
        match status.is_running {
            Some(true) => "runs",
            Some(false) => "does not run; start it with: sudo systemctl start vendlog-agent",
            None => "cannot be seen by this user; ask with sudo",
        },
    );
    lines.add(
        "clock",
        match status.clock {
            Some(ClockState::Unsynced) => "set by nobody at the moment; look with: timedatectl",
            Some(_) => "right",
            None => "the system does not say",
        },
    );
    match &status.last_entry {
        Some(entry) => lines.add("last entry", &words(entry)),
        None => lines.add(
            "last entry",
            "none was read yet; look with: sudo vendlog-agent check",
        ),
    }
    for (name, input) in &status.inputs {
        let place = input
            .offset
            .map(|offset| format!(", read up to byte {offset}"));
        lines.add("input", &format!("{name}{}", place.unwrap_or_default()));
    }
    let spool = &status.spool;
    let (megabytes, most) = (spool.bytes.div_ceil(1_000_000), spool.max_bytes / 1_000_000);
    lines.add(
        "waiting",
        &format!(
            "{} entries; {megabytes} of {most} MB on disk",
            spool.entries
        ),
    );
    if spool.damaged > 0 {
        lines.add(
            "damaged",
            &format!("{} entries; look with: vendlog-agent spool", spool.damaged),
        );
    }
    match &status.wifi {
        Some(wifi) => add_wifi(&mut lines, wifi),
        None if status.eport.is_some() => {
            lines.add(
                "server",
                "[wifi] is off: entries go through the card reader",
            );
        }
        None => lines.add("server", "[wifi] is off: entries stay on this machine"),
    }
    if let Some(eport) = &status.eport {
        add_eport(&mut lines, eport);
    }
    if let Some(config) = &status.config {
        let became = match config.state {
            ConfigState::Active => "is in use",
            ConfigState::Trial => "is on trial until the server is reached with it",
            ConfigState::Refused => "was refused",
            ConfigState::RolledBack => "did not reach the server; the one before is in use again",
        };
        let why = config.error.as_ref().map(|error| format!(": {error}"));
        let why = why.unwrap_or_default();
        lines.add(
            "configuration",
            &format!("{} from the server {became}{why}", config.version),
        );
    } else {
        lines.add("configuration", "the machine's own file");
    }
    for gap in &status.gaps {
        lines.add("gap", &words(gap));
    }
    lines.text
}

fn add_wifi(lines: &mut Lines, wifi: &WifiStatus) {
    let last = wifi.last_delivery.as_deref();
    lines.add("last delivery", last.unwrap_or("none yet"));
    if let Some(error) = &wifi.last_error {
        lines.add("last error", &format!("since {}: {}", error.at, error.text));
        if let Some(advice) = &wifi.advice {
            lines.add("what to do", advice);
        }
    }
    if wifi.put_aside > 0 {
        let aside = format!(
            "{} entries the server refused; see put-aside.ndjson",
            wifi.put_aside
        );
        lines.add("put aside", &aside);
    }
    let renewed = if wifi.is_key_renewed {
        ", renewed by the server"
    } else {
        ""
    };
    match &wifi.key_id {
        Some(id) => lines.add("key", &format!("{id}{renewed}")),
        None => lines.add("key", "cannot be read; look with: sudo vendlog-agent check"),
    }
}

fn add_eport(lines: &mut Lines, eport: &EportStatus) {
    let last = match (&eport.last_drop, eport.last_number) {
        (Some(at), Some(number)) => format!("{number} at {at}"),
        _ => "none yet".to_owned(),
    };
    let waits = eport
        .pending
        .map(|number| format!("; {number} waits for the reader"));
    lines.add("last drop", &format!("{last}{}", waits.unwrap_or_default()));
    if let Some(error) = &eport.last_error {
        lines.add(
            "reader",
            &format!("since {}: {}", error.at, plain(&error.text)),
        );
    }
    let kb = |bytes: u64| bytes.div_ceil(1000);
    lines.add(
        "cellular data",
        &format!(
            "{} of {} kB this month in {} drops; {} kB at its end when it goes on like this",
            kb(eport.used_bytes),
            kb(eport.budget_bytes),
            eport.drops,
            kb(eport.forecast_bytes)
        ),
    );
    if let Some(held) = &eport.held {
        lines.add("held back", held);
    }
    if let Some(rssi) = eport.signal_rssi {
        lines.add("cell signal", &rssi.to_string());
    }
}

/// What came from outside is hostile: it must not move the cursor or colour the terminal.
fn plain(text: &str) -> String {
    text.chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect()
}

fn words(entry: &LastEntry) -> String {
    let mut message: String = entry.message.chars().take(MESSAGE_CHARS).collect();
    // What is logged is hostile: it must not move the cursor or colour the terminal.
    message = message
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect();
    format!(
        "{} {} {}: {message}",
        entry.timestamp, entry.level, entry.component
    )
}

#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn add(&mut self, label: &str, words: &str) {
        self.text
            .push_str(&format!("{label:<LABEL_CHARS$}{words}\n"));
    }
}
