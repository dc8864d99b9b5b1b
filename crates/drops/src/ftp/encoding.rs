//! Names of files on an FTP server are bytes. Those that are no UTF-8 are carried in characters of a
//! private range, so that the server is asked for exactly the name that it gave.

use std::io;

use suppaftp::Encoding;

/// Byte 0x80 becomes this character, 0xFF the one 127 further.
const FIRST: u32 = 0xf780;

/// UTF-8 where it is UTF-8, else byte by byte.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names;

impl Encoding for Names {
    fn decode(&self, bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            for byte in chunk.invalid() {
                let code = FIRST + u32::from(*byte) - 0x80;
                text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
        text
    }

    fn encode(&self, text: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(text.len());
        for c in text.chars() {
            match u32::from(c) {
                code @ FIRST..=0xf7ff => bytes.push((code - FIRST + 0x80) as u8),
                _ => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_goes_there_and_back() {
        for name in [
            &b"caf\xe9.txt"[..],
            "Tür ✓.txt".as_bytes(),
            b"\xff\xfe\x80",
            b"",
        ] {
            assert_eq!(Names.encode(&Names.decode(name)).unwrap(), name);
        }
        assert_eq!(Names.decode("Tür".as_bytes()), "Tür");
    }
}
