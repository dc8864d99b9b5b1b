//! The file of a dictionary: a mark with the version, the zstd dictionary, and one stream of the
//! mixing codec that tells the templates and then examples; a CRC-32 at the end.

use std::collections::BTreeMap;

use super::super::dense::coder::{Broken, Coder, Field, Place, TOO_LONG};
use super::super::dense::columns::{Column, Columns};
use super::super::dense::mixed::{MixedReader, MixedWriter, fresh_model};
use super::super::dense::shapes::{Shape, Shapes};
use super::super::dense::walk::{Frame, PACE_FIRST, SAID_MAX_BYTES, Walk};
use super::super::{DropEntry, TimePrecision};
use super::{DictionaryError, Parts};
use crate::Micros;

const MARK: &[u8] = b"VLDICT";
const VERSION: &[u8] = b"2\n";
/// The most shapes of a dictionary.
pub(super) const SHAPES_MAX: usize = 4_096;
/// The most examples of a dictionary.
pub(super) const EXAMPLES_MAX: usize = 4_096;
/// What all examples of a dictionary may say together, so that reading a bad one ends.
const ALL_SAID_MAX_BYTES: usize = 8 * SAID_MAX_BYTES;

const NUMBER: Place<'static> = Place {
    field: Field::Count,
    contexts: &[1],
};

/// A drop's worth of entries to learn from: times before 1970-01-01T00:00:00Z, as if the drop was
/// made then, and seqs from 1.
pub(super) type Example = Vec<DropEntry>;

/// Makes the file. Takes as many of the examples as keep the stream below `stream_max` bytes.
pub(super) fn write(
    zstd: &[u8],
    shapes: &[Shape],
    columns: &BTreeMap<u32, Column>,
    examples: &[Example],
    stream_max: usize,
) -> Result<Vec<u8>, Broken> {
    let mut model = fresh_model();
    let mut writer = MixedWriter::new(&mut model);
    let mut table = Shapes::default();
    writer.number(&NUMBER, shapes.len() as u128)?;
    for shape in shapes {
        table.tell(&mut writer, Some(shape), usize::MAX)?;
    }
    table.close();
    table.set_columns(Columns::code(&mut writer, columns)?);
    let mut pace = PACE_FIRST;
    for example in examples.iter().take(EXAMPLES_MAX) {
        if writer.len() >= stream_max {
            break;
        }
        writer.number(&NUMBER, 1)?;
        let mut walk = Walk::new(&mut table, frame(pace), usize::MAX);
        walk.write(&mut writer, example)?;
        pace = walk.pace();
    }
    writer.number(&NUMBER, 0)?;
    let stream = writer.finish();
    let mut bytes = [MARK, VERSION].concat();
    for part in [zstd, &stream] {
        bytes.extend((part.len() as u32).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    let crc = crc32fast::hash(&bytes);
    bytes.extend(crc.to_le_bytes());
    Ok(bytes)
}

/// Reads the file.
pub(super) fn read(bytes: &[u8]) -> Result<Parts, DictionaryError> {
    const CUT: DictionaryError = DictionaryError::Damaged("its end is missing");
    let rest = bytes.strip_prefix(MARK);
    let rest = rest.ok_or(DictionaryError::NotADictionary)?;
    let rest = rest.strip_prefix(VERSION);
    rest.ok_or(DictionaryError::UnknownVersion)?;
    let (body, crc) = bytes.split_last_chunk().ok_or(CUT)?;
    if crc32fast::hash(body) != u32::from_le_bytes(*crc) {
        return Err(DictionaryError::Damaged("its checksum does not fit"));
    }
    let mut rest = body.get(MARK.len() + VERSION.len()..).ok_or(CUT)?;
    let mut part = || {
        let (len, after) = rest.split_first_chunk().ok_or(CUT)?;
        let len = u32::from_le_bytes(*len) as usize;
        let (part, after) = after.split_at_checked(len).ok_or(CUT)?;
        rest = after;
        Ok(part)
    };
    let (zstd, stream) = (part()?, part()?);
    let mut parts = learn(stream).map_err(|broken| DictionaryError::Damaged(broken.0))?;
    parts.zstd = zstd.to_vec();
    Ok(parts)
}

/// Reads the stream, which is at the same time how the model learns.
fn learn(stream: &[u8]) -> Result<Parts, Broken> {
    let mut model = fresh_model();
    let mut reader = MixedReader::new(&mut model, stream);
    let mut shapes = Shapes::default();
    let count = reader.number(&NUMBER, 0)?;
    if count > SHAPES_MAX as u128 {
        return Err(TOO_LONG);
    }
    let mut room = ALL_SAID_MAX_BYTES;
    for _ in 0..count {
        let shape = shapes.tell(&mut reader, None, room)?;
        let said = shape.message.len() + shape.context.len() + shape.component.len();
        room = room.checked_sub(said).ok_or(TOO_LONG)?;
    }
    shapes.close();
    shapes.set_columns(Columns::code(&mut reader, &BTreeMap::new())?);
    let mut pace = PACE_FIRST;
    let mut examples = 0;
    while reader.number(&NUMBER, 0)? == 1 {
        examples += 1;
        if examples > EXAMPLES_MAX {
            return Err(TOO_LONG);
        }
        let mut walk = Walk::new(&mut shapes, frame(pace), room.min(SAID_MAX_BYTES));
        let told = walk.read(&mut reader)?;
        pace = walk.pace();
        let said: usize = told.iter().map(|entry| entry.entry.size_bytes()).sum();
        room = room.checked_sub(said).ok_or(TOO_LONG)?;
    }
    if !reader.is_at_end() {
        return Err(Broken("there is something behind its last example"));
    }
    Ok(Parts {
        shapes,
        model,
        pace,
        zstd: Vec::new(),
    })
}

/// Examples are made as a drop of an hour that ended just now.
pub(super) fn frame(pace: u64) -> Frame {
    Frame {
        at: Micros(0),
        seq: 0,
        time: TimePrecision::Second,
        pace,
        whole: false,
    }
}
