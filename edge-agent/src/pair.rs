//! `vendlog-agent pair CODE`: brings this machine to its server. Everything that can go wrong on the
//! machine itself is looked at before the code is spent; the files are replaced whole.

mod document;
mod exchange;

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use serde::Serialize;
use wire::MachineId;
use wire::PairingCode;
use wire::care::NewDictionary;
use wire::pairing::PairingCodeError;

use crate::care::secret_file::Aside;
use crate::check;
use crate::durable;
use crate::eport::keep_checked;
use crate::state_dir::names;
use document::Document;

/// The key's name beside a configuration that is made anew; with the package's configuration that is
/// `/etc/vendlog/api_key`.
const KEY_NAME: &str = "api_key";
/// The user that the package's service runs as.
const SERVICE_USER: &str = "vendlog-agent";
/// The configuration holds no secret; whoever runs `status` may read it.
const CONFIG_MODE: u32 = 0o644;

/// Why a machine was not paired. Nothing of it has changed then, unless the message says so.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// The word is no pairing code.
    #[error(transparent)]
    Code(#[from] PairingCodeError),
    /// The configuration that is there cannot be edited.
    #[error("{path}: {problem}; mend it, or move it away to begin with a new one", path = .path.display())]
    Config {
        /// The configuration.
        path: PathBuf,
        /// What is wrong in it, with its line.
        problem: String,
    },
    /// The machine is paired as another one.
    #[error(
        "this machine is paired as {current} ({key_file} holds its key), and the code is for \
         {wanted}; give --replace if it is to become {wanted}",
        key_file = .key_file.display()
    )]
    OtherMachine {
        /// Who it is.
        current: String,
        /// Who it would be.
        wanted: MachineId,
        /// Its key.
        key_file: PathBuf,
    },
    /// A file cannot be written.
    #[error("{path} cannot be written: {source}; run this with sudo, and let the agent's user write there", path = .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The server is not reached, is another one, or refuses.
    #[error(transparent)]
    Exchange(#[from] exchange::ExchangeError),
}

impl PairError {
    /// The command was used wrongly: it must be typed otherwise.
    pub fn is_wrong_use(&self) -> bool {
        matches!(self, PairError::Code(_))
    }
}

/// What was done, as JSON on stdout. It holds no secret.
#[derive(Debug, Serialize)]
pub struct Paired {
    /// Who the machine is now.
    pub machine_id: MachineId,
    /// Its server.
    pub url: String,
    /// The configuration.
    pub config: PathBuf,
    /// The file with the key.
    pub api_key_file: PathBuf,
    /// What was changed in a configuration that was there: `key: old -> new`.
    pub changes: Vec<String>,
    /// The configuration was made anew.
    pub is_new: bool,
}

/// Pairs this machine with the code's server. `tell` is handed each change to the configuration
/// before it is made.
///
/// # Errors
/// See [`PairError`].
pub fn pair(
    word: &str,
    config: &Path,
    replace: bool,
    mut tell: impl FnMut(&str),
) -> Result<Paired, PairError> {
    let code: PairingCode = word.parse()?;
    let place = Place::look(config)?;
    place.check_owner(&code, replace)?;
    // The directories are made and tried before the code is spent.
    let mut key = open_aside(&place.key_file)?;
    let mut written = open_aside(config)?;
    let answer = exchange::exchange(&code, place.proxy())?;
    let (text, changes) = place.configure(&code, &answer.agent_toml)?;
    changes.iter().for_each(|change| tell(change));
    let write = |path: &Path| {
        let path = path.to_owned();
        move |source| PairError::Write { path, source }
    };
    let key_text = format!("{}\n", answer.api_key.0);
    key.give(place.agents_user(&text), None)
        .and_then(|()| key.write(&key_text))
        .map_err(write(&place.key_file))?;
    let mode = match place.text {
        Some(_) => fs::metadata(config).map_or(CONFIG_MODE, |meta| meta.mode() & 0o777),
        None => CONFIG_MODE,
    };
    written
        .give(None, Some(mode))
        .and_then(|()| written.write(&text))
        .map_err(write(config))?;
    // Both are durable beside their places: a crash between the two renames is mended by the same
    // command again, which the server answers while the key was not used.
    key.place().map_err(write(&place.key_file))?;
    written.place().map_err(write(config))?;
    if let Some(dictionary) = &answer.dictionary
        && let Err(why) = place.keep_dictionary(&text, dictionary)
    {
        // The machine is paired all the same; the server offers it again.
        tell(&format!("the server's dictionary is not kept: {why}"));
    }
    Ok(Paired {
        machine_id: answer.machine_id,
        url: code.url,
        config: config.to_owned(),
        api_key_file: place.key_file,
        changes,
        is_new: place.text.is_none(),
    })
}

