//! A frame: a decimal code and fields, as they stand on the line. What they mean is said in `command`
//! and `response`.

use std::fmt;
use std::time::Duration;

use crate::crc::crc16;

/// The other side has taken a command; a single byte, no frame.
pub const ACK: u8 = 0x06;
/// The other side has not taken a command; a single byte, no frame.
pub const NAK: u8 = 0x15;
/// Stands before each field.
pub const RS: u8 = 0x1E;
/// Ends a block of line items inside a field.
pub const GS: u8 = 0x1D;
/// Ends a frame.
pub const CR: u8 = 0x0D;
/// Bits a second of the line: 9600 baud, 8-N-1, no flow control. Two public programs agree.
pub const BAUD: u32 = 9_600;
/// A byte with its start and stop bit.
const BITS_A_BYTE: u64 = 10;

/// How long so many bytes are on the wire.
pub fn wire_time(bytes: usize) -> Duration {
    Duration::from_micros(bytes as u64 * BITS_A_BYTE * 1_000_000 / u64::from(BAUD))
}

/// Which frames there are in one direction, and which of them carry a CRC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    is_commands: bool,
    upload_has_crc: bool,
}

impl Dialect {
    /// From the kiosk to the reader. `upload_has_crc` says whether 24 and 25 carry a CRC, as one
    /// public program says.
    pub fn commands(upload_has_crc: bool) -> Dialect {
        Dialect {
            is_commands: true,
            upload_has_crc,
        }
    }

    /// From the reader to the kiosk.
    pub fn responses() -> Dialect {
        Dialect {
            is_commands: false,
            upload_has_crc: true,
        }
    }

    /// Whether this code is known in this direction.
    pub fn knows(self, code: u8) -> bool {
        if self.is_commands {
            matches!(code, 1..=13 | 20..=26)
        } else {
            matches!(code, 0..=18 | 30..=33)
        }
    }

    /// Whether a frame with this code ends with a CRC: commands 20 to 26, responses 2, 3 and 11, as
    /// one public program says.
    pub fn has_crc(self, code: u8) -> bool {
        match code {
            24 | 25 if self.is_commands => self.upload_has_crc,
            20..=26 => self.is_commands,
            2 | 3 | 11 => !self.is_commands,
            _ => false,
        }
    }
}

/// A code and its fields. Printing it shows how long the fields are, never what they hold: they may
/// be card data.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// The number that it begins with.
    pub code: u8,
    /// What stands between the separators, raw.
    pub fields: Vec<Vec<u8>>,
}

impl Frame {
    /// A frame without fields.
    pub fn bare(code: u8) -> Frame {
        Frame {
            code,
            fields: Vec::new(),
        }
    }

    /// A frame with these fields, which must not hold RS or CR.
    pub fn with<F: Into<Vec<u8>>>(code: u8, fields: impl IntoIterator<Item = F>) -> Frame {
        Frame {
            code,
            fields: fields.into_iter().map(Into::into).collect(),
        }
    }

    /// The bytes for the line, with the CR that ends them.
    pub fn encode(&self, dialect: Dialect) -> Vec<u8> {
        let mut bytes = self.code.to_string().into_bytes();
        for field in &self.fields {
            bytes.push(RS);
            bytes.extend_from_slice(field);
        }
        if dialect.has_crc(self.code) {
            bytes.extend_from_slice(&crc16(&bytes).to_be_bytes());
        }
        bytes.push(CR);
        bytes
    }

    /// Reads what stands before a CRC or the CR that ends a frame.
    pub(crate) fn parse(body: &[u8]) -> Option<Frame> {
        let mut parts = body.split(|&byte| byte == RS);
        let code = code(parts.next()?)?;
        let fields: Vec<Vec<u8>> = parts.map(<[u8]>::to_vec).collect();
        let is_text = fields.iter().flatten().all(|&byte| may_be_in_field(byte));
        is_text.then_some(Frame { code, fields })
    }
}

/// A code is written without zeros in front; anything else is a garbled one.
pub(crate) fn code(digits: &[u8]) -> Option<u8> {
    match digits {
        [one @ b'0'..=b'9'] => Some(one - b'0'),
        [ten @ b'1'..=b'9', one @ b'0'..=b'9'] => Some((ten - b'0') * 10 + (one - b'0')),
        _ => None,
    }
}

/// Printable ASCII, LF, GS, and what is no ASCII: messages come in several languages.
fn may_be_in_field(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\n' | GS | 0x80..)
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<usize> = self.fields.iter().map(Vec::len).collect();
        write!(f, "Frame({}, fields of {sizes:?} bytes)", self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_written_as_the_published_example() {
        let frame = Frame::with(21, [*b"350"]);
        assert_eq!(
            frame.encode(Dialect::commands(true)),
            b"21\x1e350\xe5\x58\r"
        );
        assert_eq!(Frame::bare(1).encode(Dialect::commands(true)), b"1\r");
    }

    #[test]
    fn card_data_is_not_printed() {
        let frame = Frame::with(2, [b"2000".to_vec(), b"6396***********9701".to_vec()]);
        assert_eq!(
            format!("{frame:?}"),
            "Frame(2, fields of [4, 19] bytes)",
            "only sizes"
        );
    }

    #[test]
    fn nine_hundred_bytes_take_almost_a_second() {
        assert_eq!(wire_time(900), Duration::from_micros(937_500));
    }
}
