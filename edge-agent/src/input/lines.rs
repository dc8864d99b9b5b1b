//! Cuts a stream of bytes into lines, and lines that are too long into pieces. Sans-IO.

use sha2::{Digest, Sha256};
use wire::redact::cards;

/// The longest text of one entry, in bytes: an entry may have 64 KiB, and the component, the
/// context and the hashes that stand for ids need room beside it.
pub const TEXT_MAX_BYTES: usize = 60 * 1024;
/// How far before a position the bytes are hashed to recognise the file again.
pub const TAIL_BYTES: usize = 256;
/// A cut is moved back this far at most to fall between two words.
const CUT_BACK_BYTES: usize = 1024;
/// So much on both sides of a cut is looked at: more than a card number with its separators, or the
/// name and the separators of an id.
const AROUND_BYTES: usize = 64;

/// A line, or a piece of one that is too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its text without the line end; bytes that are not UTF-8, and NUL, as `\xNN`.
    pub text: String,
    /// Whether `text` holds such an escape.
    pub escaped: bool,
    /// Whether the line begins here.
    pub first: bool,
    /// Whether the line ends here.
    pub last: bool,
    /// The file offset behind it, its line end included.
    pub end: u64,
    /// A hash of the (at most [`TAIL_BYTES`]) bytes before `end`.
    pub tail: u64,
}

/// Collects bytes until a line is whole. Holds at most one piece and what was pushed last.
#[derive(Debug, Default)]
pub struct LineCutter {
    /// Bytes before `used` were given out and are kept only for `Line::tail`.
    buffer: Vec<u8>,
    used: usize,
    /// No line end between `used` and here.
    searched: usize,
    /// File offset of `buffer[0]`.
    at: u64,
    inside_line: bool,
}

impl LineCutter {
    /// From file offset `offset`, which is inside a cut line or not; `before` are the bytes just
    /// before it, as far as they are known.
    pub fn new(offset: u64, before: &[u8], inside_line: bool) -> LineCutter {
        let before = &before[before.len().saturating_sub(TAIL_BYTES)..];
        LineCutter {
            buffer: before.to_vec(),
            used: before.len(),
            searched: before.len(),
            at: offset - before.len() as u64,
            inside_line,
        }
    }

    /// The file offset behind the last line given out.
    pub fn position(&self) -> u64 {
        self.at + self.used as u64
    }

    /// The file offset behind the last byte pushed.
    pub fn end(&self) -> u64 {
        self.at + self.buffer.len() as u64
    }

    /// Whether the line given out last goes on.
    pub fn is_inside_line(&self) -> bool {
        self.inside_line
    }

    /// The bytes before [`LineCutter::end`] that are still known.
    pub fn recent(&self) -> &[u8] {
        &self.buffer[self.buffer.len().saturating_sub(TAIL_BYTES)..]
    }

    /// The hash of the bytes before [`LineCutter::position`].
    pub fn tail(&self) -> u64 {
        tail_hash(&self.buffer[..self.used])
    }

