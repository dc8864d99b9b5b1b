//! Tier 2: entries through the card reader's cellular link, as drops of at most 900 bytes. What is
//! due when is decided here; the reader's protocol is `serial`, or the vending application's own.

mod budget;
mod choice;
mod day;
mod dictionaries;
mod fresh;
mod memory;
mod moment;
mod outbox;
mod schedule;
pub mod serial;
mod shipper;
mod sight;
mod state;
mod urgency;

use std::cell::RefCell;
use std::rc::Rc;

use wire::CellHealth;

pub use budget::{Month, Thrift};
pub use day::{DAILY_SUMMARY, Day};
pub use dictionaries::{Dictionaries, keep_checked, read_file};
pub use moment::Moment;
pub use outbox::{Offer, Outbox, ReaderFacts, Report, Said};
pub use shipper::{Shipper, ShipperParts};
pub use sight::WifiSight;
pub use state::{DropError, EportState, Pending};

/// What heartbeats say of the path, renewed by the shipper on the same thread.
pub type SharedHealth = Rc<RefCell<CellHealth>>;
