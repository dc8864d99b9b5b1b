//! What the address of a posted file says.

use crate::limits;

/// What USALive's "Test Transport" posts to, and how it says so.
const TEST_NAME: &str = "testTransportFileName";

/// The file's name: the last segment of the path, with its percent escapes read, without control
/// characters, at most [`limits::NAME_CHARS`] long. `None` when nothing is left of it.
pub fn file_name(path: &str) -> Option<String> {
    let segment = path.trim_end_matches('/').rsplit('/').next()?;
    let bytes = unescape(segment);
    let name = crate::folder::shown_name(&String::from_utf8_lossy(&bytes));
    (!name.is_empty() && name != "." && name != "..").then_some(name)
}

/// Whether this is the "Test Transport" of USALive: it has to be answered with 200, and is no
/// drop. `name` is the file's name, `query` what follows the `?`. One public program posts 33 bytes
/// to `<url>/testTransportFileName?reason=TEST`; either sign alone is taken for it.
pub fn is_test_call(name: &str, query: Option<&str>) -> bool {
    let has_reason = query
        .unwrap_or("")
        .split('&')
        .any(|pair| pair.eq_ignore_ascii_case("reason=TEST"));
    has_reason || name.eq_ignore_ascii_case(TEST_NAME)
}

/// `%41` becomes `A`; a percent sign without two digits stays.
fn unescape(text: &str) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|b| char::from(*b).to_digit(16));
    let text = text.as_bytes();
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let pair = (digit(text.get(at + 1)), digit(text.get(at + 2)));
        if let (b'%', (Some(high), Some(low))) = (text[at], pair) {
            out.push((high * 16 + low) as u8);
            at += 3;
        } else {
            out.push(text[at]);
            at += 1;
        }
        if out.len() > 4 * limits::NAME_CHARS {
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_last_segment() {
        assert_eq!(
            file_name("/api/drops/VM001-7-12.txt").as_deref(),
            Some("VM001-7-12.txt")
        );
        assert_eq!(file_name("a%20b%2Fc.txt").as_deref(), Some("c.txt"));
        assert_eq!(file_name("x%zz%4").as_deref(), Some("x%zz%4"));
        assert_eq!(file_name("/api/drops/"), Some("drops".into()));
        for nothing in ["", "/", "..", "%2e%2e", "%00", "a%2F"] {
            assert_eq!(file_name(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn a_test_call_is_no_drop() {
        assert!(is_test_call("testTransportFileName", Some("reason=TEST")));
        assert!(is_test_call("anything", Some("a=b&reason=TEST")));
        assert!(!is_test_call("VM001-7-12.txt", Some("reason=SCHEDULED")));
        assert!(!is_test_call("VM001-7-12.txt", None));
    }
}
