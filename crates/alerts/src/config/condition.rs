//! What must be true of a machine for a rule to hold. One variant a kind; how each is judged stands in
//! the file of its name under `evaluate/`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::filter::Filter;

/// What must be true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// So many entries within a time, by their own time. A count of one is "any such entry".
    Entries {
        /// Which entries.
        filter: Filter,
        /// How many.
        #[serde(default = "one")]
        count: usize,
        /// Within so many seconds; of no meaning when the count is one.
        #[serde(default)]
        within_s: i64,
        /// What makes alerts of one machine different ones.
        #[serde(default)]
        split_by: SplitBy,
    },
    /// Something began and has not ended: the newest entry that begins it is later than the newest that
    /// ends it. How long it must last is the rule's `for_s`.
    Stays {
        /// What begins it.
        begins: Filter,
        /// What ends it.
        ends: Filter,
    },
    /// Nothing was heard, by arrival.
    Silence {
        /// Which way.
        #[serde(default)]
        path: Way,
        /// Seconds without contact over WiFi that are too long.
        wifi_s: i64,
        /// Seconds without a drop that are too long; by default what the machine's status uses: two
        /// missed drops and an hour.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cell_s: Option<i64>,
    },
    /// A number in the context of the newest entry of its kind is beyond a limit.
    Value {
        /// Which entries carry it.
        filter: Filter,
        /// The field of the context that is the number.
        field: String,
        /// Below the limit, or above it.
        #[serde(default)]
        side: Side,
        /// The limit where none is set for the product.
        limit: f64,
        /// The field that says of what (a product); each is judged by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<String>,
        /// Limits of their own.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        limits: BTreeMap<String, f64>,
    },
    /// A link goes and comes: so many changes within a time.
    Flapping {
        /// Which way; `any` counts both together.
        #[serde(default)]
        path: Way,
        /// How many times it went or came.
        changes: usize,
        /// Within so many seconds.
        within_s: i64,
    },
    /// Numbers of entries or drops are missing.
    Gap {
        /// So many or more.
        #[serde(default = "one_u64")]
        missing: u64,
    },
    /// The data plan of the month.
    Budget {
        /// Used so much of it (0.8 is 80 %), or the forecast says that it will not last.
        share: f64,
    },
    /// No such entry for so many hours of the machine's opening hours.
    None {
        /// Which entries are missed.
        filter: Filter,
        /// Hours in which the machine is open.
        open_hours: f64,
    },
}

/// What makes alerts of one machine different ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SplitBy {
    /// Nothing: one alert a machine.
    #[default]
    Machine,
    /// The component, so that a pump's failure is told while a motor's is open.
    Component,
    /// The sentence.
    Template,
}

/// A way to be heard.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Either.
    #[default]
    Any,
    /// HTTPS from the agent.
    Wifi,
    /// Drops through the card reader.
    Cell,
}

/// On which side of the limit trouble is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Below it.
    #[default]
    Below,
    /// Above it.
    Above,
}

fn one() -> usize {
    1
}

fn one_u64() -> u64 {
    1
}
