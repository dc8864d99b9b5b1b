//! An entry as the API answers it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::StoredEntry;
use utoipa::ToSchema;
use wire::{ClockState, Level, MachineId};

/// One stored entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Entry {
    /// Opaque, for links and for `GET /api/logs/context`.
    pub id: String,
    /// Whose.
    pub machine_id: MachineId,
    /// The numbering spool; null for entries without numbers.
    #[schema(required = true)]
    pub epoch: Option<u64>,
    /// The number within the epoch; null for entries without numbers.
    #[schema(required = true)]
    pub seq: Option<u64>,
    /// Event time as the sender gave it, RFC 3339 UTC with milliseconds.
    pub timestamp: String,
    /// Arrival, by the server's clock.
    pub received_at: String,
    /// First arrival over WiFi; absent when it did not come so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wifi_at: Option<String>,
    /// First arrival in a drop; absent when it did not come so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cell_at: Option<String>,
    /// The time by which it is filed, ordered and kept.
    pub filed_at: String,
    /// How grave.
    pub level: Level,
    /// The part of the machine it speaks of.
    pub component: String,
    /// What happened.
    pub message: String,
    /// Details.
    #[schema(value_type = std::collections::HashMap<String, Value>)]
    pub context: Map<String, Value>,
    /// How far the timestamp can be trusted.
    pub clock: ClockState,
    /// Which way it came.
    pub path: EntryPath,
    /// Whole, or shortened to fit a drop.
    pub fidelity: Fidelity,
    /// The sentence without its parameters.
    pub template: String,
    /// `[start, end]` of each parameter in `message`, in UTF-16 code units, ascending.
    pub params: Vec<(usize, usize)>,
}

/// Which way an entry came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EntryPath {
    /// HTTPS from the agent.
    Wifi,
    /// A drop through the card reader.
    Cell,
    /// One after the other.
    Both,
}

impl EntryPath {
    /// Its name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            EntryPath::Wifi => "wifi",
            EntryPath::Cell => "cell",
            EntryPath::Both => "both",
        }
    }
}

/// How much of an entry is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Fidelity {
    /// As it was written.
    Full,
    /// Shortened.
    Summary,
}

impl Fidelity {
    /// Its name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Fidelity::Full => "full",
            Fidelity::Summary => "summary",
        }
    }
}

impl From<StoredEntry> for Entry {
    fn from(stored: StoredEntry) -> Entry {
        let params = utf16_ranges(&stored.message, &stored.params);
        Entry {
            id: stored.id,
            machine_id: stored.machine_id,
            epoch: stored.epoch,
            seq: stored.seq,
            timestamp: stored.timestamp.to_rfc3339(),
            received_at: stored.received_at.to_rfc3339(),
            wifi_at: stored.wifi_at.map(|at| at.to_rfc3339()),
            cell_at: stored.cell_at.map(|at| at.to_rfc3339()),
            filed_at: stored.filed_at.to_rfc3339(),
            level: stored.level,
            component: stored.component,
            message: stored.message,
            context: stored.context,
            clock: stored.clock,
            path: match (stored.by_wifi, stored.by_cell) {
                (true, true) => EntryPath::Both,
                (false, true) => EntryPath::Cell,
                _ => EntryPath::Wifi,
            },
            fidelity: if stored.full {
                Fidelity::Full
            } else {
                Fidelity::Summary
            },
            template: stored.template,
            params,
        }
    }
}

/// Byte ranges as UTF-16 ranges, which is how a browser counts. Ranges that do not ascend or do not
/// lie on character bounds are left out: they only colour the text.
fn utf16_ranges(text: &str, ranges: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut done_bytes = 0;
    let mut done_units = 0;
    let mut units_at = |byte: usize| {
        let piece = text.get(done_bytes..byte)?;
        done_units += piece.chars().map(char::len_utf16).sum::<usize>();
        done_bytes = byte;
        Some(done_units)
    };
    ranges
        .iter()
        .filter_map(|(start, end)| {
            let start = units_at(*start)?;
            Some((start, units_at(*end)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_count_as_a_browser_counts() {
        let text = "€5 für 🥤 Nr 12";
        let five = text.find('5').unwrap();
        let drink = text.find('🥤').unwrap();
        let twelve = text.find("12").unwrap();
        let ranges = [(five, five + 1), (drink, drink + 4), (twelve, twelve + 2)];
        let expected = [(1, 2), (7, 9), (13, 15)];
        assert_eq!(utf16_ranges(text, &ranges), expected);
        let units: Vec<u16> = text.encode_utf16().collect();
        assert_eq!(String::from_utf16(&units[13..15]).unwrap(), "12");
    }

    #[test]
    fn damaged_ranges_are_left_out() {
        assert_eq!(utf16_ranges("€5", &[(1, 2), (3, 4)]), [(1, 2)]);
        assert_eq!(utf16_ranges("abc", &[(2, 3), (0, 1)]), [(2, 3)]);
        assert_eq!(utf16_ranges("abc", &[(1, 99)]), []);
    }
}
