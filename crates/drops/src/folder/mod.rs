//! What FTP and SFTP have in common: a folder of files, looked at once a poll.

mod action;
mod names;
mod poll;
mod remote;
mod sort;

pub(crate) use names::{is_same, shown_name, shown_text};
pub(crate) use poll::{Order, poll};
pub(crate) use remote::{FileError, Listed, Look, Remote};

use crate::{SourceError, Tested, limits, pattern};

/// What a test of the folder shows.
pub(crate) async fn test(
    remote: &mut impl Remote,
    pattern: &str,
    place: &str,
) -> Result<Tested, SourceError> {
    let mut files = remote.list().await?;
    files.retain(|file| file.is_file && pattern::matches(pattern, &file.name));
    files.sort_by(|a, b| b.modified.cmp(&a.modified).then(a.name.cmp(&b.name)));
    let sample = files.iter().take(limits::SAMPLE);
    Ok(Tested {
        message: format!(
            "Signed in to {place}; {} that match {pattern}",
            match files.len() {
                1 => "1 file".to_owned(),
                count => format!("{count} files"),
            }
        ),
        files: files.len() as u64,
        sample: sample.map(|file| shown_name(&file.name)).collect(),
    })
}
