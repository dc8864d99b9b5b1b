//! Keys: a random data key encrypts every database; `DATA/key.json` holds it wrapped by a key that
//! lies elsewhere. A missing key is never made anew over existing data.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::error::OpenError;
use crate::files;

const KEY_BYTES: usize = 32;
/// Bound to the ciphertext, so that it cannot be taken for anything else.
const WRAP_PURPOSE: &[u8] = b"vendlog data key 1";

/// The key that wraps the store's data key.
pub struct WrappingKey(Zeroizing<[u8; KEY_BYTES]>);

impl WrappingKey {
    /// Reads the key file, or makes it (0600) when neither it nor a store at `data_dir` exists.
    ///
    /// # Errors
    /// The file lies in the data directory, is missing over an existing store, can be read by
    /// others, cannot be read, or is damaged.
    pub fn load_or_create(key_file: &Path, data_dir: &Path) -> Result<WrappingKey, OpenError> {
        if lies_inside(key_file, data_dir) {
            return Err(OpenError::KeyInsideData(key_file.to_owned()));
        }
        match fs::read(key_file) {
            Ok(bytes) => {
                let bytes = Zeroizing::new(bytes);
                let private = files::is_private(key_file)
                    .map_err(OpenError::io("cannot read the key file", key_file))?;
                if !private {
                    return Err(OpenError::KeyFileNotPrivate(key_file.to_owned()));
                }
                let damaged = || OpenError::KeyFileDamaged(key_file.to_owned());
                let decoded = BASE64.decode(bytes.trim_ascii()).map_err(|_| damaged())?;
                let decoded = Zeroizing::new(decoded);
                let key: [u8; KEY_BYTES] = decoded.as_slice().try_into().map_err(|_| damaged())?;
                Ok(WrappingKey(Zeroizing::new(key)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if store_exists(data_dir) {
                    return Err(OpenError::KeyFileMissing(key_file.to_owned()));
                }
                WrappingKey::create(key_file)
            }
            Err(error) => Err(OpenError::io("cannot read the key file", key_file)(error)),
        }
    }

    /// A key that came from elsewhere, such as the system's keychain.
    pub fn from_bytes(bytes: [u8; 32]) -> WrappingKey {
        WrappingKey(Zeroizing::new(bytes))
    }

    fn create(key_file: &Path) -> Result<WrappingKey, OpenError> {
        let key = WrappingKey(Zeroizing::new(random()?));
        if let Some(parent) = key_file.parent() {
            files::make_private_dir(parent).map_err(OpenError::io("cannot make", parent))?;
        }
        let text = Zeroizing::new(BASE64.encode(*key.0) + "\n");
        files::write_private_file(key_file, text.as_bytes())
            .map_err(OpenError::io("cannot write the key file", key_file))?;
        Ok(key)
    }

    fn cipher(&self) -> Result<LessSafeKey, OpenError> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, self.0.as_slice())
            .map_err(|_| OpenError::Other("the cipher does not take the key".to_owned()))?;
        Ok(LessSafeKey::new(key))
    }
}

/// The key that encrypts the databases.
pub(crate) struct DataKey(Zeroizing<[u8; KEY_BYTES]>);

/// `key.json`. Unknown fields are refused: a newer wrapping must not be half understood.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped {
    version: u32,
    cipher: String,
    nonce: String,
    data_key: String,
}

const WRAP_VERSION: u32 = 1;
const WRAP_CIPHER: &str = "chacha20-poly1305";

impl DataKey {
    /// The data key of the store at `dir`, made when there is no store yet.
    ///
    /// # Errors
    /// The wrapping key is wrong, or `key.json` is damaged or missing beside a catalog.
    pub(crate) fn load_or_create(dir: &Path, wrapping: &WrappingKey) -> Result<DataKey, OpenError> {
        let path = dir.join("key.json");
        match fs::read(&path) {
            Ok(bytes) => DataKey::unwrap(&bytes, wrapping, dir, &path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if store_exists(dir) {
                    return Err(OpenError::DataKeyDamaged(path));
                }
                let key = DataKey(Zeroizing::new(random()?));
                files::write_private_file(&path, &key.wrap(wrapping)?)
                    .map_err(OpenError::io("cannot write", &path))?;
                Ok(key)
            }
            Err(error) => Err(OpenError::io("cannot read", &path)(error)),
        }
    }

