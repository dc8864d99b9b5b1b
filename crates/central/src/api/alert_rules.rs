//! The rules of alerts, one by one.

use alerts::AlertConfig;
use alerts::config::check::Wrong;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::alert_document::{BadAlerts, Checked, Object, Refusal, change, object, rule};
use super::json_body::JsonBody;
use crate::app::Shared;
use crate::error::{ApiError, ErrorBody};

/// The longest id that is made of a rule's name.
const ID_MAX_CHARS: usize = 40;

/// A rule: `id`, `name`, `severity`, `when` (its condition by `kind`), `scope`, `for_s`, `deliver`,
/// `tell`, `escalate`, `repeat_s`, `cooldown_s`, `clear_s`, `until_acknowledged`, `tell_end`, `enabled`.
#[derive(ToSchema)]
#[schema(value_type = Object, example = json!({
    "name": "Multiple Payment Failures", "severity": "warning",
    "when": {"kind": "entries", "count": 5, "within_s": 600,
        "filter": {"level": "ERROR", "components": ["payment", "eport-link", "reader"]}},
    "deliver": {"how": "within", "s": 300},
    "tell": [{"who": "group:ops", "by": ["email"]}],
}))]
pub struct AlertRule(#[allow(dead_code)] Object);

/// Every rule.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertRules {
    /// In the order they are shown.
    #[schema(value_type = Vec<AlertRule>)]
    pub rules: Vec<Object>,
}

/// Every rule, in the order they are shown.
#[utoipa::path(get, path = "/api/alerts/rules", tag = "alerts", responses(
    (status = 200, body = AlertRules),
    (status = 401, body = ErrorBody, description = "no valid credential"),
))]
pub async fn get_rules(State(app): State<Shared>) -> Result<Json<AlertRules>, ApiError> {
    let config = app.with_store(|store| store.alerts().config()).await?;
    let rules: Result<_, _> = config.rules.iter().map(object).collect();
    Ok(Json(AlertRules { rules: rules? }))
}

/// Adds a rule at the end. Without an `id` one is made of its name.
#[utoipa::path(post, path = "/api/alerts/rules", tag = "alerts", request_body = AlertRule, responses(
    (status = 201, body = AlertRule),
    (status = 401, body = ErrorBody, description = "no valid credential"),
    (status = 422, body = BadAlerts, description = "everything that is wrong with it"),
))]
pub async fn add_rule(
    State(app): State<Shared>,
    JsonBody(mut body): JsonBody<Object>,
) -> Result<(StatusCode, Json<Object>), Refusal> {
    let added = change(&app, Checked::Whole, move |config, _| {
        let id = body.get("id").and_then(Value::as_str).unwrap_or_default();
        if id.trim().is_empty() {
            let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
            let id = free_id(config, name);
            body.insert("id".to_owned(), id.into());
        }
        let added = rule(body)?;
        config.rules.push(added.clone());
        Ok(added)
    });
    Ok((StatusCode::CREATED, Json(object(&added.await?)?)))
}

/// Changes a rule; its alerts that are open go on under the new one where they can.
#[utoipa::path(put, path = "/api/alerts/rules/{id}", tag = "alerts", request_body = AlertRule,
    params(("id" = String, Path, description = "the rule")),
    responses(
        (status = 200, body = AlertRule),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such rule"),
        (status = 422, body = BadAlerts, description = "everything that is wrong with it"),
    ))]
pub async fn set_rule(
    State(app): State<Shared>,
    Path(id): Path<String>,
    JsonBody(mut body): JsonBody<Object>,
) -> Result<Json<Object>, Refusal> {
    let changed = change(&app, Checked::Whole, move |config, _| {
        let place = place(config, &id)?;
        let named = body.entry("id").or_insert_with(|| id.clone().into());
        if named.as_str() != Some(&id) {
            return Err(Refusal::Wrong(vec![Wrong {
                place: format!("rule {id:?}"),
                words: "a rule keeps its id; leave it out, or add another rule".to_owned(),
            }]));
        }
        let changed = rule(body)?;
        config.rules[place] = changed.clone();
        Ok(changed)
    });
    Ok(Json(object(&changed.await?)?))
}

/// Removes a rule and answers what it was, so that it can be added again. Its open alerts end.
#[utoipa::path(delete, path = "/api/alerts/rules/{id}", tag = "alerts",
    params(("id" = String, Path, description = "the rule")),
    responses(
        (status = 200, body = AlertRule),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such rule"),
    ))]
pub async fn remove_rule(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Object>, Refusal> {
    let removed = change(&app, Checked::Not, move |config, _| {
        let place = place(config, &id)?;
        Ok(config.rules.remove(place))
    });
    Ok(Json(object(&removed.await?)?))
}

fn place(config: &AlertConfig, id: &str) -> Result<usize, ApiError> {
    let place = config.rules.iter().position(|rule| rule.id == id);
    place.ok_or_else(|| {
        ApiError::not_found(
            "no_such_rule",
            "there is no such rule; GET /api/alerts/rules lists those that there are",
        )
    })
}

/// `multiple-payment-failures`, and `…-2` when that is taken.
fn free_id(config: &AlertConfig, name: &str) -> String {
    let words = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
    let name: String = name.chars().take(ID_MAX_CHARS).collect();
    let name = if name.is_empty() { "rule" } else { &name };
    let is_free = |id: &String| !config.rules.iter().any(|rule| rule.id == *id);
    let numbered = (2..).map(|n: u64| format!("{name}-{n}"));
    std::iter::once(name.to_owned())
        .chain(numbered)
        .find(is_free)
        .unwrap_or_default()
}
