//! Pairing codes, one a machine: only hashes are kept.

use rusqlite::{Connection, OptionalExtension, params};
use wire::{MachineId, Micros};

use crate::catalog::credentials::KeyState;
use crate::catalog::machines;
use crate::error::StoreError;

/// Bytes of the hash by which a code is found.
const LOOKUP_BYTES: usize = 8;

/// A pairing code as it is kept; compared by SHA-256 in constant time by the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPairing {
    /// The machine that it was made for.
    pub machine: MachineId,
    /// SHA-256 of its secret.
    pub sha256: [u8; 32],
    /// When it was made.
    pub created_at: Micros,
    /// When it ends.
    pub expires_at: Micros,
    /// Its first use, if there was one.
    pub used: Option<PairingUse>,
}

/// The first use of a pairing code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairingUse {
    /// When it was.
    pub at: Micros,
    /// The key that was made for it is not used yet, and not gone.
    pub key_waits: bool,
}

/// Keeps a code, instead of the one before.
pub(crate) fn set(conn: &Connection, code: &StoredPairing) -> Result<(), StoreError> {
    let no = machines::number(conn, &code.machine)?
        .ok_or_else(|| StoreError::NoSuchMachine(code.machine.clone()))?;
    conn.prepare_cached(
        "INSERT INTO pairing_codes (machine, lookup, sha256, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (machine) DO UPDATE SET lookup = excluded.lookup, sha256 = excluded.sha256,
             created_at = excluded.created_at, expires_at = excluded.expires_at,
             used_at = NULL, key_id = NULL",
    )?
    .execute(params![
        no,
        &code.sha256[..LOOKUP_BYTES],
        code.sha256,
        code.created_at.0,
        code.expires_at.0,
    ])?;
    Ok(())
}

/// The code whose secret may have this hash.
pub(crate) fn find(
    conn: &Connection,
    sha256: &[u8; 32],
) -> rusqlite::Result<Option<StoredPairing>> {
    conn.prepare_cached(
        "SELECT n.id, p.sha256, p.created_at, p.expires_at, p.used_at, c.state
         FROM pairing_codes p JOIN machine_numbers n ON n.no = p.machine
         LEFT JOIN credentials c ON c.key_id = p.key_id WHERE p.lookup = ?1",
    )?
    .query_row([&sha256[..LOOKUP_BYTES]], |row| {
        let machine = row.get_ref(0)?.as_str()?.parse();
        let key_waits = row.get::<_, Option<i64>>(5)? == Some(KeyState::ByPairing as i64);
        Ok(StoredPairing {
            machine: machine.map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, 0))?,
            sha256: row.get(1)?,
            created_at: Micros(row.get(2)?),
            expires_at: Micros(row.get(3)?),
            used: row.get::<_, Option<i64>>(4)?.map(|at| PairingUse {
                at: Micros(at),
                key_waits,
            }),
        })
    })
    .optional()
}

/// Takes note of a use; the time of the first one stays.
pub(crate) fn used(
    conn: &Connection,
    code: &StoredPairing,
    key_id: &str,
    at: Micros,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "UPDATE pairing_codes SET used_at = coalesce(used_at, ?2), key_id = ?3 WHERE lookup = ?1",
    )?
    .execute(params![&code.sha256[..LOOKUP_BYTES], at.0, key_id])?;
    Ok(())
}
