//! The walk over a message that finds its parameters: once from left to right, in linear time.
//!
//! The rules, in order of what is met: a bracketed tag in capitals is literal; what stands in
//! quotation marks is one parameter unless it is a key before a colon; amounts, times, numbers, hex
//! and ids are parameters (see `token`); everything else is literal.

use std::borrow::Cow;

use super::{Kind, PARAMS_MAX, Param, Split, TEMPLATE_MAX_BYTES, token};

/// The longest bracketed tag that is read as a constant, such as `[STATUS-7]`.
const TAG_MAX_BYTES: usize = 24;
/// The most digits of a constant tag: with more it is an id in brackets.
const TAG_MAX_DIGITS: usize = 2;
/// The longest quoted key before a colon that is read as a constant.
const KEY_MAX_BYTES: usize = 40;

/// The split of `message`, or `None` when its first line is beyond the bounds.
pub(super) fn scan(message: &str) -> Option<Split<'_>> {
    let mut scan = Scan {
        text: message,
        bytes: message.as_bytes(),
        template: String::with_capacity(message.len().min(TEMPLATE_MAX_BYTES) + 16),
        params: Vec::new(),
        literal_from: 0,
        last_line: None,
    };
    if scan.run().is_some() {
        return Some(Split {
            template: scan.template,
            params: scan.params,
        });
    }
    scan.cut()
}

struct Scan<'a> {
    text: &'a str,
    bytes: &'a [u8],
    template: String,
    params: Vec<Param<'a>>,
    /// The message before this is in the template.
    literal_from: usize,
    last_line: Option<LineEnd>,
}

/// Where the last whole line ended that was within the bounds.
struct LineEnd {
    template_len: usize,
    params: usize,
    at: usize,
}

