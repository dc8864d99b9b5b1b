//! Alerts: the list, and one with all that is known of it. What people do with them is in `alert_acts`.

use alerts::{Away, Phase};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::Uri;
use serde::{Deserialize, Serialize};
use store::AlertQuery;
use utoipa::{IntoParams, ToSchema};

use super::alert_deliveries::before;
use super::alert_view::{AlertView, DeliveryView, HistoryView, views};
use super::machines::machine_id;
use super::query::Pairs;
use crate::app::Shared;
use crate::clock;
use crate::error::{ApiError, ErrorBody};

/// Alerts of one page at most.
const PAGE_MAX: usize = 500;
const PAGE: usize = 100;
/// Spans in which nobody watched that are answered, the newest.
const AWAY_SHOWN: usize = 20;

/// Which alerts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // it describes what the handler reads
pub struct AlertsParams {
    /// `open` (all that are not over), `waiting`, `firing`, `acknowledged` or `resolved`; all when
    /// absent.
    pub phase: Option<String>,
    /// Of this machine.
    pub machine: Option<String>,
    /// Of this rule.
    pub rule: Option<String>,
    /// At most so many, up to 500; 100 when absent.
    pub limit: Option<usize>,
    /// With a smaller number than this: `next` of the page before.
    pub before: Option<u64>,
}

/// Alerts, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Alerts {
    /// The page.
    pub alerts: Vec<AlertView>,
    /// `before` of the next page; null at the end.
    #[schema(required = true)]
    pub next: Option<u64>,
    /// How many alerts are not over, whatever was asked for.
    pub counts: AlertCounts,
    /// The last spans in which nobody watched, the newest first.
    pub watcher_away: Vec<AwayView>,
}

/// How many alerts are not over.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertCounts {
    /// The condition holds, but not yet for long enough.
    pub waiting: u64,
    /// Somebody has to look.
    pub firing: u64,
    /// Somebody does.
    pub acknowledged: u64,
}

/// A span in which nobody watched: the program was off, the computer slept, the clock was moved.
#[derive(Debug, Serialize, ToSchema)]
pub struct AwayView {
    /// The last time somebody watched.
    pub from: String,
    /// When the watch began again.
    pub to: String,
}

/// An alert with all that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct WholeAlertView {
    /// The alert.
    pub alert: AlertView,
    /// What happened to it, the oldest first.
    pub history: Vec<HistoryView>,
    /// Who was told, the newest first.
    pub deliveries: Vec<DeliveryView>,
    /// Those that it speaks for.
    pub members: Vec<AlertView>,
}

/// Alerts, the newest first.
#[utoipa::path(get, path = "/api/alerts", tag = "alerts", params(AlertsParams), responses(
    (status = 200, body = Alerts),
    (status = 400, body = ErrorBody, description = "a parameter cannot be read"),
    (status = 401, body = ErrorBody, description = "no valid credential"),
))]
pub async fn get_alerts(State(app): State<Shared>, uri: Uri) -> Result<Json<Alerts>, ApiError> {
    let mut pairs = Pairs::of(&uri);
    let query = AlertQuery {
        phases: phases(pairs.one("phase")?.as_deref())?,
        machine: pairs
            .one("machine")?
            .as_deref()
            .map(machine_id)
            .transpose()?,
        rule: pairs.one("rule")?,
        limit: pairs.number("limit", PAGE, 1..=PAGE_MAX)?,
        before: before(&mut pairs)?,
    };
    pairs.finish()?;
    let now = clock::now();
    let answer = app
        .with_store(move |store| {
            let found = store.alerts().list(&query)?;
            let last = found.last().map(|alert| alert.id);
            let next = last.filter(|_| found.len() == query.limit);
            let [waiting, firing, acknowledged] = store.alerts().counts()?;
            let away = store.alerts().away(AWAY_SHOWN)?;
            Ok(Alerts {
                alerts: views(store, found, now)?,
                next,
                counts: AlertCounts {
                    waiting,
                    firing,
                    acknowledged,
                },
                watcher_away: away.into_iter().map(AwayView::from).collect(),
            })
        })
        .await?;
    Ok(Json(answer))
}

/// An alert with its history, its messages and those that it speaks for.
#[utoipa::path(get, path = "/api/alerts/{id}", tag = "alerts",
    params(("id" = u64, Path, description = "the alert")),
    responses(
        (status = 200, body = WholeAlertView),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such alert"),
    ))]
pub async fn get_alert(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<WholeAlertView>, ApiError> {
    let id = alert_id(&id)?;
    let now = clock::now();
    let found = app
        .with_store(move |store| {
            let Some(whole) = store.alerts().get(id)? else {
                return Ok(None);
            };
            let members = store.alerts().members(&whole.alert)?;
            let mut alerts = views(store, vec![whole.alert], now)?;
            let members = views(store, members, now)?;
            Ok(alerts.pop().map(|alert| WholeAlertView {
                alert,
                history: whole.history.into_iter().map(HistoryView::from).collect(),
                deliveries: whole
                    .deliveries
                    .into_iter()
                    .map(DeliveryView::from)
                    .collect(),
                members,
            }))
        })
        .await?;
    found.map(Json).ok_or_else(no_such_alert)
}

/// The number in a path; what is none names no alert.
///
/// # Errors
/// It is none.
pub fn alert_id(text: &str) -> Result<u64, ApiError> {
    let number = text.parse().ok();
    number
        .filter(|id| i64::try_from(*id).is_ok())
        .ok_or_else(no_such_alert)
}

/// 404.
pub fn no_such_alert() -> ApiError {
    ApiError::not_found(
        "no_such_alert",
        "there is no such alert; GET /api/alerts lists those that there are",
    )
}

fn phases(word: Option<&str>) -> Result<Vec<Phase>, ApiError> {
    Ok(match word {
        None => Vec::new(),
        Some("open") => vec![Phase::Waiting, Phase::Firing, Phase::Acknowledged],
        Some("waiting") => vec![Phase::Waiting],
        Some("firing") => vec![Phase::Firing],
        Some("acknowledged") => vec![Phase::Acknowledged],
        Some("resolved") => vec![Phase::Resolved],
        Some(_) => {
            return Err(ApiError::bad_request(
                "bad_parameter",
                "parameter \"phase\" must be open, waiting, firing, acknowledged or resolved",
            ));
        }
    })
}

impl From<Away> for AwayView {
    fn from(away: Away) -> AwayView {
        AwayView {
            from: away.from.to_rfc3339(),
            to: away.to.to_rfc3339(),
        }
    }
}
