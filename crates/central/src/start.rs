//! Bringing it all up: store, certificate, listener, admin socket, background duty.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use store::{OpenError, Store, StoreError, WrappingKey};
use tokio::task::JoinSet;
use wire::Micros;

use crate::access::signin::SigninLinks;
use crate::access::tries::Tries;
use crate::alerts::{self, deliver};
use crate::app::{App, ServerInfo, Shared};
use crate::config::Config;
use crate::drops::sources;
use crate::events::Events;
use crate::ingest::body::Room;
use crate::running::Running;
use crate::status::Judge;
use crate::tls::{self, Identity, TlsError};
use crate::{admin, clock, router, serve, watch};

/// Why nothing started. Every message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No key file is given and none has a natural place.
    #[error("this user has no configuration directory; say where the key is with --key-file FILE")]
    NoKeyFile,
    /// The store or its key does not open.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// There is no certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The admin socket cannot be made.
    #[error(
        "the admin socket in the data directory cannot be made: {0}; check the directory's mode"
    )]
    AdminSocket(#[source] io::Error),
    /// The listener cannot be used.
    #[error("the listener cannot be used: {0}")]
    Listener(#[source] io::Error),
    /// The store opened and then failed.
    #[error("the store failed at the start: {0}")]
    Reading(#[from] StoreError),
    /// A thread of the start ended.
    #[error("the start failed: {0}")]
    Failed(String),
}

/// Starts central. A port that is taken is no failure: what runs says so in
/// [`Running::listen_error`], and the window works without it.
///
/// # Errors
/// See [`StartError`].
pub async fn start(config: Config) -> Result<Running, StartError> {
    let now = clock::now();
    let wanted = config.clone();
    let (store, identity) = blocking(move || open(&wanted, now)).await?;
    let (listener, server) = listen(config.listen, &identity);
    let app = app(&config, store, server, now).await?;
    let router = router::router(Arc::clone(&app));
    let https = match listener {
        None => None,
        Some(listener) => {
            let tls = identity.server_config()?;
            Some(serve::serve(listener, tls, router.clone()).map_err(StartError::Listener)?)
        }
    };
    let admin = admin::serve(&config.data_dir, router.clone()).map_err(StartError::AdminSocket)?;
    let duties = duties(&app);
    Ok(Running::new(app, router, https, admin, duties))
}

/// Opens the store for one command: the same router, nothing that listens.
///
/// # Errors
/// See [`StartError`].
pub async fn open_offline(config: Config) -> Result<Running, StartError> {
    let now = clock::now();
    let wanted = config.clone();
    let (store, identity) = blocking(move || open(&wanted, now)).await?;
    let url = config.listen.map(url_of);
    let server = ServerInfo {
        url,
        pin: Some(identity.pin),
        listen_error: None,
    };
    let app = app(&config, store, server, now).await?;
    let router = router::router(Arc::clone(&app));
    Ok(Running::new(app, router, None, None, JoinSet::new()))
}

/// Every background duty.
fn duties(app: &Shared) -> JoinSet<()> {
    let mut duties = JoinSet::new();
    duties.spawn(watch::run(Arc::clone(app)));
    duties.spawn(sources::duty::run(Arc::clone(app)));
    alerts::listen(app);
    duties.spawn(deliver::duty::run(Arc::clone(app)));
    duties.spawn(deliver::replies::run(Arc::clone(app)));
    duties.spawn(deliver::dead_man::run(Arc::clone(app)));
    duties
}

async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, StartError> + Send + 'static,
) -> Result<T, StartError> {
    match tokio::task::spawn_blocking(call).await {
        Ok(answer) => answer,
        Err(failure) => Err(StartError::Failed(failure.to_string())),
    }
}

fn open(config: &Config, now: Micros) -> Result<(Store, Identity), StartError> {
    let key_file = config.key_file().ok_or(StartError::NoKeyFile)?;
    let key = WrappingKey::load_or_create(&key_file, &config.data_dir)?;
    let store = Store::open(&config.data_dir, &key, now)?;
    let identity = tls::identity(&store)?;
    Ok((store, identity))
}

async fn app(
    config: &Config,
    store: Store,
    server: ServerInfo,
    now: Micros,
) -> Result<Shared, StartError> {
    let app = Arc::new(App {
        store,
        // The time of the start names this run in the ids of its events.
        events: Events::new(format!("{:x}", now.0)),
        signin: SigninLinks::default(),
        pairing_tries: Tries::default(),
        basic_tries: Tries::default(),
        sources: Default::default(),
        dictionaries: Default::default(),
        training: Default::default(),
        alerting: Default::default(),
        delivery: Default::default(),
        room: Arc::new(Room::default()),
        judge: Judge::new(config.status.clone(), now),
        server,
    });
    let opened = Arc::clone(&app);
    blocking(move || {
        opened.dictionaries.open(&opened.store, now)?;
        opened.delivery.open(&opened.store)?;
        Ok(opened.sources.open(&opened.store)?)
    })
    .await?;
    Ok(app)
}

fn listen(wanted: Option<SocketAddr>, identity: &Identity) -> (Option<TcpListener>, ServerInfo) {
    let mut server = ServerInfo {
        pin: Some(identity.pin.clone()),
        ..ServerInfo::default()
    };
    let Some(wanted) = wanted else {
        return (None, server);
    };
    let bound = TcpListener::bind(wanted).and_then(|listener| {
        let address = listener.local_addr()?;
        Ok((listener, address))
    });
    match bound {
        Ok((listener, address)) => {
            server.url = Some(url_of(address));
            (Some(listener), server)
        }
        Err(error) => {
            server.listen_error = Some(listen_error(wanted, &error));
            (None, server)
        }
    }
}

fn listen_error(wanted: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "{wanted} is in use by another program; stop it or choose another port with --listen \
             (port 0 picks a free one)"
        ),
        io::ErrorKind::PermissionDenied => {
            format!("this user may not listen on {wanted}; choose a port above 1023 with --listen")
        }
        io::ErrorKind::AddrNotAvailable => format!(
            "this computer has no address {}; choose one of its own with --listen",
            wanted.ip()
        ),
        _ => format!("cannot listen on {wanted}: {error}; choose another with --listen"),
    }
}

/// The address as others reach it: the computer's name where every address is listened on.
fn url_of(address: SocketAddr) -> String {
    let port = address.port();
    if address.ip().is_unspecified() {
        let name = tls::host_name().unwrap_or_else(|| "localhost".to_owned());
        return format!("https://{name}:{port}");
    }
    format!("https://{address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_names_an_address_that_others_can_use() {
        assert_eq!(
            url_of("127.0.0.1:4433".parse().unwrap()),
            "https://127.0.0.1:4433"
        );
        assert_eq!(url_of("[::1]:4433".parse().unwrap()), "https://[::1]:4433");
        assert!(!url_of("0.0.0.0:4433".parse().unwrap()).contains("0.0.0.0"));
    }
}
