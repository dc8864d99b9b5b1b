//! Which configuration is in force: the machine's own file, or one that the server has handed out.
//!
//! One from the server is checked as a file is, kept durably with the one before, and on trial until
//! a heartbeat has arrived with it. A trial ends after `care.trial_s` of the *old* configuration, or
//! after a few starts that did not get that far; then the old one is in force again, and heartbeats
//! say so. The file wins when a person edits it after the server's configuration came.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wire::care::{CONFIG_MAX_BYTES, ConfigReport, ConfigState, NewConfig};

use super::limits::broken;
use crate::config::{Config, Mistakes};
use crate::durable;

/// A trial that was begun so often without a heartbeat is over, however short each was: the machine
/// or the agent does not stay up with it.
const TRIAL_STARTS_MAX: u32 = 5;
/// The most characters of an error that heartbeats carry.
const ERROR_MAX_CHARS: usize = 4000;
/// What mistakes of a configuration from the server are said to be in.
const SERVERS_NAME: &str = "agent.toml from the server";

/// The machine's own file.
#[derive(Debug, Clone)]
pub struct Base {
    /// Its text.
    text: String,
    /// What it says.
    pub config: Config,
}

impl Base {
    /// Reads the file.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn read(path: &Path) -> Result<Base, Mistakes> {
        let text = fs::read_to_string(path).map_err(|error| {
            let what = format!("cannot be read: {error}; give --config FILE");
            Mistakes::one(path, None, what)
        })?;
        let config = Config::parse(path, &text)?;
        Ok(Base { text, config })
    }
}

/// The configuration in force, and what there is to say of the server's.
#[derive(Debug)]
pub struct Configuration {
    base: Base,
    path: PathBuf,
    kept: Kept,
    in_force: Config,
}

/// `STATE/config`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Kept {
    /// Of the machine's own file when the rest was written, in hexadecimal digits.
    base_sha256: String,
    /// The server's configuration in force; `None`: the machine's own file.
    current: Option<Handed>,
    /// The one in force has not proven itself.
    trial: Option<Trial>,
    /// What heartbeats say.
    report: Option<ConfigReport>,
}

/// A configuration from the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Handed {
    version: String,
    toml: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Trial {
    /// What comes back when it fails; `None`: the machine's own file.
    old: Option<Handed>,
    /// Time spent on it, over every start.
    spent_ms: u64,
    /// Starts with it.
    starts: u32,
}

impl Configuration {
    /// Takes up what is kept at `path` for this file. A trial that is over by its starts is rolled
    /// back here.
    pub fn open(base: Base, path: &Path) -> Configuration {
        let kept: Kept = durable::load(path).unwrap_or_default();
        let in_force = base.config.clone();
        let mut configuration = Configuration {
            base,
            path: path.to_owned(),
            kept,
            in_force,
        };
        configuration.take_up();
        configuration
    }

    /// What the agent is to run with.
    pub fn in_force(&self) -> &Config {
        &self.in_force
    }

    /// What heartbeats say of the server's configuration.
    pub fn report(&self) -> Option<&ConfigReport> {
        self.kept.report.as_ref()
    }

    fn take_up(&mut self) {
        let base_sha256 = sha256(&self.base.text);
        // A withdrawal on trial has none in force, but would bring one back.
        let is_handed = self.kept.current.is_some() || self.kept.trial.is_some();
        if is_handed && self.kept.base_sha256 != base_sha256 {
            self.let_the_file_win();
        }
        self.kept.base_sha256 = base_sha256;
        if let Some(trial) = &mut self.kept.trial {
            trial.starts += 1;
            if trial.starts > TRIAL_STARTS_MAX {
                let why = format!("{TRIAL_STARTS_MAX} starts did not reach the server");
                self.roll_back(&why);
                return;
            }
            self.save_or_warn();
        }
        self.put_in_force();
    }

    fn let_the_file_win(&mut self) {
        let version = self.kept.current.take().map(|handed| handed.version);
        tracing::warn!("the configuration file was edited; it counts, not the server's");
        self.kept.trial = None;
        self.kept.report = version.map(|version| ConfigReport {
            version,
            state: ConfigState::Refused,
            error: Some(
                "agent.toml was edited on the machine after this configuration came, so the file \
                 counts; hand the configuration out again to replace it"
                    .to_owned(),
            ),
        });
        self.kept.base_sha256 = sha256(&self.base.text);
        self.save_or_warn();
    }

    /// Reads what is to be in force. What was good when it came may be refused by another version
    /// of the agent: then the file counts.
    fn put_in_force(&mut self) {
        let current = self.kept.current.clone();
        match current {
            None => self.in_force = self.base.config.clone(),
            Some(handed) => match self.read(&handed.toml) {
                Ok(config) => self.in_force = config,
                Err(error) => {
                    tracing::error!(error, "the server's configuration is not taken any more");
                    self.kept.current = None;
                    self.kept.trial = None;
                    self.kept.report = Some(report(&handed, ConfigState::Refused, Some(&error)));
                    self.in_force = self.base.config.clone();
                    self.save_or_warn();
                }
            },
        }
    }

