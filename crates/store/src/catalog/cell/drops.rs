//! The drops that arrived: which, when, how large, and what became of their entries.

use rusqlite::{Connection, OptionalExtension, Row, params};
use wire::drops::ReadForm;
use wire::time::DAY_US;
use wire::{MachineId, Micros};

use crate::catalog::cell::BARE_EPOCH;
use crate::shared::MachineNo;

/// Drops are remembered so long after they arrived, in microseconds: a year's questions about the
/// carrier's bill, and longer than anything waits in a mailbox. The runs of their numbers stay.
const KEPT_US: i64 = 400 * DAY_US;

/// A drop that arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDrop {
    /// Opaque, increasing with arrival: where the next page starts.
    pub id: u64,
    /// Whose.
    pub machine: MachineId,
    /// The epoch that numbers it; `None` in the bare form.
    pub epoch: Option<u64>,
    /// Its number in the epoch; `None` in the bare form.
    pub number: Option<u64>,
    /// SHA-256 of what it says: header and entries.
    pub sha256: [u8; 32],
    /// Name of its file or mail, as it came.
    pub name: String,
    /// The source that it came by first.
    pub source: String,
    /// How it is written.
    pub form: ReadForm,
    /// Its bytes.
    pub size_bytes: u64,
    /// First arrival, by our clock.
    pub arrived_at: Micros,
    /// When it was made, by the machine's clock; `None` in the bare form.
    pub made_at: Option<Micros>,
    /// How long the machine had been up, in seconds.
    pub uptime_s: Option<u64>,
    /// The seqs that it answers for; `None` when there are none.
    pub covers: Option<(u64, u64)>,
    /// Entries that it covers, by level.
    pub counts: [u64; 5],
    /// Covered entries of levels that go by cell which did not fit.
    pub left_out: u64,
    /// Entries in it.
    pub entries: u64,
    /// Those that were new.
    pub accepted: u64,
    /// Those that replaced a summary.
    pub upgraded: u64,
    /// Those that were there before, the upgraded ones among them.
    pub duplicates: u64,
    /// How often it came again.
    pub repeats: u64,
    /// Another drop of the same number says something else: an agent that lost its state, or a hand.
    pub is_conflict: bool,
}

/// A drop to keep; columns as in [`StoredDrop`].
pub(crate) struct NewDrop<'a> {
    pub(crate) machine: MachineNo,
    pub(crate) epoch: i64,
    pub(crate) number: i64,
    pub(crate) sha256: [u8; 32],
    pub(crate) name: &'a str,
    pub(crate) source: &'a str,
    pub(crate) form: ReadForm,
    pub(crate) size: i64,
    pub(crate) arrived_at: Micros,
    pub(crate) made_at: Option<Micros>,
    pub(crate) at: Micros,
    pub(crate) uptime_s: Option<i64>,
    pub(crate) covers: (i64, i64),
    pub(crate) counts: [u64; 5],
    pub(crate) left_out: i64,
    pub(crate) entries: i64,
    pub(crate) accepted: i64,
    pub(crate) upgraded: i64,
    pub(crate) duplicates: i64,
}

/// What is known of a drop's number before it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// Nothing.
    New,
    /// The same drop came.
    Same,
    /// A drop of this number came that says something else.
    Other,
}

/// Looks for drops of this number.
pub(crate) fn before(
    conn: &Connection,
    (machine, epoch, number): (MachineNo, i64, i64),
    sha256: [u8; 32],
) -> rusqlite::Result<Before> {
    let (same, any): (bool, bool) = conn
        .prepare_cached(
            "SELECT coalesce(max(sha256 = ?4), 0), count(*) > 0 FROM drops
             WHERE machine = ?1 AND epoch = ?2 AND number = ?3",
        )?
        .query_row(params![machine, epoch, number, sha256], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    Ok(match (same, any) {
        (true, _) => Before::Same,
        // Bare drops have no numbers that could be in conflict.
        (false, true) if epoch != BARE_EPOCH => Before::Other,
        _ => Before::New,
    })
}

/// Counts one more arrival of a drop.
pub(crate) fn repeat(
    conn: &Connection,
    (machine, epoch, number): (MachineNo, i64, i64),
    sha256: [u8; 32],
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE drops SET repeats = repeats + 1
         WHERE machine = ?1 AND epoch = ?2 AND number = ?3 AND sha256 = ?4",
    )?
    .execute(params![machine, epoch, number, sha256])?;
    Ok(())
}

