//! The last position of every input, kept beside the segments so that it outlives them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ranges::SeqRanges;
use crate::input::Origin;

/// What a restart needs when the segments that held it have been removed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The spool's epoch.
    pub epoch: u64,
    /// The highest synced seq when this was written.
    pub last_seq: u64,
    /// Each input's last origin, by the input's name.
    pub origins: BTreeMap<String, Origin>,
    /// Seqs known to be damaged that somebody was told of.
    #[serde(default)]
    pub reported: SeqRanges,
}

/// An origin as a block carries it: with the name of its input.
#[derive(Debug, Serialize, Deserialize)]
pub struct Sourced<O> {
    /// The input's name: its path.
    #[serde(rename = "in")]
    pub input: String,
    /// Where in it the last entry ended. Not flattened: serde cannot read a map with numbers for
    /// keys (the pack's runs) through a flattened field.
    #[serde(rename = "at")]
    pub origin: O,
}
