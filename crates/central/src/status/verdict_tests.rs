//! The status table: each row of architecture section 8, and the words a person reads.

use store::{Machine, MachineFacts};
use wire::Micros;
use wire::time::{HOUR_US, MINUTE_US};

use super::*;

const NOW: Micros = Micros(1_800_000_000_000_000);

pub(super) fn before(minutes: i64) -> Option<Micros> {
    Some(Micros(NOW.0 - minutes * MINUTE_US))
}

pub(super) fn facts() -> MachineFacts {
    MachineFacts {
        machine: Machine {
            id: "VM001".parse().unwrap(),
            name: String::new(),
            location: String::new(),
            timezone: String::new(),
            site: String::new(),
            route: String::new(),
            tags: Vec::new(),
            owner: String::new(),
            opening_hours: String::new(),
            reader_serials: Vec::new(),
            created_at: Micros(0),
        },
        last_wifi: before(2),
        last_cell: None,
        last_drop: None,
        heartbeat: None,
        last_hour: [0; 5],
        last_day: [0; 5],
        hours: vec![[0; 5]; 24],
        last_critical: None,
        last_error: None,
        alerts: Vec::new(),
    }
}

/// Judged after a day of listening.
pub(super) fn judged(facts: &MachineFacts) -> Verdict {
    judge(
        facts,
        &StatusLimits::default(),
        Micros(NOW.0 - 24 * HOUR_US),
        NOW,
    )
}

fn assert_verdict(facts: &MachineFacts, color: Color, state: State, reason: &str) {
    let expected = Verdict {
        color,
        state,
        reason: reason.to_owned(),
    };
    assert_eq!(judged(facts), expected);
}

#[test]
fn a_machine_that_speaks_and_has_no_errors_is_green() {
    let reason = "Last contact 2 min ago (WiFi).";
    assert_verdict(&facts(), Color::Green, State::Online, reason);
}

#[test]
fn a_machine_never_heard_of_is_grey() {
    let verdict = judged(&MachineFacts {
        last_wifi: None,
        ..facts()
    });
    assert_eq!(
        (verdict.color, verdict.state),
        (Color::Grey, State::Unknown)
    );
}

#[test]
fn silence_on_wifi_is_yellow_beyond_10_minutes_and_red_beyond_30() {
    for (minutes, color, state) in [
        (10, Color::Green, State::Online),
        (11, Color::Yellow, State::Online),
        (30, Color::Yellow, State::Online),
        (31, Color::Red, State::Offline),
    ] {
        let verdict = judged(&MachineFacts {
            last_wifi: before(minutes),
            ..facts()
        });
        assert_eq!(
            (verdict.color, verdict.state),
            (color, state),
            "{minutes} min"
        );
    }
    let lost = MachineFacts {
        last_wifi: before(130),
        ..facts()
    };
    assert_verdict(
        &lost,
        Color::Red,
        State::Offline,
        "No contact for 2 h 10 min (WiFi).",
    );
}

#[test]
fn while_wifi_answers_cellular_is_on_standby_and_not_judged() {
    let facts = MachineFacts {
        last_cell: before(23 * 60),
        ..facts()
    };
    assert_eq!(judged(&facts).color, Color::Green);
}

#[test]
fn one_of_two_links_down_is_yellow() {
    let facts = MachineFacts {
        last_wifi: before(130),
        last_cell: before(40),
        ..facts()
    };
    let reason = "No contact for 2 h 10 min (WiFi). Last drop by cell 40 min ago.";
    assert_verdict(&facts, Color::Yellow, State::Online, reason);
}

#[test]
fn when_wifi_falls_silent_cellular_gets_its_schedule_before_it_is_judged() {
    // WiFi failed 40 minutes ago; the daily drop of 20 hours ago is no fault.
    let early = MachineFacts {
        last_wifi: before(40),
        last_cell: before(20 * 60),
        ..facts()
    };
    assert_eq!(judged(&early).color, Color::Yellow);
    let late = MachineFacts {
        last_wifi: before(181),
        last_cell: before(20 * 60),
        ..facts()
    };
    assert_eq!(
        (judged(&late).color, judged(&late).state),
        (Color::Red, State::Offline)
    );
}

#[test]
fn a_machine_with_cellular_only_is_judged_by_its_hourly_drops() {
    for (minutes, color) in [(90, Color::Green), (91, Color::Yellow), (181, Color::Red)] {
        let facts = MachineFacts {
            last_wifi: None,
            last_cell: before(minutes),
            ..facts()
        };
        assert_eq!(judged(&facts).color, color, "{minutes} min");
    }
}

