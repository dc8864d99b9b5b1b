//! The configuration of alerts as a document: read with every mistake in it, changed by one at a time,
//! answered with times people can read.

use alerts::AlertConfig;
use alerts::config::check::{Wrong, check};
use alerts::config::rule::Rule;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use wire::Micros;

use crate::app::Shared;
use crate::clock;
use crate::error::ApiError;

/// A JSON object.
pub type Object = Map<String, Value>;

/// The fields of a maintenance window that are times.
const TIMES: [&str; 2] = ["from", "until"];

/// What is wrong with a configuration.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WrongView {
    /// Where: `rules[3] "Hardware Failure"`, `people[0]`.
    pub place: String,
    /// What, and what to do.
    pub words: String,
}

/// 422: a configuration that cannot be used, with everything that is wrong with it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct BadAlerts {
    /// `bad_alerts`.
    pub code: String,
    /// All of it in words.
    pub message: String,
    /// One by one.
    pub wrong: Vec<WrongView>,
}

/// Why a configuration was not taken.
#[derive(Debug)]
pub enum Refusal {
    /// It is wrong.
    Wrong(Vec<Wrong>),
    /// Something else.
    Other(ApiError),
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Refusal {
        Refusal::Other(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let wrong = match self {
            Refusal::Other(error) => return error.into_response(),
            Refusal::Wrong(wrong) => wrong,
        };
        let said: Vec<String> = wrong
            .iter()
            .map(|wrong| format!("{}: {}", wrong.place, wrong.words))
            .collect();
        let body = BadAlerts {
            code: "bad_alerts".to_owned(),
            message: format!("nothing was changed: {}", said.join("; ")),
            wrong: wrong
                .into_iter()
                .map(|wrong| WrongView {
                    place: wrong.place,
                    words: wrong.words,
                })
                .collect(),
        };
        (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response()
    }
}

/// Whether a change is held against all that a configuration must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// It is.
    Whole,
    /// It only takes away, or adds what cannot be wrong: a mistake that is there must not be in its way.
    Not,
}

/// Changes the configuration, one change at a time, and uses it at once.
///
/// # Errors
/// `edit` refuses, the configuration is wrong, or the store failed: nothing was changed.
pub async fn change<T>(
    app: &Shared,
    checked: Checked,
    edit: impl FnOnce(&mut AlertConfig, Micros) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let _alone = app.alerting.changing.lock().await;
    let mut config = app.with_store(|store| store.alerts().config()).await?;
    let now = clock::now();
    let edited = edit(&mut config, now)?;
    if checked == Checked::Whole {
        let wrong = check(&config, &channel_ids(app));
        if !wrong.is_empty() {
            return Err(Refusal::Wrong(wrong));
        }
    }
    app.with_store(move |store| store.alerts().configure(config, now))
        .await?;
    Ok(edited)
}

/// The ids of the channels that there are; empty where that is not known.
pub fn channel_ids(_app: &Shared) -> Vec<String> {
    Vec::new()
}

/// A configuration as it is answered.
///
/// # Errors
/// It is no JSON, which cannot be.
pub fn document(config: &AlertConfig) -> Result<Object, ApiError> {
    let mut document = object(config)?;
    let windows = document
        .get_mut("maintenance")
        .and_then(Value::as_array_mut);
    for window in windows.into_iter().flatten() {
        for name in TIMES {
            if let Some(time) = window.get_mut(name)
                && let Some(us) = time.as_i64()
            {
                *time = Micros(us).to_rfc3339().into();
            }
        }
    }
    Ok(document)
}

/// A rule as it is answered.
///
/// # Errors
/// It is no JSON, which cannot be.
pub fn object(value: &impl Serialize) -> Result<Object, ApiError> {
    match serde_json::to_value(value) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(ApiError::internal("a configuration of alerts is no object")),
    }
}

/// Puts the parts that are there in the place of the old ones.
///
/// # Errors
/// Everything that is wrong with them.
pub fn read(parts: Object, config: &mut AlertConfig) -> Result<(), Refusal> {
    let mut wrong = Vec::new();
    for (name, value) in parts {
        match name.as_str() {
            "rules" => list(&name, value, &mut config.rules, &mut wrong),
            "people" => list(&name, value, &mut config.people, &mut wrong),
            "groups" => list(&name, value, &mut config.groups, &mut wrong),
            "maintenance" => list(&name, times(value), &mut config.maintenance, &mut wrong),
            "group_at" => one(&name, value, &mut config.group_at, &mut wrong),
            "group_within_s" => one(&name, value, &mut config.group_within_s, &mut wrong),
            "daily_digest_minute" => one(&name, value, &mut config.daily_digest_minute, &mut wrong),
            _ => wrong.push(Wrong {
                place: name,
                words: "there is no such part; there are rules, people, groups, maintenance, \
                        group_at, group_within_s and daily_digest_minute"
                    .to_owned(),
            }),
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    // Those that could be read may be wrong in other ways: all is said at once.
    wrong.extend(check(config, &[]));
    Err(Refusal::Wrong(wrong))
}

/// Reads a rule.
///
/// # Errors
/// What is wrong with its shape.
pub fn rule(value: Object) -> Result<Rule, Refusal> {
    let name = value
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let place = format!("rule {name:?}");
    serde_json::from_value(Value::Object(value)).map_err(|error| {
        let words = error.to_string();
        Refusal::Wrong(vec![Wrong { place, words }])
    })
}

fn list<T: DeserializeOwned>(place: &str, value: Value, into: &mut Vec<T>, wrong: &mut Vec<Wrong>) {
    let Value::Array(items) = value else {
        wrong.push(Wrong {
            place: place.to_owned(),
            words: "this is no list".to_owned(),
        });
        return;
    };
    into.clear();
    for (n, item) in items.into_iter().enumerate() {
        let name = item.get("name").and_then(Value::as_str);
        let name = name.map(|name| format!(" {name:?}")).unwrap_or_default();
        match serde_json::from_value(item) {
            Ok(item) => into.push(item),
            Err(error) => wrong.push(Wrong {
                place: format!("{place}[{n}]{name}"),
                words: error.to_string(),
            }),
        }
    }
}

fn one<T: DeserializeOwned>(place: &str, value: Value, into: &mut T, wrong: &mut Vec<Wrong>) {
    match serde_json::from_value(value) {
        Ok(value) => *into = value,
        Err(error) => wrong.push(Wrong {
            place: place.to_owned(),
            words: error.to_string(),
        }),
    }
}

/// Windows with times as they are kept; what is no time stays, and is refused as what it is.
fn times(mut windows: Value) -> Value {
    for window in windows.as_array_mut().into_iter().flatten() {
        for name in TIMES {
            if let Some(time) = window.get_mut(name)
                && let Some(at) = time
                    .as_str()
                    .and_then(|text| Micros::parse_rfc3339(text).ok())
            {
                *time = at.0.into();
            }
        }
    }
    windows
}
