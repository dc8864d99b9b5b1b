//! A day file's own list of commits: what each one brought, so that the catalog can take it over
//! again when a crash came in between.

use rusqlite::{Connection, params};

use crate::codec::{put_signed, put_unsigned, take_signed, take_unsigned};
use crate::shared::MachineNo;

/// Commits kept although the catalog has them: a catalog restored from a copy that is a little
/// older than the day files still catches up.
const COMMITS_KEPT: i64 = 1_000;
const RECORD_VERSION: u8 = 1;

/// What a commit says of a run of seqs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RangeKind {
    /// These rows are new with this commit.
    New,
    /// These rows were there before; they came by one more path.
    Seen,
    /// These rows took the place of rows of the same seqs in this file.
    Replaced,
    /// These rows took the place of rows of the same seqs in the file of another day, `from`, which
    /// lose theirs with a commit after this one.
    Moved {
        /// The other day, in days since 1970.
        from: i64,
    },
    /// These rows are gone: the file of another day has better ones.
    Left,
}

/// A run of seqs of one machine and epoch that a commit brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) kind: RangeKind,
    pub(crate) machine: MachineNo,
    pub(crate) epoch: i64,
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// The ledger's flags.
    pub(crate) flags: i64,
}

/// Writes the record of commit `no`, and removes old ones that the catalog has.
pub(crate) fn insert(
    conn: &Connection,
    no: i64,
    ranges: &[Range],
    applied: i64,
) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT INTO commits (no, ranges) VALUES (?1, ?2)")?
        .execute(params![no, encode(ranges)])?;
    conn.prepare_cached("DELETE FROM commits WHERE no <= ?1")?
        .execute([applied.min(no - COMMITS_KEPT)])?;
    Ok(())
}

/// The number of the newest commit; 0 when there is none.
pub(crate) fn newest(conn: &Connection) -> rusqlite::Result<i64> {
    conn.query_row("SELECT coalesce(max(no), 0) FROM commits", [], |row| {
        row.get(0)
    })
}

/// The number of a commit and what it brought; `None` when its record cannot be read.
pub(crate) type Commit = (i64, Option<Vec<Range>>);

/// The commits after `applied`, oldest first.
pub(crate) fn after(conn: &Connection, applied: i64) -> rusqlite::Result<Vec<Commit>> {
    let mut statement =
        conn.prepare_cached("SELECT no, ranges FROM commits WHERE no > ?1 ORDER BY no")?;
    let rows = statement.query_map([applied], |row| {
        Ok((row.get(0)?, decode(row.get_ref(1)?.as_blob()?)))
    })?;
    rows.collect()
}

fn encode(ranges: &[Range]) -> Vec<u8> {
    let mut out = vec![RECORD_VERSION];
    for range in ranges {
        out.push(match range.kind {
            RangeKind::New => 0,
            RangeKind::Seen => 1,
            RangeKind::Replaced => 2,
            RangeKind::Moved { .. } => 3,
            RangeKind::Left => 4,
        });
        if let RangeKind::Moved { from } = range.kind {
            put_signed(&mut out, from);
        }
        put_signed(&mut out, range.machine);
        put_signed(&mut out, range.epoch);
        put_signed(&mut out, range.first);
        put_unsigned(&mut out, (range.last - range.first) as u64);
        put_signed(&mut out, range.flags);
    }
    out
}

fn decode(mut bytes: &[u8]) -> Option<Vec<Range>> {
    let (&version, rest) = bytes.split_first()?;
    if version != RECORD_VERSION {
        return None;
    }
    bytes = rest;
    let mut ranges = Vec::new();
    while let Some((&kind, rest)) = bytes.split_first() {
        bytes = rest;
        let kind = match kind {
            0 => RangeKind::New,
            1 => RangeKind::Seen,
            2 => RangeKind::Replaced,
            3 => RangeKind::Moved {
                from: take_signed(&mut bytes)?,
            },
            4 => RangeKind::Left,
            _ => return None,
        };
        let machine = take_signed(&mut bytes)?;
        let epoch = take_signed(&mut bytes)?;
        let first = take_signed(&mut bytes)?;
        let length = i64::try_from(take_unsigned(&mut bytes)?).ok()?;
        let last = first.checked_add(length)?;
        let flags = take_signed(&mut bytes)?;
        ranges.push(Range {
            kind,
            machine,
            epoch,
            first,
            last,
            flags,
        });
    }
    Some(ranges)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_and_a_damaged_one_is_noticed() {
        let ranges = vec![
            Range {
                kind: RangeKind::New,
                machine: 3,
                epoch: -1,
                first: 1,
                last: 900,
                flags: 5,
            },
            Range {
                kind: RangeKind::Seen,
                machine: 9,
                epoch: i64::MAX,
                first: i64::MAX,
                last: i64::MAX,
                flags: 2,
            },
            Range {
                kind: RangeKind::Moved { from: -3 },
                machine: 1,
                epoch: 2,
                first: 3,
                last: 4,
                flags: 7,
            },
        ];
        let bytes = encode(&ranges);
        assert_eq!(decode(&bytes), Some(ranges));
        assert_eq!(decode(&bytes[..bytes.len() - 1]), None);
        assert_eq!(decode(&[]), None);
        assert_eq!(
            decode(&[2]),
            None,
            "a record of another version is not guessed at"
        );
    }
}
