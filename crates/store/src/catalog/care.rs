//! What waits for a machine's next heartbeat: a rotation of its key, a configuration.

use rusqlite::{Connection, OptionalExtension, params};
use wire::Micros;

use crate::shared::MachineNo;

/// The configuration that a machine is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredConfig {
    /// Names it.
    pub version: String,
    /// The text of its `agent.toml`.
    pub toml: String,
    /// When somebody set it.
    pub set_at: Micros,
}

/// When the rotation of its key was asked for, and what it is to be configured with.
pub(crate) fn get(
    conn: &Connection,
    machine: MachineNo,
) -> rusqlite::Result<(Option<Micros>, Option<DesiredConfig>)> {
    let row = conn
        .prepare_cached(
            "SELECT rotation_asked_at, config_version, config, config_set_at
             FROM care WHERE machine = ?1",
        )?
        .query_row([machine], |row| {
            let (version, toml, set_at): (Option<String>, Option<String>, Option<i64>) =
                (row.get(1)?, row.get(2)?, row.get(3)?);
            let config = version.zip(toml).zip(set_at);
            Ok((
                row.get::<_, Option<i64>>(0)?.map(Micros),
                config.map(|((version, toml), set_at)| DesiredConfig {
                    version,
                    toml,
                    set_at: Micros(set_at),
                }),
            ))
        })
        .optional()?;
    Ok(row.unwrap_or_default())
}

/// Asks for a rotation.
pub(crate) fn ask_rotation(
    conn: &Connection,
    machine: MachineNo,
    at: Micros,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO care (machine, rotation_asked_at) VALUES (?1, ?2)
         ON CONFLICT (machine) DO UPDATE SET rotation_asked_at = excluded.rotation_asked_at",
    )?
    .execute([machine, at.0])?;
    Ok(())
}

/// Forgets that a rotation was asked for.
pub(crate) fn end_rotation(conn: &Connection, machine: MachineNo) -> rusqlite::Result<()> {
    conn.prepare_cached("UPDATE care SET rotation_asked_at = NULL WHERE machine = ?1")?
        .execute([machine])?;
    Ok(())
}

/// Sets the configuration, or withdraws it.
pub(crate) fn set_config(
    conn: &Connection,
    machine: MachineNo,
    config: Option<&DesiredConfig>,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO care (machine, config_version, config, config_set_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (machine) DO UPDATE SET config_version = excluded.config_version,
             config = excluded.config, config_set_at = excluded.config_set_at",
    )?
    .execute(params![
        machine,
        config.map(|config| config.version.as_str()),
        config.map(|config| config.toml.as_str()),
        config.map(|config| config.set_at.0),
    ])?;
    Ok(())
}
