//! What the cellular link uses of a month and what that costs.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension, params};
use wire::Micros;
use wire::drops::DROP_OVERHEAD_BYTES;
use wire::time::{DAY_US, SECOND_US};

use crate::catalog::cell::runs::{self, RunKind};
use crate::catalog::rollups::FLEET;
use crate::error::StoreError;
use crate::shared::MachineNo;

/// Share of the month's bytes from which on a plan warns.
pub const PLAN_WARN_AT: f64 = 0.8;
/// Bytes of one MB as a price counts it.
pub const BYTES_PER_MB: f64 = 1_000_000.0;

/// No machine sends drops faster than this, in microseconds: a gap of more numbers than that allows
/// comes from a damaged or forged drop.
const FASTEST_DROP_US: i64 = 10 * SECOND_US;
/// The forecast goes on as the last days went: so many, in microseconds.
const TREND_US: i64 = 7 * DAY_US;
const MONTHS_PER_YEAR: i64 = 12;
/// The longest name of a currency; three letters are usual.
const CURRENCY_CHARS: usize = 10;

/// What a month of data may use and what it costs.
#[derive(Debug, Clone, PartialEq)]
pub struct DataPlan {
    /// Bytes a calendar month (UTC); `None` without a limit.
    pub monthly_bytes: Option<u64>,
    /// Price of a MB ([`BYTES_PER_MB`]) in cents of the currency; 0 when it is not known.
    pub price_cents_per_mb: f64,
    /// ISO 4217 code of the currency, such as `USD`.
    pub currency: String,
}

impl Default for DataPlan {
    fn default() -> DataPlan {
        DataPlan {
            monthly_bytes: None,
            price_cents_per_mb: 0.0,
            currency: "USD".to_owned(),
        }
    }
}

/// How a month stands against its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanState {
    /// Below [`PLAN_WARN_AT`], or no limit.
    Ok,
    /// From [`PLAN_WARN_AT`] on.
    Warn,
    /// The limit is used up.
    Over,
}

/// What a machine has used of the month so far.
///
/// Counted are the drops made in this month (by the machine's clock where that can be true, else by
/// arrival), each number once with its bytes and [`DROP_OVERHEAD_BYTES`], and the numbers known to be
/// missing between two that came, at the mean size of those that did. Not known are repeats that the
/// reader really sent, drops lost after the newest that came, and what the reader sends for itself
/// (card payments): the carrier's bill is higher.
#[derive(Debug, Clone, PartialEq)]
pub struct DataUse {
    /// The month in UTC, such as `2026-11`.
    pub month: String,
    /// Drops that came.
    pub drops: u64,
    /// Drops known to be missing.
    pub missing: u64,
    /// Bytes so far.
    pub used_bytes: u64,
    /// Bytes at the month's end if it goes on as in the last seven days.
    pub forecast_bytes: u64,
    /// The plan.
    pub plan: DataPlan,
    /// Whether the plan is the machine's own; else it is the fleet's.
    pub is_own_plan: bool,
    /// Used against the plan's bytes.
    pub state: PlanState,
    /// Price of the bytes so far, in cents.
    pub cost_cents: f64,
    /// Price of the forecast, in cents.
    pub forecast_cents: f64,
}

/// A calendar month in UTC: year * 12 + month - 1.
pub(crate) fn month_of(at: Micros) -> i64 {
    let date = at.to_timestamp().to_zoned(TimeZone::UTC).date();
    i64::from(date.year()) * MONTHS_PER_YEAR + i64::from(date.month()) - 1
}

/// The first instant of a month; a month outside the calendar is held at its ends.
fn month_start(month: i64) -> Micros {
    let year = i16::try_from(month.div_euclid(MONTHS_PER_YEAR)).unwrap_or(i16::MAX);
    let number = month.rem_euclid(MONTHS_PER_YEAR) as i8 + 1;
    let date = Date::new(year, number, 1).unwrap_or(Date::MAX);
    let start = date.to_zoned(TimeZone::UTC).map(|at| at.timestamp());
    Micros::from_timestamp(start.unwrap_or(jiff::Timestamp::MAX))
}

