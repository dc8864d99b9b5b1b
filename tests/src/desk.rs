//! A server whose alerts reach people: somebody in operations by e-mail, SMS and call, their boss by
//! call, an owner by e-mail, and a chat by webhook. The clock of the server can be moved.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use wire::Micros;

use crate::providers::web::{Says, says};
use crate::providers::{Asked, MailServer, WebServer, mail};
use crate::{Api, Server, wait};

/// The account at Twilio.
pub const ACCOUNT: &str = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/// Its auth token.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// The number that sends and calls.
pub const OUR_NUMBER: &str = "+14155550100";
/// The number of operations.
pub const OPS_NUMBER: &str = "+14155550111";
/// The number of the boss.
pub const BOSS_NUMBER: &str = "+14155550122";
/// The mail address of operations.
pub const OPS_MAIL: &str = "ops@example.com";

/// Seconds by which the clock is moved at a time while time passes: the server takes two of them for time in
/// which it watched.
const STEP_S: i64 = 55;

/// A server and everybody that its alerts reach.
pub struct Desk {
    /// The server.
    pub server: Server,
    /// A manager's client.
    pub api: Api,
    /// Takes mail.
    pub mail: MailServer,
    /// Answers as Twilio does.
    pub twilio: WebServer,
    /// Takes webhooks.
    pub chat: WebServer,
    clock: PathBuf,
    _folder: tempfile::TempDir,
}

/// A machine whose entries a test posts itself.
pub struct Machine {
    /// Its id.
    pub id: String,
    api: Api,
    seq: Cell<u64>,
}

/// An entry: how many seconds ago, level, component, message, context.
pub type Line<'a> = (i64, &'a str, &'a str, &'a str, Value);

impl Machine {
    /// Posts entries.
    ///
    /// # Panics
    /// The server refuses them.
    pub fn post(&self, lines: &[Line<'_>]) {
        let now = Micros::from_timestamp(jiff::Timestamp::now());
        let entry = |(ago_s, level, component, message, context): &Line<'_>| {
            let seq = self.seq.replace(self.seq.get() + 1);
            json!({"seq": seq, "level": level, "component": component, "message": message,
                "context": context, "timestamp": now.plus_us(-ago_s * 1_000_000).to_rfc3339()})
        };
        let logs: Vec<Value> = lines.iter().map(entry).collect();
        let batch = json!({"machine_id": self.id, "epoch": 7, "logs": logs});
        let answer = self.api.post("/api/logs", batch.to_string());
        assert_eq!(answer.status, 200, "{}", answer.json());
    }

    /// Posts one entry that happened now.
    ///
    /// # Panics
    /// The server refuses it.
    pub fn say(&self, level: &str, component: &str, message: &str) {
        self.post(&[(0, level, component, message, json!({}))]);
    }
}

impl Desk {
    /// A new one, with the ready rules and people to tell.
    ///
    /// # Panics
    /// Something of it does not start.
    pub fn start() -> Desk {
        let folder = tempfile::tempdir().expect("a directory");
        let clock = folder.path().join("clock");
        set_clock(&clock, 0);
        let server = Server::start_by_clock(&folder.path().join("server"), &clock);
        let desk = Desk {
            api: server.api(),
            server,
            mail: MailServer::start(),
            twilio: WebServer::start(twilio),
            chat: WebServer::start(|_| says(200, "{}")),
            clock,
            _folder: folder,
        };
        desk.add_channels();
        desk.configure(&people());
        desk
    }

    /// The directory that all of it lies in.
    pub fn folder(&self) -> &Path {
        self._folder.path()
    }

    /// Registers a machine with name, site and owner.
    ///
    /// # Panics
    /// The server refuses it.
    pub fn machine(&self, id: &str) -> Machine {
        let body = json!({"machine_id": id, "name": "Lobby left", "site": "Main Street",
            "location": "second floor", "owner": "owner"});
        let answer = self.api.post("/api/machines", body.to_string());
        let answer = (answer.status, answer.json());
        assert_eq!(answer.0, 201, "{}", answer.1);
        let key = answer.1["api_key"].as_str().expect("a key");
        Machine {
            id: id.to_owned(),
            api: self.server.api_as(key),
            seq: Cell::new(1),
        }
    }

    /// Sets parts of the alerts' configuration.
    ///
    /// # Panics
    /// The server refuses it.
    pub fn configure(&self, parts: &Value) {
        let answer = self.api.post("/api/alerts/configure", parts.to_string());
        assert_eq!(answer.status, 200, "{}", answer.json());
    }

    /// Changes one rule.
    ///
    /// # Panics
    /// There is no such rule, or the server refuses it.
    pub fn change_rule(&self, id: &str, change: impl Fn(&mut Value)) {
        let mut config = self.api.get("/api/alerts/config").json();
        let rules = config["rules"].as_array_mut().expect("rules");
        let rule = rules.iter_mut().find(|rule| rule["id"] == id);
        change(rule.expect("the rule"));
        self.configure(&json!({"rules": config["rules"]}));
    }

