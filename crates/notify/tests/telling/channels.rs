//! One channel of every kind and preset, all of them served here, and what arrives there as text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_parser::MessageParser;
use serde_json::{Value, json};
use vendlog_notify::{Address, ChannelConfig, Message, Sent, send};

use crate::http_server::{HttpServer, Says};
use crate::smtp_server::{Encryption, Mail, SmtpServer, Trouble};

pub const ACCOUNT: &str = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub const AUTH_TOKEN: &str = "0123456789abcdef0123456789abcdef";
pub const OUR_NUMBER: &str = "+14155550100";
pub const THEIR_NUMBER: &str = "+14155550199";

/// The channels that are served by HTTP, by the name that the tests give them.
pub const HTTP: [&str; 8] = [
    "sms",
    "voice",
    "plain",
    "slack",
    "teams_workflows",
    "discord",
    "ntfy",
    "pagerduty",
];

pub fn config(value: Value) -> ChannelConfig {
    serde_json::from_value(value).expect("a channel")
}

pub fn email_to(port: u16, more: Value) -> ChannelConfig {
    let mut value = json!({"kind": "email", "host": "127.0.0.1", "port": port, "tls": "none",
        "from": "vendlog@example.com", "from_name": "Vendlog", "timeout_s": 20});
    for (name, one) in more.as_object().expect("an object") {
        value[name] = one.clone();
    }
    config(value)
}

pub fn twilio(kind: &str, base_url: &str) -> ChannelConfig {
    config(json!({"kind": kind, "from": OUR_NUMBER, "account": {
        "account_sid": ACCOUNT, "secret": AUTH_TOKEN, "base_url": base_url, "timeout_s": 20}}))
}

pub fn webhook(preset: &str, url: &str, more: Value) -> ChannelConfig {
    let mut value = json!({"kind": "webhook", "preset": preset, "url": url, "timeout_s": 20});
    for (name, one) in more.as_object().expect("an object") {
        value[name] = one.clone();
    }
    config(value)
}

pub fn mailbox() -> Address {
    Address::email("ops@example.org").expect("a mailbox")
}

pub fn phone() -> Address {
    Address::phone(THEIR_NUMBER).expect("a number")
}

/// A server for each, and a channel to it.
pub struct Channels {
    pub mail: SmtpServer,
    pub http: HttpServer,
}

impl Channels {
    pub async fn start() -> Channels {
        Channels {
            mail: SmtpServer::start(Encryption::None, None, Trouble::Nothing).await,
            // What Twilio and the chats need to see of a success, together.
            http: HttpServer::start(|_| Says::This(201, r#"{"sid": "SM1", "id": "1"}"#.into()))
                .await,
        }
    }

    pub fn channel(&self, name: &str) -> ChannelConfig {
        let url = self.http.url("/hook");
        match name {
            "email" => email_to(self.mail.port, json!({})),
            "sms" | "voice" => twilio(name, &self.http.url("")),
            "pagerduty" => webhook(name, &url, json!({"routing_key": "R0KEY"})),
            preset => webhook(preset, &url, json!({})),
        }
    }

    /// Sends, and answers the request that arrived.
    pub async fn send(&self, name: &str, message: &Message) -> Arrived {
        let to = match name {
            "email" => mailbox(),
            "sms" | "voice" => phone(),
            _ => Address::Endpoint,
        };
        let _: Sent = send(&self.channel(name), &to, message)
            .await
            .expect("it is taken");
        if name == "email" {
            let mut seen = self.mail.seen();
            assert_eq!(seen.mails.len(), 1, "one mail");
            return Arrived::Mail(seen.mails.remove(0));
        }
        let asked = self.http.only();
        match name {
            "sms" => Arrived::Sms(asked.form()["Body"].clone()),
            "voice" => Arrived::Twiml(asked.form()["Twiml"].clone()),
            _ => Arrived::Json(asked.json()),
        }
    }
}

/// What arrived.
pub enum Arrived {
    Mail(Mail),
    Sms(String),
    Twiml(String),
    Json(Value),
}

impl Arrived {
    /// The readable texts, each of which must say everything.
    pub fn texts(&self) -> Vec<String> {
        match self {
            Arrived::Mail(mail) => {
                let parsed = MessageParser::default().parse(&mail.bytes).expect("a mail");
                let text = parsed.body_text(0).expect("a text part").into_owned();
                let html = parsed.body_html(0).expect("an HTML part").into_owned();
                vec![text, unescaped(&html)]
            }
            Arrived::Sms(text) => vec![text.clone()],
            Arrived::Twiml(text) => vec![unescaped(text)],
            Arrived::Json(value) => {
                let mut texts = Vec::new();
                strings(value, &mut texts);
                vec![unescaped(&texts.join("\n").replace('\\', ""))]
            }
        }
    }
}

/// Every string of a JSON value.
pub fn strings(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| strings(value, into)),
        Value::Object(map) => map.values().for_each(|value| strings(value, into)),
        _ => {}
    }
}

pub fn unescaped(text: &str) -> String {
    let names = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
    ];
    let mut text = text.to_owned();
    for (name, c) in names {
        text = text.replace(name, c);
    }
    text.replace("&amp;", "&")
}

/// `Basic ...` of the account.
pub fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