/// Keeps a drop; with `is_conflict` those of the same number are marked as well.
pub(crate) fn insert(
    conn: &Connection,
    drop: &NewDrop<'_>,
    is_conflict: bool,
) -> rusqlite::Result<()> {
    if is_conflict {
        conn.prepare_cached(
            "UPDATE drops SET is_conflict = 1 WHERE machine = ?1 AND epoch = ?2 AND number = ?3",
        )?
        .execute([drop.machine, drop.epoch, drop.number])?;
    }
    conn.prepare_cached(
        "INSERT INTO drops (machine, epoch, number, sha256, name, source, form, size, arrived_at,
             made_at, at, uptime_s, first, last, counts, left_out, entries, accepted, upgraded,
             duplicates, repeats, is_conflict)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
             ?19, ?20, 0, ?21)",
    )?
    .execute(params![
        drop.machine,
        drop.epoch,
        drop.number,
        drop.sha256,
        drop.name,
        drop.source,
        form_number(drop.form),
        drop.size,
        drop.arrived_at.0,
        drop.made_at.map(|at| at.0),
        drop.at.0,
        drop.uptime_s,
        drop.covers.0,
        drop.covers.1,
        serde_json::Value::from(drop.counts.to_vec()).to_string(),
        drop.left_out,
        drop.entries,
        drop.accepted,
        drop.upgraded,
        drop.duplicates,
        is_conflict,
    ])?;
    Ok(())
}

/// Drops by arrival, the newest first, of one machine or of all; before the drop with this id.
pub(crate) fn list(
    conn: &Connection,
    machine: Option<MachineNo>,
    before: Option<i64>,
    limit: usize,
) -> rusqlite::Result<Vec<StoredDrop>> {
    let whose = match machine {
        Some(_) => "d.machine = ?1",
        None => "?1 IS NULL",
    };
    conn.prepare_cached(&format!(
        "SELECT d.id, n.id, d.epoch, d.number, d.sha256, d.name, d.source, d.form, d.size,
             d.arrived_at, d.made_at, d.uptime_s, d.first, d.last, d.counts, d.left_out, d.entries,
             d.accepted, d.upgraded, d.duplicates, d.repeats, d.is_conflict
         FROM drops d JOIN machine_numbers n ON n.no = d.machine
         WHERE {whose} AND d.id < ?2 ORDER BY d.id DESC LIMIT ?3"
    ))?
    .query_map(
        params![machine, before.unwrap_or(i64::MAX), limit as i64],
        read,
    )?
    .collect()
}

/// Removes those that arrived long before the newest: a clock of ours that ran ahead costs nothing.
pub(crate) fn forget_old(conn: &Connection) -> rusqlite::Result<()> {
    let newest: Option<i64> = conn
        .prepare_cached("SELECT max(arrived_at) FROM drops")?
        .query_row([], |row| row.get(0))
        .optional()?
        .flatten();
    if let Some(newest) = newest {
        conn.prepare_cached("DELETE FROM drops WHERE arrived_at < ?1")?
            .execute([newest.saturating_sub(KEPT_US)])?;
    }
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<StoredDrop> {
    let number = |column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.max(0) as u64);
    let id: String = row.get(1)?;
    let bad = |column, value| rusqlite::Error::IntegralValueOutOfRange(column, value);
    let numbered = row.get::<_, i64>(2)? != BARE_EPOCH;
    let (first, last) = (number(12)?, number(13)?);
    Ok(StoredDrop {
        id: number(0)?,
        machine: id.parse().map_err(|_| bad(1, 0))?,
        epoch: numbered.then_some(number(2)?),
        number: numbered.then_some(number(3)?),
        sha256: row.get(4)?,
        name: row.get(5)?,
        source: row.get(6)?,
        form: match row.get(7)? {
            0 => ReadForm::Text,
            1 => ReadForm::Dense,
            2 => ReadForm::Bare,
            other => return Err(bad(7, other)),
        },
        size_bytes: number(8)?,
        arrived_at: Micros(row.get(9)?),
        made_at: row.get::<_, Option<i64>>(10)?.map(Micros),
        uptime_s: row.get::<_, Option<i64>>(11)?.map(|s| s.max(0) as u64),
        covers: (first > 0).then_some((first, last)),
        counts: serde_json::from_str(row.get_ref(14)?.as_str()?).unwrap_or_default(),
        left_out: number(15)?,
        entries: number(16)?,
        accepted: number(17)?,
        upgraded: number(18)?,
        duplicates: number(19)?,
        repeats: number(20)?,
        is_conflict: row.get(21)?,
    })
}

fn form_number(form: ReadForm) -> i64 {
    match form {
        ReadForm::Text => 0,
        ReadForm::Dense => 1,
        ReadForm::Bare => 2,
    }
}
