//! Why a store does not open, and why a call on an open one failed. Every message says what to do.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use wire::MachineId;

/// Why a store does not open. Every message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A file or directory cannot be read or written.
    #[error("{action} {path}: {error}", path = .path.display())]
    Io {
        /// What was tried, such as `cannot read`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Another process has the data directory open.
    #[error(
        "the data directory {dir} is already open in {holder}; stop it, or choose another \
         directory",
        dir = .dir.display(),
        holder = .pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
    )]
    InUse {
        /// The data directory.
        dir: PathBuf,
        /// The process that holds it, when it said so.
        pid: Option<u32>,
    },
    /// The key file lies in the data directory that it is to protect.
    #[error(
        "the key file {} lies inside the data directory; keep it elsewhere, so that a copy of the \
         data alone cannot be read",
        .0.display()
    )]
    KeyInsideData(PathBuf),
    /// The data is there, its key file is not. Nothing is made anew.
    #[error(
        "the key file {} is missing, but a store exists; put the key file back from its backup or \
         name the right one with --key-file (without it the store cannot be read)",
        .0.display()
    )]
    KeyFileMissing(PathBuf),
    /// The key file can be read by others.
    #[error(
        "the key file {path} can be read by other users; run: chmod 600 {path}",
        path = .0.display()
    )]
    KeyFileNotPrivate(PathBuf),
    /// The key file does not hold a key.
    #[error(
        "the key file {} does not hold a Vendlog key (44 characters of base64); put it back from \
         its backup",
        .0.display()
    )]
    KeyFileDamaged(PathBuf),
    /// The key is not the one that this store was made with.
    #[error(
        "the key file does not fit the store at {}; name the key file that this store was made \
         with (--key-file); nothing was changed",
        .0.display()
    )]
    WrongKey(PathBuf),
    /// `key.json` is gone or damaged while there is data.
    #[error(
        "{} is missing or damaged, but a store exists beside it; put the file back from a backup",
        .0.display()
    )]
    DataKeyDamaged(PathBuf),
    /// The file was written by a newer Vendlog.
    #[error(
        "{path} was written by a newer Vendlog (schema {found}, this one knows {known}); install \
         the newer version; nothing was changed",
        path = .path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest that this program may open.
        known: i64,
    },
    /// The file is no database under this key, or fails its checks.
    #[error("{path} is damaged ({reason}); restore it from a backup", path = .path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// The SQLite that was linked has known faults.
    #[error("SQLite {0} has a known WAL fault; build Vendlog with SQLite 3.51.3 or newer")]
    SqliteTooOld(String),
    /// SQLite failed otherwise.
    #[error("{path} cannot be opened: {reason}", path = .path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl OpenError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OpenError {
        let path = path.to_owned();
        move |error| OpenError::Io {
            action,
            path,
            error,
        }
    }

    pub(crate) fn sqlite(path: &Path, error: &rusqlite::Error) -> OpenError {
        let path = path.to_owned();
        let reason = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                OpenError::Damaged { path, reason }
            }
            _ => OpenError::Sqlite { path, reason },
        }
    }
}

/// Why a call on an open store failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A machine of this id exists already.
    #[error("machine {0} exists already")]
    MachineExists(MachineId),
    /// No machine of this id.
    #[error("there is no machine {0}")]
    NoSuchMachine(MachineId),
    /// No entry with this id (removed by retention, or never there).
    #[error("there is no entry with this id; it may have been removed by retention")]
    NoSuchEntry,
    /// The cursor or entry id is damaged.
    #[error("the {0} cannot be read; start again without it")]
    BadReference(&'static str),
    /// An epoch or seq that cannot be kept, or an entry of an epoch without a seq.
    #[error("epoch and seq must be whole numbers from 1 to 9223372036854775807, both or neither")]
    BadNumber,
    /// More is waiting for the writer than the bound allows; the sender tries again later.
    #[error("the store is busy; try again in a moment")]
    Busy,
    /// The disk is full: nothing of the call is acknowledged. The sender tries again.
    #[error("the disk of the store is full")]
    DiskFull,
    /// A day's file is damaged; the other days can be read. Holds the day, `YYYY-MM-DD`.
    #[error(
        "the entries of {0} cannot be read, the file of that day is damaged; ask for times before \
         or after it, and restore days/{0}.db from a backup"
    )]
    DayDamaged(String),
    /// What waits in quarantine is as many items, or as many bytes, as may be. Holds how many wait.
    #[error(
        "quarantine is full with the {0} items that wait; retry or discard some of them, what came \
         now stays at its source"
    )]
    QuarantineFull(u64),
    /// Larger than a dictionary may be.
    #[error("a dictionary has at most {0} bytes; train it with fewer entries")]
    DictionaryTooLarge(usize),
    /// A data plan with a price or a currency that is none.
    #[error("the price must be 0 or more cents a MB, and the currency a code such as USD")]
    BadPlan,
    /// The store is closing.
    #[error("the store is closing")]
    Closing,
    /// SQLite or the file system failed.
    #[error("the store failed: {0}")]
    Failed(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::DiskFull,
            _ => StoreError::Failed(error.to_string()),
        }
    }
}

impl From<OpenError> for StoreError {
    fn from(error: OpenError) -> StoreError {
        match &error {
            OpenError::Io { error: cause, .. }
                if cause.kind() == io::ErrorKind::StorageFull
                    || cause.kind() == io::ErrorKind::QuotaExceeded =>
            {
                StoreError::DiskFull
            }
            _ => StoreError::Failed(error.to_string()),
        }
    }
}
