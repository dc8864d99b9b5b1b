//! What every handler and task works with.

use std::sync::Arc;

use store::{Store, StoreError};

use crate::access::signin::SigninLinks;
use crate::access::tries::Tries;
use crate::alerts::Alerting;
use crate::alerts::deliver::Delivery;
use crate::drops::dictionaries::Dictionaries;
use crate::drops::sources::Sources;
use crate::drops::train::Training;
use crate::error::ApiError;
use crate::events::Events;
use crate::ingest::body::Room;
use crate::status::Judge;

/// The state behind the router; shared as [`Shared`].
pub struct App {
    /// The encrypted store; synchronous, so handlers go through [`App::with_store`].
    pub store: Store,
    /// The live stream: what happened since the start, bounded.
    pub events: Events,
    /// One-time sign-in links that were made and not used yet; in memory only.
    pub signin: SigninLinks,
    /// How often each address has tried to pair.
    pub pairing_tries: Tries,
    /// How often each address has sent a wrong password of a source.
    pub basic_tries: Tries,
    /// The sources of drops and how each does.
    pub(crate) sources: Sources,
    /// The dictionaries that drops are read with.
    pub(crate) dictionaries: Dictionaries,
    /// Held while a dictionary is trained.
    pub(crate) training: Training,
    /// What the alerts' routes share.
    pub(crate) alerting: Alerting,
    /// How people are told of alerts.
    pub(crate) delivery: Delivery,
    /// What machines send and is not stored yet shares this room in memory.
    pub room: Arc<Room>,
    /// When a machine is yellow or red, and since when silence may be judged.
    pub judge: Judge,
    /// How this server is reached.
    pub server: ServerInfo,
}

/// How a server is reached from outside.
#[derive(Debug, Clone, Default)]
pub struct ServerInfo {
    /// `https://host:port`, no slash at the end; `None` while nothing listens.
    pub url: Option<String>,
    /// `sha256/<base64>` of the certificate's public key.
    pub pin: Option<String>,
    /// Why nothing listens although it should.
    pub listen_error: Option<String>,
}

/// The app as handlers hold it.
pub type Shared = Arc<App>;

impl App {
    /// Runs a call of the synchronous store where it may block.
    ///
    /// # Errors
    /// What the store answers, as the API says it.
    pub async fn with_store<T, F>(&self, call: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    {
        let store = self.store.clone();
        match tokio::task::spawn_blocking(move || call(&store)).await {
            Ok(answer) => answer.map_err(ApiError::from),
            Err(failure) => Err(ApiError::internal(&format!(
                "a store call ended: {failure}"
            ))),
        }
    }
}
