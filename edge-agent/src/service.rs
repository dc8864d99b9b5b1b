//! What the agent tells the service manager: that it is ready, what it does, that it makes
//! progress, that it ends. Without systemd (no `NOTIFY_SOCKET`) it says nothing.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use sd_notify::NotifyState;
use tokio::time::sleep;

use crate::pipeline::Progress;
use crate::pulse::Pulse;
use crate::spool::Shared;

/// The watchdog is fed so many times in its time, so that one late wake-up does no harm.
const FEEDS: u32 = 3;
/// Without a watchdog, the line of `systemctl status` is renewed this often.
const STATUS_EVERY: Duration = Duration::from_secs(60);

/// Every input is begun and the spool is open.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The agent ends; what follows is flushing and a last sending.
pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("ending")]);
}

/// Feeds the watchdog for ever, while every thread makes progress. It runs with the shippers: when
/// their runtime hangs, nothing is fed either.
pub async fn feed(progress: &Progress, spool: &Shared) {
    let watchdog = sd_notify::watchdog_enabled();
    let every = watchdog.map_or(STATUS_EVERY, |whole| whole / FEEDS);
    let mut told = String::new();
    let mut is_stuck = false;
    loop {
        let threads = [("reading", &progress.reading), ("local", &progress.writing)];
        let stuck = stuck(&threads, every, Instant::now());
        let status = match &stuck {
            Some(stuck) => format!(
                "the {} thread has been at one piece of work for {} s",
                stuck.thread,
                stuck.busy_for.as_secs()
            ),
            None => words(progress, spool),
        };
        if stuck.is_some() && !is_stuck {
            tracing::error!("{status}; without progress the watchdog ends the agent");
        }
        is_stuck = stuck.is_some();
        if watchdog.is_some() && !is_stuck {
            tell(&[NotifyState::Watchdog]);
        }
        if status != told {
            tell(&[NotifyState::Status(&status)]);
            told = status;
        }
        sleep(every).await;
    }
}

/// A thread that makes no progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stuck {
    thread: &'static str,
    busy_for: Duration,
}

/// The first thread that has been at one piece of work for longer than `limit`.
fn stuck(threads: &[(&'static str, &Pulse)], limit: Duration, now: Instant) -> Option<Stuck> {
    threads.iter().find_map(|(thread, pulse)| {
        let busy_for = pulse.busy_for(now).filter(|busy| *busy > limit)?;
        Some(Stuck { thread, busy_for })
    })
}

/// One line for `systemctl status`.
fn words(progress: &Progress, spool: &Shared) -> String {
    let last = spool.synced().last_seq;
    let local = match progress.local_failing.load(Ordering::Relaxed) {
        true => "; the local file cannot be written",
        false => "",
    };
    let cell = progress.cell_delivered.load(Ordering::Relaxed);
    match progress.wifi_delivered.load(Ordering::Relaxed).min(cell) {
        u64::MAX => format!("{last} entries read{local}"),
        delivered => {
            let waiting = last.saturating_sub(delivered);
            format!("{last} entries read, {waiting} not confirmed yet{local}")
        }
    }
}

fn tell(states: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager does not listen");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[test]
    fn a_thread_that_hangs_is_told_from_one_that_waits_or_works() {
        const LIMIT: Duration = Duration::from_millis(300);
        let progress = Arc::new(Progress::new(0));
        let (hang, hangs) = std::sync::mpsc::channel::<()>();
        let (end, ends) = std::sync::mpsc::channel::<()>();
        // A real thread that works in short pieces, and then blocks for ever in one of them.
        let reading = progress.clone();
        let reader = thread::spawn(move || {
            let is_to_hang = || hangs.try_recv().is_ok();
            while !is_to_hang() {
                reading.reading.begin(Instant::now());
                thread::sleep(Duration::from_millis(5));
            }
            ends.recv().expect("the test ends the thread");
            reading.reading.rest();
        });
        let threads = [("reading", &progress.reading), ("local", &progress.writing)];
        thread::sleep(LIMIT * 2);
        let now = Instant::now();
        assert_eq!(stuck(&threads, LIMIT, now), None, "it works, and one rests");
        hang.send(()).expect("the thread listens");
        thread::sleep(LIMIT * 2);
        let found = stuck(&threads, LIMIT, Instant::now()).expect("it hangs");
        assert_eq!(found.thread, "reading");
        assert!(found.busy_for > LIMIT, "{found:?}");
        end.send(()).expect("the thread waits");
        reader.join().expect("it ends");
        assert_eq!(
            stuck(&threads, LIMIT, Instant::now()),
            None,
            "it rests again"
        );
    }
}
