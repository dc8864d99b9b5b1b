//! Who says that the clock is set: the kernel, or a file that a time daemon makes.

use std::path::PathBuf;

use wire::ClockState;

/// Whose word counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The kernel's own flag, which time daemons clear when they set the clock.
    Kernel,
    /// This file is there, for images whose time daemon does not tell the kernel. It must vanish
    /// with a reboot, as everything under `/run` does.
    File(PathBuf),
}

impl Source {
    /// The one that the configuration names.
    pub fn of(config: &crate::config::Clock) -> Source {
        match &config.synced_file {
            Some(path) => Source::File(path.clone()),
            None => Source::Kernel,
        }
    }

    /// What it says now.
    pub fn state(&self) -> ClockState {
        match self.is_set() {
            true => ClockState::Synced,
            false => ClockState::Unsynced,
        }
    }

    /// Whether the clock is set now; a kernel that does not say counts as set.
    pub fn is_set(&self) -> bool {
        match self {
            Source::Kernel => kernel() != Some(ClockState::Unsynced),
            Source::File(path) => path.exists(),
        }
    }
}

/// Whether the kernel's clock is disciplined by a time source; `None` when it does not say.
fn kernel() -> Option<ClockState> {
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
