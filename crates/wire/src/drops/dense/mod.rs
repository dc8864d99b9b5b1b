//! The dense form of a drop: a short first line, and the rest of its header and its entries as
//! densely as the dictionary allows in printable ASCII. Several codecs write it; the smallest is
//! sent. Reading never panics and says no to whatever was changed.
//!
//! White space does not count: a mail program may wrap it anywhere. What follows the payload, such
//! as a footer, is not looked at.

mod armour;
pub(crate) mod bytes;
pub(crate) mod coder;
pub(crate) mod columns;
mod header;
pub(crate) mod json;
mod logistic;
pub(crate) mod mixed;
pub(crate) mod model;
pub(crate) mod param;
mod params;
mod primer;
mod range;
pub(crate) mod shapes;
pub(crate) mod walk;

use std::sync::Arc;

use super::{Dictionary, DictionaryId, DropEntry, DropError, DropHeader};
use bytes::{ByteReader, ByteWriter};
use coder::{Broken, TOO_LONG};
use mixed::{MixedReader, MixedWriter};
use walk::{ENTRIES_MAX, Frame, SAID_MAX_BYTES, Walk};

/// The longest dense drop that is read: many times what the reader takes, for other ways to send
/// it.
pub const DENSE_MAX_BYTES: usize = 64 * 1024;
/// More than a first line has: a machine's id and two numbers.
const HEADER_MAX_CHARS: usize = 512;
/// What zstd may make of a payload: every text of a drop, with its numbers.
const UNPACKED_MAX_BYTES: usize = SAID_MAX_BYTES + ENTRIES_MAX * 16;

/// How the entries are written. The digit stands in the header; one, once sent, never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Codec {
    /// Messages whole, through zstd with the dictionary.
    Text = 1,
    /// Templates by number and typed parameters.
    Plain = 2,
    /// [`Codec::Plain`] through zstd with the dictionary.
    PlainZstd = 3,
    /// Templates and parameters through the mixing range coder.
    Mixed = 4,
}

impl Codec {
    const ALL: [Codec; 4] = [Codec::Text, Codec::Plain, Codec::PlainZstd, Codec::Mixed];

    fn from_number(number: u8) -> Option<Codec> {
        Codec::ALL.into_iter().find(|codec| *codec as u8 == number)
    }
}

/// Whether a text is a dense drop, of this version or another.
pub fn is_dense(text: &str) -> bool {
    let text = trimmed(text).as_bytes();
    let digits = text.iter().skip(header::MAGIC.len());
    let digits = digits.take_while(|byte| byte.is_ascii_digit()).count();
    text.starts_with(header::MAGIC.as_bytes())
        && digits > 0
        && text.get(header::MAGIC.len() + digits) == Some(&b',')
}

/// The drop as text, however large; whoever sends it sees to its size. The entries are best in
/// order of seq. Times are cut to `header.time`, that of the drop to the second. What says more
/// than 1 MiB or has more than 16,384 entries cannot be read again.
pub fn encode(header: &DropHeader, entries: &[DropEntry], dictionary: &Dictionary) -> String {
    let mut payloads = Codec::ALL
        .into_iter()
        .filter_map(|codec| Some((codec, payload(codec, header, entries, dictionary)?)));
    // The first of the smallest; the plain codec takes everything.
    let first = payloads.next();
    let best = payloads.fold(first, |best, next| match best {
        Some(best) if best.1.len() <= next.1.len() => Some(best),
        _ => Some(next),
    });
    let (codec, payload) = best.unwrap_or((Codec::Plain, Vec::new()));
    let mut bytes = header::write_head(header, codec, dictionary.id(), entries);
    bytes.extend(payload);
    let payload = armour::put(&bytes);
    let line = header::write_line(&header.machine, payload.len());
    let crc = header::crc(checksum(&line, &payload));
    format!("{line}{crc}\n{payload}")
}

/// The payload of one codec; `None` when it cannot write it.
fn payload(
    codec: Codec,
    header: &DropHeader,
    entries: &[DropEntry],
    dictionary: &Dictionary,
) -> Option<Vec<u8>> {
    let mut shapes = dictionary.shapes().clone();
    let mut walk = Walk::new(&mut shapes, frame(codec, header, dictionary), usize::MAX);
    if codec == Codec::Mixed {
        let mut model = dictionary.model().clone();
        let mut writer = MixedWriter::new(&mut model);
        walk.write(&mut writer, entries).ok()?;
        return Some(writer.finish());
    }
    let mut writer = ByteWriter::default();
    walk.write(&mut writer, entries).ok()?;
    match codec {
        Codec::Plain => Some(writer.0),
        _ => dictionary.zstd(&writer.0),
    }
}

