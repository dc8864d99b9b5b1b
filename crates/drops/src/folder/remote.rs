//! A folder on a server, whatever it speaks.

use std::future::Future;

use jiff::Timestamp;

use crate::SourceError;

/// One entry of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub name: String,
    pub size_bytes: u64,
    /// Its time as the listing has it; tells two versions apart.
    pub stamp: String,
    /// Whether `stamp` is good to the second. A plain FTP listing has minutes, and days after half
    /// a year: two versions within one minute look the same there.
    pub is_exact: bool,
    /// The same as a time.
    pub modified: Option<Timestamp>,
    /// Neither a folder nor a link nor a device.
    pub is_file: bool,
}

impl Listed {
    /// Known again by this, in that [`crate::place`].
    pub(crate) fn key(&self, place: &str) -> String {
        format!("{place}:{}:{}:{}", self.stamp, self.size_bytes, self.name)
    }
}

/// What a server says of one file now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look {
    pub size_bytes: Option<u64>,
    pub modified: Option<Timestamp>,
}

/// What went wrong with one file: with it alone, or with the whole source.
#[derive(Debug)]
pub(crate) enum FileError {
    This(String),
    Source(SourceError),
}

impl From<SourceError> for FileError {
    fn from(error: SourceError) -> FileError {
        FileError::Source(error)
    }
}

/// A signed-in connection, in the folder. Every call ends in time.
pub(crate) trait Remote: Send {
    /// Everything in the folder, at most [`crate::limits::LISTING_BYTES`] of it.
    fn list(&mut self) -> impl Future<Output = Result<Vec<Listed>, SourceError>> + Send;
    /// A file's content; at most `at_most` bytes of it.
    fn read(
        &mut self,
        name: &str,
        at_most: u64,
    ) -> impl Future<Output = Result<Vec<u8>, FileError>> + Send;
    /// `None` when there is no such file. `name` may be a path.
    fn look(&mut self, name: &str) -> impl Future<Output = Result<Option<Look>, FileError>> + Send;
    /// Deletes a file.
    fn remove(&mut self, name: &str) -> impl Future<Output = Result<(), FileError>> + Send;
    /// Gives a file another path, seen from the folder unless it begins with `/`.
    fn rename(
        &mut self,
        name: &str,
        to: &str,
    ) -> impl Future<Output = Result<(), FileError>> + Send;
}
