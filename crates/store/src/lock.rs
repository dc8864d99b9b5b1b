//! `DATA/lock`: one process at a time has a data directory open, and says which one it is.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::error::OpenError;
use crate::files;

/// Held while the store is open; the system lets go of it when the process ends, however it ends.
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a data directory and writes our process id into it.
    ///
    /// # Errors
    /// Another process holds it, or the file cannot be made.
    pub(crate) fn take(dir: &Path) -> Result<Lock, OpenError> {
        let path = dir.join("lock");
        let mut file =
            files::open_private_file(&path).map_err(OpenError::io("cannot open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let pid = file
                    .read_to_string(&mut text)
                    .ok()
                    .and_then(|_| text.trim().parse().ok());
                return Err(OpenError::InUse {
                    dir: dir.to_owned(),
                    pid,
                });
            }
            Err(TryLockError::Error(error)) => {
                return Err(OpenError::io("cannot lock", &path)(error));
            }
        }
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(OpenError::io("cannot write", &path))?;
        Ok(Lock { _file: file })
    }
}
