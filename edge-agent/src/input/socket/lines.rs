//! Lines of a client, as they come. A line that is too long is passed over, never cut.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use super::protocol::LINE_MAX_BYTES;

/// What a long line's buffer is shrunk to; ordinary lines have a few hundred bytes.
const KEEP_BYTES: usize = 4 * 1024;

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub enum Got<'a> {
    /// A line without its end. The last one may have had none.
    Line(&'a [u8]),
    /// A line of more than [`LINE_MAX_BYTES`].
    TooLong,
    /// The client has closed its side.
    End,
}

/// The reading side of a connection.
pub struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Of this reader.
    pub fn new(reader: R) -> Lines<R> {
        Lines {
            reader: BufReader::new(reader),
            line: Vec::new(),
        }
    }

    /// The next line.
    ///
    /// # Errors
    /// The connection is broken.
    pub async fn next(&mut self) -> io::Result<Got<'_>> {
        self.line.clear();
        self.line.shrink_to(KEEP_BYTES);
        let mut is_too_long = false;
        loop {
            let bytes = self.reader.fill_buf().await?;
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let (part, used) = match end {
                Some(end) => (&bytes[..end], end + 1),
                None => (bytes, bytes.len()),
            };
            let is_over = used == 0;
            is_too_long |= self.line.len() + part.len() > LINE_MAX_BYTES;
            match is_too_long {
                true => self.line.clear(),
                false => self.line.extend_from_slice(part),
            }
            self.reader.consume(used);
            match (end.is_some() || is_over, is_too_long) {
                (true, true) => return Ok(Got::TooLong),
                (true, false) if is_over && self.line.is_empty() => return Ok(Got::End),
                (true, false) => return Ok(Got::Line(&self.line)),
                (false, _) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_come_whole_and_a_long_one_is_passed_over() {
        let long = "x".repeat(LINE_MAX_BYTES + 1);
        let fits = "y".repeat(LINE_MAX_BYTES);
        let text = format!("one\n\n{long}\n{fits}\nlast");
        let mut lines = Lines::new(text.as_bytes());
        assert_eq!(lines.next().await.unwrap(), Got::Line(b"one"));
        assert_eq!(lines.next().await.unwrap(), Got::Line(b""));
        assert_eq!(lines.next().await.unwrap(), Got::TooLong);
        assert_eq!(lines.next().await.unwrap(), Got::Line(fits.as_bytes()));
        assert_eq!(lines.next().await.unwrap(), Got::Line(b"last"));
        assert_eq!(lines.next().await.unwrap(), Got::End);
        assert_eq!(lines.next().await.unwrap(), Got::End);
    }
}
