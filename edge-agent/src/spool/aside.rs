//! Segments of a version that this program does not know: kept, and out of the way.

use std::fs;
use std::io;
use std::path::Path;

use super::segment::SegmentName;
use crate::durable;

/// What was set aside.
pub(super) struct SetAside {
    /// Segments.
    pub count: u64,
    /// The segment written last was among them, and with it the knowledge of the last seq.
    pub last: bool,
}

/// Renames segments of a version that is not known, so that a person or another version of the
/// program can have them. With the last of them goes the last seq: then all of its epoch are set
/// aside, and a new epoch begins.
pub(super) fn set_aside(dir: &Path) -> io::Result<SetAside> {
    let names = SegmentName::list(dir)?;
    let mut aside = SetAside {
        count: 0,
        last: false,
    };
    let Some(last) = names.last() else {
        return Ok(aside);
    };
    aside.last = last.is_of_other_version(dir)?;
    for name in names.iter().filter(|name| name.epoch == last.epoch) {
        if aside.last || name.is_of_other_version(dir)? {
            let path = name.path(dir);
            fs::rename(&path, durable::sibling(&path, "other-version"))?;
            aside.count += 1;
        }
    }
    if aside.count > 0 {
        tracing::warn!(
            segments = aside.count,
            new_epoch = aside.last,
            "segments of another version of the spool were set aside as *.other-version"
        );
    }
    Ok(aside)
}
