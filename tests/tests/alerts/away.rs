//! Row 13 of reliability.md: the computer sleeps, its clock jumps, a week of backlog lands at once. No false
//! alarm, no storm.

use serde_json::{Value, json};
use tests::Desk;
use tests::wait::{self, seconds};

const FLEET: usize = 5;

fn spans(desk: &Desk) -> Vec<(i64, Value)> {
    let answer = desk.api.get("/api/alerts").json();
    let spans = answer["watcher_away"].as_array().expect("spans").iter();
    let second = |value: &Value| {
        let text = value.as_str().expect("a time");
        text.parse::<jiff::Timestamp>().expect("a time").as_second()
    };
    let spans = spans.map(|span| (second(&span["to"]) - second(&span["from"]), span.clone()));
    spans.collect()
}

#[test]
fn after_two_hours_of_sleep_and_a_clock_that_jumps_back_nobody_is_called() {
    let mut desk = Desk::start();
    let fleet: Vec<_> = (1..=FLEET)
        .map(|n| desk.machine(&format!("VM00{n}")))
        .collect();
    for machine in &fleet {
        machine.say("INFO", "app", "Vending machine starting");
    }
    std::thread::sleep(seconds(6));
    desk.server.process.freeze();
    desk.move_clock(7_200);
    desk.server.process.thaw();
    let span = wait::until("the span", seconds(30), || {
        spans(&desk).into_iter().find(|(length, _)| *length > 7_000)
    });
    assert!((7_100..7_400).contains(&span.0), "{}", span.1);
    // They are silent for some minutes more, and come back.
    let ahead_s = desk.pass(7_200, 120);
    assert!(desk.open().is_empty(), "{:?}", desk.open());
    for machine in &fleet {
        machine.say("INFO", "app", "Vending machine starting");
    }
    desk.move_clock(ahead_s - 3_600);
    std::thread::sleep(seconds(12));
    assert!(desk.open().is_empty(), "{:?}", desk.open());
    let sent = (
        desk.texts().len(),
        desk.mail.mails().len(),
        desk.calls().len(),
    );
    assert_eq!(sent, (0, 0, 0), "false alarms");
    assert_eq!(spans(&desk).len(), 2, "{:?}", spans(&desk));
}

#[test]
fn a_week_of_backlog_is_one_summary_and_the_critical_of_the_last_day() {
    let desk = Desk::start();
    for n in 1..=FLEET {
        let id = format!("VM00{n}");
        let machine = desk.machine(&id);
        let mut lines = Vec::new();
        for hour in (1..=7 * 24).rev() {
            for component in ["payment", "eport-link", "motor"] {
                for m in 0..10 {
                    let ago_s = hour * 3_600 - m * 10;
                    lines.push((
                        ago_s,
                        "ERROR",
                        component,
                        "Authorization timeout",
                        json!({}),
                    ));
                }
            }
        }
        let critical = |hours: i64| (hours * 3_600, "CRITICAL", "motor", "It stopped", json!({}));
        lines.extend([critical(30), critical(10)]);
        for part in lines.chunks(500) {
            machine.post(part);
        }
    }
    let failures = || {
        let mut texts = desk.texts();
        texts.retain(|asked| asked.form()["Body"].contains("Hardware Failure"));
        texts
    };
    wait::until("each CRITICAL of the last day", seconds(60), || {
        (failures().len() == FLEET).then_some(())
    });
    for text in failures() {
        let body = text.form().remove("Body").expect("a text");
        assert!(body.contains(" late. "), "{body}");
    }
    // The summary waits until nothing late came for five minutes.
    desk.pass(0, 400);
    let mails = desk.mail.mails();
    let texts: Vec<String> = desk
        .texts()
        .iter()
        .map(|asked| asked.form()["Body"].clone())
        .collect();
    let summaries = texts
        .iter()
        .filter(|body| body.contains("Late summary"))
        .count();
    let mailed = mails
        .iter()
        .filter(|mail| mail.text.contains("Hardware Failure"))
        .count();
    println!(
        "{FLEET} machines, a week each: {} SMS, {} mails",
        texts.len(),
        mails.len()
    );
    assert_eq!((summaries, mailed), (1, FLEET), "{texts:?}");
    assert_eq!((texts.len(), mails.len()), (FLEET + 1, FLEET), "{texts:?}");
}
