//! Data plans: what the cellular link of a machine may use of a month, and what it costs.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use store::{DataPlan, DataUse, PLAN_WARN_AT, PlanState};
use utoipa::ToSchema;
use wire::{CellHealth, MachineId};

use super::json_body::JsonBody;
use super::machines::machine_id;
use crate::app::Shared;
use crate::error::{ApiError, ErrorBody};
use crate::events::Event;

/// What a month of data may use and what it costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"monthly_bytes": 1500000, "price_cents_per_mb": 50.0, "currency": "USD"}))]
pub struct DataPlanBody {
    /// Bytes a calendar month (UTC); null: no limit.
    #[serde(default)]
    #[schema(required = true)]
    pub monthly_bytes: Option<u64>,
    /// Price of 1,000,000 bytes in cents of the currency; 0 when it is not known.
    #[serde(default)]
    #[schema(required = true)]
    pub price_cents_per_mb: f64,
    /// ISO 4217 code.
    #[serde(default = "usd")]
    #[schema(required = true)]
    pub currency: String,
}

fn usd() -> String {
    DataPlan::default().currency
}

/// A month against its plan.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PlanView {
    /// The month in UTC, such as `2026-11`.
    pub month: String,
    /// Bytes so far: each drop with 200 bytes for what the carrier counts beside it, and those known
    /// to be lost. What the reader sends for itself (card payments) is not known.
    pub used_bytes: u64,
    /// What may be used: of the data plan, else of the agent's own budget; null: no limit is known.
    #[schema(required = true)]
    pub budget_bytes: Option<u64>,
    /// Bytes at the month's end if it goes on as in the last seven days.
    pub forecast_bytes: u64,
    /// The share of the budget from which on it warns.
    pub warn_at: f64,
    /// `ok`, `warn` or `over`.
    pub state: PlanStateView,
    /// Price of 1,000,000 bytes in cents; 0 when it is not known.
    pub price_cents_per_mb: f64,
    /// Price of the bytes so far, in cents.
    pub cost_cents: f64,
    /// Price of the forecast, in cents.
    pub forecast_cents: f64,
    /// ISO 4217 code.
    pub currency: String,
    /// Whether the plan is the machine's own; else it is the fleet's.
    pub is_own: bool,
}

/// How a month stands against its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PlanStateView {
    /// Below 80 % of it, or there is no limit.
    Ok,
    /// From 80 % on.
    Warn,
    /// It is used up.
    Over,
}

impl PlanView {
    /// The month as the store and the agent see it.
    pub fn new(used: DataUse, agent: Option<&CellHealth>) -> PlanView {
        let own_budget = agent.and_then(|agent| agent.budget_bytes);
        let budget_bytes = used.plan.monthly_bytes.or(own_budget);
        let share = budget_bytes.map(|budget| used.used_bytes as f64 / budget.max(1) as f64);
        let state = match (used.state, share) {
            (PlanState::Over, _) => PlanStateView::Over,
            (_, Some(share)) if share >= 1.0 => PlanStateView::Over,
            (PlanState::Warn, _) => PlanStateView::Warn,
            (_, Some(share)) if share >= PLAN_WARN_AT => PlanStateView::Warn,
            _ => PlanStateView::Ok,
        };
        PlanView {
            month: used.month,
            used_bytes: used.used_bytes,
            budget_bytes,
            forecast_bytes: used.forecast_bytes,
            warn_at: PLAN_WARN_AT,
            state,
            price_cents_per_mb: used.plan.price_cents_per_mb,
            cost_cents: used.cost_cents,
            forecast_cents: used.forecast_cents,
            currency: used.plan.currency,
            is_own: used.is_own_plan,
        }
    }
}

/// The data plan of every machine that has none of its own.
#[utoipa::path(get, path = "/api/data-plan", tag = "drops", responses(
    (status = 200, body = DataPlanBody),
    (status = 401, body = ErrorBody, description = "no valid credential"),
))]
pub async fn get_data_plan(State(app): State<Shared>) -> Result<Json<DataPlanBody>, ApiError> {
    let plan = app.with_store(|store| store.cell().data_plan(None)).await?;
    Ok(Json(plan.unwrap_or_default().into()))
}

/// Sets the data plan of every machine that has none of its own.
#[utoipa::path(put, path = "/api/data-plan", tag = "drops", request_body = DataPlanBody, responses(
    (status = 200, body = DataPlanBody),
    (status = 400, body = ErrorBody, description = "a field cannot be taken"),
    (status = 401, body = ErrorBody, description = "no valid credential"),
))]
pub async fn set_data_plan(
    State(app): State<Shared>,
    JsonBody(body): JsonBody<DataPlanBody>,
) -> Result<Json<DataPlanBody>, ApiError> {
    let plan = DataPlan::from(body);
    let kept = plan.clone();
    app.with_store(move |store| store.cell().set_data_plan(None, Some(&kept)))
        .await?;
    app.events.publish(Event::Machines);
    Ok(Json(plan.into()))
}

/// Gives a machine a data plan of its own.
#[utoipa::path(put, path = "/api/machines/{id}/data-plan", tag = "drops",
    request_body = DataPlanBody,
    params(("id" = MachineId, Path, description = "the machine")),
    responses(
        (status = 200, body = DataPlanBody),
        (status = 400, body = ErrorBody, description = "a field cannot be taken"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such machine"),
    ))]
pub async fn set_machine_data_plan(
    State(app): State<Shared>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<DataPlanBody>,
) -> Result<Json<DataPlanBody>, ApiError> {
    let plan = DataPlan::from(body);
    change(&app, &id, Some(plan.clone())).await?;
    Ok(Json(plan.into()))
}

/// Takes a machine's own data plan away: the fleet's counts again.
#[utoipa::path(delete, path = "/api/machines/{id}/data-plan", tag = "drops",
    params(("id" = MachineId, Path, description = "the machine")),
    responses(
        (status = 204, description = "the fleet's plan counts"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such machine"),
    ))]
pub async fn remove_machine_data_plan(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    change(&app, &id, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn change(app: &Shared, id: &str, plan: Option<DataPlan>) -> Result<(), ApiError> {
    let id = machine_id(id)?;
    let machine = id.clone();
    app.with_store(move |store| store.cell().set_data_plan(Some(&machine), plan.as_ref()))
        .await?;
    app.events.publish(Event::Machine(id));
    Ok(())
}

impl From<DataPlan> for DataPlanBody {
    fn from(plan: DataPlan) -> DataPlanBody {
        DataPlanBody {
            monthly_bytes: plan.monthly_bytes,
            price_cents_per_mb: plan.price_cents_per_mb,
            currency: plan.currency,
        }
    }
}

impl From<DataPlanBody> for DataPlan {
    fn from(body: DataPlanBody) -> DataPlan {
        DataPlan {
            monthly_bytes: body.monthly_bytes,
            price_cents_per_mb: body.price_cents_per_mb,
            currency: body.currency,
        }
    }
}
