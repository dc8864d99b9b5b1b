//! A channel as it is configured: made from what a person sends, kept as JSON in the encrypted catalog
//! with its secrets, because they have to be shown to the provider.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vendlog_notify::{ChannelConfig, Template};

use crate::error::ApiError;

/// The longest id: it stands in rules and people.
const ID_MAX_CHARS: usize = 40;
/// The day's limit of a channel that costs money, unless another is set: a bad day of a fleet of 100
/// machines, and some euros.
const PAID_PER_DAY: u32 = 50;
/// The largest limit a day.
const PER_DAY_MOST: u32 = 100_000;

/// A way to reach people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Names it for ever; rules and people refer to it: `email`.
    pub id: String,
    /// Whether it is used.
    pub enabled: bool,
    /// Messages in 24 hours at most; `None` is no limit.
    pub limit_per_day: Option<u32>,
    /// The user's own words; ours when there are none.
    pub template: Option<Template>,
    /// By what and how.
    pub config: ChannelConfig,
}

/// The JSON of a stored channel.
#[derive(Serialize, Deserialize)]
struct Stored {
    id: String,
    enabled: bool,
    #[serde(default)]
    limit_per_day: Option<u32>,
    #[serde(default)]
    template: Option<Template>,
    config: Value,
}

impl Channel {
    /// Checks a channel; secrets that it leaves out are taken from `old`, as long as they go to the
    /// same account of the same server. A limit that is not said is the one before, else the usual one.
    ///
    /// # Errors
    /// It cannot work; the words say why.
    pub fn checked(mut self, has_limit: bool, old: Option<&Channel>) -> Result<Channel, ApiError> {
        let bad = |words: String| Err(ApiError::bad_request("bad_channel", words));
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        let chars = self.id.chars().count();
        if !(1..=ID_MAX_CHARS).contains(&chars) || !self.id.chars().all(is_plain) {
            return bad("id must have 1 to 40 of a-z, 0-9, - and _".to_owned());
        }
        if let Some(old) = old {
            self.config.keep_secrets_of(&old.config);
        }
        if !has_limit {
            let usual = self.config.is_paid().then_some(PAID_PER_DAY);
            self.limit_per_day = old.map_or(usual, |old| old.limit_per_day);
        }
        if self.limit_per_day.is_some_and(|limit| limit > PER_DAY_MOST) {
            return bad(format!(
                "limit_per_day must be at most {PER_DAY_MOST}, or null"
            ));
        }
        if let Err(words) = self.config.validate() {
            return bad(words);
        }
        match self.template.as_ref().map(Template::check) {
            Some(Err(error)) => bad(format!("template: {error}")),
            _ => Ok(self),
        }
    }

    /// From the catalog.
    ///
    /// # Errors
    /// It was written by a newer version, or is damaged.
    pub fn from_stored(json: &Value) -> Result<Channel, serde_json::Error> {
        let stored = Stored::deserialize(json)?;
        Ok(Channel {
            id: stored.id,
            enabled: stored.enabled,
            limit_per_day: stored.limit_per_day,
            template: stored.template,
            config: serde_json::from_value(stored.config)?,
        })
    }

    /// For the catalog, **with its secrets**.
    pub fn to_stored(&self) -> Value {
        let stored = Stored {
            id: self.id.clone(),
            enabled: self.enabled,
            limit_per_day: self.limit_per_day,
            template: self.template.clone(),
            config: self.config.to_stored(),
        };
        // Texts, numbers and flags have a JSON.
        serde_json::to_value(&stored).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sms(id: &str) -> Channel {
        let config = json!({"kind": "sms", "from": "+14155550100", "account": {
            "account_sid": "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "secret": "hunter2x"}});
        Channel {
            id: id.to_owned(),
            enabled: true,
            limit_per_day: None,
            template: None,
            config: serde_json::from_value(config).unwrap(),
        }
    }

    #[test]
    fn a_channel_is_kept_whole_and_its_secret_stays_when_it_is_left_out() {
        let old = sms("sms").checked(false, None).unwrap();
        assert_eq!(old.limit_per_day, Some(PAID_PER_DAY), "it costs money");
        assert_eq!(Channel::from_stored(&old.to_stored()).unwrap(), old);
        let mut new = sms("sms");
        new.config = serde_json::from_value(serde_json::to_value(&old.config).unwrap()).unwrap();
        assert!(new.clone().checked(true, None).is_err(), "no secret");
        let new = new.checked(true, Some(&old)).unwrap();
        assert_eq!((new.config, new.limit_per_day), (old.config, None));
    }

    #[test]
    fn an_id_is_a_plain_word() {
        for bad in ["", "SMS", "a b", "ü", &"x".repeat(41)] {
            assert!(sms(bad).checked(false, None).is_err(), "{bad}");
        }
    }
}
