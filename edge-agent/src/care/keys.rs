//! The keys of this machine: the file that a person or `pair` wrote, and the key that the server
//! has handed out since.
//!
//! A key from the server is kept in `STATE/api_key` first, and the one before stays: it is tried
//! again whenever the new one is refused. Once the server has accepted the new one it is written to
//! `api_key_file`, if the agent's user may do that, and `STATE/api_key` goes; else it stays there.
//! It counts for as long as `api_key_file` has the text that it had when the key came: a file that
//! was written since (a new pairing) is newer, and wins.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::secret_file;
use crate::durable;

/// No key is longer; a server that sends more does not send a key.
const KEY_MAX_BYTES: usize = 200;

/// The keys, shared by all that send.
#[derive(Clone)]
pub struct Keys(Arc<Mutex<Ring>>);

struct Ring {
    base: PathBuf,
    state: Option<PathBuf>,
    rotated: Option<Rotated>,
    /// The key that was accepted when better ones were refused, by this process.
    accepted: Option<String>,
}

/// `STATE/api_key`.
#[derive(Clone, Serialize, Deserialize)]
struct Rotated {
    key: String,
    /// The key before, when it is not the one in `api_key_file`; until `key` was accepted.
    before: Option<String>,
    /// SHA-256 of the text of `api_key_file` when `key` came, in hexadecimal digits.
    base_sha256: String,
    /// The server has accepted `key`.
    is_proven: bool,
}

impl Keys {
    /// Only the key in this file.
    pub fn in_file(base: &Path) -> Keys {
        Keys::new(base, None, None)
    }

    /// The key in this file, or the one kept at `state`, where new ones are kept too.
    pub fn open(base: &Path, state: &Path) -> Keys {
        let keys = Keys::new(base, Some(state), durable::load(state));
        keys.ring().fold();
        keys
    }

    fn new(base: &Path, state: Option<&Path>, rotated: Option<Rotated>) -> Keys {
        Keys(Arc::new(Mutex::new(Ring {
            base: base.to_owned(),
            state: state.map(Path::to_owned),
            rotated,
            accepted: None,
        })))
    }

    /// The keys to try, best first; at least one.
    ///
    /// # Errors
    /// The file cannot be read, and the server has handed out none.
    pub fn to_try(&self) -> io::Result<Vec<String>> {
        self.ring().list()
    }

    /// The server took this key; `after_others` when it refused those before it in the list, so
    /// that this one is the first to try from now on.
    pub fn accepted(&self, key: &str, after_others: bool) {
        let mut ring = self.ring();
        if after_others {
            ring.accepted = Some(key.to_owned());
        }
        let Some(rotated) = ring.rotated.as_mut().filter(|rotated| rotated.key == key) else {
            return;
        };
        if rotated.is_proven {
            return;
        }
        rotated.is_proven = true;
        rotated.before = None;
        let proven = rotated.clone();
        tracing::info!(key_id = wire::care::key_id(key), "the new key is in use");
        if let Some(state) = &ring.state
            && let Err(error) = durable::save(state, &proven)
        {
            // The next start tries the new one first, all the same.
            tracing::warn!(%error, "that the new key is in use cannot be noted");
        }
        ring.fold();
    }

    /// Keeps a key that the server hands out. When this returns, it survives a power cut, and is
    /// the first to try.
    ///
    /// # Errors
    /// It is none, or cannot be kept; then nothing has changed.
    pub fn offer(&self, key: &str) -> io::Result<()> {
        let sound = key.len() <= KEY_MAX_BYTES
            && key.bytes().all(|byte| byte.is_ascii_graphic())
            && key.starts_with("vl_")
            && wire::care::key_id(key).is_some();
        if !sound {
            return Err(io::Error::other("what the server sent is no key"));
        }
        let mut ring = self.ring();
        let current = ring.list()?.swap_remove(0);
        let base = ring.base_text();
        let base_sha256 = match (&base, &ring.rotated) {
            (Ok(base), _) => sha256(base),
            (Err(_), Some(rotated)) => rotated.base_sha256.clone(),
            (Err(_), None) => return Err(io::Error::other("api_key_file cannot be read")),
        };
        let rotated = Rotated {
            key: key.to_owned(),
            before: base.is_ok_and(|base| base != current).then_some(current),
            base_sha256,
            is_proven: false,
        };
        let Some(state) = &ring.state else {
            return Err(io::Error::other("there is no state directory"));
        };
        durable::save(state, &rotated)?;
        ring.rotated = Some(rotated);
        ring.accepted = None;
        Ok(())
    }