impl<'a> Scan<'a> {
    /// `None` when a bound was met.
    fn run(&mut self) -> Option<()> {
        let mut at = 0;
        while let Some(&byte) = self.bytes.get(at) {
            at = match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => self.token(at)?,
                b' ' => at + 1,
                b'-' | b'+' => self.sign(at)?,
                b'\'' | b'"' => self.quoted(at)?,
                b'[' => self.tag_end(at).unwrap_or(at + 1),
                b'\\' => at + self.escape_len(at),
                b'$' | 0xe2 | 0xc2 => self.money(at)?,
                b'\n' => self.line(at)?,
                _ => at + 1,
            };
        }
        self.literal(self.bytes.len())
    }

    /// What remains when a bound was met: the lines before it, and the rest as it is.
    fn cut(mut self) -> Option<Split<'a>> {
        let line = self.last_line?;
        self.template.truncate(line.template_len);
        self.template.push_str(Kind::Raw.hole());
        self.params.truncate(line.params);
        let rest = Cow::Borrowed(&self.text[line.at..]);
        self.params.push(Param {
            kind: Kind::Raw,
            text: rest,
        });
        Some(Split {
            template: self.template,
            params: self.params,
        })
    }

    fn token(&mut self, at: usize) -> Option<usize> {
        let token = token::at(self.bytes, at);
        if let Some((kind, start, end)) = token.hole {
            self.hole(kind, start, end)?;
        }
        Some(token.end)
    }

    /// A sign belongs to its number unless something before it makes it a dash.
    fn sign(&mut self, at: usize) -> Option<usize> {
        let digit_follows = self.bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
        let dash = at > 0 && {
            let before = self.bytes[at - 1];
            before.is_ascii_alphanumeric() || !before.is_ascii() || b"_)]}.-+$%".contains(&before)
        };
        if !digit_follows || dash {
            return Some(at + 1);
        }
        let token = token::at(self.bytes, at + 1);
        match token.hole {
            Some((kind @ (Kind::Int | Kind::Dec), start, end)) if start == at + 1 => {
                self.hole(kind, at, end)?;
                Some(token.end)
            }
            _ => Some(at + 1),
        }
    }

    /// `'…'`, `"…"`, `b'…'`: the text between the marks, when they pair on one line.
    fn quoted(&mut self, at: usize) -> Option<usize> {
        let mark = self.bytes[at];
        if !self.opens(at) {
            return Some(at + 1);
        }
        let Some(close) = self.closing(at + 1, mark) else {
            return Some(at + 1);
        };
        if self.is_key(at + 1, close) {
            return Some(close + 1);
        }
        self.hole(Kind::Str, at + 1, close)?;
        Some(close + 1)
    }

    /// A mark opens when no word touches it from the left, but for Python's `b`, `r`, `u`, `f`.
    fn opens(&self, at: usize) -> bool {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii();
        let before = &self.bytes[..at];
        match before {
            [] => true,
            [.., b'\\'] => false,
            [b'b' | b'r' | b'u' | b'f' | b'B'] => true,
            [.., other, b'b' | b'r' | b'u' | b'f' | b'B'] if !word(*other) => true,
            [.., last] => !word(*last),
        }
    }

    /// The next same mark on this line, when no word touches it from the right.
    fn closing(&self, from: usize, mark: u8) -> Option<usize> {
        let mut at = from;
        loop {
            match *self.bytes.get(at)? {
                b'\n' => return None,
                b'\\' => at += 2,
                byte if byte == mark => break,
                _ => at += 1,
            }
        }
        let follows = self.bytes.get(at + 1).copied().unwrap_or(b' ');
        (!follows.is_ascii_alphanumeric() && follows != b'_').then_some(at)
    }

    /// A quoted name before a colon is a key of JSON or of a Python dict, the same every time.
    fn is_key(&self, from: usize, close: usize) -> bool {
        let name = &self.bytes[from..close];
        self.bytes.get(close + 1) == Some(&b':')
            && (1..=KEY_MAX_BYTES).contains(&name.len())
            && name[0].is_ascii_alphabetic()
            && name
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(b))
    }

    /// The end of a constant tag such as `[POLL]` or `[STATUS-?]`: capitals, at most two digits.
    fn tag_end(&self, at: usize) -> Option<usize> {
        let window = self.bytes[at + 1..].iter().take(TAG_MAX_BYTES);
        let len = window.take_while(|byte| **byte != b']').count();
        let inner = self.bytes.get(at + 1..at + 1 + len)?;
        let closed = self.bytes.get(at + 1 + len) == Some(&b']');
        let count = |wanted: fn(&u8) -> bool| inner.iter().filter(|b| wanted(b)).count();
        let capitals = count(u8::is_ascii_uppercase);
        let digits = count(u8::is_ascii_digit);
        let marks = count(|b| b"_-?".contains(b));
        let all = capitals + digits + marks == inner.len();
        let tag = closed && all && capitals >= 2 && digits <= TAG_MAX_DIGITS;
        (tag && inner[0].is_ascii_uppercase()).then_some(at + 1 + len + 1)
    }

    /// `\x1e`, `\u001e`, `\n` as written by Python or JSON stay literal.
    fn escape_len(&self, at: usize) -> usize {
        let hex = |count: usize| {
            self.bytes
                .get(at + 2..at + 2 + count)
                .is_some_and(|run| run.iter().all(u8::is_ascii_hexdigit))
        };
        match self.bytes.get(at + 1) {
            Some(b'x') if hex(2) => 4,
            Some(b'u') if hex(4) => 6,
            Some(b'n' | b'r' | b't' | b'\\' | b'\'' | b'"') => 2,
            _ => 1,
        }
    }

    /// A currency sign and an amount, with or without thousands commas and decimals.
    fn money(&mut self, at: usize) -> Option<usize> {
        let rest = &self.text.as_bytes()[at..];
        let sign_len = if rest.starts_with(b"$") {
            1
        } else if rest.starts_with("€".as_bytes()) {
            "€".len()
        } else if rest.starts_with("£".as_bytes()) {
            "£".len()
        } else {
            return Some(at + 1);
        };
        let digits = |from: usize| {
            self.bytes[from..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count()
        };
        let mut end = at + sign_len;
        let whole = digits(end);
        if whole == 0 {
            return Some(end);
        }
        end += whole;
        while self.bytes.get(end) == Some(&b',') && digits(end + 1) == 3 {
            end += 4;
        }
        if self.bytes.get(end) == Some(&b'.') && digits(end + 1) > 0 {
            end += 1 + digits(end + 1);
        }
        self.hole(Kind::Money, at, end)?;
        Some(end)
    }

    fn line(&mut self, at: usize) -> Option<usize> {
        self.literal(at + 1)?;
        let (template_len, params) = (self.template.len(), self.params.len());
        if params < PARAMS_MAX && template_len + Kind::Raw.hole().len() <= TEMPLATE_MAX_BYTES {
            self.last_line = Some(LineEnd {
                template_len,
                params,
                at: at + 1,
            });
        }
        Some(at + 1)
    }

    fn hole(&mut self, kind: Kind, start: usize, end: usize) -> Option<()> {
        self.literal(start)?;
        if self.params.len() == PARAMS_MAX {
            return None;
        }
        self.template.push_str(kind.hole());
        self.params.push(Param {
            kind,
            text: Cow::Borrowed(&self.text[start..end]),
        });
        self.literal_from = end;
        (self.template.len() <= TEMPLATE_MAX_BYTES).then_some(())
    }

    /// Takes the message up to `end` into the template as literal text.
    fn literal(&mut self, end: usize) -> Option<()> {
        let mut text = &self.text[self.literal_from..end];
        if self.template.len() + text.len() > TEMPLATE_MAX_BYTES {
            return None;
        }
        while let Some(at) = text.find('<') {
            self.template.push_str(&text[..at]);
            self.template.push_str("<<");
            text = &text[at + 1..];
        }
        self.template.push_str(text);
        self.literal_from = end;
        (self.template.len() <= TEMPLATE_MAX_BYTES).then_some(())
    }
}
