//! What drops are packed with: the dictionary that the server handed out, or a file that the
//! configuration names, or the one that came with the agent. One that cannot be read is never
//! fatal: the next best is used.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use wire::care::NewDictionary;
use wire::drops::{Dictionary, DictionaryId};

use crate::durable;

/// The largest one that is taken; it must fit the memory of a small Pi.
pub const DICTIONARY_MAX_BYTES: u64 = 2 * 1024 * 1024;

/// The dictionary in use, and where the server's is kept.
#[derive(Debug)]
pub struct Dictionaries {
    path: PathBuf,
    /// A person has named one: the server's is kept, and not used.
    is_named: bool,
    in_use: RefCell<Arc<Dictionary>>,
}

/// `STATE/dictionary`.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    id: DictionaryId,
    data: String,
}

impl Dictionaries {
    /// Takes the one in `file`, when a person has named one, else the server's at `path`, else the
    /// one that came with the agent.
    pub fn open(file: Option<&Path>, path: &Path) -> Dictionaries {
        let named = file.and_then(|file| match read_file(file) {
            Ok(dictionary) => Some(dictionary),
            Err(why) => {
                let file = file.display();
                tracing::error!("eport.dictionary_file {file} is not used: {why}");
                None
            }
        });
        let is_named = named.is_some();
        let found = named
            .or_else(|| kept(path))
            .unwrap_or_else(Dictionary::shipped);
        Dictionaries {
            path: path.to_owned(),
            is_named,
            in_use: RefCell::new(found),
        }
    }

    /// What the next drop is packed with.
    pub fn in_use(&self) -> Arc<Dictionary> {
        self.in_use.borrow().clone()
    }

    /// Its id.
    pub fn id(&self) -> DictionaryId {
        self.in_use.borrow().id()
    }

    /// Takes one from the server, to be used from the next drop on. Answers whether it is another
    /// than the one in use.
    ///
    /// # Errors
    /// It is not what its id says, or cannot be kept; the one in use stays. The text says why.
    pub fn offer(&self, new: &NewDictionary) -> Result<bool, String> {
        if new.id == self.id() || self.is_named {
            return Ok(false);
        }
        let dictionary = read(new)?;
        keep(&self.path, new).map_err(|error| format!("it cannot be kept: {error}"))?;
        self.in_use.replace(dictionary);
        Ok(true)
    }
}

/// Checks a dictionary and keeps it in this state directory: what pairing brings, for the agent that
/// starts next.
///
/// # Errors
/// It is not what its id says, or cannot be written; the text says why.
pub fn keep_checked(path: &Path, new: &NewDictionary) -> Result<(), String> {
    read(new)?;
    keep(path, new).map_err(|error| format!("it cannot be kept: {error}"))
}

fn keep(path: &Path, new: &NewDictionary) -> io::Result<()> {
    let kept = Kept {
        id: new.id,
        data: new.data.clone(),
    };
    durable::save(path, &kept)
}

fn kept(path: &Path) -> Option<Arc<Dictionary>> {
    let kept: Kept = durable::load(path)?;
    let new = NewDictionary {
        id: kept.id,
        data: kept.data,
    };
    let found = read(&new);
    if let Err(why) = &found {
        tracing::error!("the dictionary from the server is not used: {why}");
    }
    found.ok()
}

fn read(new: &NewDictionary) -> Result<Arc<Dictionary>, String> {
    if new.data.len() as u64 / 4 * 3 > DICTIONARY_MAX_BYTES {
        return Err("it is too large for a machine".to_owned());
    }
    let bytes = STANDARD
        .decode(&new.data)
        .map_err(|error| format!("it is no base64: {error}"))?;
    let dictionary = Dictionary::from_bytes(&bytes).map_err(|error| error.to_string())?;
    match dictionary.id() == new.id {
        true => Ok(Arc::new(dictionary)),
        false => Err(format!(
            "it is {}, and not {} as it is called",
            dictionary.id(),
            new.id
        )),
    }
}

/// The dictionary in a file.
///
/// # Errors
/// Why it cannot be used.
pub fn read_file(file: &Path) -> Result<Arc<Dictionary>, String> {
    let size = fs::metadata(file).map_err(|error| error.to_string())?.len();
    if size > DICTIONARY_MAX_BYTES {
        return Err(format!("{size} bytes are more than a dictionary has"));
    }
    let bytes = fs::read(file).map_err(|error| error.to_string())?;
    let read = Dictionary::from_bytes(&bytes).map_err(|error| error.to_string())?;
    Ok(Arc::new(read))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(bytes: &[u8], id: DictionaryId) -> NewDictionary {
        NewDictionary {
            id,
            data: STANDARD.encode(bytes),
        }
    }

    #[test]
    fn a_broken_dictionary_is_refused_with_words_and_the_shipped_one_is_used() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dictionary");
        let file = dir.path().join("mine");
        fs::write(&file, "no dictionary").unwrap();
        let shelf = Dictionaries::open(Some(&file), &path);
        assert_eq!(shelf.id(), Dictionary::shipped().id());
        assert!(shelf.offer(&new(b"nonsense", DictionaryId(7))).is_err());
        let wrong = DictionaryId(shelf.id().0 ^ 1);
        let said = shelf
            .offer(&new(Dictionary::shipped().to_bytes(), wrong))
            .unwrap_err();
        assert!(said.contains(&wrong.to_string()), "{said}");
        assert!(!path.exists());
        let same = new(Dictionary::shipped().to_bytes(), shelf.id());
        assert_eq!(shelf.offer(&same), Ok(false));
        keep_checked(&path, &same).unwrap();
        assert!(kept(&path).is_some());
        fs::write(&path, "torn").unwrap();
        assert!(kept(&path).is_none());
    }
}