/// Adds a drop to its month.
pub(crate) fn add_drop(
    conn: &Connection,
    machine: MachineNo,
    at: Micros,
    size: i64,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO cell_months (machine, month, drops, bytes) VALUES (?1, ?2, 1, ?3)
         ON CONFLICT (machine, month) DO UPDATE SET drops = drops + 1,
             bytes = bytes + excluded.bytes",
    )?
    .execute([
        machine,
        month_of(at),
        size.saturating_add(DROP_OVERHEAD_BYTES as i64),
    ])?;
    Ok(())
}

/// The plan of a machine, or of the fleet; `None` when none was set.
pub(crate) fn get(conn: &Connection, machine: MachineNo) -> rusqlite::Result<Option<DataPlan>> {
    conn.prepare_cached(
        "SELECT monthly_bytes, price_cents_per_mb, currency FROM data_plans WHERE machine = ?1",
    )?
    .query_row([machine], |row| {
        Ok(DataPlan {
            monthly_bytes: row
                .get::<_, Option<i64>>(0)?
                .map(|bytes| bytes.max(0) as u64),
            price_cents_per_mb: row.get(1)?,
            currency: row.get(2)?,
        })
    })
    .optional()
}

/// Sets the plan of a machine or of the fleet, or removes it.
pub(crate) fn set(
    conn: &Connection,
    machine: MachineNo,
    plan: Option<&DataPlan>,
) -> Result<(), StoreError> {
    let Some(plan) = plan else {
        conn.prepare_cached("DELETE FROM data_plans WHERE machine = ?1")?
            .execute([machine])?;
        return Ok(());
    };
    let price = plan.price_cents_per_mb;
    let currency = plan.currency.trim();
    if !(price.is_finite() && price >= 0.0)
        || currency.is_empty()
        || currency.chars().count() > CURRENCY_CHARS
    {
        return Err(StoreError::BadPlan);
    }
    let bytes = plan.monthly_bytes.map(super::column).transpose()?;
    conn.prepare_cached(
        "INSERT INTO data_plans (machine, monthly_bytes, price_cents_per_mb, currency)
         VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (machine) DO UPDATE SET monthly_bytes = excluded.monthly_bytes,
             price_cents_per_mb = excluded.price_cents_per_mb, currency = excluded.currency",
    )?
    .execute(params![machine, bytes, price, currency])?;
    Ok(())
}

