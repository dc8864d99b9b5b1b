//! The outbox: messages that are to go to people. A row is there before the provider is called, and says
//! so before the call: a crash in the middle of one is the only way to send twice.

use alerts::Outgoing;
use rusqlite::{Connection, Row, params};
use wire::Micros;
use wire::time::HOUR_US;

use crate::catalog::alerts::rows::{json, read_json};
use crate::error::StoreError;

/// A message that could not be delivered is given up after this time.
pub const DELIVERY_TRIED_US: i64 = 24 * HOUR_US;

/// Where a message is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageState {
    /// It waits for its time.
    Waiting,
    /// It is being handed to the provider.
    Calling,
    /// The provider has it.
    Sent,
    /// It was given up.
    Failed,
    /// It is not sent: a limit of the day was reached.
    Held,
}

/// A message on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its number.
    pub id: u64,
    /// When it was written.
    pub created_at: Micros,
    /// When it is tried next.
    pub next_at: Micros,
    /// Where it is.
    pub state: MessageState,
    /// How often it was tried.
    pub tries: u32,
    /// When the provider took it.
    pub sent_at: Option<Micros>,
    /// What the provider calls it.
    pub provider_id: Option<String>,
    /// What it cost, millionths of the account's currency.
    pub price_micros: Option<i64>,
    /// Why it did not go, in words.
    pub error: Option<String>,
    /// The message.
    pub outgoing: Outgoing,
}

/// What became of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// The provider has it.
    Sent {
        /// What the provider calls it.
        provider_id: Option<String>,
        /// What it cost, millionths of the account's currency.
        price_micros: Option<i64>,
    },
    /// It goes again then.
    Again {
        /// When.
        at: Micros,
        /// Why, in words.
        error: String,
    },
    /// It never will.
    Failed {
        /// Why, in words.
        error: String,
    },
    /// A limit of the day holds it.
    Held {
        /// Which, in words.
        error: String,
    },
}

pub(crate) fn add(conn: &Connection, message: &Outgoing) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO deliveries (alert, change, person, channel, recipient, created_at, next_at,
             state, tries, message)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 0, 0, ?7) ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        message.alert.map(|id| id as i64),
        message.change,
        message.person,
        message.channel,
        message.to,
        message.at.0,
        json(message)?,
    ])?;
    Ok(())
}

const COLUMNS: &str = "id, created_at, next_at, state, tries, sent_at, provider_id, price_micros,
    error, message";

fn read(row: &Row<'_>) -> Result<Message, StoreError> {
    Ok(Message {
        id: row.get::<_, i64>(0)? as u64,
        created_at: Micros(row.get(1)?),
        next_at: Micros(row.get(2)?),
        state: match row.get::<_, i64>(3)? {
            0 => MessageState::Waiting,
            1 => MessageState::Calling,
            2 => MessageState::Sent,
            4 => MessageState::Held,
            _ => MessageState::Failed,
        },
        tries: row.get(4)?,
        sent_at: row.get::<_, Option<i64>>(5)?.map(Micros),
        provider_id: row.get(6)?,
        price_micros: row.get(7)?,
        error: row.get(8)?,
        outgoing: read_json(row, 9)?,
    })
}

fn list(
    conn: &Connection,
    condition: &str,
    bound: &[&dyn rusqlite::ToSql],
) -> Result<Vec<Message>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM deliveries {condition}");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(bound))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// Messages whose time has come, critical ones first, but those of some channels. One that a crash left
/// in the middle of a call is among them: better twice than never.
pub(crate) fn due(
    conn: &Connection,
    now: Micros,
    limit: usize,
    but: &[String],
) -> Result<Vec<Message>, StoreError> {
    let condition = "WHERE state <= 1 AND next_at <= ?1
             AND channel NOT IN (SELECT value FROM json_each(?3))
         ORDER BY json_extract(message, '$.severity') <> 'critical', next_at, id LIMIT ?2";
    list(conn, condition, &[&now.0, &(limit as i64), &json(&but)?])
}

/// The newest messages, of one alert or of all, before a number.
pub(crate) fn newest(
    conn: &Connection,
    alert: Option<u64>,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<Message>, StoreError> {
    let before = before.map_or(i64::MAX, |id| id as i64);
    let limit = limit as i64;
    match alert {
        Some(alert) => {
            let condition = "WHERE alert = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3";
            list(conn, condition, &[&(alert as i64), &before, &limit])
        }
        None => {
            let condition = "WHERE id < ?1 ORDER BY id DESC LIMIT ?2";
            list(conn, condition, &[&before, &limit])
        }
    }
}

/// Messages that a crash left in the middle of a call wait again: better twice than never.
pub(crate) fn reset_calling(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute("UPDATE deliveries SET state = 0 WHERE state = 1", [])?;
    Ok(())
}

/// Says that a message is being handed to its provider. `false` when it is not there to be sent. One that
/// says so already was left by a call whose end could not be kept, and goes again as [`due`] says.
pub(crate) fn begin(conn: &Connection, id: u64) -> rusqlite::Result<bool> {
    let changed = conn
        .prepare_cached(
            "UPDATE deliveries SET state = 1, tries = tries + 1 WHERE id = ?1 AND state <= 1",
        )?
        .execute([id as i64])?;
    Ok(changed == 1)
}

/// Keeps what became of a try.
pub(crate) fn finish(
    conn: &Connection,
    id: u64,
    tried: &Tried,
    now: Micros,
) -> rusqlite::Result<()> {
    let id = id as i64;
    match tried {
        Tried::Sent {
            provider_id,
            price_micros,
        } => conn
            .prepare_cached(
                "UPDATE deliveries SET state = 2, sent_at = ?2, provider_id = ?3,
                     price_micros = ?4, error = NULL WHERE id = ?1",
            )?
            .execute(params![id, now.0, provider_id, price_micros])?,
        Tried::Again { at, error } => conn
            .prepare_cached(
                "UPDATE deliveries SET state = 0, next_at = ?2, error = ?3 WHERE id = ?1",
            )?
            .execute(params![id, at.0, error])?,
        Tried::Failed { error } => conn
            .prepare_cached("UPDATE deliveries SET state = 3, error = ?2 WHERE id = ?1")?
            .execute(params![id, error])?,
        Tried::Held { error } => conn
            .prepare_cached("UPDATE deliveries SET state = 4, error = ?2 WHERE id = ?1")?
            .execute(params![id, error])?,
    };
    Ok(())
}

/// When the first message of an alert went out.
pub(crate) fn first_sent(conn: &Connection, alert: u64) -> rusqlite::Result<Option<Micros>> {
    let at: Option<i64> = conn
        .prepare_cached("SELECT min(sent_at) FROM deliveries WHERE alert = ?1")?
        .query_row([alert as i64], |row| row.get(0))?;
    Ok(at.map(Micros))
}

/// How many messages a channel sent since then, and what they cost in millionths where that is known.
pub(crate) fn sent_since(
    conn: &Connection,
    channel: &str,
    since: Micros,
) -> rusqlite::Result<(u64, i64)> {
    conn.prepare_cached(
        "SELECT count(*), coalesce(sum(price_micros), 0) FROM deliveries
         WHERE channel = ?1 AND sent_at >= ?2",
    )?
    .query_row(params![channel, since.0], |row| {
        Ok((row.get::<_, i64>(0)? as u64, row.get(1)?))
    })
}
