//! Tier 3: entries to the server over HTTPS, by two lanes. The urgent one sends grave levels at
//! once; the bulk one sends everything else in its time, and its cursor says what is delivered.

mod backoff;
mod client;
mod cursor;
mod lane;
mod link;
mod pace;
pub mod pin;
mod put_aside;
mod route;

use std::cell::RefCell;
use std::rc::Rc;

pub use backoff::Backoff;
pub use client::{Client, Failure};
pub(crate) use client::{read_limited, words};
pub use cursor::{Delivery, SeenError, Sending, WifiState};
pub use lane::{Lane, LaneKind, LaneParts};
pub use link::{Link, NO_ROUTE, Reach};
pub use put_aside::PutAside;

/// What both lanes and the heartbeat share, on one thread.
pub type SharedDelivery = Rc<RefCell<Delivery>>;
