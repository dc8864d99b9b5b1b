//! The bytes of a log file by their position in the text, whether the file is plain or was
//! compressed by rotation. Knows nothing of lines.

use std::fs::{File, Metadata};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

/// The largest zstd window that is unpacked: 8 MiB, what `zstd -19` uses. The agent is to stay small.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// So much compressed is read at a time.
const COMPRESSED_READ_BYTES: usize = 16 * 1024;
/// How much is unpacked at a time on the way to a position.
const SKIP_BYTES: usize = 16 * 1024;

/// How a file holds its text, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// As it was written.
    Plain,
    /// `.gz`
    Gzip,
    /// `.zst`
    Zstd,
    /// Compressed in a way that is not read here.
    Other,
}

impl Coding {
    /// Of a file's name, and the name without the ending that says so.
    pub fn of(name: &str) -> (Coding, &str) {
        let endings = [
            (".gz", Coding::Gzip),
            (".zst", Coding::Zstd),
            (".xz", Coding::Other),
            (".bz2", Coding::Other),
            (".lz4", Coding::Other),
            (".zip", Coding::Other),
        ];
        let coding = endings
            .into_iter()
            .find_map(|(ending, coding)| Some((coding, name.strip_suffix(ending)?)));
        coding.unwrap_or((Coding::Plain, name))
    }
}

/// An open log file.
pub struct Content {
    file: File,
    coding: Coding,
    unpacking: Option<Unpacking>,
}

/// A decoder on its way through the file.
struct Unpacking {
    reader: Box<dyn Read + Send>,
    /// Position in the text.
    at: u64,
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = self.unpacking.as_ref().map(|unpacking| unpacking.at);
        f.debug_struct("Content")
            .field("file", &self.file)
            .field("coding", &self.coding)
            .field("unpacked_to", &at)
            .finish()
    }
}

impl Content {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// It cannot be opened; `Unsupported`: it is compressed in a way that is not read here.
    pub fn open(path: &Path) -> io::Result<Content> {
        let name = path.file_name().and_then(|name| name.to_str());
        let (coding, _) = Coding::of(name.unwrap_or_default());
        if coding == Coding::Other {
            return Err(io::ErrorKind::Unsupported.into());
        }
        Ok(Content {
            file: File::open(path)?,
            coding,
            unpacking: None,
        })
    }

    /// Whether it can grow: what is compressed is finished.
    pub fn is_plain(&self) -> bool {
        self.coding == Coding::Plain
    }

    /// Forgets what was unpacked: the file has changed.
    pub fn unpack_anew(&mut self) {
        self.unpacking = None;
    }

    /// Of the file itself.
    ///
    /// # Errors
    /// As `fstat`.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    /// Some of the text from `from` on; 0 at its end.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged (`UnexpectedEof`, `InvalidData`, `InvalidInput`).
    pub fn read_at(&mut self, buffer: &mut [u8], from: u64) -> io::Result<usize> {
        if self.is_plain() {
            return retried(|| self.file.read_at(buffer, from));
        }
        let unpacking = self.unpack_to(from)?;
        if unpacking.at < from {
            return Ok(0);
        }
        let got = retried(|| unpacking.reader.read(buffer))?;
        unpacking.at += got as u64;
        Ok(got)
    }

    /// Up to `len` bytes of the text from `from`; fewer at its end.
    ///
    /// # Errors
    /// As [`Content::read_at`].
    pub fn range(&mut self, from: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        let mut got = 0;
        while got < len {
            match self.read_at(&mut bytes[got..], from + got as u64)? {
                0 => break,
                more => got += more,
            }
        }
        bytes.truncate(got);
        Ok(bytes)
    }

    /// A decoder at `position`, or at the text's end before it.
    fn unpack_to(&mut self, position: u64) -> io::Result<&mut Unpacking> {
        if self.unpacking.as_ref().is_none_or(|u| u.at > position) {
            self.unpacking = None;
            let raw = BufReader::with_capacity(
                COMPRESSED_READ_BYTES,
                FromStart {
                    file: self.file.try_clone()?,
                    at: 0,
                },
            );
            let reader: Box<dyn Read + Send> = match self.coding {
                Coding::Zstd => {
                    let mut decoder = zstd::Decoder::with_buffer(raw)?;
                    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
                    Box::new(decoder)
                }
                _ => Box::new(MultiGzDecoder::new(raw)),
            };
            self.unpacking = Some(Unpacking { reader, at: 0 });
        }
        let unpacking = self.unpacking.as_mut().expect("set just above");
        let mut skipped = [0; SKIP_BYTES];
        while unpacking.at < position {
            let len = (position - unpacking.at).min(SKIP_BYTES as u64) as usize;
            match retried(|| unpacking.reader.read(&mut skipped[..len]))? {
                0 => break,
                got => unpacking.at += got as u64,
            }
        }
        Ok(unpacking)
    }
}

/// Reads a file from its start, whatever position its descriptor has.
struct FromStart {
    file: File,
    at: u64,
}

impl Read for FromStart {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.file.read_at(buffer, self.at)?;
        self.at += got as u64;
        Ok(got)
    }
}

fn retried(mut read: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match read() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_text_of_a_compressed_file_is_read_by_position_forwards_and_backwards() {
        let dir = tempfile::tempdir().unwrap();
        let text: Vec<u8> = (0..100_000u32)
            .flat_map(|n| (n % 257).to_le_bytes())
            .collect();
        let gzip = {
            // Two members, as an appended file has them.
            let mut bytes = Vec::new();
            for part in [&text[..150_000], &text[150_000..]] {
                let level = flate2::Compression::fast();
                let mut encoder = flate2::write::GzEncoder::new(&mut bytes, level);
                encoder.write_all(part).unwrap();
                encoder.finish().unwrap();
            }
            bytes
        };
        let zstd = zstd::encode_all(&text[..], 3).unwrap();
        for (name, bytes) in [("a.1", &text), ("a.1.gz", &gzip), ("a.1.zst", &zstd)] {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let mut content = Content::open(&path).unwrap();
            for from in [200_000, 149_000, 0, 399_990, 400_000, 500_000] {
                let to = (from + 5000).min(text.len());
                let wanted = text.get(from..to).unwrap_or_default();
                let got = content.range(from as u64, 5000).unwrap();
                assert!(got == wanted, "{name} from {from}");
            }
        }
        let path = dir.path().join("torn.gz");
        std::fs::write(&path, &gzip[..gzip.len() / 2]).unwrap();
        let torn = Content::open(&path).unwrap().range(0, text.len());
        assert_eq!(torn.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
