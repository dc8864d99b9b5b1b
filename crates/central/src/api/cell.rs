//! `GET /api/machines/{id}/cell`: what comes of a machine by cell: its drops, what is missing of
//! them, how much arrives, and what it costs.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use store::{CellFacts, DELIVERY_DAYS, Delivery, DropGap};
use utoipa::ToSchema;
use wire::Micros;
use wire::drops::DictionaryId;

use super::data_plan::PlanView;
use super::machines::machine_id;
use crate::app::Shared;
use crate::clock;
use crate::error::{ApiError, ErrorBody};

/// A machine's cellular path.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CellView {
    /// Arrival of its last drop; null when none ever came.
    #[schema(required = true)]
    pub last_drop_at: Option<String>,
    /// Number of the newest drop.
    #[schema(required = true)]
    pub last_number: Option<u64>,
    /// The reader's last word on its signal.
    #[schema(required = true)]
    pub signal: Option<SignalView>,
    /// Drops that never came, the newest first.
    pub gaps: Vec<GapView>,
    /// How much of what was sent arrived.
    pub delivery: DeliveryView,
    /// This month's data and money.
    pub plan: PlanView,
    /// The dictionary that its agent uses, as its last heartbeat said.
    #[schema(required = true, value_type = Option<String>)]
    pub dictionary: Option<DictionaryId>,
    /// What the agent said of its own side with the last heartbeat; null for a machine that is heard
    /// by cell only.
    #[schema(required = true)]
    pub agent: Option<wire::CellHealth>,
}

/// The signal of the card reader's modem.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SignalView {
    /// Received signal strength in the reader's own unit (GSM modems: 0 to 31, 99 unknown).
    #[schema(required = true)]
    pub rssi: Option<i32>,
    /// Bit error rate in the reader's own unit (GSM modems: 0 to 7, 99 unknown).
    #[schema(required = true)]
    pub ber: Option<i32>,
}

/// Drops that never came.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct GapView {
    /// The spool that numbered them.
    pub epoch: u64,
    /// The first that is missing.
    pub first: u64,
    /// The last that is missing.
    pub last: u64,
    /// When the drop before the gap was made.
    #[schema(required = true)]
    pub after: Option<String>,
    /// When the drop after the gap was made.
    #[schema(required = true)]
    pub before: Option<String>,
}

/// Delivery over the last days, per path.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DeliveryView {
    /// Over how many days.
    pub days: i64,
    /// Drops; null while there is nothing to measure.
    #[schema(required = true)]
    pub cell: Option<RateView>,
    /// Entries over WiFi; null while there is nothing to measure.
    #[schema(required = true)]
    pub wifi: Option<RateView>,
}

/// How much of what was sent arrived.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RateView {
    /// So many were sent, as the numbers tell.
    pub expected: u64,
    /// So many arrived.
    pub arrived: u64,
    /// Their share, 0 to 1.
    #[schema(example = 0.97)]
    pub rate: f64,
}

/// What comes of a machine by cell: drops, gaps, delivery, data and money.
#[utoipa::path(get, path = "/api/machines/{id}/cell", tag = "machines",
    params(("id" = wire::MachineId, Path, description = "the machine")),
    responses(
        (status = 200, body = CellView),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such machine"),
    ))]
pub async fn get_cell(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<CellView>, ApiError> {
    let id = machine_id(&id)?;
    let now = clock::now();
    let (facts, beat) = app
        .with_store(move |store| {
            let beat = store.machine_facts(&id, now)?.heartbeat;
            Ok((store.cell().facts(&id, now)?, beat))
        })
        .await?;
    let beat = beat.map(|(_, beat)| beat);
    let agent = beat.as_ref().and_then(|beat| beat.cell.clone());
    let dictionary = beat.and_then(|beat| beat.dictionary);
    Ok(Json(view(facts, agent, dictionary)))
}

fn view(
    facts: CellFacts,
    agent: Option<wire::CellHealth>,
    dictionary: Option<DictionaryId>,
) -> CellView {
    let signal = agent.as_ref().and_then(|agent| {
        let is_known = agent.signal_rssi.is_some() || agent.signal_ber.is_some();
        is_known.then_some(SignalView {
            rssi: agent.signal_rssi,
            ber: agent.signal_ber,
        })
    });
    let plan = PlanView::new(facts.data, agent.as_ref());
    CellView {
        last_drop_at: facts.last_drop.map(|last| last.arrived_at.to_rfc3339()),
        last_number: facts.last_drop.and_then(|last| last.number),
        signal,
        gaps: facts.gaps.iter().map(gap).collect(),
        delivery: DeliveryView {
            days: DELIVERY_DAYS,
            cell: facts.by_cell.and_then(rate),
            wifi: facts.by_wifi.and_then(rate),
        },
        plan,
        dictionary,
        agent,
    }
}

fn gap(gap: &DropGap) -> GapView {
    GapView {
        epoch: gap.epoch,
        first: gap.first,
        last: gap.last,
        after: gap.after.map(Micros::to_rfc3339),
        before: gap.before.map(Micros::to_rfc3339),
    }
}

fn rate(measured: Delivery) -> Option<RateView> {
    Some(RateView {
        expected: measured.expected,
        arrived: measured.arrived,
        rate: measured.rate()?,
    })
}