/// Reads a drop; `lookup` has the dictionaries that are here.
///
/// # Errors
/// See [`DropError`]: it is no dense drop, was changed, or its dictionary or version is not known.
pub fn decode(
    text: &str,
    lookup: impl FnOnce(DictionaryId) -> Option<Arc<Dictionary>>,
) -> Result<(DropHeader, Vec<DropEntry>), DropError> {
    if !is_dense(text) {
        return Err(DropError::NotADrop("it does not begin as a dense drop"));
    }
    if text.len() > DENSE_MAX_BYTES {
        return Err(DropError::TooLarge(text.len()));
    }
    let text = without_white_space(trimmed(text))?;
    let (line, covered, begins) = header::read_line(&text)?;
    let payload = begins
        .checked_add(line.chars)
        .and_then(|end| text.get(begins..end))
        .ok_or_else(|| DropError::Damaged("its end is missing".into()))?;
    if checksum(&text[..covered], payload) != line.crc {
        return Err(DropError::Damaged("its checksum does not fit".into()));
    }
    let damaged = |broken: Broken| DropError::Damaged(broken.0.into());
    let bytes = armour::take(payload.as_bytes())
        .ok_or(Broken("the payload has characters that are not its own"))
        .map_err(damaged)?;
    let mut rest = bytes.as_slice();
    let head = header::take_head(line.machine, &mut rest).map_err(damaged)?;
    let dictionary =
        lookup(head.dictionary).ok_or(DropError::UnknownDictionary(head.dictionary))?;
    let entries = read_payload(&head, rest, &dictionary).map_err(damaged)?;
    let header = head.complete(&entries).map_err(damaged)?;
    check_counts(&header, &entries)?;
    Ok((header, entries))
}

/// The bytes of the dense drop that a text begins with, white space within it included, when all of
/// it is there and its checksum fits. Its dictionary need not be known.
pub(super) fn whole_len(text: &str) -> Option<usize> {
    let (head, _) = solid(text, HEADER_MAX_CHARS);
    let (line, covered, begins) = header::read_line(&head).ok()?;
    let chars = begins
        .checked_add(line.chars)
        .filter(|chars| *chars <= DENSE_MAX_BYTES)?;
    let (solid, mut len) = solid(text, chars);
    let payload = solid.get(begins..chars)?;
    if payload.is_empty() {
        len += text[len..].find('\n')? + 1; // the first line ends, as in any other drop
    }
    let is_whole = text[..len].contains('\n') && checksum(&solid[..covered], payload) == line.crc;
    is_whole.then_some(len)
}

/// The first so many bytes of a text that are no white space, and how many bytes they take.
fn solid(text: &str, bytes: usize) -> (String, usize) {
    let mut solid = String::with_capacity(bytes.min(text.len()));
    let mut end = 0;
    for (at, c) in text.char_indices() {
        if solid.len() >= bytes {
            break;
        }
        if !matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{feff}') {
            solid.push(c);
            end = at + c.len_utf8();
        }
    }
    (solid, end)
}

fn read_payload(
    head: &header::Head,
    bytes: &[u8],
    dictionary: &Dictionary,
) -> Result<Vec<DropEntry>, Broken> {
    const LEFT: Broken = Broken("the payload goes on after its last entry");
    let mut shapes = dictionary.shapes().clone();
    let frame = frame(head.codec, &head.header, dictionary);
    let mut walk = Walk::new(&mut shapes, frame, SAID_MAX_BYTES);
    let unpacked;
    let plain = match head.codec {
        Codec::Mixed => {
            let mut model = dictionary.model().clone();
            let mut reader = MixedReader::new(&mut model, bytes);
            let entries = walk.read(&mut reader)?;
            return reader.is_at_end().then_some(entries).ok_or(LEFT);
        }
        Codec::Plain => bytes,
        Codec::Text | Codec::PlainZstd => {
            unpacked = dictionary
                .unzstd(bytes, UNPACKED_MAX_BYTES)
                .ok_or(TOO_LONG)?;
            &unpacked
        }
    };
    let mut reader = ByteReader(plain);
    let entries = walk.read(&mut reader)?;
    reader.0.is_empty().then_some(entries).ok_or(LEFT)
}

fn frame(codec: Codec, header: &DropHeader, dictionary: &Dictionary) -> Frame {
    Frame {
        at: header.made_at,
        seq: header.covers.first.wrapping_sub(1),
        time: header.time,
        pace: dictionary.pace(),
        whole: codec == Codec::Text,
    }
}

/// A drop cannot hold more of a level than it says it covers.
fn check_counts(header: &DropHeader, entries: &[DropEntry]) -> Result<(), DropError> {
    let mut told = header.left_out;
    for entry in entries.iter().map(|entry| &entry.entry) {
        if entry.seq.is_some_and(|seq| header.covers.contains(seq)) {
            told.add(entry.level, 1);
        }
    }
    let counts = header.covers.counts.as_array();
    if told
        .as_array()
        .iter()
        .zip(counts)
        .any(|(told, covered)| *told > covered)
    {
        return Err(DropError::Damaged(
            "its counts do not fit its entries".into(),
        ));
    }
    Ok(())
}

fn checksum(line: &str, payload: &str) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(line.as_bytes());
    hasher.update(payload.as_bytes());
    hasher.finalize()
}

fn trimmed(text: &str) -> &str {
    text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n'])
}

/// The text without the white space that mail programs put into it. The header ends with a line
/// end, whatever else was wrapped.
fn without_white_space(text: &str) -> Result<String, DropError> {
    if !text.contains('\n') {
        return Err(DropError::Damaged("its first line does not end".into()));
    }
    Ok(text
        .chars()
        .filter(|c| !matches!(c, ' ' | '\t' | '\r' | '\n'))
        .collect())
}