    fn wrap(&self, wrapping: &WrappingKey) -> Result<Vec<u8>, OpenError> {
        let nonce: [u8; NONCE_LEN] = random()?;
        let mut sealed = self.0.to_vec(); // encrypted in place below
        wrapping
            .cipher()?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(WRAP_PURPOSE),
                &mut sealed,
            )
            .map_err(|_| OpenError::Other("the data key cannot be wrapped".to_owned()))?;
        let wrapped = Wrapped {
            version: WRAP_VERSION,
            cipher: WRAP_CIPHER.to_owned(),
            nonce: BASE64.encode(nonce),
            data_key: BASE64.encode(&sealed),
        };
        let mut text = serde_json::to_vec_pretty(&wrapped)
            .map_err(|error| OpenError::Other(error.to_string()))?;
        text.push(b'\n');
        Ok(text)
    }

    fn unwrap(
        bytes: &[u8],
        wrapping: &WrappingKey,
        dir: &Path,
        path: &Path,
    ) -> Result<DataKey, OpenError> {
        let damaged = || OpenError::DataKeyDamaged(path.to_owned());
        let wrapped: Wrapped = serde_json::from_slice(bytes).map_err(|_| damaged())?;
        if wrapped.version > WRAP_VERSION {
            return Err(OpenError::Newer {
                path: path.to_owned(),
                found: wrapped.version.into(),
                known: WRAP_VERSION.into(),
            });
        }
        if wrapped.cipher != WRAP_CIPHER {
            return Err(damaged());
        }
        let nonce = BASE64.decode(&wrapped.nonce).map_err(|_| damaged())?;
        let nonce = Nonce::try_assume_unique_for_key(&nonce).map_err(|_| damaged())?;
        let mut sealed = Zeroizing::new(BASE64.decode(&wrapped.data_key).map_err(|_| damaged())?);
        let opened = wrapping
            .cipher()?
            .open_in_place(nonce, Aad::from(WRAP_PURPOSE), &mut sealed)
            .map_err(|_| OpenError::WrongKey(dir.to_owned()))?;
        let key: [u8; KEY_BYTES] = (&*opened).try_into().map_err(|_| damaged())?;
        Ok(DataKey(Zeroizing::new(key)))
    }

    /// The statement that gives this key to a connection as SQLCipher's raw key.
    pub(crate) fn pragma(&self) -> Zeroizing<String> {
        let mut text = String::with_capacity(100);
        text.push_str("PRAGMA key = \"x'");
        for byte in self.0.iter() {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
        text.push_str("'\";");
        Zeroizing::new(text)
    }
}

/// Whether there is anything in the directory that a key protects.
fn store_exists(dir: &Path) -> bool {
    dir.join("key.json").exists()
        || dir.join("catalog.db").exists()
        || fs::read_dir(dir.join("days")).is_ok_and(|mut days| days.next().is_some())
}

fn lies_inside(file: &Path, dir: &Path) -> bool {
    resolved(file).starts_with(resolved(dir))
}

/// The real path as far as it exists, the rest as it is written.
fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut tail = Vec::new();
    let mut known = absolute.as_path();
    loop {
        if let Ok(real) = known.canonicalize() {
            return tail.iter().rev().fold(real, |whole, part| whole.join(part));
        }
        match (known.parent(), known.file_name()) {
            (Some(parent), Some(name)) => {
                tail.push(name.to_owned());
                known = parent;
            }
            _ => return absolute,
        }
    }
}

fn random<const N: usize>() -> Result<[u8; N], OpenError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        bytes.zeroize();
        OpenError::Other(format!("the system gives no random bytes: {error}"))
    })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_key_comes_back_under_its_wrapping_key_and_no_other() {
        let wrapping = WrappingKey::from_bytes([7; 32]);
        let key = DataKey(Zeroizing::new(random().unwrap()));
        let wrapped = key.wrap(&wrapping).unwrap();
        let (dir, path) = (Path::new("d"), Path::new("d/key.json"));
        let again = DataKey::unwrap(&wrapped, &wrapping, dir, path).unwrap();
        assert_eq!(again.0, key.0);
        let other = DataKey::unwrap(&wrapped, &WrappingKey::from_bytes([8; 32]), dir, path);
        assert!(matches!(other, Err(OpenError::WrongKey(_))));
    }

    #[test]
    fn every_flipped_bit_of_the_wrapped_key_is_noticed() {
        let wrapping = WrappingKey::from_bytes([7; 32]);
        let wrapped = DataKey(Zeroizing::new(random().unwrap()))
            .wrap(&wrapping)
            .unwrap();
        let parsed: Wrapped = serde_json::from_slice(&wrapped).unwrap();
        let sealed = BASE64.decode(&parsed.data_key).unwrap();
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            let text = serde_json::to_vec(&Wrapped {
                version: 1,
                cipher: WRAP_CIPHER.to_owned(),
                nonce: parsed.nonce.clone(),
                data_key: BASE64.encode(bent),
            })
            .unwrap();
            let result = DataKey::unwrap(&text, &wrapping, Path::new("d"), Path::new("k"));
            assert!(matches!(result, Err(OpenError::WrongKey(_))), "byte {at}");
        }
    }

    #[test]
    fn a_path_that_winds_into_the_data_directory_is_inside_it() {
        let base = tempfile::tempdir().unwrap();
        let data = base.path().join("data");
        fs::create_dir(&data).unwrap();
        assert!(lies_inside(&data.join("x/store.key"), &data));
        assert!(!lies_inside(&base.path().join("store.key"), &data));
        assert!(!lies_inside(
            &base.path().join("data-other/store.key"),
            &data
        ));
    }
}