    /// Takes the next bytes of the file.
    pub fn push(&mut self, bytes: &[u8]) {
        let keep_from = self.used.saturating_sub(TAIL_BYTES);
        self.buffer.drain(..keep_from);
        self.at += keep_from as u64;
        self.used -= keep_from;
        self.searched -= keep_from;
        self.buffer.shrink_to(TEXT_MAX_BYTES);
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole line or piece; `None` when more bytes are needed.
    pub fn next_line(&mut self) -> Option<Line> {
        let newline = self.buffer[self.searched..]
            .iter()
            .position(|byte| *byte == b'\n');
        let Some(newline) = newline.map(|at| self.searched + at) else {
            self.searched = self.buffer.len();
            // Only a text that cannot fit any more is cut before its end is known.
            let open = &self.buffer[self.used..];
            let cut = if open.len() > TEXT_MAX_BYTES {
                cut_position(open)
            } else {
                None
            };
            return cut.map(|len| self.take(len, len, false));
        };
        self.searched = newline;
        let line = &self.buffer[self.used..newline];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match cut_position(line) {
            Some(len) => Some(self.take(len, len, false)),
            None => {
                let text_len = line.len();
                Some(self.take(text_len, newline + 1 - self.used, true))
            }
        }
    }

    /// What is left without a line end, for a file that will not grow any more.
    pub fn finish(&mut self) -> Option<Line> {
        let rest = self.buffer.len() - self.used;
        (rest > 0).then(|| self.take(rest, rest, true))
    }

    fn take(&mut self, text_len: usize, len: usize, last: bool) -> Line {
        let (text, escaped) = decode(&self.buffer[self.used..self.used + text_len]);
        self.used += len;
        self.searched = self.searched.max(self.used);
        let first = !self.inside_line;
        self.inside_line = !last;
        Line {
            text,
            escaped,
            first,
            last,
            end: self.position(),
            tail: self.tail(),
        }
    }
}

/// The hash under which the bytes before a position are remembered.
pub fn tail_hash(before: &[u8]) -> u64 {
    let digest = Sha256::digest(&before[before.len().saturating_sub(TAIL_BYTES)..]);
    u64::from_be_bytes(digest[..8].try_into().expect("a SHA-256 has 32 bytes"))
}

/// Text of bytes, and whether any had to be escaped. NUL is escaped too: a power cut leaves holes
/// of it in log files, and most programs take it for the end of the text.
pub(crate) fn decode(bytes: &[u8]) -> (String, bool) {
    let mut text = String::with_capacity(bytes.len());
    let mut escaped = false;
    for chunk in bytes.utf8_chunks() {
        for (index, part) in chunk.valid().split('\0').enumerate() {
            if index > 0 {
                text.push_str("\\x00");
                escaped = true;
            }
            text.push_str(part);
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
            escaped = true;
        }
    }
    (text, escaped)
}

/// Where to cut a line whose text is longer than an entry may be; `None` when it fits.
pub(crate) fn cut_position(line: &[u8]) -> Option<usize> {
    let mut cost = 0;
    let mut at = 0;
    for chunk in line.utf8_chunks() {
        for character in chunk.valid().chars() {
            cost += if character == '\0' {
                4
            } else {
                character.len_utf8()
            };
            if cost > TEXT_MAX_BYTES {
                return Some(between_words(line, at));
            }
            at += character.len_utf8();
        }
        for _ in chunk.invalid() {
            cost += 4;
            if cost > TEXT_MAX_BYTES {
                return Some(between_words(line, at));
            }
            at += 1;
        }
    }
    None
}

/// A cut must not go through a card number, an id or a name, nor between an id and the words that
/// say what it is, or neither half would be recognised. It goes between two plain words, or else
/// where there are only letters around, behind a mark that ends a value, behind a word; and if
/// there is none of these near, at least not through a card number.
fn between_words(line: &[u8], at: usize) -> usize {
    let from = at.saturating_sub(CUT_BACK_BYTES).max(1);
    let is_plain = |cut: &usize| {
        line[*cut] == b' ' && ends_plain(&line[..*cut]) && starts_plain(&line[*cut + 1..at])
    };
    if let Some(cut) = (from..at).rev().find(is_plain) {
        return cut;
    }
    let is_quiet = |cut: usize| {
        let around = &line[cut.saturating_sub(AROUND_BYTES)..cut + AROUND_BYTES];
        around.iter().all(|b| b.is_ascii_alphabetic() || *b == b' ')
    };
    let is_mark = |cut: usize| matches!(line[cut - 1], b',' | b';' | b'}' | b']');
    let is_word = |cut: usize| line[cut] == b' ' && line[cut - 1].is_ascii_alphabetic();
    // Never inside a character.
    let is_any = |cut: usize| line[cut] & 0xC0 != 0x80;
    let last = |is_gap: &dyn Fn(usize) -> bool| {
        let mut cuts = (from..at.saturating_sub(AROUND_BYTES)).rev();
        cuts.find(|cut| is_gap(*cut) && keeps_cards(line, *cut))
    };
    last(&is_quiet)
        .or_else(|| last(&is_mark))
        .or_else(|| last(&is_word))
        .or_else(|| last(&is_any))
        .unwrap_or(at)
}

/// Whether the same is redacted around the cut with and without it.
fn keeps_cards(line: &[u8], cut: usize) -> bool {
    let (from, to) = (cut.saturating_sub(AROUND_BYTES), cut + AROUND_BYTES);
    let [whole, before, after] =
        [from..to, from..cut, cut..to].map(|part| String::from_utf8_lossy(&line[part]));
    cards(&whole) == cards(&before) + cards(&after)
}

/// Whether the text ends in a word of small letters: no name, no key, no masked digits.
fn ends_plain(text: &[u8]) -> bool {
    let word = text.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    is_plain_word(word) && word.len() < text.len()
}

/// Whether the text starts with such a word and a space behind it.
fn starts_plain(text: &[u8]) -> bool {
    let word = text.split(|byte| *byte == b' ').next().unwrap_or_default();
    is_plain_word(word) && word.len() < text.len()
}

fn is_plain_word(word: &[u8]) -> bool {
    word.iter().all(u8::is_ascii_lowercase) && word.iter().any(|byte| *byte != b'x')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(chunks: &[&[u8]]) -> Vec<Line> {
        let mut cutter = LineCutter::default();
        let mut lines = Vec::new();
        for chunk in chunks {
            cutter.push(chunk);
            lines.extend(std::iter::from_fn(|| cutter.next_line()));
        }
        lines
    }

    #[test]
    fn a_partial_line_waits_for_its_end() {
        assert_eq!(lines(&[b"one\ntw"]).len(), 1);
        let both = lines(&[b"one\ntw", b"o\r\n"]);
        assert_eq!(
            both[1].text, "two",
            "the carriage return belongs to the line end"
        );
        assert_eq!(both[1].end, 9);
    }

    #[test]
    fn a_character_split_between_two_reads_is_whole() {
        let read = lines(&["gr\u{fc}".as_bytes().split_at(3).0, &[0xBC, b'n', b'\n']]);
        assert_eq!(
            (read[0].text.as_str(), read[0].escaped),
            ("gr\u{fc}n", false)
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_written_out_and_marked() {
        let read = lines(&[b"a\xff\x00b\n"]);
        assert_eq!(
            (read[0].text.as_str(), read[0].escaped),
            ("a\\xff\\x00b", true)
        );
    }

    #[test]
    fn two_megabytes_without_an_end_come_in_pieces_with_bounded_memory() {
        let mut cutter = LineCutter::default();
        let mut pieces = Vec::new();
        let mut sent = String::new();
        for index in 0..2048 {
            let part = format!("{index:->1023} ");
            sent.push_str(&part);
            cutter.push(part.as_bytes());
            pieces.extend(std::iter::from_fn(|| cutter.next_line()));
            assert!(
                cutter.buffer.capacity() < 4 * TEXT_MAX_BYTES,
                "memory is bounded"
            );
        }
        cutter.push(b"\n");
        pieces.extend(std::iter::from_fn(|| cutter.next_line()));
        assert_eq!(
            pieces
                .iter()
                .map(|piece| piece.text.as_str())
                .collect::<String>(),
            sent
        );
        assert!(
            pieces
                .iter()
                .all(|piece| piece.text.len() <= TEXT_MAX_BYTES)
        );
        assert!(pieces[0].first && pieces.last().unwrap().last);
        assert_eq!(pieces.iter().filter(|piece| piece.last).count(), 1);
    }

    #[test]
    fn a_cut_falls_between_words_and_not_into_a_number() {
        let mut line = "word ".repeat(TEXT_MAX_BYTES / 5 - 2);
        line.push_str("4111 1111 1111 1111 and so on, for a long while yet\n");
        let pieces = lines(&[line.as_bytes()]);
        assert!(
            pieces[1].text.contains("4111 1111 1111 1111"),
            "{}",
            pieces[1].text
        );
    }

    #[test]
    fn a_cut_leaves_an_id_with_its_name_and_lists_of_numbers_whole() {
        for (filler, kept) in [
            ("word ", "Transaction ID: 1573124782"),
            ("word ", "txn id: 1573124782"),
            ("4111111111111111,", "4111111111111111,"),
            ("4111 1111 1111 1111 ", "4111 1111 1111 1111"),
            ("AAAA", "4111111111111111AAAA"),
            ("AAAA", " Transaction ID: 1573124782"),
            ("\u{e9}", "\u{e9}\u{e9}4111111111111111"),
        ] {
            for shift in 0..40 {
                let mut line = "a ".repeat(shift);
                line.push_str(&filler.repeat((TEXT_MAX_BYTES - 60) / filler.len()));
                line.push_str(&format!("{kept} ").repeat(20));
                line.push('\n');
                let pieces = lines(&[line.as_bytes()]);
                assert!(pieces.len() > 1);
                let whole: usize = pieces
                    .iter()
                    .map(|piece| piece.text.matches(kept).count())
                    .sum();
                assert_eq!(
                    whole,
                    line.matches(kept).count(),
                    "{kept}, shifted by {shift}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn however_the_bytes_arrive_the_lines_are_the_same(
            bytes in proptest::collection::vec(
                prop_oneof![Just(b'\n'), Just(b'\r'), Just(0u8), any::<u8>()], 0..300),
            cuts in proptest::collection::vec(0usize..300, 0..8),
        ) {
            let whole = lines(&[&bytes]);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let parts: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(lines(&parts), whole);
        }
    }
}
