//! Maintenance: somebody works on machines, and nobody is told of them for a while. It ends by itself.

use alerts::Maintenance;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use wire::time::{DAY_US, SECOND_US};
use wire::{MachineId, Micros};

use super::alert_document::{Checked, Refusal, change};
use super::json_body::JsonBody;
use crate::access::Caller;
use crate::app::Shared;
use crate::clock;
use crate::error::{ApiError, ErrorBody};
use crate::events::Event;

/// The longest maintenance, seconds: what lasts longer is a rule's or a machine's matter.
const MAINTENANCE_MAX_S: i64 = 7 * 24 * 3_600;
/// Windows that are over are kept so long, to be looked up.
const KEPT_US: i64 = 30 * DAY_US;
/// Characters kept of a note.
const NOTE_MAX_CHARS: usize = 2_000;

/// Work that begins now.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMaintenance {
    /// The machines that are worked on.
    pub machines: Vec<MachineId>,
    /// For so many seconds, at most seven days.
    pub for_s: i64,
    /// Why.
    #[serde(default)]
    pub note: String,
}

/// A time in which nobody is told of machines.
#[derive(Debug, Serialize, ToSchema)]
pub struct MaintenanceView {
    /// Names it.
    pub id: String,
    /// The machines; none means all of them.
    pub machines: Vec<MachineId>,
    /// From when.
    pub from: String,
    /// Until when.
    pub until: String,
    /// Who began it.
    pub by: String,
    /// Why.
    pub note: String,
}

/// Work that goes on or is planned.
#[derive(Debug, Serialize, ToSchema)]
pub struct Maintenances {
    /// The one that ends first, first.
    pub maintenance: Vec<MaintenanceView>,
}

/// Maintenance that goes on or is planned.
#[utoipa::path(get, path = "/api/maintenance", tag = "alerts", responses(
    (status = 200, body = Maintenances),
    (status = 401, body = ErrorBody, description = "no valid credential"),
))]
pub async fn get_maintenance(State(app): State<Shared>) -> Result<Json<Maintenances>, ApiError> {
    let config = app.with_store(|store| store.alerts().config()).await?;
    let now = clock::now();
    let mut windows = config.maintenance;
    windows.retain(|window| window.until > now);
    windows.sort_by_key(|window| window.until);
    Ok(Json(Maintenances {
        maintenance: windows.into_iter().map(MaintenanceView::from).collect(),
    }))
}

/// Begins maintenance of machines: nobody is told of their alerts until it ends, by itself or by hand.
#[utoipa::path(post, path = "/api/maintenance", tag = "alerts", request_body = NewMaintenance,
    responses(
        (status = 201, body = MaintenanceView),
        (status = 400, body = ErrorBody, description = "no machine, or no time"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such machine"),
    ))]
pub async fn begin_maintenance(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    JsonBody(body): JsonBody<NewMaintenance>,
) -> Result<(StatusCode, Json<MaintenanceView>), Refusal> {
    let bad = |words: String| ApiError::bad_request("bad_field", words);
    if body.machines.is_empty() {
        return Err(bad("\"machines\" names no machine".to_owned()).into());
    }
    if !(1..=MAINTENANCE_MAX_S).contains(&body.for_s) {
        return Err(bad(format!("\"for_s\" must be from 1 to {MAINTENANCE_MAX_S}")).into());
    }
    let machines = body.machines.clone();
    app.with_store(move |store| {
        for id in machines {
            if store.machine(&id)?.is_none() {
                return Err(store::StoreError::NoSuchMachine(id));
            }
        }
        Ok(())
    })
    .await?;
    let by = caller.name();
    let begun = change(&app, Checked::Not, move |config, now| {
        let windows = &mut config.maintenance;
        windows.retain(|window| now.since_us(window.until) < KEPT_US);
        let is_taken = |id: &str| windows.iter().any(|window| window.id == id);
        let id = (now.0..)
            .map(|number| format!("m{number:x}"))
            .find(|id| !is_taken(id))
            .unwrap_or_default();
        let window = Maintenance {
            id,
            machines: body.machines,
            from: now,
            until: now.plus_us(body.for_s * SECOND_US),
            by,
            note: body.note.trim().chars().take(NOTE_MAX_CHARS).collect(),
        };
        windows.push(window.clone());
        Ok(window)
    });
    let begun = begun.await?;
    app.events.publish(Event::Machines);
    Ok((StatusCode::CREATED, Json(begun.into())))
}

/// Ends maintenance now; what still fires then is told.
#[utoipa::path(delete, path = "/api/maintenance/{id}", tag = "alerts",
    params(("id" = String, Path, description = "the maintenance")),
    responses(
        (status = 200, body = MaintenanceView),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "it is over, or never was"),
    ))]
pub async fn end_maintenance(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<MaintenanceView>, Refusal> {
    let ended = change(&app, Checked::Not, move |config, now| {
        let is_it = |window: &Maintenance| window.id == id && window.until > now;
        let place = config.maintenance.iter().position(is_it).ok_or_else(|| {
            ApiError::not_found(
                "no_such_maintenance",
                "there is no such maintenance, or it is over; GET /api/maintenance lists them",
            )
        })?;
        if config.maintenance[place].from < now {
            config.maintenance[place].until = now;
            return Ok(config.maintenance[place].clone());
        }
        // It had not begun.
        Ok(config.maintenance.remove(place))
    });
    let ended = ended.await?;
    app.events.publish(Event::Machines);
    Ok(Json(ended.into()))
}

impl From<Maintenance> for MaintenanceView {
    fn from(window: Maintenance) -> MaintenanceView {
        MaintenanceView {
            id: window.id,
            machines: window.machines,
            from: Micros::to_rfc3339(window.from),
            until: Micros::to_rfc3339(window.until),
            by: window.by,
            note: window.note,
        }
    }
}
