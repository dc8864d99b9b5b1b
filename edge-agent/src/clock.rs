//! The machine's clock. It is read here and nowhere else; everything else is told the time.

use jiff::Timestamp;
use wire::{ClockState, Micros};

/// What the clock says, and how far that can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wall {
    /// The time.
    pub at: Micros,
    /// Whether a time source disciplines it; `Synced` when the kernel does not say.
    pub state: ClockState,
}

/// The time now.
pub fn now() -> Micros {
    Micros::from_timestamp(Timestamp::now())
}

/// The time now, with its state.
pub fn wall() -> Wall {
    Wall {
        at: now(),
        state: state().unwrap_or_default(),
    }
}

/// Whether the kernel's clock is disciplined by a time source; `None` when it does not say.
pub fn state() -> Option<ClockState> {
    // SAFETY: all zeros is a valid `timex`, and with `modes` 0 the call only reads.
    let (answer, timex) = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&mut timex), timex)
    };
    if answer < 0 {
        return None;
    }
    Some(match timex.status & libc::STA_UNSYNC {
        0 => ClockState::Synced,
        _ => ClockState::Unsynced,
    })
}
