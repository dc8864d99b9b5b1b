//! Remote care: what heartbeats say of it and what their answers ask for. A new key goes to
//! [`Keys`], a configuration to [`Configuration`], a range to send again to [`Resender`].

mod configuration;
mod keys;
mod limits;
mod resend;
pub mod secret_file;

#[cfg(test)]
mod configuration_tests;
#[cfg(test)]
mod keys_tests;

use std::cell::RefCell;
use std::rc::Rc;

use tokio::time::{Duration, Instant, sleep};
use wire::{Heartbeat, HeartbeatAnswer};

use crate::eport::Dictionaries;

pub use configuration::{Base, Configuration};
pub use keys::Keys;
pub use resend::Resender;
use resend::Resends;

/// How often the time of a trial is noted: a few small writes in all, and a reboot in between
/// forgets no more than this.
const TRIAL_NOTED_EVERY: Duration = Duration::from_secs(60);

/// What the heartbeat is to do after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Wait for the next one's time.
    Wait,
    /// Send another at once: a new key is to be used, or there is news.
    Again,
    /// End: the agent's parts are to be started with another configuration.
    Restart,
}

/// Everything of remote care on the main thread; its clones are the same one.
#[derive(Clone)]
pub struct Care {
    keys: Keys,
    configuration: Rc<RefCell<Configuration>>,
    resends: Rc<Resends>,
    /// What drops are packed with, when the cellular path is on.
    dictionaries: Option<Rc<Dictionaries>>,
}

impl Care {
    /// With the keys of the server that is shipped to.
    pub fn new(
        keys: Keys,
        configuration: Rc<RefCell<Configuration>>,
        dictionaries: Option<Rc<Dictionaries>>,
    ) -> Care {
        Care {
            keys,
            configuration,
            dictionaries,
            resends: Rc::default(),
        }
    }

    /// The requests to send again.
    pub fn resends(&self) -> Rc<Resends> {
        self.resends.clone()
    }

    /// Adds what this heartbeat has to say.
    pub fn report(&self, heartbeat: &mut Heartbeat) {
        heartbeat.key_id = self.keys.key_id();
        heartbeat.config = self.configuration.borrow().report().cloned();
        heartbeat.resent = self.resends.done();
        heartbeat.dictionary = self
            .dictionaries
            .as_ref()
            .map(|dictionaries| dictionaries.id());
    }

    /// Does what the answer to this heartbeat asks for.
    pub fn answered(&self, sent: &Heartbeat, answer: HeartbeatAnswer) -> Next {
        let mut configuration = self.configuration.borrow_mut();
        self.resends.reported(&sent.resent);
        self.resends.ask(&answer.resend);
        // The old configuration has proven itself by this answer, before a new one is looked at.
        let mut next = match configuration.reached() {
            true => Next::Again,
            false => Next::Wait,
        };
        if let Some(key) = answer.new_key {
            match self.keys.offer(&key.0) {
                Ok(()) => next = Next::Again,
                Err(error) => tracing::error!(
                    %error,
                    "the server's new key cannot be kept; the old one stays in use"
                ),
            }
        }
        if let (Some(new), Some(dictionaries)) = (&answer.dictionary, &self.dictionaries) {
            match dictionaries.offer(new) {
                Ok(true) => {
                    tracing::info!(id = %new.id, "drops are packed with another dictionary now");
                    next = Next::Again;
                }
                Ok(false) => {}
                Err(why) => tracing::error!(
                    "the server's dictionary {} is not used: {why}; the one before stays in use",
                    new.id
                ),
            }
        }
        if let Some(new) = answer.config {
            match configuration.offer(&new) {
                Ok(true) => return Next::Restart,
                // Refused or known: what there is to say of it is said at once.
                Ok(false) if configuration.report() != sent.config.as_ref() => next = Next::Again,
                Ok(false) => {}
                Err(error) => tracing::error!(
                    %error,
                    "the server's configuration cannot be kept; the old one stays in use"
                ),
            }
        }
        next
    }

    /// Ends when a configuration on trial has had its time without reaching the server, and the
    /// one before is to be started.
    pub async fn trial_over(&self) {
        loop {
            let Some(left) = self.configuration.borrow().trial_left() else {
                // Proven, or none was on trial: nothing ends here any more.
                return std::future::pending().await;
            };
            let began = Instant::now();
            sleep(left.min(TRIAL_NOTED_EVERY)).await;
            if self.configuration.borrow_mut().spent(began.elapsed()) {
                return;
            }
        }
    }
}