/// What a machine has used of the month that `now` lies in.
pub(crate) fn used(
    conn: &Connection,
    machine: MachineNo,
    now: Micros,
) -> rusqlite::Result<DataUse> {
    let month = month_of(now);
    let (start, end) = (month_start(month), month_start(month + 1));
    let (drops, bytes): (i64, i64) = conn
        .prepare_cached("SELECT drops, bytes FROM cell_months WHERE machine = ?1 AND month = ?2")?
        .query_row([machine, month], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .unwrap_or_default();
    let missing = missing(conn, machine, (start, end))?;
    let mean = if drops > 0 {
        bytes as f64 / drops as f64
    } else {
        (wire::drops::DROP_MAX_BYTES as u64 + DROP_OVERHEAD_BYTES) as f64
    };
    let used = bytes as f64 + missing * mean;
    // What is known to be missing goes on being missing.
    let with_missing = if bytes > 0 { used / bytes as f64 } else { 1.0 };
    let forecast = used + daily(conn, machine, now)? * with_missing * days(end.since_us(now));
    let own = get(conn, machine)?;
    let is_own_plan = own.is_some();
    let plan = match own {
        Some(plan) => plan,
        None => get(conn, FLEET)?.unwrap_or_default(),
    };
    let cents = |bytes: f64| bytes / BYTES_PER_MB * plan.price_cents_per_mb;
    Ok(DataUse {
        month: format!(
            "{:04}-{:02}",
            month.div_euclid(MONTHS_PER_YEAR),
            month.rem_euclid(MONTHS_PER_YEAR) + 1
        ),
        drops: drops.max(0) as u64,
        missing: missing.round() as u64,
        used_bytes: used.round() as u64,
        forecast_bytes: forecast.round() as u64,
        state: state(plan.monthly_bytes, used),
        cost_cents: cents(used),
        forecast_cents: cents(forecast),
        plan,
        is_own_plan,
    })
}

fn state(budget: Option<u64>, used: f64) -> PlanState {
    match budget {
        Some(budget) if used >= budget as f64 => PlanState::Over,
        Some(budget) if used >= budget as f64 * PLAN_WARN_AT => PlanState::Warn,
        _ => PlanState::Ok,
    }
}

/// Drops missing between two that came; of a gap across the month's ends the part that lies inside.
fn missing(
    conn: &Connection,
    machine: MachineNo,
    (start, end): (Micros, Micros),
) -> rusqlite::Result<f64> {
    let mut missing = 0.0;
    let mut before: Option<(i64, i64, i64)> = None;
    runs::each(conn, machine, RunKind::Drops, |epoch, run| {
        if let Some((of, last, last_at)) = before
            && of == epoch
        {
            let (from, to) = (last_at.min(run.first_at), last_at.max(run.first_at));
            let most = to.saturating_sub(from) / FASTEST_DROP_US + 1;
            let numbers = (run.first - last - 1).min(most) as f64;
            let inside = to.min(end.0).saturating_sub(from.max(start.0));
            missing += if from == to {
                f64::from(u8::from((start.0..end.0).contains(&from))) * numbers
            } else {
                numbers * inside.max(0) as f64 / (to - from) as f64
            };
        }
        before = Some((epoch, run.last, run.last_at));
    })?;
    Ok(missing)
}

/// Bytes a day of late, with the carrier's.
fn daily(conn: &Connection, machine: MachineNo, now: Micros) -> rusqlite::Result<f64> {
    let since = now.plus_us(-TREND_US);
    let (bytes, drops): (i64, i64) = conn
        .prepare_cached(
            "SELECT coalesce(sum(size), 0), count(*) FROM drops
             WHERE machine = ?1 AND at > ?2 AND at <= ?3",
        )?
        .query_row([machine, since.0, now.0], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let first: Option<i64> = conn
        .prepare_cached("SELECT min(at) FROM drops WHERE machine = ?1")?
        .query_row([machine], |row| row.get(0))?;
    let since = since.0.max(first.unwrap_or(now.0));
    // A machine that has just begun is not taken to go on as in its first minutes.
    let span = now.since_us(Micros(since)).clamp(DAY_US, TREND_US);
    let bytes = bytes as f64 + drops as f64 * DROP_OVERHEAD_BYTES as f64;
    Ok(bytes / days(span))
}

fn days(us: i64) -> f64 {
    us.max(0) as f64 / DAY_US as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_where_the_calendar_says() {
        for (at, month, start) in [
            (
                "2026-11-20T12:00:00Z",
                2026 * 12 + 10,
                "2026-11-01T00:00:00.000Z",
            ),
            (
                "2026-12-31T23:59:59.999Z",
                2026 * 12 + 11,
                "2026-12-01T00:00:00.000Z",
            ),
            (
                "2028-02-29T08:00:00Z",
                2028 * 12 + 1,
                "2028-02-01T00:00:00.000Z",
            ),
            (
                "1969-12-31T23:59:59Z",
                1969 * 12 + 11,
                "1969-12-01T00:00:00.000Z",
            ),
        ] {
            let at = Micros::parse_rfc3339(at).unwrap();
            assert_eq!(month_of(at), month);
            assert_eq!(month_start(month).to_rfc3339(), start);
        }
        assert!(month_start(month_of(Micros(i64::MAX)) + 1) >= month_start(0));
    }

    #[test]
    fn a_plan_warns_at_eighty_percent_and_is_over_at_its_limit() {
        for (used, wanted) in [
            (799.0, PlanState::Ok),
            (800.0, PlanState::Warn),
            (999.0, PlanState::Warn),
            (1_000.0, PlanState::Over),
        ] {
            assert_eq!(state(Some(1_000), used), wanted, "{used}");
        }
        assert_eq!(state(None, 1e12), PlanState::Ok);
    }
}
