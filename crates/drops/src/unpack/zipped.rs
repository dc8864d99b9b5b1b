//! Zip and gzip, with what makes a bomb counted while it is read: declared sizes are only claims.

use std::io::{Cursor, Read};

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;
use zip::result::ZipError;

use super::{Depth, Opened, UnpackError};
use crate::folder::shown_name;
use crate::limits;

/// Below this size a ratio says nothing: 4 KiB of spaces pack 200 times smaller.
const RATIO_FROM_BYTES: u64 = 64 * 1024;

/// Opens every file of a zip.
pub(super) fn open_zip(opened: &mut Opened, bytes: &[u8], depth: Depth) -> Result<(), UnpackError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    if archive.len() > limits::PARTS {
        return Err(UnpackError::too_much(format!(
            "the zip has {} files",
            archive.len()
        )));
    }
    let depth = Depth {
        is_compressed: true,
        ..depth
    };
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).map_err(damaged)?;
        let name = shown_name(file.name());
        if file.is_dir() || file.is_symlink() || is_of_macos(file.name()) {
            opened.ignore("folders, links and what macOS adds");
            continue;
        }
        let room = opened.room() as u64;
        if file.size() > room {
            return Err(UnpackError::too_much(format!(
                "{name} unpacks to {} bytes",
                file.size()
            )));
        }
        let packed = file.compressed_size().max(1);
        let mut unpacked = Vec::new();
        (&mut file)
            .take(room + 1)
            .read_to_end(&mut unpacked)
            .map_err(|error| damaged(ZipError::Io(error)))?;
        let size = unpacked.len() as u64;
        check_size(&name, size, packed, room)?;
        opened.open(&name, &unpacked, depth)?;
    }
    Ok(())
}

/// Opens a gzip file, whose name loses its `.gz`.
pub(super) fn open_gzip(
    opened: &mut Opened,
    name: &str,
    bytes: &[u8],
    depth: Depth,
) -> Result<(), UnpackError> {
    let room = opened.room() as u64;
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(bytes)
        .take(room + 1)
        .read_to_end(&mut unpacked)
        .map_err(|error| UnpackError::new("damaged", format!("the gzip is damaged: {error}")))?;
    check_size(name, unpacked.len() as u64, bytes.len() as u64, room)?;
    let depth = Depth {
        is_compressed: true,
        ..depth
    };
    let name = name.strip_suffix(".gz").unwrap_or(name);
    opened.open(name, &unpacked, depth)
}

fn check_size(name: &str, size: u64, packed: u64, room: u64) -> Result<(), UnpackError> {
    let is_bomb = size > RATIO_FROM_BYTES && size / packed.max(1) > limits::RATIO;
    if size > room || is_bomb {
        return Err(UnpackError::too_much(format!(
            "{name} unpacks to {size} bytes or more out of {packed}"
        )));
    }
    Ok(())
}

fn is_of_macos(name: &str) -> bool {
    name.starts_with("__MACOSX/") || name.ends_with(".DS_Store")
}

fn damaged(error: ZipError) -> UnpackError {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => {
            UnpackError::new(
                "encrypted",
                "the zip wants a password; have it sent without one",
            )
        }
        ZipError::CompressionMethodNotSupported(method) => UnpackError::new(
            "damaged",
            format!("the zip uses method {method}; have it packed as an ordinary zip (deflate)"),
        ),
        other => UnpackError::new("damaged", format!("the zip is damaged: {other}")),
    }
}
