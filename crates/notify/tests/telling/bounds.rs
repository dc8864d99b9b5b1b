//! Messages of any size stay within what each provider takes.

use proptest::prelude::*;
use serde_json::json;
use vendlog_notify::{Bar, ChannelConfig, Item, Kind, Message, Template, preview};
use wire::Micros;

use crate::channels::{Arrived, Channels, HTTP, email_to, twilio, webhook};
use crate::every_message::time;
use crate::messages::{machine, message};

/// Everything as long as it may get and longer, of letters that each format writes longest.
fn huge(letter: char) -> Message {
    let long = |count: usize| letter.to_string().repeat(count);
    let mut huge = message(Kind::Digest);
    huge.alert = message(Kind::First).alert;
    huge.issue = long(500);
    huge.facts = long(10_000);
    huge.id = long(1_000);
    huge.machines = (0..600)
        .map(|number| machine(&format!("VM{number:03}"), &long(300), &long(300)))
        .collect();
    let item = Item {
        text: long(500),
        machine: "VM001".into(),
        issue: long(200),
        at: huge.at,
        count: u64::MAX,
    };
    huge.items = vec![item; 250];
    if let Some(chart) = &mut huge.chart {
        chart.bars = chart.bars.repeat(100);
    }
    huge
}

#[tokio::test]
async fn nothing_is_larger_than_its_provider_takes() {
    let channels = Channels::start().await;
    for letter in ['<', '&', '"', '\u{1f600}', '\u{1b}', '\u{65e5}'] {
        for template in [None, Some("{{facts}}{{items}}{{machines}}".repeat(20))] {
            let mut huge = huge(letter);
            huge.template = template.map(|body| Template {
                subject: Some("{{issue}}{{facts}}".into()),
                body: Some(body),
            });
            // An escape is shown as a text that is, in Discord, said with backslashes.
            let issue = match letter {
                '\u{1b}' => "u{1b}".to_owned(),
                letter => letter.to_string().repeat(10),
            };
            for name in HTTP {
                let arrived = channels.send(name, &huge).await;
                check(name, letter, &arrived);
                for text in arrived.texts() {
                    let wanted = ["VM000", time(name), &issue];
                    let missing = wanted.iter().find(|wanted| !text.contains(**wanted));
                    assert_eq!(missing, None, "{name} {letter}: {text}");
                }
            }
            let Arrived::Mail(mail) = channels.send("email", &huge).await else {
                panic!("a mail")
            };
            assert!(
                mail.bytes.len() < 8 * 1024 * 1024,
                "{letter} {}",
                mail.bytes.len()
            );
        }
    }
}

fn check(name: &str, letter: char, arrived: &Arrived) {
    let chars = |text: &serde_json::Value| text.as_str().map_or(0, |text| text.chars().count());
    match arrived {
        Arrived::Mail(_) => {}
        Arrived::Sms(text) => assert!(text.encode_utf16().count() <= 306, "{letter}: {text}"),
        Arrived::Twiml(text) => assert!(text.chars().count() <= 4_000, "{letter}: {text}"),
        Arrived::Json(body) => match name {
            "slack" => {
                assert!(chars(&body["blocks"][0]["text"]["text"]) <= 150, "{letter}");
                assert!(
                    chars(&body["blocks"][1]["text"]["text"]) <= 3_000,
                    "{letter}"
                );
            }
            "discord" => {
                assert!(chars(&body["content"]) <= 2_000, "{letter}");
                assert!(
                    chars(&body["embeds"][0]["description"]) <= 4_096,
                    "{letter}"
                );
            }
            "teams_workflows" => assert!(body.to_string().len() <= 28_000, "{letter}"),
            "ntfy" => {
                let text = body["message"].as_str().expect("a text");
                assert!(text.len() <= 4_096, "{letter}: {}", text.len());
            }
            "pagerduty" => {
                assert!(chars(&body["payload"]["summary"]) <= 1_024, "{letter}");
                assert!(chars(&body["dedup_key"]) <= 255, "{letter}");
                assert!(body.to_string().len() <= 512_000, "{letter}");
            }
            _ => assert!(
                body.to_string().len() <= 1_000_000,
                "{letter}: {}",
                body.to_string().len()
            ),
        },
    }
}

proptest! {
    /// Whatever texts, zones and templates there are, every channel makes something of them, and
    /// nothing in it moves a cursor.
    #[test]
    fn no_text_breaks_a_channel(
        texts in proptest::collection::vec(".{0,60}|\\PC{0,20}\\{\\{.{0,9}", 8),
        at in any::<i64>(),
        counts in any::<[u64; 4]>(),
    ) {
        let mut odd = message(Kind::Digest);
        odd.at = Micros(at);
        odd.alert = message(Kind::First).alert;
        odd.machines[0].id.clone_from(&texts[0]);
        odd.machines[0].name.clone_from(&texts[1]);
        odd.machines[0].site.clone_from(&texts[2]);
        odd.issue.clone_from(&texts[3]);
        odd.facts.clone_from(&texts[4]);
        odd.timezone.clone_from(&texts[5]);
        odd.link = Some(format!("https://pc.example/{}", texts[6]));
        odd.template = Some(Template { subject: None, body: Some(texts[7].clone()) });
        if let Some(chart) = &mut odd.chart {
            chart.bars = vec![Bar { at: Micros(at), counts }; 3];
        }
        for channel in unreachable_channels() {
            let shown = preview(&channel, &odd);
            prop_assert!(!shown.text.is_empty() && !shown.subject.is_empty());
            let is_bad = |c: char| c.is_control() && c != '\n';
            prop_assert!(!shown.text.chars().any(is_bad), "{}", shown.text);
            prop_assert!(!shown.html.is_some_and(|html| html.chars().any(is_bad)));
        }
    }
}

/// One of each, for previews.
fn unreachable_channels() -> Vec<ChannelConfig> {
    let hook = |preset| webhook(preset, "https://hooks.example/x", json!({}));
    let mut channels: Vec<ChannelConfig> = [
        "plain",
        "slack",
        "teams_workflows",
        "discord",
        "ntfy",
        "pagerduty",
    ]
    .map(hook)
    .into();
    channels.push(email_to(25, json!({})));
    channels.extend(["sms", "voice"].map(|kind| twilio(kind, "https://api.example")));
    channels
}
