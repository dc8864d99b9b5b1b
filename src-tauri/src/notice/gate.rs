//! Whether a CRITICAL is worth a notification. Pure: time is an argument.

use std::collections::HashMap;

/// An older entry is history: it was told when it happened, or the window shows it.
const YOUNGER_THAN_US: i64 = 10 * 60 * 1_000_000;

/// A machine in trouble repeats itself; one notification in this time is enough to look.
const ONCE_IN_US: i64 = 10 * 60 * 1_000_000;

/// Remembers when each machine was last told of, and forgets what no longer matters.
#[derive(Debug, Default)]
pub struct Gate {
    told_at_us: HashMap<String, i64>,
}

impl Gate {
    /// True when the entry of `machine`, filed at `at_us`, should be told at `now_us` (both in
    /// microseconds UTC). Answering true counts as told.
    pub fn admits(&mut self, machine: &str, at_us: i64, now_us: i64) -> bool {
        self.told_at_us
            .retain(|_, told| (0..ONCE_IN_US).contains(&(now_us - *told)));
        if now_us.saturating_sub(at_us) >= YOUNGER_THAN_US || self.told_at_us.contains_key(machine)
        {
            return false;
        }
        self.told_at_us.insert(machine.to_owned(), now_us);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60 * 1_000_000;
    const NOON: i64 = 1_800_000_000_000_000;

    #[test]
    fn a_fresh_entry_is_told_and_an_old_one_is_not() {
        let mut gate = Gate::default();
        assert!(!gate.admits("VM001", NOON - 10 * MINUTE, NOON));
        assert!(gate.admits("VM001", NOON - 10 * MINUTE + 1, NOON));
    }

    #[test]
    fn a_machine_is_told_of_once_in_ten_minutes() {
        let mut gate = Gate::default();
        assert!(gate.admits("VM001", NOON, NOON));
        assert!(!gate.admits("VM001", NOON + MINUTE, NOON + MINUTE));
        assert!(!gate.admits("VM001", NOON + 10 * MINUTE - 1, NOON + 10 * MINUTE - 1));
        assert!(gate.admits("VM001", NOON + 10 * MINUTE, NOON + 10 * MINUTE));
    }

    #[test]
    fn machines_do_not_silence_each_other() {
        let mut gate = Gate::default();
        assert!(gate.admits("VM001", NOON, NOON));
        assert!(gate.admits("VM002", NOON, NOON));
    }

    #[test]
    fn an_old_entry_does_not_silence_a_fresh_one() {
        let mut gate = Gate::default();
        assert!(!gate.admits("VM001", NOON - 60 * MINUTE, NOON));
        assert!(gate.admits("VM001", NOON, NOON));
    }

    #[test]
    fn a_machine_whose_clock_is_a_little_ahead_is_told() {
        assert!(Gate::default().admits("VM001", NOON + 5 * MINUTE, NOON));
    }

    #[test]
    fn this_computers_clock_stepping_back_silences_nobody() {
        let mut gate = Gate::default();
        assert!(gate.admits("VM001", NOON, NOON));
        assert!(gate.admits("VM001", NOON - 60 * MINUTE, NOON - 60 * MINUTE));
    }

    #[test]
    fn what_no_longer_matters_is_forgotten() {
        let mut gate = Gate::default();
        for n in 0..1_000 {
            assert!(gate.admits(&format!("VM{n}"), NOON + n * MINUTE, NOON + n * MINUTE));
        }
        assert_eq!(gate.told_at_us.len(), 10);
    }
}
