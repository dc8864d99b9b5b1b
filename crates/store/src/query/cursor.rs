//! Places in the order of entries as opaque texts: cursors between pages, ids for links.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use wire::Micros;

use crate::codec::{put_signed, take_signed};
use crate::day::entries::EntryKey;
use crate::error::StoreError;

const CURSOR: u8 = b'c';
const ENTRY: u8 = b'e';

/// The text of a cursor: the next page starts after this place.
pub(crate) fn cursor_text(key: EntryKey) -> String {
    text(CURSOR, key)
}

/// The place in a cursor.
pub(crate) fn parse_cursor(text: &str) -> Result<EntryKey, StoreError> {
    parse(CURSOR, text).ok_or(StoreError::BadReference("cursor"))
}

/// The id of an entry.
pub(crate) fn id_text(key: EntryKey) -> String {
    text(ENTRY, key)
}

/// The place in an id.
pub(crate) fn parse_id(text: &str) -> Result<EntryKey, StoreError> {
    parse(ENTRY, text).ok_or(StoreError::BadReference("entry id"))
}

fn text(kind: u8, key: EntryKey) -> String {
    let mut bytes = vec![kind];
    for number in [key.machine, key.filed_at.0, key.epoch, key.seq] {
        put_signed(&mut bytes, number);
    }
    BASE64.encode(bytes)
}

fn parse(kind: u8, text: &str) -> Option<EntryKey> {
    let bytes = BASE64.decode(text).ok()?;
    let (&found, mut rest) = bytes.split_first()?;
    let mut next = || take_signed(&mut rest);
    let (machine, filed_at, epoch, seq) = (next()?, Micros(next()?), next()?, next()?);
    let key = EntryKey {
        filed_at,
        epoch,
        seq,
        machine,
    };
    (found == kind && rest.is_empty()).then_some(key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_place_comes_back(parts in any::<[i64; 4]>(), noise in ".{0,40}") {
            let key = EntryKey {
                filed_at: Micros(parts[0]), epoch: parts[1], seq: parts[2], machine: parts[3],
            };
            prop_assert_eq!(parse_cursor(&cursor_text(key)), Ok(key));
            prop_assert_eq!(parse_id(&id_text(key)), Ok(key));
            prop_assert!(parse_cursor(&id_text(key)).is_err(), "an id is no cursor");
            prop_assert!(parse_id(&cursor_text(key)).is_err(), "a cursor is no id");
            let _ = parse_cursor(&noise);
        }
    }
}
