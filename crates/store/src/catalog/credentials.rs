//! Keys of machines, tokens of scripts, sessions of browsers. Only hashes are kept.

use rusqlite::{Connection, OptionalExtension, Row, params};
use wire::time::MINUTE_US;
use wire::{MachineId, Micros};

use crate::catalog::{care, machines};
use crate::error::StoreError;

/// Keys of a machine that are valid at the same time: the old one works on while the new one is
/// being brought to the machine.
const MACHINE_KEYS_LIVE: i64 = 2;
/// After the first use of a key that was handed out, the keys before it are good for so long, in
/// microseconds: what is under way with them still arrives.
pub const KEY_OVERLAP_US: i64 = 15 * MINUTE_US;

/// A stored credential: found by `key_id`, compared by SHA-256 in constant time by the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The public part by which it is found.
    pub key_id: String,
    /// SHA-256 of the whole secret.
    pub sha256: [u8; 32],
    /// Whom it lets in.
    pub holder: Holder,
    /// When it was made.
    pub created_at: Micros,
    /// When it ends, if ever (sessions).
    pub expires_at: Option<Micros>,
    /// How a machine's key came about; [`KeyState::InUse`] for all else.
    pub state: KeyState,
}

/// How a machine's key came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It is in use, or was shown to a person.
    InUse = 0,
    /// It was handed out in a heartbeat's answer and not used yet.
    ByHeartbeat = 1,
    /// It was handed out for a pairing code and not used yet.
    ByPairing = 2,
}

/// Whom a credential lets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// The agent of a machine.
    Machine(MachineId),
    /// A script's token.
    Token {
        /// Its name.
        name: String,
        /// `manager`, `technician` or `owner`.
        role: String,
    },
    /// A browser's session.
    Session {
        /// Who signed in.
        name: String,
        /// `manager`, `technician` or `owner`.
        role: String,
    },
}

const KIND_MACHINE: i64 = 0;
const KIND_TOKEN: i64 = 1;
const KIND_SESSION: i64 = 2;

/// Adds a credential; what has expired before this one was made goes. A machine's oldest keys in use
/// go beyond [`MACHINE_KEYS_LIVE`]. One that is handed out puts no key in use at risk, and makes the
/// one handed out in the same way before, if it was not used, void.
pub(crate) fn insert(conn: &Connection, credential: &Credential) -> Result<(), StoreError> {
    let (kind, machine, name, role) = match &credential.holder {
        Holder::Machine(id) => {
            let no = machines::number(conn, id)?;
            let no = no.ok_or_else(|| StoreError::NoSuchMachine(id.clone()))?;
            (KIND_MACHINE, Some(no), "", "")
        }
        Holder::Token { name, role } => (KIND_TOKEN, None, name.as_str(), role.as_str()),
        Holder::Session { name, role } => (KIND_SESSION, None, name.as_str(), role.as_str()),
    };
    conn.prepare_cached("DELETE FROM credentials WHERE expires_at <= ?1")?
        .execute([credential.created_at.0])?;
    conn.prepare_cached(
        "INSERT INTO credentials
             (key_id, sha256, kind, machine, name, role, created_at, expires_at, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        credential.key_id,
        credential.sha256,
        kind,
        machine,
        name,
        role,
        credential.created_at.0,
        credential.expires_at.map(|at| at.0),
        credential.state as i64,
    ])?;
    let Some(no) = machine else { return Ok(()) };
    if credential.state != KeyState::InUse {
        return void(conn, no, credential.state, Some(&credential.key_id));
    }
    conn.prepare_cached(
        "DELETE FROM credentials WHERE machine = ?1 AND key_id <> ?2 AND state = 0
             AND key_id NOT IN (
                 SELECT key_id FROM credentials WHERE machine = ?1 AND key_id <> ?2 AND state = 0
                 ORDER BY created_at DESC, key_id LIMIT ?3)",
    )?
    .execute(params![no, credential.key_id, MACHINE_KEYS_LIVE - 1])?;
    // A person brings this one to the machine: a rotation by heartbeat would only cross it.
    void(conn, no, KeyState::ByHeartbeat, None)?;
    Ok(care::end_rotation(conn, no)?)
}

/// Removes the machine's keys of this state, but for one.
fn void(
    conn: &Connection,
    machine: i64,
    state: KeyState,
    but: Option<&str>,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "DELETE FROM credentials WHERE machine = ?1 AND state = ?2 AND key_id IS NOT ?3",
    )?
    .execute(params![machine, state as i64, but])?;
    Ok(())
}

/// A key that was handed out is used for the first time: it is in use from now on, the others in use
/// end after [`KEY_OVERLAP_US`], and what a heartbeat handed out beside it is void.
pub(crate) fn first_used(conn: &Connection, key_id: &str, at: Micros) -> Result<(), StoreError> {
    let machine: Option<i64> = conn
        .prepare_cached(
            "UPDATE credentials SET state = 0 WHERE key_id = ?1 AND state <> 0 RETURNING machine",
        )?
        .query_row([key_id], |row| row.get(0))
        .optional()?
        .flatten();
    let Some(machine) = machine else {
        return Ok(());
    };
    let ends = at.plus_us(KEY_OVERLAP_US).0;
    conn.prepare_cached(
        "UPDATE credentials SET expires_at = min(coalesce(expires_at, ?3), ?3)
         WHERE machine = ?1 AND key_id <> ?2 AND state = 0",
    )?
    .execute(params![machine, key_id, ends])?;
    void(conn, machine, KeyState::ByHeartbeat, None)?;
    Ok(care::end_rotation(conn, machine)?)
}

/// The credential with this public part, also an expired one.
pub(crate) fn get(conn: &Connection, key_id: &str) -> rusqlite::Result<Option<Credential>> {
    conn.prepare_cached(
        "SELECT c.key_id, c.sha256, c.kind, n.id, c.name, c.role, c.created_at, c.expires_at,
             c.state
         FROM credentials c LEFT JOIN machine_numbers n ON n.no = c.machine WHERE c.key_id = ?1",
    )?
    .query_row([key_id], read)
    .optional()
}

/// Takes a credential back. `false` when there was none.
pub(crate) fn remove(conn: &Connection, key_id: &str) -> rusqlite::Result<bool> {
    let changed = conn
        .prepare_cached("DELETE FROM credentials WHERE key_id = ?1")?
        .execute([key_id])?;
    Ok(changed == 1)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Credential> {
    let kind: i64 = row.get(2)?;
    let (name, role) = (row.get(4)?, row.get(5)?);
    let holder = match kind {
        KIND_MACHINE => {
            let id = row.get_ref(3)?.as_str()?.parse();
            Holder::Machine(id.map_err(|_| rusqlite::Error::IntegralValueOutOfRange(3, kind))?)
        }
        KIND_TOKEN => Holder::Token { name, role },
        KIND_SESSION => Holder::Session { name, role },
        _ => return Err(rusqlite::Error::IntegralValueOutOfRange(2, kind)),
    };
    Ok(Credential {
        key_id: row.get(0)?,
        sha256: row.get(1)?,
        holder,
        created_at: Micros(row.get(6)?),
        expires_at: row.get::<_, Option<i64>>(7)?.map(Micros),
        state: match row.get(8)? {
            0 => KeyState::InUse,
            1 => KeyState::ByHeartbeat,
            2 => KeyState::ByPairing,
            other => return Err(rusqlite::Error::IntegralValueOutOfRange(8, other)),
        },
    })
}