    /// The public part of the key that is tried first.
    pub fn key_id(&self) -> Option<String> {
        let keys = self.to_try().ok()?;
        wire::care::key_id(keys.first()?).map(str::to_owned)
    }

    /// The file that a person writes a key to.
    pub fn path(&self) -> PathBuf {
        self.ring().base.clone()
    }

    /// Changes when that file does: its modification time and length.
    pub fn stamp(&self) -> Option<(SystemTime, u64)> {
        let meta = fs::metadata(self.path()).ok()?;
        Some((meta.modified().ok()?, meta.len()))
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn base_text(&self) -> io::Result<String> {
        fs::read_to_string(&self.base).map(|text| text.trim().to_owned())
    }

    fn list(&mut self) -> io::Result<Vec<String>> {
        let base = self.base_text();
        self.drop_older_than(base.as_deref().ok());
        let rotated = self.rotated.iter();
        let mut keys: Vec<String> = rotated
            .flat_map(|rotated| [Some(&rotated.key), rotated.before.as_ref()])
            .flatten()
            .cloned()
            .collect();
        match base {
            Ok(base) if !keys.contains(&base) => keys.push(base),
            Err(error) if keys.is_empty() => return Err(error),
            _ => {}
        }
        let accepted = self.accepted.as_ref();
        if let Some(at) = keys.iter().position(|key| Some(key) == accepted) {
            keys[..=at].rotate_right(1);
        }
        Ok(keys)
    }

    /// The file was written after the server's key came: it is the newer one.
    fn drop_older_than(&mut self, base: Option<&str>) {
        let is_older = |rotated: &Rotated| base.is_some_and(|b| sha256(b) != rotated.base_sha256);
        if self.rotated.as_ref().is_some_and(is_older) {
            self.forget_rotated();
        }
    }

    fn forget_rotated(&mut self) {
        self.rotated = None;
        let Some(state) = &self.state else { return };
        // The newest generation last: until it goes, the older ones are not looked at.
        for path in [
            durable::sibling(state, "prev"),
            durable::sibling(state, "new"),
            state.clone(),
        ] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(%error, path = %path.display(), "an old key cannot be removed");
                }
                _ => {}
            }
        }
        if let Err(error) = durable::sync_dir_of(state) {
            tracing::warn!(%error, "an old key may not be removed for good");
        }
    }

    /// Moves a proven key to `api_key_file`, where a person looks for it; a file that the agent's
    /// user may not write stays as it is.
    fn fold(&mut self) {
        let base = self.base_text();
        self.drop_older_than(base.as_deref().ok());
        let Some(rotated) = self.rotated.as_ref().filter(|r| r.is_proven) else {
            return;
        };
        let is_file = fs::symlink_metadata(&self.base).is_ok_and(|meta| meta.is_file());
        if !is_file {
            return;
        }
        match secret_file::replace(&self.base, &format!("{}\n", rotated.key)) {
            Ok(()) => self.forget_rotated(),
            Err(error) => tracing::debug!(
                %error,
                "api_key_file cannot be written; the new key stays in the state directory"
            ),
        }
    }
}

/// Without a letter of any key.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("api_key_file", &self.path())
            .finish_non_exhaustive()
    }
}

fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
