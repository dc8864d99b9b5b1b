//! The directory where the agent keeps what must outlive it: one agent at a time, one hash key.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use wire::redact::HashKey;

use crate::durable;

/// Names inside the state directory.
pub mod names {
    /// Held locked by the running agent.
    pub const LOCK: &str = "lock";
    /// 32 random bytes under which ids are hashed.
    pub const HASH_KEY: &str = "hash.key";
    /// The directory of the spool's segments.
    pub const SPOOL: &str = "spool";
    /// The last position of every input.
    pub const CHECKPOINT: &str = "checkpoint";
    /// What is known of the application.
    pub const APP: &str = "app";
    /// How far the WiFi shipper has got.
    pub const WIFI: &str = "wifi";
    /// How far the cellular path has got, and the drop that waits.
    pub const EPORT: &str = "eport";
    /// The dictionary that the server handed out.
    pub const DICTIONARY: &str = "dictionary";
    /// What is known of the clock, and with what times entries were offered.
    pub const CLOCK: &str = "clock";
    /// Entries that the server refused for good.
    pub const PUT_ASIDE: &str = "put-aside.ndjson";
    /// The key that the server handed out.
    pub const API_KEY: &str = "api_key";
    /// The configuration that the server handed out, and the one before.
    pub const CONFIG: &str = "config";
}

/// The state directory of the one agent that runs on it.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    _lock: File,
}

/// Why the state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateDirError {
    /// Another agent holds it.
    #[error("state_dir {0} is in use by another vendlog-agent; stop it first")]
    InUse(PathBuf),
    /// The operating system says no.
    #[error("state_dir {path} cannot be used: {source}; create it for the user of the agent")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The key has been damaged; a new one would break the link to ids hashed before.
    #[error(
        "{0} is damaged (it must have 32 bytes); restore it, or remove it to start with a new one"
    )]
    HashKey(PathBuf),
}

impl StateDir {
    /// Creates the directory when it is not there and takes it for this process.
    ///
    /// # Errors
    /// See [`StateDirError`].
    pub fn open(path: &Path) -> Result<StateDir, StateDirError> {
        let io = |source| StateDirError::Io {
            path: path.to_owned(),
            source,
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(io)?;
        durable::sync_dir_of(path).map_err(io)?;
        let lock = durable::private()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join(names::LOCK))
            .map_err(io)?;
        match lock.try_lock() {
            Ok(()) => Ok(StateDir {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(StateDirError::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }

    /// A file or directory of this name inside.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key of this machine, made at the first start and never again over one that is there.
    ///
    /// # Errors
    /// The key cannot be read or made, or has not 32 bytes.
    pub fn hash_key(&self) -> Result<HashKey, StateDirError> {
        let path = self.join(names::HASH_KEY);
        let io = |source| StateDirError::Io {
            path: path.clone(),
            source,
        };
        match File::open(&path) {
            Ok(file) => {
                let mut bytes = Vec::new();
                // One byte more than a key, so that a longer file is seen to be one.
                file.take(33).read_to_end(&mut bytes).map_err(io)?;
                let key: [u8; 32] = bytes
                    .try_into()
                    .map_err(|_| StateDirError::HashKey(path.clone()))?;
                Ok(HashKey::new(key))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut key = [0; 32];
                getrandom::fill(&mut key)
                    .map_err(|error| io(io::Error::other(error.to_string())))?;
                if self.join(names::CHECKPOINT).exists() {
                    tracing::warn!(
                        path = %path.display(),
                        "the key is gone; a new one is made, and ids no longer hash as before"
                    );
                }
                write_key(&path, &key).map_err(io)?;
                Ok(HashKey::new(key))
            }
            Err(error) => Err(io(error)),
        }
    }
}

fn write_key(path: &Path, key: &[u8; 32]) -> io::Result<()> {
    let aside = durable::sibling(path, "new");
    let mut file = durable::private()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&aside)?;
    file.write_all(key)?;
    file.sync_all()?;
    fs::rename(&aside, path)?;
    durable::sync_dir_of(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_second_agent_is_refused_while_the_first_lives() {
        let dir = tempfile::tempdir().unwrap();
        let first = StateDir::open(dir.path()).unwrap();
        assert!(matches!(
            StateDir::open(dir.path()),
            Err(StateDirError::InUse(_))
        ));
        drop(first);
        assert!(StateDir::open(dir.path()).is_ok());
    }

    #[test]
    fn the_hash_key_is_private_and_never_made_anew_over_a_damaged_one() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        let first = state.hash_key().unwrap().hash("1234567890");
        assert_eq!(
            state.hash_key().unwrap().hash("1234567890"),
            first,
            "the key stays"
        );
        let path = state.join(names::HASH_KEY);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::write(&path, b"short").unwrap();
        assert!(matches!(state.hash_key(), Err(StateDirError::HashKey(_))));
        assert_eq!(fs::read(&path).unwrap(), b"short");
    }
}
