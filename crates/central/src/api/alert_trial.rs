//! A rule tried on what was stored before it is saved: "would have fired 4 times".

use alerts::config::check::check;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wire::MachineId;
use wire::time::DAY_US;

use super::alert_document::{BadAlerts, Object, Refusal, rule};
use super::alert_rules::AlertRule;
use super::json_body::JsonBody;
use crate::alerts::machines_now::machines_now;
use crate::alerts::trial::{self, Tried};
use crate::app::Shared;
use crate::clock;
use crate::error::{ApiError, ErrorBody};

/// The longest look back, days.
const DAYS_MAX: u16 = 90;

/// A rule to try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TryRule {
    /// The rule; it needs neither an id nor anybody to tell.
    #[schema(value_type = AlertRule)]
    pub rule: Object,
    /// On the entries of so many days, 1 to 90; 30 when absent.
    #[serde(default = "a_month")]
    pub days: u16,
}

/// What a rule would have done.
#[derive(Debug, Serialize, ToSchema)]
pub struct RuleTried {
    /// How often it would have fired.
    pub fired: u64,
    /// Entries that were looked at.
    pub entries: u64,
    /// By machine, those that fired most first.
    pub machines: Vec<TriedMachine>,
    /// The first of them.
    pub shown: Vec<TriedAlert>,
    /// The time that was looked at begins: later than asked for when there was too much.
    pub from: String,
    /// It ends.
    pub to: String,
    /// Why this kind of rule cannot be tried; null when it was.
    #[schema(required = true)]
    pub cannot: Option<String>,
}

/// How often it would have fired for a machine.
#[derive(Debug, Serialize, ToSchema)]
pub struct TriedMachine {
    /// The machine.
    pub machine_id: MachineId,
    /// How often.
    pub fired: u64,
}

/// An alert that would have been.
#[derive(Debug, Serialize, ToSchema)]
pub struct TriedAlert {
    /// The machine.
    pub machine_id: MachineId,
    /// When it would have begun.
    pub since: String,
    /// What, in words.
    pub facts: String,
}

fn a_month() -> u16 {
    30
}

/// Tries a rule on the entries of the last days. Silence, links, gaps and data plans are not kept as
/// history: rules of these kinds answer `cannot`. Changes nothing.
#[utoipa::path(post, path = "/api/alerts/rules/try", tag = "alerts", request_body = TryRule,
    responses(
        (status = 200, body = RuleTried),
        (status = 400, body = ErrorBody, description = "days is not from 1 to 90"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 422, body = BadAlerts, description = "everything that is wrong with the rule"),
    ))]
pub async fn try_rule(
    State(app): State<Shared>,
    JsonBody(mut body): JsonBody<TryRule>,
) -> Result<Json<RuleTried>, Refusal> {
    if !(1..=DAYS_MAX).contains(&body.days) {
        let words = format!("\"days\" must be from 1 to {DAYS_MAX}");
        return Err(ApiError::bad_request("bad_field", words).into());
    }
    for (name, word) in [("id", "tried"), ("name", "Tried rule")] {
        body.rule.entry(name).or_insert_with(|| word.into());
    }
    for name in ["tell", "escalate"] {
        body.rule.remove(name);
    }
    let wanted = rule(body.rule)?;
    let alone = alerts::AlertConfig {
        rules: vec![wanted.clone()],
        ..alerts::AlertConfig::default()
    };
    let wrong = check(&alone, &[]);
    if !wrong.is_empty() {
        return Err(Refusal::Wrong(wrong));
    }
    let now = clock::now();
    let from = now.plus_us(-i64::from(body.days) * DAY_US);
    let _alone = app.alerting.trying.lock().await;
    let limits = app.judge.limits.clone();
    let tried = app
        .with_store(move |store| {
            let (fleet, slow) = (store.fleet_facts(now)?, store.alerts().slow_facts(now)?);
            let machines = machines_now(&fleet, &slow, &limits, now);
            trial::run(store, wanted, machines, (from, now))
        })
        .await?;
    Ok(Json(view(tried, from.to_rfc3339(), now.to_rfc3339())))
}

fn view(tried: Option<Tried>, from: String, to: String) -> RuleTried {
    let Some(tried) = tried else {
        return RuleTried {
            fired: 0,
            entries: 0,
            machines: Vec::new(),
            shown: Vec::new(),
            from,
            to,
            cannot: Some(
                "Silence, links, missing numbers and data plans are not kept as history; \
                 a rule of this kind cannot be tried."
                    .to_owned(),
            ),
        };
    };
    let found = tried.outcome;
    let by_machine = found.machines.into_iter();
    let mut machines: Vec<TriedMachine> = by_machine
        .map(|(machine_id, fired)| TriedMachine { machine_id, fired })
        .collect();
    machines.sort_by_key(|machine| std::cmp::Reverse(machine.fired));
    let shown = found.shown.into_iter();
    RuleTried {
        fired: found.fired,
        entries: tried.entries,
        machines,
        shown: shown
            .map(|(machine_id, since, facts)| TriedAlert {
                machine_id,
                since: since.to_rfc3339(),
                facts,
            })
            .collect(),
        from: tried.from.to_rfc3339(),
        to: tried.to.to_rfc3339(),
        cannot: None,
    }
}
