//! How many files and connections this process may have open at once. Connections must leave some for
//! the store: whoever opens a thousand of them must not keep it from its day files.

/// More than this is never asked for.
const WANTED: u64 = 65_536;

/// Raises the limit as far as the system lets without more rights, and answers what it is then.
#[cfg(unix)]
pub fn raise_limit() -> usize {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the call fills the struct that it is given and keeps no reference to it.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } != 0 {
        return usize::MAX;
    }
    let wanted = limit.rlim_max.min(WANTED as libc::rlim_t);
    if limit.rlim_cur < wanted {
        let raised = libc::rlimit {
            rlim_cur: wanted,
            ..limit
        };
        // SAFETY: the call only reads the struct.
        if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raised) } == 0 {
            limit = raised;
        }
    }
    usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX)
}

/// This system has no such limit.
#[cfg(not(unix))]
pub fn raise_limit() -> usize {
    let _ = WANTED;
    usize::MAX
}
