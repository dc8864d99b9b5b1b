//! What [`crate::start`] gives: a central that runs, until it is shut down.

use axum::Router;
use tokio::task::JoinSet;

use crate::access::Role;
use crate::access::signin::Guest;
use crate::admin::AdminServer;
use crate::api::credentials;
use crate::app::Shared;
use crate::error::ApiError;
use crate::events::Subscription;
use crate::serve::HttpsServer;

/// A central that runs.
pub struct Running {
    app: Shared,
    router: Router,
    https: Option<HttpsServer>,
    admin: Option<AdminServer>,
    /// Background duties; they end with this value.
    duties: JoinSet<()>,
}

impl Running {
    pub(crate) fn new(
        app: Shared,
        router: Router,
        https: Option<HttpsServer>,
        admin: Option<AdminServer>,
        duties: JoinSet<()>,
    ) -> Running {
        Running {
            app,
            router,
            https,
            admin,
            duties,
        }
    }

    /// The one router. Who calls in process puts an [`crate::access::Caller`] into the request's
    /// extensions.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// `https://host:port` where machines send to; `None` while nothing listens.
    pub fn url(&self) -> Option<&str> {
        self.app.server.url.as_deref()
    }

    /// `sha256/<base64>` of the certificate's public key.
    pub fn pin(&self) -> Option<&str> {
        self.app.server.pin.as_deref()
    }

    /// Why nothing listens although it should, with what to do.
    pub fn listen_error(&self) -> Option<&str> {
        self.app.server.listen_error.as_deref()
    }

    /// The live events from now on, the same as `GET /api/live`.
    pub fn events(&self) -> Subscription {
        self.app.events.subscribe(None)
    }

    /// The live events after the one with this id; begins with `reset` when that place is lost.
    pub fn events_after(&self, id: Option<&str>) -> Subscription {
        self.app.events.subscribe(id)
    }

    /// A one-time sign-in link for a browser, as `manager`.
    ///
    /// # Errors
    /// Nothing listens that a browser could reach.
    pub fn signin_link(&self) -> Result<String, ApiError> {
        let guest = Guest {
            name: "operator".to_owned(),
            role: Role::Manager,
        };
        credentials::signin_url(&self.app, guest)
    }

    /// Takes nothing new, ends the live streams, lets requests in flight end (at most 10 s), then
    /// closes the store.
    pub async fn shutdown(mut self) {
        self.app.delivery.close().await;
        self.duties.shutdown().await;
        self.app.events.close();
        let https = async {
            if let Some(https) = self.https {
                https.shutdown().await;
            }
        };
        let admin = async {
            if let Some(admin) = self.admin {
                admin.shutdown().await;
            }
        };
        tokio::join!(https, admin);
        let store = self.app.store.clone();
        if let Err(failure) = tokio::task::spawn_blocking(move || store.close()).await {
            tracing::error!(%failure, "the store did not close well");
        }
    }
}
