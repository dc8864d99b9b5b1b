//! What happens to a file before it is forwarded. None of it is known for certain of the real
//! service but "As Zip File"; a receiver must cope with all of it.

use std::io::{Cursor, Write};

use clap::ValueEnum;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Bytes that a writer of whole records might fill up to.
const PADDED_TO: usize = 256;

/// Something done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Dress {
    /// Lines end with CR LF.
    Crlf,
    /// A byte order mark stands before the text.
    Bom,
    /// Blanks and NULs stand behind it.
    Padding,
    /// It lies in a zip archive, under its name.
    Zip,
}

/// A file as it is forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parcel {
    /// What it is called.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Whether it is text, and so could stand in the body of a mail.
    pub is_text: bool,
}

impl Parcel {
    /// Dresses an upload; the zip goes around everything else, whatever the order.
    pub(super) fn wrap(name: &str, upload: &[u8], dress: &[Dress]) -> Parcel {
        let mut bytes = upload.to_vec();
        if dress.contains(&Dress::Crlf) {
            bytes = with_crlf(&bytes);
        }
        if dress.contains(&Dress::Bom) {
            bytes.splice(0..0, *b"\xEF\xBB\xBF");
        }
        if dress.contains(&Dress::Padding) {
            let fill = PADDED_TO - bytes.len() % PADDED_TO;
            bytes.extend(std::iter::repeat_n(b' ', fill / 2));
            bytes.extend(std::iter::repeat_n(0, fill - fill / 2));
        }
        match dress.contains(&Dress::Zip) {
            true => Parcel {
                name: format!("{name}.zip"),
                bytes: zipped(name, &bytes),
                is_text: false,
            },
            false => Parcel {
                name: name.to_owned(),
                bytes,
                is_text: true,
            },
        }
    }
}

/// Every LF that has no CR before it gets one.
pub(super) fn with_crlf(bytes: &[u8]) -> Vec<u8> {
    let mut with = Vec::with_capacity(bytes.len() + 16);
    for &byte in bytes {
        if byte == b'\n' && with.last() != Some(&b'\r') {
            with.push(b'\r');
        }
        with.push(byte);
    }
    with
}

fn zipped(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive
        .start_file(name, SimpleFileOptions::default())
        .and_then(|()| Ok(archive.write_all(bytes)?))
        .and_then(|()| archive.finish())
        .expect("an archive in memory takes a small file")
        .into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_dressed_as_asked() {
        let plain = Parcel::wrap("a.txt", b"one\ntwo\r\n", &[]);
        assert_eq!(plain.bytes, b"one\ntwo\r\n");
        let dressed = Parcel::wrap("a.txt", b"one\ntwo\r\n", &[Dress::Crlf, Dress::Bom]);
        assert_eq!(dressed.bytes, b"\xEF\xBB\xBFone\r\ntwo\r\n");
        let padded = Parcel::wrap("a.txt", b"one", &[Dress::Padding]);
        assert!(padded.bytes.starts_with(b"one ") && padded.bytes.ends_with(b"\0"));
        assert_eq!(padded.bytes.len(), PADDED_TO);
    }

    #[test]
    fn a_zip_holds_the_file_under_its_name() {
        let parcel = Parcel::wrap("a.txt", b"one\n", &[Dress::Zip]);
        assert_eq!((parcel.name.as_str(), parcel.is_text), ("a.txt.zip", false));
        let mut archive = zip::ZipArchive::new(Cursor::new(parcel.bytes)).expect("an archive");
        let mut file = archive.by_name("a.txt").expect("the file");
        assert_eq!(std::io::read_to_string(&mut file).expect("text"), "one\n");
    }
}
