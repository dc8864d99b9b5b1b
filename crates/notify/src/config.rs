//! A channel's configuration: one enum over the kinds. It is shown without its secrets and stored
//! with them; how both are done is decided here and nowhere else.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Secret, email, limits, sms, voice, webhook};

/// How people are told. JSON with a `kind`; secrets serialise as `***`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum ChannelConfig {
    /// E-mail over SMTP.
    Email(email::Config),
    /// SMS by Twilio.
    Sms(sms::Config),
    /// A call by Twilio.
    Voice(voice::Config),
    /// A POST of JSON.
    Webhook(webhook::Config),
}

impl ChannelConfig {
    /// `email`, `sms`, `voice` or `webhook`.
    pub fn kind(&self) -> &'static str {
        match self {
            ChannelConfig::Email(_) => "email",
            ChannelConfig::Sms(_) => "sms",
            ChannelConfig::Voice(_) => "voice",
            ChannelConfig::Webhook(_) => "webhook",
        }
    }

    /// Whether every message costs money, so that a day's limit should hold it.
    pub fn is_paid(&self) -> bool {
        matches!(self, ChannelConfig::Sms(_) | ChannelConfig::Voice(_))
    }

    /// Whether any secret is set.
    pub fn has_secret(&self) -> bool {
        self.secrets().iter().any(|(_, secret)| !secret.is_empty())
    }

    /// The configuration **with its secrets in clear**, to be kept encrypted and nowhere else.
    ///
    /// # Panics
    /// Never: the configuration consists of texts, numbers and flags.
    pub fn to_stored(&self) -> Value {
        let mut value = serde_json::to_value(self).expect("texts, numbers and flags serialise");
        for (name, secret) in self.secrets() {
            let holder = match self {
                ChannelConfig::Sms(_) | ChannelConfig::Voice(_) => &mut value["account"],
                _ => &mut value,
            };
            holder[name] = secret.reveal().into();
        }
        value
    }

    /// Secrets that this configuration leaves out are taken from `old`, as long as they go to the
    /// same account of the same server. Otherwise whoever may change a channel could send its
    /// password to a server of their own.
    pub fn keep_secrets_of(&mut self, old: &ChannelConfig) {
        if let (ChannelConfig::Webhook(new), ChannelConfig::Webhook(old)) = (&mut *self, old) {
            // The address is a secret itself, and where the others go.
            let is_same_door =
                (new.preset, &new.pin, &new.ca_pem) == (old.preset, &old.pin, &old.ca_pem);
            if new.url.is_empty() && is_same_door {
                new.url = old.url.clone();
            }
        }
        if self.account() != old.account() {
            return;
        }
        let kept = old.secrets();
        let kept: Vec<(&str, Secret)> = kept.into_iter().map(|(n, s)| (n, s.clone())).collect();
        for (name, secret) in self.secrets_mut() {
            let before = kept.iter().find(|(known, _)| *known == name);
            if let (true, Some((_, before))) = (secret.is_empty(), before) {
                *secret = before.clone();
            }
        }
    }

    /// Whether it can work at all; says what is missing.
    ///
    /// # Errors
    /// One line that says what to do.
    pub fn validate(&self) -> Result<(), String> {
        match self {
            ChannelConfig::Email(config) => config.validate(),
            ChannelConfig::Sms(config) => config.validate(),
            ChannelConfig::Voice(config) => config.validate(),
            ChannelConfig::Webhook(config) => config.validate(),
        }
    }

    /// Whose secrets these are: everything that decides to whom they are shown.
    fn account(&self) -> Value {
        let kind = self.kind();
        match self {
            ChannelConfig::Email(c) => {
                json!([kind, c.host, c.port(), c.user, c.tls, c.pin, c.ca_pem])
            }
            ChannelConfig::Sms(sms::Config { account, .. })
            | ChannelConfig::Voice(voice::Config { account, .. }) => {
                json!([
                    kind,
                    account.account_sid,
                    account.api_key_sid,
                    account.base_url
                ])
            }
            ChannelConfig::Webhook(c) => {
                json!([kind, c.preset, c.url.reveal(), c.pin, c.ca_pem])
            }
        }
    }

    pub(crate) fn secrets(&self) -> Vec<(&'static str, &Secret)> {
        match self {
            ChannelConfig::Email(c) => vec![("password", &c.password)],
            ChannelConfig::Sms(c) => vec![("secret", &c.account.secret)],
            ChannelConfig::Voice(c) => vec![("secret", &c.account.secret)],
            ChannelConfig::Webhook(c) => vec![
                ("url", &c.url),
                ("signing_secret", &c.signing_secret),
                ("old_signing_secret", &c.old_signing_secret),
                ("token", &c.token),
                ("routing_key", &c.routing_key),
            ],
        }
    }

    fn secrets_mut(&mut self) -> Vec<(&'static str, &mut Secret)> {
        match self {
            ChannelConfig::Email(c) => vec![("password", &mut c.password)],
            ChannelConfig::Sms(c) => vec![("secret", &mut c.account.secret)],
            ChannelConfig::Voice(c) => vec![("secret", &mut c.account.secret)],
            ChannelConfig::Webhook(c) => vec![
                ("url", &mut c.url),
                ("signing_secret", &mut c.signing_secret),
                ("old_signing_secret", &mut c.old_signing_secret),
                ("token", &mut c.token),
                ("routing_key", &mut c.routing_key),
            ],
        }
    }
}

