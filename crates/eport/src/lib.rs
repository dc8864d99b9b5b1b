//! The card reader's serial protocol as bytes in, values out: no port, no clock. Its file upload has
//! been tested on a simulator only; the vendor's manual is not public.
//!
//! The vending application or the agent is the *kiosk* and speaks first; the reader (ePort) answers.
//! [`decoder`] finds frames in bytes, [`command`] and [`response`] are what they say, [`kiosk`] leads
//! one dialogue to its end, and [`simulator`] is a reader. What is guessed of the upload is in
//! [`layout`], and nowhere else.

pub mod clock;
pub mod command;
pub mod crc;
pub mod decoder;
pub mod fields;
pub mod frame;
pub mod kiosk;
pub mod layout;
pub mod response;
pub mod simulator;

pub use clock::{DateOrder, TimeAndDate};
pub use command::Command;
pub use decoder::{Decoder, Event};
pub use fields::{Malformed, Secret};
pub use frame::{Dialect, Frame, wire_time};
pub use kiosk::{Failure, Goal, Kiosk, Outcome, Step, UploadFile};
pub use layout::UploadLayout;
pub use response::Response;
