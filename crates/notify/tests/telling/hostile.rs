//! Names and texts that want to be more than text: markup, mentions, headers, control characters. On
//! every channel they stay text.

use std::collections::BTreeSet;

use mail_parser::MessageParser;
use serde_json::Value;
use vendlog_notify::{Kind, Message};

use crate::channels::{Arrived, Channels, HTTP, strings};
use crate::messages::message;

/// What would run, ping, format or break out somewhere.
const SEEDS: [&str; 50] = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>",
    "'><iframe src=javascript:alert(1)>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "</td></tr></table><h1>owned</h1>",
    "<!--",
    "-->",
    "<![CDATA[x]]>",
    "<style>*{display:none}</style>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content=0>",
    "&lt;script&gt;",
    "&#60;script&#62;",
    "</Say><Dial>+19005550100</Dial><Say>",
    "</Say></Response>",
    "\"/><Redirect>http://evil.example/</Redirect>",
    "<?xml version=\"1.0\"?>",
    "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>&e;",
    "\r\nBcc: victim@example.net",
    "\nTo: victim@example.net\n\nbody",
    "\r\n.\r\nMAIL FROM:<x@example.net>\r\n",
    "x\r\nSubject: other",
    "=?utf-8?B?PHNjcmlwdD4=?=",
    "=?utf-8?Q?=0D=0ABcc:_victim@example.net?=",
    "\0",
    "\u{1b}[31mred\u{1b}[0m",
    "\u{1b}]0;title\u{7}",
    "\u{1b}]8;;http://evil.example/\u{1b}\\click\u{1b}]8;;\u{1b}\\",
    "\u{9b}2J",
    "\u{8}\u{8}\u{8}\u{8}gone",
    "\u{202e}txt.exe",
    "\u{2066}hidden\u{2069}",
    "\u{200b}\u{200d}\u{feff}",
    "\u{2028}line\u{2029}",
    "=HYPERLINK(\"http://evil.example/\",\"x\")",
    "+1+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "@everyone @here",
    "<!channel> <!here> <!everyone>",
    "<@U012AB3CD> <#C012AB3CD> <!subteam^S1>",
    "<@123456789012345678> <@&123456789012345678>",
    "<at>everyone</at>",
    "[click](http://evil.example/)",
    "![x](http://evil.example/x.png)",
    "*bold* _it_ ~no~ `code` ```block``` ||spoiler|| > quote # head",
    "<http://evil.example/|click> http://evil.example/",
    "{{machine_id}} {{constructor}} ${7*7} %s%n #{7*7}",
    "'; DROP TABLE alerts; -- \\ \\\\ \\u0000",
    "{\"a\": 1}, \"b\": [",
];

/// Where in a text it may stand: 200 payloads of 50 seeds.
fn payloads() -> Vec<String> {
    let around = |seed: &str| {
        [
            seed.to_owned(),
            format!("Lobby {seed} left"),
            format!("{seed}{seed}"),
            format!("\u{1f600}{}\u{e9}{seed}", seed.to_uppercase()),
        ]
    };
    SEEDS.into_iter().flat_map(around).collect()
}

/// The payload everywhere that a name or a text may stand.
fn poisoned(payload: &str) -> Message {
    let mut message = message(Kind::Digest);
    message.id = format!("id-{payload}");
    message.issue = payload.to_owned();
    message.facts = payload.to_owned();
    message.timezone = payload.to_owned();
    message.alert = Some(vendlog_notify::AlertRef {
        id: format!("alert-{payload}"),
        no: 12,
    });
    let machine = &mut message.machines[0];
    machine.id = payload.to_owned();
    machine.name = payload.to_owned();
    machine.site = payload.to_owned();
    machine.location = payload.to_owned();
    let item = &mut message.items[0];
    item.machine = payload.to_owned();
    item.issue = payload.to_owned();
    item.text = payload.to_owned();
    if let Some(chart) = &mut message.chart {
        chart.title = payload.to_owned();
    }
    message
}

/// The tags of a document without what stands in quotation marks, in order.
fn tags(document: &str) -> Vec<String> {
    let mut tags = Vec::new();
    for part in document.split('<').skip(1) {
        let tag = part.split('>').next().unwrap_or("");
        let unquoted: String = tag.split('"').step_by(2).collect();
        tags.push(unquoted);
    }
    tags
}

fn assert_visible(payload: &str, text: &str) {
    let bad = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}')
    };
    assert!(
        !text.chars().any(bad),
        "{payload:?} is not escaped in {text:?}"
    );
}

fn header_names(mail: &mail_parser::Message<'_>) -> Vec<String> {
    mail.headers()
        .iter()
        .map(|header| header.name().to_owned())
        .collect()
}