#[test]
fn a_critical_whose_alert_is_over_is_yellow_and_says_what_it_was() {
    let facts = MachineFacts {
        last_hour: [0, 0, 0, 0, 1],
        last_critical: Some((
            before(12).unwrap(),
            "motor".into(),
            "Motor 3 is stuck".into(),
        )),
        ..facts()
    };
    let reason = "CRITICAL 12 min ago: motor: Motor 3 is stuck";
    assert_verdict(&facts, Color::Yellow, State::Online, reason);
}

#[test]
fn any_error_is_yellow_and_ten_are_red() {
    let with = |errors| MachineFacts {
        last_hour: [0, 0, 0, errors, 0],
        last_error: Some((
            before(3).unwrap(),
            "payment".into(),
            "Reader is silent".into(),
        )),
        ..facts()
    };
    let one = "1 error in the last hour, last 3 min ago: payment: Reader is silent";
    assert_verdict(&with(1), Color::Yellow, State::Online, one);
    assert_eq!(judged(&with(9)).color, Color::Yellow);
    let ten = "10 errors in the last hour, last 3 min ago: payment: Reader is silent";
    assert_verdict(&with(10), Color::Red, State::Error, ten);
}

#[test]
fn five_warnings_are_yellow_four_are_not() {
    let with = |warnings| MachineFacts {
        last_hour: [0, 0, warnings, 0, 0],
        ..facts()
    };
    assert_eq!(judged(&with(4)).color, Color::Green);
    let reason = "5 warnings in the last hour.";
    assert_verdict(&with(5), Color::Yellow, State::Online, reason);
}

#[test]
fn a_lost_machine_also_says_what_was_wrong_before() {
    let facts = MachineFacts {
        last_wifi: before(40),
        last_hour: [0, 0, 0, 0, 1],
        last_critical: Some((before(45).unwrap(), "power".into(), "Under-voltage".into())),
        ..facts()
    };
    let reason = "No contact for 40 min (WiFi). CRITICAL 45 min ago: power: Under-voltage";
    assert_verdict(&facts, Color::Red, State::Offline, reason);
}

#[test]
fn silence_is_not_judged_in_the_first_minutes_after_our_own_start() {
    let facts = MachineFacts {
        last_wifi: before(600),
        ..facts()
    };
    let since = |minutes: i64| Micros(NOW.0 - minutes * MINUTE_US);
    let limits = StatusLimits::default();
    let waiting = judge(&facts, &limits, since(2), NOW);
    assert_eq!(
        (waiting.color, waiting.state),
        (Color::Yellow, State::Unknown)
    );
    assert_eq!(
        waiting.reason,
        "Waiting for its first contact since Vendlog began to listen 2 min ago; \
         the last was 10 h ago (WiFi)."
    );
    let after = judge(&facts, &limits, since(10), NOW);
    assert_eq!((after.color, after.state), (Color::Red, State::Offline));
}

#[test]
fn a_contact_from_a_clock_ahead_of_ours_is_just_now() {
    let facts = MachineFacts {
        last_wifi: Some(Micros(NOW.0 + MINUTE_US)),
        ..facts()
    };
    assert_eq!(judged(&facts).reason, "Last contact just now (WiFi).");
}

fn beat(minutes: i64, app: Option<wire::AppHealth>, now: &[&str]) -> MachineFacts {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let heartbeat = wire::Heartbeat {
        app,
        throttled: Some(wire::Throttled {
            now: words(now),
            since_boot: words(&["under_voltage", "throttled"]),
        }),
        ..wire::Heartbeat::new("VM001".parse().unwrap())
    };
    MachineFacts {
        heartbeat: before(minutes).map(|at| (at, heartbeat)),
        ..facts()
    }
}

fn crash_loop() -> Option<wire::AppHealth> {
    Some(wire::AppHealth {
        starts_1h: 12,
        crash_loop: true,
        ..wire::AppHealth::default()
    })
}

#[test]
fn a_crash_loop_and_low_voltage_are_yellow_in_words() {
    let loops = "The application crashes and starts again, 12 starts in the last hour.";
    let power = "The machine's power supply gives too little voltage.";
    for (facts, reason) in [
        (beat(2, crash_loop(), &[]), loops.to_owned()),
        (beat(2, None, &["under_voltage"]), power.to_owned()),
        (
            beat(2, crash_loop(), &["under_voltage"]),
            format!("{loops} {power}"),
        ),
    ] {
        assert_verdict(&facts, Color::Yellow, State::Online, &reason);
    }
}

