//! A boot's clock told second by second: what a line of it is judged to be.

use wire::time::{DAY_US, HOUR_US, SECOND_US};
use wire::{Level, LogEntry};

use super::super::timeline::LATE_US;
use super::*;

const BOOT: u64 = 7;
/// What the clock should have shown at boot.
const RIGHT: i64 = 1_800_000_000 * SECOND_US;

fn entry(at: i64) -> LogEntry {
    LogEntry {
        seq: None,
        timestamp: Micros(at),
        level: Level::Info,
        component: "app".into(),
        message: "x".into(),
        context: serde_json::Map::new(),
        clock: ClockState::Synced,
    }
}

/// The clock of this boot after these looks: (seconds since boot, base, set).
fn wall(looks: &[(i64, i64, bool)]) -> Wall {
    let mut inner = Inner::default();
    for (seconds, base, is_set) in looks {
        let since_boot = seconds * SECOND_US;
        inner.see(Micros(base + since_boot), since_boot, *is_set);
    }
    let (seconds, base, _) = looks.last().unwrap();
    Wall {
        at: Micros(base + seconds * SECOND_US),
        state: match inner.is_set {
            true => ClockState::Synced,
            false => ClockState::Unsynced,
        },
        boot: BOOT,
        since_boot_us: seconds * SECOND_US,
        timelines: inner.timelines,
        right: inner.right,
    }
}

/// The time and the word that a line stamped at `at` gets, and whether it can be repaired later.
fn judged(wall: &Wall, at: i64) -> (i64, ClockState, Option<i64>) {
    let mut entry = entry(at);
    let basis = wall.judge(&mut entry);
    assert!(basis.is_none_or(|basis| basis.boot == BOOT));
    let base = basis.map(|basis| basis.base_us);
    (entry.timestamp.0, entry.clock, base)
}

#[test]
fn before_the_clock_is_set_a_line_of_this_boot_keeps_its_basis_and_an_older_one_has_none() {
    let wall = wall(&[(20, 0, false), (30, 0, false)]);
    let at = 25 * SECOND_US;
    assert_eq!(judged(&wall, at), (at, ClockState::Unsynced, Some(0)));
    let before = RIGHT - DAY_US;
    assert_eq!(
        judged(&wall, before),
        (before, ClockState::Unsynced, None),
        "the boot before had a clock, and it is not this one's to repair"
    );
}

#[test]
fn a_line_stamped_before_the_step_and_read_after_it_is_repaired_at_once() {
    let wall = wall(&[
        (20, 0, false),
        (30, 0, false),
        (31, RIGHT, true),
        (33, RIGHT, true),
    ]);
    assert_eq!(
        judged(&wall, 29 * SECOND_US),
        (RIGHT + 29 * SECOND_US, ClockState::Repaired, None)
    );
    let now = RIGHT + 32 * SECOND_US;
    assert_eq!(judged(&wall, now), (now, ClockState::Synced, None));
    let yesterday = RIGHT - DAY_US;
    assert_eq!(
        judged(&wall, yesterday),
        (yesterday, ClockState::Synced, None),
        "a log of yesterday is read as it is"
    );
}

#[test]
fn a_clock_an_hour_slow_is_told_from_the_right_one_and_one_a_moment_slow_is_left_alone() {
    let slow = RIGHT - HOUR_US;
    let wall_after = wall(&[(20, slow, false), (31, RIGHT, true), (32, RIGHT, true)]);
    assert_eq!(
        judged(&wall_after, slow + 25 * SECOND_US),
        (RIGHT + 25 * SECOND_US, ClockState::Repaired, None)
    );
    let moment = RIGHT - SAME_BASE_US / 2;
    let wall_after = wall(&[(20, moment, false), (31, RIGHT, true), (32, RIGHT, true)]);
    let at = moment + 25 * SECOND_US;
    assert_eq!(judged(&wall_after, at), (at, ClockState::Synced, None));
}

#[test]
fn lines_are_repaired_for_ten_minutes_after_the_step_and_then_no_more() {
    let late = 31 + LATE_US / SECOND_US;
    let at = 29 * SECOND_US;
    let inside = wall(&[(20, 0, false), (31, RIGHT, true), (late, RIGHT, true)]);
    assert_eq!(judged(&inside, at).1, ClockState::Repaired);
    let over = wall(&[(20, 0, false), (31, RIGHT, true), (late + 1, RIGHT, true)]);
    assert_eq!(judged(&over, at), (at, ClockState::Synced, None));
}

