//! Drops in, entries out.

use std::io::{BufRead, Write};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use wire::Micros;
use wire::drops::{Dictionary, ReadDrop, read};

use super::Named;

/// Reads drops, one JSON object a line (or one drop as it is), and writes their entries, one JSON
/// object a line. A drop that cannot be read is told on standard error; the others are read.
///
/// # Errors
/// A drop could not be read, or the output ends early.
pub fn decode(
    received_at: Micros,
    dictionaries: &[Arc<Dictionary>],
    mut input: impl BufRead,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    let mut unread = 0;
    let mut total = 0;
    for drop in split(&bytes)? {
        total += 1;
        let (name, data) = drop;
        let known = |id| dictionaries.iter().find(|known| known.id() == id).cloned();
        match read(&data, received_at, known) {
            Ok(drop) => write(&drop, out)?,
            Err(error) => {
                unread += 1;
                eprintln!("vendlog-agent: {name}: {error}");
            }
        }
    }
    out.flush()?;
    match unread {
        0 => Ok(()),
        _ => bail!("{unread} of {total} drops could not be read"),
    }
}

/// The drops of the input, with their names.
fn split(bytes: &[u8]) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'{') {
        return Ok(vec![("standard input".to_owned(), bytes.to_vec())]);
    }
    let mut drops = Vec::new();
    for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let at = at + 1;
        let named: Named = serde_json::from_slice(line).with_context(|| {
            format!("line {at} is no drop; give {{\"name\", \"data\"}}, one a line")
        })?;
        let name = match named.name.is_empty() {
            true => format!("line {at}"),
            false => named.name,
        };
        drops.push((name, named.data.into_bytes()));
    }
    Ok(drops)
}

fn write(drop: &ReadDrop, out: &mut impl Write) -> anyhow::Result<()> {
    for read in &drop.entries {
        let mut object = serde_json::to_value(&read.entry)?;
        object["machine_id"] = json!(drop.machine);
        object["epoch"] = json!(drop.header.as_ref().map(|header| header.epoch));
        object["seq"] = json!(read.entry.seq);
        object["context"] = Value::Object(read.entry.context.clone());
        object["clock"] = json!(read.entry.clock);
        object["fidelity"] = json!(if read.is_summary { "summary" } else { "full" });
        writeln!(out, "{object}")?;
    }
    Ok(())
}
