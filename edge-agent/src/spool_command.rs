//! `vendlog-agent spool`: prints what the spool holds, or its entries. The reading is done in
//! [`crate::spool::inspect`].

use std::io::{self, Write};

use serde::Serialize;

use crate::config::Config;
use crate::durable;
use crate::spool::inspect::{Contents, each_entry, inspect};
use crate::spool::{Room, SeqRange};
use crate::state_dir::names;
use crate::wifi::WifiState;

/// What to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Counts, as JSON for a person's eyes.
    Pretty,
    /// The same on one line.
    Line,
    /// The entries of these seqs, one JSON object a line.
    Entries(SeqRange),
}

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    contents: Contents,
    /// At this size inputs pause.
    limit_bytes: u64,
    /// Every entry up to this seq is delivered by WiFi; `null` when it is off.
    delivered_wifi: Option<u64>,
}

/// Prints it to `out`; changes nothing, and may run beside the agent.
///
/// # Errors
/// The spool cannot be read, or `out` not be written.
pub fn run(config: &Config, wanted: Wanted, out: &mut impl Write) -> io::Result<()> {
    let dir = config.state_dir.join(names::SPOOL);
    if let Wanted::Entries(range) = wanted {
        each_entry(&dir, range, |json| writeln!(out, "{json}"))?;
        return out.flush();
    }
    let contents = inspect(&dir)?;
    let state: Option<WifiState> = durable::load(&config.state_dir.join(names::WIFI));
    let state = state.filter(|state| Some(state.epoch) == contents.epoch);
    let answer = Answer {
        limit_bytes: Room::new(&dir, config.spool).limit_bytes(),
        delivered_wifi: config
            .wifi
            .as_ref()
            .map(|_| state.map_or(0, |state| state.bulk)),
        contents,
    };
    let json = match wanted {
        Wanted::Line => serde_json::to_string(&answer),
        _ => serde_json::to_string_pretty(&answer),
    };
    writeln!(out, "{}", json.map_err(io::Error::other)?)?;
    out.flush()
}