    /// The clock of the server goes so many seconds ahead of ours; noticed within two seconds.
    pub fn move_clock(&self, ahead_s: i64) {
        set_clock(&self.clock, ahead_s);
        std::thread::sleep(wait::seconds(2));
    }

    /// Lets time pass ten times as fast as it does, for a server that is so many seconds ahead: in steps so
    /// small that it goes on watching. Answers how far ahead it is then.
    pub fn pass(&self, ahead_s: i64, for_s: i64) -> i64 {
        let end = ahead_s + for_s;
        let mut ahead_s = ahead_s;
        while ahead_s < end {
            ahead_s += STEP_S.min(end - ahead_s);
            set_clock(&self.clock, ahead_s);
            // A little more than the server's own step.
            std::thread::sleep(std::time::Duration::from_millis(5_500));
        }
        ahead_s
    }

    /// Kills the server and starts it again.
    pub fn kill_and_restart(&mut self) {
        self.server.kill_and_restart_by_clock(&self.clock);
    }

    /// Alerts that are not over.
    pub fn open(&self) -> Vec<Value> {
        let answer = self.api.get("/api/alerts").json();
        let alerts = answer["alerts"].as_array().expect("alerts").iter();
        let is_open = |alert: &&Value| alert["phase"] != "resolved";
        alerts.filter(is_open).cloned().collect()
    }

    /// Waits for an alert of this rule.
    ///
    /// # Panics
    /// There is none within ten seconds.
    pub fn wait_for_alert(&self, rule: &str) -> Value {
        wait::until(&format!("an alert of {rule}"), wait::seconds(10), || {
            self.open()
                .into_iter()
                .find(|alert| alert["rule_id"] == rule)
        })
    }

    /// Forms of SMS that were asked for.
    pub fn texts(&self) -> Vec<Asked> {
        self.asked_of_twilio("Messages.json")
    }

    /// Forms of calls that were asked for.
    pub fn calls(&self) -> Vec<Asked> {
        self.asked_of_twilio("Calls.json")
    }

    fn asked_of_twilio(&self, what: &str) -> Vec<Asked> {
        let mut asked = self.twilio.asked();
        asked.retain(|asked| asked.method == "POST" && asked.path.ends_with(what));
        asked
    }

    fn add_channels(&self) {
        let account = json!({"account_sid": ACCOUNT, "secret": TOKEN, "base_url": self.twilio.url});
        for channel in [
            json!({"id": "email", "config": {"kind": "email", "host": "127.0.0.1",
                "port": self.mail.port, "tls": "starttls", "ca_pem": self.mail.ca_pem,
                "user": mail::USER, "password": mail::PASSWORD, "from": "vendlog@example.com"}}),
            json!({"id": "sms", "limit_per_day": null,
                "config": {"kind": "sms", "from": OUR_NUMBER, "account": account}}),
            json!({"id": "voice", "limit_per_day": null,
                "config": {"kind": "voice", "from": OUR_NUMBER, "account": account}}),
            json!({"id": "chat", "config": {"kind": "webhook", "url": self.chat.url}}),
        ] {
            let answer = self.api.post("/api/alerts/channels", channel.to_string());
            assert_eq!(answer.status, 201, "{}", answer.json());
        }
    }
}

fn set_clock(file: &Path, ahead_s: i64) {
    // libfaketime reads a number with a sign as seconds from the real time.
    std::fs::write(file, format!("{ahead_s:+}\n")).expect("the clock's file");
}

fn people() -> Value {
    json!({
        "people": [
            {"id": "ann", "name": "Ann", "addresses": [
                {"channel": "sms", "to": OPS_NUMBER}, {"channel": "email", "to": OPS_MAIL},
                {"channel": "voice", "to": OPS_NUMBER}]},
            {"id": "boss", "name": "Boss", "addresses": [{"channel": "voice", "to": BOSS_NUMBER}]},
            {"id": "owner", "name": "Owner", "addresses": [
                {"channel": "email", "to": "owner@example.com"}]},
            {"id": "room", "name": "Ops room", "addresses": [{"channel": "chat"}]},
        ],
        "groups": [{"id": "ops", "name": "Operations", "people": ["ann"]}],
    })
}

/// Twilio's answer to a message that it takes, as its pages show it.
pub fn taken() -> Says {
    let answer = json!({"sid": format!("SM{:032x}", 0xabc), "status": "queued", "num_segments": "1",
        "price": null, "price_unit": "USD", "error_code": null, "error_message": null});
    says(201, answer.to_string())
}

fn twilio(asked: &Asked) -> Says {
    if asked.method == "GET" {
        return says(200, r#"{"messages": [], "next_page_uri": null}"#);
    }
    if asked.path.ends_with("Calls.json") {
        let sid = format!("CA{:032x}", 0xabc);
        let answer = json!({"sid": sid, "status": "queued", "price": null, "price_unit": "USD"});
        return says(201, answer.to_string());
    }
    taken()
}
