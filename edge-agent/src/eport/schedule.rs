//! When the next drop is to be made. Pure: what is known is an argument, and so is the time, in
//! microseconds since boot.

use wire::time::{DAY_US, MINUTE_US, SECOND_US};

use super::budget::Thrift;

/// Two drops are at least so far apart: what comes within it shares the next one.
pub const APART_US: i64 = 5 * SECOND_US;
/// Two drops for a burst of payment errors alone are so far apart.
const BURSTS_APART_US: i64 = 15 * MINUTE_US;
/// After a reboot without a clock nobody knows when the last drop went: it is not sent at once, for a
/// machine may boot again and again.
const AFTER_REBOOT_US: i64 = 10 * MINUTE_US;
/// WiFi has failed for so long before the cellular path takes over what can wait; less when drops go
/// more often than that.
const FALLBACK_US: i64 = 10 * MINUTE_US;

/// What the schedule goes by.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// Now, since boot.
    pub now_us: i64,
    /// Since when the shipper runs.
    pub started_us: i64,
    /// `[eport] send_interval_s`.
    pub interval_us: i64,
    /// When the last drop was made, since this boot (before it: negative).
    pub made_us: Made,
    /// WiFi delivers.
    pub is_standby: bool,
    /// When the first entry has to go that does not wait.
    pub grave_due_us: Option<i64>,
    /// When a burst of payment errors has to go.
    pub burst_due_us: Option<i64>,
    /// A daily summary waits.
    pub has_summary: bool,
    /// How much data there is.
    pub thrift: Thrift,
}

/// What is known of the last drop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// There was none.
    Never,
    /// At this time since boot.
    At(i64),
    /// In another boot, and the clock does not tell when.
    Unknown,
}

/// Why a drop is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// An entry does not wait.
    Grave,
    /// Many payment errors.
    Burst,
    /// The interval is over.
    Interval,
    /// The one drop a day while WiFi delivers.
    Daily,
}

/// The next drop: when it is due, and why. `None`: only when something happens.
pub fn next(view: &View) -> Option<(i64, Why)> {
    let apart = |due_us: i64, apart_us: i64| match view.made_us {
        Made::At(made_us) => due_us.max(made_us.saturating_add(apart_us)),
        Made::Never | Made::Unknown => due_us,
    };
    let grave = view
        .grave_due_us
        .map(|due_us| (apart(due_us, APART_US), Why::Grave));
    if view.thrift == Thrift::Spent {
        return grave;
    }
    let interval_us = match view.thrift {
        Thrift::Stretched(us) => us.max(view.interval_us),
        _ => view.interval_us,
    };
    let burst = view
        .burst_due_us
        .map(|due_us| (apart(due_us, BURSTS_APART_US.min(interval_us)), Why::Burst));
    let regular_us = |every_us: i64| match view.made_us {
        Made::Never => view.started_us,
        Made::At(made_us) => made_us.saturating_add(every_us),
        Made::Unknown => view
            .started_us
            .saturating_add(AFTER_REBOOT_US.min(every_us)),
    };
    let regular = match (view.is_standby, view.has_summary) {
        (false, _) => (regular_us(interval_us), Why::Interval),
        (true, true) => (apart(view.now_us, APART_US), Why::Daily),
        (true, false) => (regular_us(DAY_US.max(interval_us)), Why::Daily),
    };
    [grave, burst, Some(regular)]
        .into_iter()
        .flatten()
        .min_by_key(|(due_us, _)| *due_us)
}

/// What is known of WiFi.
#[derive(Debug, Clone, Copy)]
pub struct WifiView {
    /// When the server last answered or was known to be reachable, since boot.
    pub ok_us: i64,
    /// When the first entry was seen that could go by cell and that WiFi has not confirmed.
    pub waiting_since_us: Option<i64>,
    /// Seconds between two of its batches, in microseconds.
    pub batches_apart_us: i64,
}

/// Whether WiFi delivers, so that the cellular path stands by; else, from when on it does not, should
/// nothing change, is answered as well.
pub fn standby(wifi: &WifiView, interval_us: i64, now_us: i64) -> (bool, i64) {
    let fallback_us = FALLBACK_US.min(interval_us);
    let until_us = wifi.ok_us.saturating_add(fallback_us);
    let patience_us = fallback_us.saturating_add(wifi.batches_apart_us);
    let until_us = match wifi.waiting_since_us {
        Some(since_us) => until_us.min(since_us.saturating_add(patience_us)),
        None => until_us,
    };
    (now_us < until_us, until_us)
}

