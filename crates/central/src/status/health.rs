//! What a machine's own heartbeat says of its power and its application, in words for the verdict.

use store::MachineFacts;
use wire::health::UNDER_VOLTAGE;
use wire::{AppHealth, Micros};

use super::limits::StatusLimits;
use super::words::count;

/// What is wrong by the last heartbeat; `None` when nothing is, or when the heartbeat is as old as
/// the silence that is judged by itself.
pub(super) fn words(facts: &MachineFacts, limits: &StatusLimits, now: Micros) -> Option<String> {
    let (at, beat) = facts.heartbeat.as_ref()?;
    if now.since_us(*at) > limits.wifi_red_us {
        return None;
    }
    let crash_loop = beat.app.as_ref().filter(|app| app.crash_loop);
    let power = beat.throttled.as_ref().and_then(|throttled| {
        let is_low = throttled.now.iter().any(|word| word == UNDER_VOLTAGE);
        is_low.then(|| "The machine's power supply gives too little voltage.".to_owned())
    });
    let said: Vec<String> = crash_loop
        .map(starts_again)
        .into_iter()
        .chain(power)
        .collect();
    (!said.is_empty()).then(|| said.join(" "))
}

fn starts_again(app: &AppHealth) -> String {
    let starts = count(u64::from(app.starts_1h), "start", "starts");
    format!("The application crashes and starts again, {starts} in the last hour.")
}