/// As root, where the configuration's directory is the agent's own, as the package makes it: becomes
/// the agent's user, for good. Whoever that user is in the hands of could otherwise have root write
/// elsewhere, by `api_key_file` or a link.
///
/// # Errors
/// The system does not let us.
pub fn become_agents_user(config: &Path) -> io::Result<()> {
    let dir = config.parent().unwrap_or(Path::new("."));
    let owner = fs::metadata(dir).map(|meta| meta.uid());
    match (owner, service_user()) {
        (Ok(owner), Some((agent, _))) if owner == agent => check::become_owner_of(dir),
        _ => Ok(()),
    }
}

fn open_aside(path: &Path) -> Result<Aside, PairError> {
    let open = || {
        if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            fs::create_dir_all(dir)?;
            durable::sync_dir_of(dir)?;
        }
        Aside::open(path)
    };
    open().map_err(|source| PairError::Write {
        path: path.to_owned(),
        source,
    })
}

/// What is there before.
struct Place {
    config: PathBuf,
    /// The configuration, when there is one.
    text: Option<Document>,
    key_file: PathBuf,
}

impl Place {
    fn look(config: &Path) -> Result<Place, PairError> {
        let problem = |problem: String| PairError::Config {
            path: config.to_owned(),
            problem,
        };
        let text = match fs::read_to_string(config) {
            Ok(text) => Some(Document::parse(&text).map_err(problem)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(problem(format!("cannot be read: {error}"))),
        };
        let configured = text.as_ref().and_then(Document::key_file);
        let beside = config.parent().unwrap_or(Path::new(".")).join(KEY_NAME);
        Ok(Place {
            config: config.to_owned(),
            key_file: configured.unwrap_or(beside),
            text,
        })
    }

    /// A machine without a key is not paired, whatever its configuration says.
    fn check_owner(&self, code: &PairingCode, replace: bool) -> Result<(), PairError> {
        let has_key = fs::read_to_string(&self.key_file).is_ok_and(|key| !key.trim().is_empty());
        let current = self.text.as_ref().and_then(Document::machine_id);
        match current {
            Some(current) if has_key && !replace && current != code.machine_id.as_str() => {
                Err(PairError::OtherMachine {
                    current,
                    wanted: code.machine_id.clone(),
                    key_file: self.key_file.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    fn proxy(&self) -> Option<String> {
        self.text.as_ref().and_then(Document::proxy)
    }

    /// The configuration to write, and what that changes in the one that is there.
    fn configure(
        &self,
        code: &PairingCode,
        fresh: &str,
    ) -> Result<(String, Vec<String>), PairError> {
        let problem = |problem: String| PairError::Config {
            path: self.config.clone(),
            problem,
        };
        match &self.text {
            Some(document) => {
                let mut document = document.clone();
                let changes = document.pair(code, &self.key_file).map_err(problem)?;
                Ok((document.to_string(), changes))
            }
            None => {
                let mut document = Document::parse(fresh).map_err(problem)?;
                document.pair(code, &self.key_file).map_err(problem)?;
                Ok((document.to_string(), Vec::new()))
            }
        }
    }

    /// Keeps the server's dictionary where the agent looks for it when it starts.
    fn keep_dictionary(&self, text: &str, dictionary: &NewDictionary) -> Result<(), String> {
        let state_dir = Document::parse(text)?.state_dir();
        let Some(dir) = state_dir.filter(|dir| dir.is_dir()) else {
            return Err("the state directory is not there before the first start".to_owned());
        };
        let path = dir.join(names::DICTIONARY);
        keep_checked(&path, dictionary)?;
        if let Some((uid, gid)) = self.agents_user(text) {
            chown(&path, Some(uid), Some(gid)).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Whom the key is given to when root pairs: the owner of the state directory, or the package's
    /// user. `None`: it stays with who runs this.
    fn agents_user(&self, text: &str) -> Option<(u32, u32)> {
        // SAFETY: takes and gives nothing but a number.
        if unsafe { libc::geteuid() } != 0 {
            return None;
        }
        let state_dir = Document::parse(text).ok()?.state_dir();
        let owner = state_dir.and_then(|dir| fs::metadata(dir).ok());
        let owner = owner.map(|meta| (meta.uid(), meta.gid()));
        owner.filter(|(uid, _)| *uid != 0).or_else(service_user)
    }
}

/// The user that the package made, as `/etc/passwd` has it.
fn service_user() -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let is_it = fields.next()? == SERVICE_USER;
        let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        is_it.then_some((uid, gid))
    })
}