pub(crate) fn default_timeout_s() -> u32 {
    limits::TIMEOUT_S
}

pub(crate) fn timeout(timeout_s: u32) -> Result<(), String> {
    let most = limits::TIMEOUT_MOST_S;
    match (1..=most).contains(&timeout_s) {
        true => Ok(()),
        false => Err(format!("timeout_s must be 1 to {most}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(value: Value) -> ChannelConfig {
        serde_json::from_value(value).expect("a channel")
    }

    fn email() -> Value {
        json!({"kind": "email", "host": "mail.example", "user": "ops", "password": "hunter2x",
            "from": "ops@example.com"})
    }

    fn hook() -> Value {
        json!({"kind": "webhook", "url": "https://hooks.example/T1/secret", "token": "abc"})
    }

    fn sms() -> Value {
        json!({"kind": "sms", "from": "+14155550100", "account": {
            "account_sid": "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "secret": "hunter2x"}})
    }

    #[test]
    fn secrets_are_shown_to_nobody_and_kept_when_stored() {
        for value in [email(), hook(), sms()] {
            let config = channel(value);
            config.validate().expect("it can work");
            let shown = serde_json::to_string(&config).unwrap() + &format!("{config:?}");
            let hidden = ["hunter2x", "T1/secret", "abc\""];
            assert!(
                hidden.iter().all(|secret| !shown.contains(secret)),
                "{shown}"
            );
            assert_eq!(channel(config.to_stored()), config, "stored whole");
            let mut read_back = channel(serde_json::to_value(&config).unwrap());
            assert!(!read_back.has_secret());
            read_back.keep_secrets_of(&config);
            assert_eq!(read_back, config, "stars mean: as it was");
        }
    }

    #[test]
    fn a_secret_does_not_follow_to_another_server_or_account() {
        let changed = |whole: Value, pointer: &str, to: Value| {
            let old = channel(whole);
            let mut value = serde_json::to_value(&old).unwrap();
            match pointer.split_once('/') {
                Some((outer, inner)) => value[outer][inner] = to,
                None => value[pointer] = to,
            }
            let mut new = channel(value);
            new.keep_secrets_of(&old);
            !new.has_secret()
        };
        for (key, to) in [
            ("host", "evil.example"),
            ("tls", "implicit"),
            ("user", "x"),
            ("pin", "x"),
        ] {
            assert!(changed(email(), key, json!(to)), "{key}");
        }
        assert!(changed(
            sms(),
            "account/base_url",
            json!("https://evil.example")
        ));
        for (key, to) in [("preset", "ntfy"), ("pin", "x"), ("ca_pem", "x")] {
            assert!(changed(hook(), key, json!(to)), "{key}");
        }
        let old = channel(hook());
        let mut value = serde_json::to_value(&old).unwrap();
        value["url"] = json!("https://evil.example/");
        let mut new = channel(value);
        new.keep_secrets_of(&old);
        assert!(
            !new.to_stored().to_string().contains("abc"),
            "the token stays behind"
        );
    }

    #[test]
    fn a_configuration_that_cannot_work_says_why() {
        let wrong = |mut value: Value, key: &str, to: Value| {
            value[key] = to;
            let config: ChannelConfig = serde_json::from_value(value).expect("a channel");
            config.validate().expect_err("refused")
        };
        assert!(wrong(email(), "host", json!("smtp://x")).contains("host"));
        assert!(wrong(email(), "tls", json!("none")).contains("this very computer"));
        assert!(wrong(email(), "from", json!("ops")).contains("from"));
        assert!(wrong(email(), "password", json!("")).contains("password"));
        assert!(wrong(email(), "timeout_s", json!(0)).contains("timeout_s"));
        assert!(wrong(email(), "pin", json!("sha256/x")).contains("pin"));
        assert!(wrong(sms(), "from", json!("0800")).contains("from"));
        assert!(wrong(sms(), "max_segments", json!(11)).contains("max_segments"));
        assert!(wrong(hook(), "url", json!("http://hooks.example/")).contains("https"));
        assert!(wrong(hook(), "signing_secret", json!("x")).contains("whsec_"));
        assert!(wrong(hook(), "preset", json!("pagerduty")).contains("token"));
        assert!(serde_json::from_value::<ChannelConfig>(json!({"kind": "fax"})).is_err());
    }
}
