//! `GET /api/drops`: the drops that arrived.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde::{Deserialize, Serialize};
use store::StoredDrop;
use utoipa::{IntoParams, ToSchema};
use wire::drops::ReadForm;
use wire::{MachineId, Micros};

use super::query::Pairs;
use crate::app::Shared;
use crate::error::{ApiError, ErrorBody};

/// Drops of a page when nothing is said.
const LIMIT_DEFAULT: usize = 100;
/// The most drops of a page.
const LIMIT_MAX: usize = 1000;

/// A page of drops.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Drops {
    /// The newest arrival first.
    pub drops: Vec<DropView>,
    /// The cursor of the next page; null at the end.
    #[schema(required = true)]
    pub next: Option<String>,
}

/// A drop that arrived.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DropView {
    /// Whose.
    pub machine_id: MachineId,
    /// The spool that numbers it; null in the bare form.
    #[schema(required = true)]
    pub epoch: Option<u64>,
    /// Its number in the epoch; null in the bare form.
    #[schema(required = true)]
    pub number: Option<u64>,
    /// Name of its file or mail, as it came.
    pub name: String,
    /// The id of the source that it came by first, such as `s1`; `api` for none.
    pub source: String,
    /// How it is written.
    pub form: DropForm,
    /// First arrival, by the server's clock.
    pub arrived_at: String,
    /// When it was made, by the machine's clock; null in the bare form.
    #[schema(required = true)]
    pub made_at: Option<String>,
    /// Its bytes.
    pub size_bytes: u64,
    /// Entries in it.
    pub entries: u64,
    /// Those that were new.
    pub accepted: u64,
    /// Those that replaced a shortened one.
    pub upgraded: u64,
    /// Those that were there before.
    pub duplicates: u64,
    /// Entries of the levels that go by cell which did not fit into it.
    pub left_out: u64,
    /// How often it came again.
    pub repeats: u64,
    /// Another drop of the same number says something else.
    pub is_conflict: bool,
}

/// How a drop is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DropForm {
    /// Lines that a person can read.
    Text,
    /// Packed.
    Dense,
    /// The PRD's lines alone, without a number.
    Bare,
}

/// Which drops.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // it describes what the handler reads
pub struct DropsParams {
    /// Only this machine's.
    pub machine: Option<String>,
    /// 1 to 1,000; more is clamped; 100 when absent.
    pub limit: Option<u32>,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

/// The drops that arrived, the newest first.
#[utoipa::path(get, path = "/api/drops", tag = "drops", params(DropsParams), responses(
    (status = 200, body = Drops),
    (status = 400, body = ErrorBody, description = "a parameter cannot be read"),
    (status = 401, body = ErrorBody, description = "no valid credential"),
))]
pub async fn get_drops(State(app): State<Shared>, uri: Uri) -> Result<Json<Drops>, ApiError> {
    let mut pairs = Pairs::of(&uri);
    let mut machines = pairs.machines()?;
    let limit = pairs.number("limit", LIMIT_DEFAULT, 1..=LIMIT_MAX)?;
    let before = match pairs.one("cursor")? {
        None => None,
        Some(cursor) => Some(cursor.parse::<u64>().map_err(|_| {
            ApiError::bad_request(
                "bad_reference",
                "the cursor cannot be read; start again without it",
            )
        })?),
    };
    pairs.finish()?;
    if machines.len() > 1 {
        return Err(ApiError::bad_request(
            "bad_parameter",
            "parameter \"machine\" is given more than once; give it once",
        ));
    }
    let machine = machines.pop();
    let drops = app
        .with_store(move |store| store.cell().drops(machine.as_ref(), before, limit))
        .await?;
    let next = drops
        .last()
        .filter(|_| drops.len() == limit)
        .map(|drop| drop.id.to_string());
    let drops = drops.into_iter().map(DropView::from).collect();
    Ok(Json(Drops { drops, next }))
}

impl From<StoredDrop> for DropView {
    fn from(drop: StoredDrop) -> DropView {
        DropView {
            machine_id: drop.machine,
            epoch: drop.epoch,
            number: drop.number,
            name: drop.name,
            source: drop.source,
            form: match drop.form {
                ReadForm::Text => DropForm::Text,
                ReadForm::Dense => DropForm::Dense,
                ReadForm::Bare => DropForm::Bare,
            },
            arrived_at: drop.arrived_at.to_rfc3339(),
            made_at: drop.made_at.map(Micros::to_rfc3339),
            size_bytes: drop.size_bytes,
            entries: drop.entries,
            accepted: drop.accepted,
            upgraded: drop.upgraded,
            duplicates: drop.duplicates,
            left_out: drop.left_out,
            repeats: drop.repeats,
            is_conflict: drop.is_conflict,
        }
    }
}