#[test]
fn a_clock_set_by_hand_first_leaves_both_its_timelines_to_be_repaired() {
    let wrong = RIGHT - 3 * HOUR_US;
    let looks = [(20, 0, false), (40, wrong, false), (60, wrong, false)];
    let unset = wall(&looks);
    assert_eq!(judged(&unset, 30 * SECOND_US).2, Some(0));
    assert_eq!(judged(&unset, wrong + 50 * SECOND_US).2, Some(wrong));
    let set = wall(&[
        looks[0],
        looks[1],
        looks[2],
        (61, RIGHT, true),
        (62, RIGHT, true),
    ]);
    for (at, seconds) in [(30 * SECOND_US, 30), (wrong + 50 * SECOND_US, 50)] {
        assert_eq!(
            judged(&set, at),
            (RIGHT + seconds * SECOND_US, ClockState::Repaired, None)
        );
    }
}

#[test]
fn more_steps_than_are_remembered_forget_the_oldest() {
    let looks: Vec<(i64, i64, bool)> = (0..9).map(|n| (20 + n, n * DAY_US, false)).collect();
    let wall = wall(&looks);
    assert_eq!(
        judged(&wall, 8 * DAY_US + 28 * SECOND_US).2,
        Some(8 * DAY_US)
    );
    assert_eq!(judged(&wall, 20 * SECOND_US).2, None);
}

#[test]
fn the_servers_word_is_taken_when_two_prompt_answers_agree_and_the_clock_is_far_off() {
    let never = Source::File("/no/such/file/for/a/clock".into());
    let said = |watch: &Watch, ahead_us: i64, took_us: i64| {
        let now = super::super::since_boot_us();
        watch.server_said(ServerTime {
            at: super::super::now().plus_us(ahead_us - took_us / 2),
            sent_us: now - took_us,
            answered_us: now,
        })
    };
    let watch = Watch::new(never.clone(), true, None);
    let offset = said(&watch, DAY_US, SECOND_US);
    assert!((offset - DAY_US).abs() < SECOND_US, "{offset}");
    assert!(watch.wall().right_base_us().is_none() && watch.wants_second_answer());
    said(&watch, DAY_US + HOUR_US, SECOND_US);
    assert!(watch.wall().right_base_us().is_none(), "they do not agree");
    said(&watch, DAY_US + HOUR_US, 2 * ROUND_TRIP_MAX_US);
    assert!(
        watch.wall().right_base_us().is_none(),
        "that one took too long"
    );
    said(&watch, DAY_US + HOUR_US, SECOND_US);
    let base = watch.wall().right_base_us().expect("they agree");
    let wall = watch.wall();
    assert_eq!(
        wall.state,
        ClockState::Unsynced,
        "the clock itself is still wrong"
    );
    let (at, state, basis) = judged(&wall, wall.at.0);
    assert_eq!((state, basis), (ClockState::Repaired, None));
    assert!((at - base - wall.since_boot_us).abs() < SECOND_US);

    let close = Watch::new(never.clone(), true, None);
    let wary = Watch::new(never, false, None);
    for _ in 0..3 {
        said(&close, SERVER_TOLERANCE_US / 2, SECOND_US);
        said(&wary, DAY_US, SECOND_US);
    }
    assert!(
        close.wall().right_base_us().is_none(),
        "a minute is left alone"
    );
    assert!(wary.wall().right_base_us().is_none(), "it was told not to");
}

#[test]
fn an_agent_that_starts_again_does_not_take_the_servers_word_for_a_clock_that_was_set() {
    let never = Source::File("/no/such/file/for/a/clock".into());
    let shown = super::super::now().0 - super::super::since_boot_us();
    let watch = Watch::new(never.clone(), true, Some(shown + HOUR_US));
    let wall = watch.wall();
    assert_eq!(wall.state, ClockState::Unsynced, "nobody has set it since");
    let (at, state, basis) = judged(&wall, wall.at.0);
    assert_eq!((state, basis), (ClockState::Repaired, None));
    assert!((at - wall.at.0 - HOUR_US).abs() < SECOND_US, "{at}");

    let set = Watch::new(never, true, Some(shown)).wall();
    assert_eq!(set.state, ClockState::Synced, "it was set before the start");
    assert_eq!(judged(&set, set.at.0), (set.at.0, ClockState::Synced, None));
}