#[tokio::test]
async fn in_mails_nothing_runs_and_no_header_is_added() {
    let channels = Channels::start().await;
    let Arrived::Mail(benign) = channels.send("email", &poisoned("plain words")).await else {
        panic!("a mail")
    };
    let benign = MessageParser::default()
        .parse(&benign.bytes)
        .expect("a mail")
        .into_owned();
    let expected_tags = tags(&benign.body_html(0).expect("HTML"));
    let payloads = payloads();
    for payload in &payloads {
        let Arrived::Mail(mail) = channels.send("email", &poisoned(payload)).await else {
            panic!("a mail")
        };
        assert_eq!(mail.to, ["ops@example.org"], "{payload:?}");
        let parsed = MessageParser::default().parse(&mail.bytes).expect("a mail");
        assert_eq!(header_names(&parsed), header_names(&benign), "{payload:?}");
        let to: Vec<&str> = parsed
            .to()
            .unwrap()
            .iter()
            .filter_map(|to| to.address())
            .collect();
        assert_eq!(to, ["ops@example.org"], "{payload:?}");
        assert!(parsed.bcc().is_none() && parsed.cc().is_none());
        let html = parsed.body_html(0).expect("HTML").replace("\r\n", "\n");
        assert_eq!(tags(&html), expected_tags, "{payload:?}");
        assert_visible(payload, &html);
        assert_visible(
            payload,
            &parsed.body_text(0).expect("text").replace("\r\n", "\n"),
        );
        assert_visible(payload, parsed.subject().expect("a subject"));
    }
    println!("{} payloads in mails", payloads.len());
    assert_eq!(payloads.len(), 200);
}

#[tokio::test]
async fn in_sms_and_calls_they_are_said_and_nothing_else() {
    let channels = Channels::start().await;
    let Arrived::Twiml(benign) = channels.send("voice", &poisoned("plain words")).await else {
        panic!("TwiML")
    };
    for payload in payloads() {
        let Arrived::Twiml(twiml) = channels.send("voice", &poisoned(&payload)).await else {
            panic!("TwiML")
        };
        assert_eq!(tags(&twiml), tags(&benign), "{payload:?}");
        assert!(twiml.chars().count() <= 4_000, "{payload:?}");
        assert_visible(&payload, &twiml);
        let Arrived::Sms(text) = channels.send("sms", &poisoned(&payload)).await else {
            panic!("an SMS")
        };
        assert_visible(&payload, &text);
        assert!(text.chars().count() <= 320, "{payload:?}");
    }
}

/// The paths of all values of a document: what it looks like without its texts.
fn shape(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            map.iter()
                .for_each(|(name, value)| shape(value, &format!("{path}.{name}"), into));
        }
        Value::Array(values) => {
            values
                .iter()
                .for_each(|value| shape(value, &format!("{path}[]"), into));
        }
        _ => {
            into.insert(path.to_owned());
        }
    }
}

fn shape_of(value: &Value) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    shape(value, "", &mut paths);
    paths
}

#[tokio::test]
async fn in_chats_nobody_is_pinged_and_nothing_is_formatted() {
    let channels = Channels::start().await;
    for preset in HTTP
        .into_iter()
        .filter(|name| !["sms", "voice"].contains(name))
    {
        let Arrived::Json(benign) = channels.send(preset, &poisoned("plain words")).await else {
            panic!("JSON")
        };
        for payload in payloads() {
            let Arrived::Json(body) = channels.send(preset, &poisoned(&payload)).await else {
                panic!("JSON")
            };
            assert_eq!(shape_of(&body), shape_of(&benign), "{preset} {payload:?}");
            let mut texts = Vec::new();
            strings(&body, &mut texts);
            texts.iter().for_each(|text| assert_visible(&payload, text));
            match preset {
                "slack" => assert_slack_pings_nobody(&payload, &texts),
                "discord" => assert_discord_formats_nothing(&payload, &body),
                "teams_workflows" => {
                    let blocks = body["attachments"][0]["content"]["body"]
                        .as_array()
                        .unwrap();
                    assert!(blocks.iter().all(|block| block["type"] == "RichTextBlock"));
                    assert!(body["attachments"][0]["content"]["msteams"]["entities"].is_null());
                }
                _ => {}
            }
        }
    }
}

fn assert_slack_pings_nobody(payload: &str, texts: &[String]) {
    let ours = |text: &str| {
        text.starts_with("<https://pc.example/") && text.ends_with("|Open in Vendlog>")
    };
    let markup = texts.iter().filter(|text| text.contains(['<', '>']));
    for text in markup {
        assert!(
            ours(text) && text.matches('<').count() == 1,
            "{payload:?}: {text}"
        );
    }
}

fn assert_discord_formats_nothing(payload: &str, body: &Value) {
    assert_eq!(body["allowed_mentions"], serde_json::json!({"parse": []}));
    for text in [&body["content"], &body["embeds"][0]["description"]] {
        let text = text.as_str().expect("a text");
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c == '\\' {
                assert!(
                    chars.next().is_some(),
                    "{payload:?}: a lonely backslash in {text}"
                );
                continue;
            }
            let begins_a_link = c == ':' && chars.as_str().starts_with("//");
            let formats = "*_~`|>#[]()<@".contains(c) || begins_a_link;
            assert!(!formats, "{payload:?}: {c} in {text}");
        }
    }
}
