//! The plain codec: numbers as LEB128, texts with their length. Small by what the walk leaves out,
//! and a good ground for zstd.

use super::coder::{Broken, Coder, Place, TOO_LONG};
use crate::template::varint;

const CUT: Broken = Broken("the payload ends early");

/// Writes into bytes.
#[derive(Default)]
pub(crate) struct ByteWriter(pub Vec<u8>);

impl Coder for ByteWriter {
    const READS: bool = false;

    fn number(&mut self, _: &Place<'_>, value: u128) -> Result<u128, Broken> {
        varint::put(&mut self.0, value);
        Ok(value)
    }

    fn text(&mut self, _: u32, value: &str, _: usize) -> Result<String, Broken> {
        varint::put(&mut self.0, value.len() as u128);
        self.0.extend_from_slice(value.as_bytes());
        Ok(value.to_owned())
    }

    fn raw(&mut self, _: usize, value: &[u8]) -> Result<Vec<u8>, Broken> {
        self.0.extend_from_slice(value);
        Ok(value.to_vec())
    }
}

/// Reads from bytes.
pub(crate) struct ByteReader<'b>(pub &'b [u8]);

impl Coder for ByteReader<'_> {
    const READS: bool = true;

    fn number(&mut self, _: &Place<'_>, _: u128) -> Result<u128, Broken> {
        varint::take(&mut self.0).map_err(|_| CUT)
    }

    fn text(&mut self, _: u32, _: &str, most: usize) -> Result<String, Broken> {
        let len = varint::take(&mut self.0).map_err(|_| CUT)?;
        let len = usize::try_from(len).map_err(|_| CUT)?;
        if len > most {
            return Err(TOO_LONG);
        }
        let bytes = self.raw(len, &[])?;
        String::from_utf8(bytes).map_err(|_| Broken("a text is not UTF-8"))
    }

    fn raw(&mut self, count: usize, _: &[u8]) -> Result<Vec<u8>, Broken> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(CUT)?;
        self.0 = rest;
        Ok(taken.to_vec())
    }
}
