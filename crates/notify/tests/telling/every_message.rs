//! Every message on every channel carries machine id, issue type and time, and the machine's name
//! and site.

use vendlog_notify::{Kind, TEMPLATE_NAMES, Template, preview};

use crate::channels::{Channels, HTTP};
use crate::messages::{KINDS, bare_template, machine, message};

/// The time as a channel says it.
pub fn time(channel: &str) -> &'static str {
    match channel {
        "sms" => "2026-01-22 06:30",
        "voice" => "06:30, January 22",
        _ => "2026-01-22 06:30:15 PST",
    }
}

#[tokio::test]
async fn every_message_on_every_channel_carries_what_it_must() {
    let channels = Channels::start().await;
    let mut count = 0;
    for name in ["email"].into_iter().chain(HTTP) {
        for kind in KINDS {
            for (is_late, template) in [(false, None), (true, None), (false, bare_template())] {
                let mut message = message(kind);
                message.is_late = is_late;
                message.template = template.clone();
                let arrived = channels.send(name, &message).await;
                for text in arrived.texts() {
                    let said = ["VM001", "Payment System Down", "Lobby left", "Main Street"];
                    for wanted in said.into_iter().chain([time(name)]) {
                        assert!(
                            text.contains(wanted),
                            "{name} {kind:?} late {is_late} template {}: no {wanted} in\n{text}",
                            template.is_some()
                        );
                    }
                    assert!(
                        !is_late || text.to_lowercase().contains("late"),
                        "{name} {text}"
                    );
                    count += 1;
                }
            }
        }
    }
    println!("{count} texts of 9 channels and 9 kinds carry what they must");
    assert_eq!(count, 10 * 9 * 3, "a mail has two texts");
}

#[tokio::test]
async fn a_repeat_an_escalation_and_an_end_are_said_to_be_one() {
    let channels = Channels::start().await;
    for name in ["email"].into_iter().chain(HTTP) {
        for (kind, word) in [
            (Kind::Repeat { n: 2 }, "repeat 2"),
            (Kind::Escalation { step: 1 }, "acknowledged"),
            (Kind::Resolved, "resolved"),
            (Kind::Test, "test"),
        ] {
            let arrived = channels.send(name, &message(kind)).await;
            let text = arrived.texts().join("\n").to_lowercase();
            let word = if name == "sms" {
                word.replace("acknowledged", "escalated")
            } else {
                word.into()
            };
            assert!(
                text.contains(&word),
                "{name} {kind:?}: no {word} in\n{text}"
            );
        }
    }
}

#[tokio::test]
async fn a_group_names_its_machines_and_how_many_they_are() {
    let channels = Channels::start().await;
    let mut group = message(Kind::Group);
    group.machines = (1..=40)
        .map(|n| machine(&format!("VM{n:03}"), "Hall", "Depot"))
        .collect();
    for name in ["email"].into_iter().chain(HTTP) {
        for text in channels.send(name, &group).await.texts() {
            for wanted in ["VM001", "Payment System Down", "Hall", "Depot", time(name)] {
                assert!(text.contains(wanted), "{name}: no {wanted} in\n{text}");
            }
            assert!(
                text.contains("40") || text.contains("39 more"),
                "{name}: {text}"
            );
            assert!(
                name != "email" || text.contains("VM040"),
                "a mail lists all: {text}"
            );
        }
    }
}

#[tokio::test]
async fn a_message_without_a_machine_name_or_site_is_still_whole() {
    let channels = Channels::start().await;
    let mut bare = message(Kind::First);
    bare.machines = vec![machine("VM001", "", "")];
    bare.machines[0].location.clear();
    bare.timezone = "Mars/Olympus".into();
    bare.link = None;
    bare.alert = None;
    bare.facts.clear();
    for name in ["email"].into_iter().chain(HTTP) {
        for text in channels.send(name, &bare).await.texts() {
            assert!(
                text.contains("VM001") && text.contains("Payment System Down"),
                "{text}"
            );
            assert!(text.contains("14:30"), "{name}: the time in UTC: {text}");
        }
    }
}

#[tokio::test]
async fn card_numbers_never_leave() {
    const CARD: &str = "4111 1111 1111 1111";
    let channels = Channels::start().await;
    let mut leaking = message(Kind::Digest);
    leaking.facts = format!("declined {CARD} and 4111111111111111");
    leaking.issue = format!("Payment {CARD}");
    leaking.machines[0].name = CARD.into();
    leaking.items[0].text = format!("card {CARD}");
    leaking.link = Some("https://pc.example/?card=4111111111111111".into());
    leaking.template = Some(Template {
        subject: None,
        body: Some(
            TEMPLATE_NAMES
                .map(|name| format!("{{{{{name}}}}}"))
                .join("\n"),
        ),
    });
    for template in [leaking.template.clone(), None] {
        leaking.template = template;
        for name in ["email"].into_iter().chain(HTTP) {
            let texts = channels.send(name, &leaking).await.texts().join("\n");
            let shown = preview(&channels.channel(name), &leaking);
            let texts = format!("{texts}{}{}{:?}", shown.subject, shown.text, shown.html);
            let digits: String = texts.chars().filter(char::is_ascii_digit).collect();
            assert!(!digits.contains("4111111111111111"), "{name}: {texts}");
            assert!(texts.contains("[card]"), "{name}: {texts}");
        }
    }
}
