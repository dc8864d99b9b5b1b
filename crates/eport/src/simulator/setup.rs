//! How a simulated reader is, and what goes wrong with it.

use std::time::Duration;

use crate::layout::UploadLayout;

/// How a simulated reader is.
#[derive(Debug, Clone, PartialEq)]
pub struct Setup {
    /// Decides everything that is left to chance.
    pub seed: u64,
    /// How it understands an upload.
    pub layout: UploadLayout,
    /// From switching on to a cell connection.
    pub boot: Duration,
    /// What it does when nobody wants anything.
    pub rest: Rest,
    /// From the end of a command to its ACK.
    pub ack_delay: Duration,
    /// From the end of STATUS to its answer.
    pub answer_delay: Duration,
    /// From 24 to the first 12.
    pub ready_delay: Duration,
    /// From the last record until the server has the file.
    pub server_delay: Duration,
    /// Its customers.
    pub sales: Sales,
    /// What goes wrong.
    pub faults: Faults,
    /// Its serial number.
    pub serial_number: String,
    /// Its software.
    pub software_revision: String,
    /// Signal and bit error rate.
    pub signal: (u32, u32),
    /// The reader's clock at the time 0, in seconds since 1970.
    pub unix_seconds_at_0: i64,
    /// Its zone's hours from UTC.
    pub offset_hours: i64,
}

/// What a reader does when nobody wants anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// 0.
    Ok,
    /// 6, as with an application that enables it for each customer.
    Disabled,
}

/// Who comes, and how it ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Sales {
    /// A customer presents a card about this often, once the reader takes cards.
    pub every: Option<Duration>,
    /// How long the bank takes.
    pub authorizing: Duration,
    /// How many are declined, 0.0 to 1.0.
    pub declined: f64,
    /// The amount when the application only enables the reader.
    pub charge_cents: u32,
}

/// What goes wrong: shares of bytes, commands or uploads, 0.0 to 1.0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Faults {
    /// Bytes that do not arrive.
    pub lost: f64,
    /// Bytes that arrive twice.
    pub doubled: f64,
    /// Bytes that arrive after the one behind them.
    pub reordered: f64,
    /// Bytes of which one bit is wrong.
    pub flipped: f64,
    /// Bytes before which the line pauses for a moment.
    pub split: f64,
    /// Commands that are answered with NAK.
    pub nak: f64,
    /// Uploads and requests of the time that end with 30 to 33.
    pub cell: f64,
    /// Uploads that the reader cancels in the middle.
    pub cancel: f64,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            seed: 1,
            layout: UploadLayout::default(),
            boot: Duration::ZERO,
            rest: Rest::Disabled,
            ack_delay: Duration::from_millis(5),
            answer_delay: Duration::from_millis(10),
            ready_delay: Duration::from_millis(50),
            server_delay: Duration::from_millis(300),
            sales: Sales {
                every: None,
                authorizing: Duration::from_secs(3),
                declined: 0.0,
                charge_cents: 2_000,
            },
            faults: Faults::default(),
            serial_number: "K3BTS000123".to_owned(),
            software_revision: "USA-G9-1.0".to_owned(),
            signal: (18, 0),
            unix_seconds_at_0: 1_769_092_215,
            offset_hours: -8,
        }
    }
}