#[test]
fn what_was_low_or_what_an_old_heartbeat_said_is_not_held_against_a_machine() {
    let healthy = Some(wire::AppHealth::default());
    let hot = beat(2, healthy, &["soft_temperature_limit"]);
    assert_eq!(judged(&hot).color, Color::Green);
    let old = beat(31, crash_loop(), &["under_voltage"]);
    assert_eq!(judged(&old).color, Color::Green);
}

#[test]
fn a_crash_loop_stands_beside_the_error_that_it_repeats() {
    let mut facts = beat(2, crash_loop(), &[]);
    facts.last_hour[4] = 3;
    facts.last_critical = before(1).map(|at| (at, "app".into(), "Exiting.".into()));
    let reason = "CRITICAL 1 min ago: app: Exiting. \
                  The application crashes and starts again, 12 starts in the last hour.";
    assert_verdict(&facts, Color::Yellow, State::Online, reason);
}

fn with_cell(mut facts: MachineFacts, cell: CellHealth) -> MachineFacts {
    let beat = wire::Heartbeat {
        cell: Some(cell),
        ..wire::Heartbeat::new("VM001".parse().unwrap())
    };
    facts.heartbeat = facts.last_wifi.map(|at| (at, beat));
    facts
}

#[test]
fn the_words_of_a_machine_with_cellular_only_speak_of_drops() {
    for (minutes, reason) in [
        (40, "Last drop by cell 40 min ago."),
        (100, "No drop by cell for 1 h 40 min."),
        (190, "No drop by cell for 3 h 10 min."),
    ] {
        let facts = MachineFacts {
            last_wifi: None,
            last_cell: before(minutes),
            ..facts()
        };
        assert_eq!(judged(&facts).reason, reason);
    }
}

#[test]
fn a_reader_that_takes_no_drops_is_one_of_two_links_down() {
    let cell = CellHealth {
        state: "failing".into(),
        error: Some("the port /dev/ttyUSB0 is held by another process.".into()),
        ..CellHealth::default()
    };
    let beside_wifi = with_cell(facts(), cell.clone());
    let reason = "Last contact 2 min ago (WiFi). The card reader takes no drops: the port \
                  /dev/ttyUSB0 is held by another process.";
    assert_verdict(&beside_wifi, Color::Yellow, State::Online, reason);
    let limits = StatusLimits::default();
    assert_eq!(
        links(&beside_wifi, &limits, NOW).cell,
        links::LinkState::Failing
    );
    let alone = with_cell(
        MachineFacts {
            last_wifi: before(31),
            ..facts()
        },
        cell,
    );
    assert_eq!(judged(&alone).state, State::Offline, "it has no way left");
}

#[test]
fn a_drop_is_late_by_the_interval_that_the_agent_has() {
    let every = |interval_s, minutes| {
        let cell = CellHealth {
            state: "active".into(),
            send_interval_s: Some(interval_s),
            ..CellHealth::default()
        };
        let facts = MachineFacts {
            last_wifi: before(1000),
            last_cell: before(minutes),
            ..facts()
        };
        links(&with_cell(facts, cell), &StatusLimits::default(), NOW).cell
    };
    use links::LinkState::{Down, Late, Up};
    // Six hours: one missed and 30 minutes, two and an hour.
    for (minutes, state) in [(390, Up), (391, Late), (780, Late), (781, Down)] {
        assert_eq!(every(6 * 3600, minutes), state, "{minutes} min");
    }
    for (minutes, state) in [(40, Up), (41, Late), (80, Late), (81, Down)] {
        assert_eq!(every(600, minutes), state, "{minutes} min");
    }
}

#[test]
fn a_machine_whose_first_drop_has_not_come_gets_the_cellular_schedule_too() {
    let standby = CellHealth {
        state: "standby".into(),
        ..CellHealth::default()
    };
    let silent = |minutes| {
        with_cell(
            MachineFacts {
                last_wifi: before(minutes),
                ..facts()
            },
            standby.clone(),
        )
    };
    let reason = "No contact for 40 min (WiFi). No drop by cell yet.";
    assert_verdict(&silent(40), Color::Yellow, State::Online, reason);
    assert_eq!(judged(&silent(181)).state, State::Offline);
}