#[cfg(test)]
mod tests {
    use wire::time::HOUR_US;

    use super::*;

    fn view(now_us: i64) -> View {
        View {
            now_us,
            started_us: 0,
            interval_us: HOUR_US,
            made_us: Made::At(0),
            is_standby: false,
            grave_due_us: None,
            burst_due_us: None,
            has_summary: false,
            thrift: Thrift::Free,
        }
    }

    #[test]
    fn a_drop_goes_every_hour_and_a_grave_entry_at_once() {
        let quiet = view(5 * MINUTE_US);
        assert_eq!(next(&quiet), Some((HOUR_US, Why::Interval)));
        let grave = View {
            grave_due_us: Some(5 * MINUTE_US),
            ..quiet
        };
        assert_eq!(next(&grave), Some((5 * MINUTE_US, Why::Grave)));
        let soon = View {
            grave_due_us: Some(SECOND_US),
            ..quiet
        };
        assert_eq!(
            next(&soon),
            Some((APART_US, Why::Grave)),
            "shares with what comes now"
        );
        let burst = View {
            burst_due_us: Some(MINUTE_US),
            ..quiet
        };
        assert_eq!(next(&burst), Some((BURSTS_APART_US, Why::Burst)));
    }

    #[test]
    fn the_first_drop_goes_at_once_and_a_machine_that_boots_again_and_again_sends_none() {
        let mut start = View {
            made_us: Made::Never,
            started_us: 70,
            ..view(70)
        };
        assert_eq!(next(&start), Some((70, Why::Interval)));
        start.made_us = Made::Unknown;
        assert_eq!(next(&start), Some((70 + AFTER_REBOOT_US, Why::Interval)));
        start.made_us = Made::At(-HOUR_US);
        assert_eq!(next(&start), Some((0, Why::Interval)), "it is overdue");
    }

    #[test]
    fn while_wifi_delivers_one_drop_a_day_goes_with_the_summary() {
        let standby = View {
            is_standby: true,
            ..view(2 * HOUR_US)
        };
        assert_eq!(next(&standby), Some((DAY_US, Why::Daily)));
        let summary = View {
            has_summary: true,
            ..standby
        };
        assert_eq!(next(&summary), Some((2 * HOUR_US, Why::Daily)));
    }

    #[test]
    fn a_short_budget_stretches_the_interval_and_holds_back_nothing_grave() {
        let mut short = View {
            thrift: Thrift::Stretched(6 * HOUR_US),
            ..view(MINUTE_US)
        };
        assert_eq!(next(&short), Some((6 * HOUR_US, Why::Interval)));
        short.thrift = Thrift::Spent;
        assert_eq!(next(&short), None);
        short.grave_due_us = Some(MINUTE_US);
        assert_eq!(next(&short), Some((MINUTE_US, Why::Grave)));
    }

    #[test]
    fn a_link_that_comes_and_goes_is_no_reason_to_fall_back_and_one_that_takes_nothing_is() {
        let mut wifi = WifiView {
            ok_us: 0,
            waiting_since_us: None,
            batches_apart_us: 5 * MINUTE_US,
        };
        // It answers for a moment every ten seconds.
        for second in 0..7200 {
            let now_us = second * SECOND_US;
            if second % 10 == 0 {
                wifi.ok_us = now_us;
            }
            assert!(standby(&wifi, HOUR_US, now_us).0);
        }
        let gone_us = wifi.ok_us;
        assert_eq!(standby(&wifi, HOUR_US, gone_us).1, gone_us + FALLBACK_US);
        assert!(!standby(&wifi, HOUR_US, gone_us + FALLBACK_US).0);
        // Heartbeats are answered, but no entry is confirmed.
        wifi.ok_us = 100 * HOUR_US;
        wifi.waiting_since_us = Some(100 * HOUR_US - 16 * MINUTE_US);
        assert!(!standby(&wifi, HOUR_US, 100 * HOUR_US).0);
        wifi.waiting_since_us = Some(100 * HOUR_US - 14 * MINUTE_US);
        assert!(standby(&wifi, HOUR_US, 100 * HOUR_US).0);
    }
}