    /// Looks at a configuration from the server. `true`: it is kept and on trial, and the agent's
    /// parts are to be started with it. `false`: it is refused, which is reported, or known.
    ///
    /// # Errors
    /// It cannot be kept; nothing has changed.
    pub fn offer(&mut self, new: &NewConfig) -> io::Result<bool> {
        let said = self.kept.report.as_ref().map(|said| said.version.as_str());
        let is_withdrawal = new.version.is_empty();
        if said == Some(&new.version) {
            return Ok(false);
        }
        if is_withdrawal && self.kept.current.is_none() {
            // Nothing of it is in force; what was said of it is of no interest any more.
            let kept = Kept {
                report: None,
                ..self.kept.clone()
            };
            return self.keep(kept).map(|()| false);
        }
        let handed = Handed {
            version: new.version.clone(),
            toml: new.toml.clone(),
        };
        if let Err(error) = self.check(&handed, is_withdrawal) {
            tracing::warn!(error, "the server's configuration is refused");
            let refused = report(&handed, ConfigState::Refused, Some(&error));
            let kept = Kept {
                report: Some(refused),
                ..self.kept.clone()
            };
            return self.keep(kept).map(|()| false);
        }
        tracing::info!(version = handed.version, "a configuration came; trying it");
        let kept = Kept {
            base_sha256: sha256(&self.base.text),
            report: Some(report(&handed, ConfigState::Trial, None)),
            trial: Some(Trial {
                old: self.kept.current.clone(),
                ..Trial::default()
            }),
            current: (!is_withdrawal).then_some(handed),
        };
        self.keep(kept)?;
        self.put_in_force();
        Ok(true)
    }

    fn check(&self, handed: &Handed, is_withdrawal: bool) -> Result<(), String> {
        if !self.in_force.care.remote_config {
            return Err("care.remote_config is false on the machine: its file counts".to_owned());
        }
        if is_withdrawal {
            return Ok(());
        }
        if handed.toml.len() > CONFIG_MAX_BYTES {
            return Err(format!("it has more than {CONFIG_MAX_BYTES} bytes"));
        }
        self.read(&handed.toml).map(drop)
    }

    /// The configuration, or every mistake with its line.
    fn read(&self, toml: &str) -> Result<Config, String> {
        let config = Config::parse(Path::new(SERVERS_NAME), toml).map_err(|mistakes| {
            let lines: Vec<String> = mistakes.to_string().lines().map(str::to_owned).collect();
            lines.join("; ")
        })?;
        let broken = broken(&config, &self.base.config);
        match broken.is_empty() {
            true => Ok(config),
            false => Err(broken.join("; ")),
        }
    }

    /// A heartbeat has arrived. `true` when that ends a trial well.
    pub fn reached(&mut self) -> bool {
        if self.kept.trial.is_none() {
            return false;
        }
        let mut kept = Kept {
            trial: None,
            ..self.kept.clone()
        };
        kept.report = kept.current.as_ref().map(|handed| {
            tracing::info!(version = handed.version, "the configuration is in force");
            report(handed, ConfigState::Active, None)
        });
        match self.keep(kept) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "that the configuration is in force cannot be kept");
                false
            }
        }
    }

    /// How long the trial may still take; `None` when none is on.
    pub fn trial_left(&self) -> Option<Duration> {
        let trial = self.kept.trial.as_ref()?;
        let spent = Duration::from_millis(trial.spent_ms);
        Some(self.trial_time().saturating_sub(spent))
    }

    /// What the old configuration grants.
    fn trial_time(&self) -> Duration {
        let old = self.kept.trial.as_ref().and_then(|t| t.old.as_ref());
        let old = old.and_then(|handed| self.read(&handed.toml).ok());
        let granted = old.map_or(self.base.config.care.trial_s, |old| old.care.trial_s);
        Duration::from_secs(granted)
    }

    /// Notes time of the trial, by a clock that only goes forward. `true` when it is over: the one
    /// before is in force again, and the agent's parts are to be started with it.
    pub fn spent(&mut self, more: Duration) -> bool {
        let Some(trial) = &mut self.kept.trial else {
            return false;
        };
        let more_ms = u64::try_from(more.as_millis()).unwrap_or(u64::MAX);
        trial.spent_ms = trial.spent_ms.saturating_add(more_ms);
        if self.trial_left() == Some(Duration::ZERO) {
            let seconds = self.trial_time().as_secs();
            self.roll_back(&format!("no heartbeat reached the server in {seconds} s"));
            return true;
        }
        self.save_or_warn();
        false
    }

    /// The agent cannot work with the configuration on trial. `true` when one was, and the one
    /// before is in force again.
    pub fn failed(&mut self, error: &str) -> bool {
        let on_trial = self.kept.trial.is_some();
        if on_trial {
            self.roll_back(&format!("the agent could not work with it: {error}"));
        }
        on_trial
    }

    fn roll_back(&mut self, why: &str) {
        let Some(trial) = self.kept.trial.take() else {
            return;
        };
        tracing::warn!(why, "the configuration is rolled back");
        let version = self.kept.current.take().map(|handed| handed.version);
        self.kept.current = trial.old;
        self.kept.report = Some(ConfigReport {
            version: version.unwrap_or_default(),
            state: ConfigState::RolledBack,
            error: Some(short(why)),
        });
        // Should it not be kept, the next start tries the new one again and comes to the same end.
        self.save_or_warn();
        self.put_in_force();
    }

    fn keep(&mut self, kept: Kept) -> io::Result<()> {
        durable::save(&self.path, &kept)?;
        self.kept = kept;
        Ok(())
    }

    fn save_or_warn(&self) {
        if let Err(error) = durable::save(&self.path, &self.kept) {
            tracing::warn!(%error, "the state of the configuration cannot be kept");
        }
    }
}

fn report(handed: &Handed, state: ConfigState, error: Option<&str>) -> ConfigReport {
    ConfigReport {
        version: handed.version.clone(),
        state,
        error: error.map(short),
    }
}

fn short(text: &str) -> String {
    text.chars().take(ERROR_MAX_CHARS).collect()
}

fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
