//! What is told: everything that a channel may need, as plain text. Who is told and when is decided
//! before; how it looks is each channel's own.

use serde::{Deserialize, Serialize};
use wire::Micros;

use crate::Template;

/// One message to one recipient by one channel. Every text is plain; none is HTML or markdown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Unique for this delivery: a repeat after a crash carries the same, so that a receiver that
    /// looks at it (Message-ID, `webhook-id`) sees it once. At most 255 characters.
    pub id: String,
    /// Why it is told now.
    pub kind: Kind,
    /// The alert, unless it is a digest or a test.
    pub alert: Option<AlertRef>,
    /// How grave it is.
    pub severity: Severity,
    /// The kind of trouble: `Payment System Down`.
    pub issue: String,
    /// The machines it is about: one, or those of a group or digest.
    pub machines: Vec<MachineRef>,
    /// When it happened.
    pub at: Micros,
    /// The recipient's IANA time zone; one that is not known is taken as UTC.
    pub timezone: String,
    /// One or two sentences: what, how many, the last message; for an acknowledgement who and why.
    pub facts: String,
    /// The single events of a digest or group.
    pub items: Vec<Item>,
    /// Drawn into digests by e-mail.
    pub chart: Option<Chart>,
    /// Opens the alert; `https`, or `http` to a private address. Others are left out.
    pub link: Option<String>,
    /// It is told later than it should have been.
    pub is_late: bool,
    /// The user's own words; ours when there is none.
    pub template: Option<Template>,
}

/// Why a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// The first of an alert.
    First,
    /// Nobody has acknowledged it yet.
    Repeat {
        /// The how-manieth repeat, from 1.
        n: u32,
    },
    /// Those before did not acknowledge it.
    Escalation {
        /// The how-manieth step, from 1.
        step: u32,
    },
    /// It is over.
    Resolved,
    /// Somebody has taken it.
    Acknowledged,
    /// Many machines at once.
    Group,
    /// What was gathered over an hour or a day.
    Digest,
    /// A summary of what came too late to be told one by one.
    Late,
    /// Somebody tries the channel.
    Test,
}

/// The alert that a message is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRef {
    /// The same for every message of one alert: what PagerDuty calls its dedup key.
    pub id: String,
    /// The short number that people type: `ACK 12`.
    pub no: u64,
}

/// How grave an alert is. Ordered by weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// To be looked at when there is time.
    Warning,
    /// Something failed.
    Error,
    /// Somebody must act now.
    Critical,
}

impl Severity {
    /// Every severity, lightest first.
    pub const ALL: [Severity; 4] = [
        Severity::Info,
        Severity::Warning,
        Severity::Error,
        Severity::Critical,
    ];

    /// As it is written in a message: `INFO`, `WARNING`, `ERROR`, `CRITICAL`.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "INFO",
            Severity::Warning => "WARNING",
            Severity::Error => "ERROR",
            Severity::Critical => "CRITICAL",
        }
    }
}

/// A machine as people know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineRef {
    /// `VM001`.
    pub id: String,
    /// What people call it; may be empty.
    pub name: String,
    /// The site it stands at; may be empty.
    pub site: String,
    /// Where on the site; may be empty.
    pub location: String,
}

/// One event of a digest or group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The machine's id.
    pub machine: String,
    /// The kind of trouble.
    pub issue: String,
    /// When it happened last.
    pub at: Micros,
    /// What happened.
    pub text: String,
    /// How often.
    pub count: u64,
}

/// Counts over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chart {
    /// What is counted: `Errors an hour`.
    pub title: String,
    /// Oldest first.
    pub bars: Vec<Bar>,
}

/// What was counted from one instant on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// Where the bar begins.
    pub at: Micros,
    /// Counts in the order of [`Severity::ALL`].
    pub counts: [u64; 4],
}

impl Message {
    /// What the test of a channel sends.
    pub fn test(id: String, at: Micros, timezone: String) -> Message {
        Message {
            id,
            kind: Kind::Test,
            alert: None,
            severity: Severity::Info,
            issue: "Test of this channel".into(),
            machines: vec![MachineRef {
                id: "VM000".into(),
                name: "No real machine".into(),
                site: "Test site".into(),
                location: String::new(),
            }],
            at,
            timezone,
            facts: "Somebody tries whether messages arrive here. There is nothing to do.".into(),
            items: Vec::new(),
            chart: None,
            link: None,
            is_late: false,
            template: None,
        }
    }
}
