//! The one place of this crate where the wall clock is read; everything below takes `now`.

use wire::Micros;

/// The instant now, by this machine's clock.
pub fn now() -> Micros {
    Micros::from_timestamp(jiff::Timestamp::now())
}
