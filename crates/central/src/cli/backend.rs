//! Where a command's call goes: the server that runs on the data directory, or the store itself.

use std::time::Duration;

use anyhow::{Context, bail};
use axum::body::Body;
use axum::http::{Method, Request, Response, header};
use http_body_util::BodyExt;
use serde_json::Value;
use store::OpenError;
use tower::ServiceExt;

use super::DataArgs;
use crate::access::Caller;
use crate::admin::{self, AdminError};
use crate::error::ErrorBody;
use crate::running::Running;
use crate::start::{StartError, open_offline};

/// A server that is just starting or stopping holds the lock without a socket; it gets this long.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(250);

/// The API of a data directory.
pub enum Backend {
    /// The admin socket of the server that runs there.
    Server(DataArgs),
    /// The store, opened by this process.
    Here(Box<Running>),
}

impl Backend {
    /// Finds the server or opens the store; makes a store when there is none.
    pub async fn open_or_make(data: &DataArgs) -> anyhow::Result<Backend> {
        for _ in 1..LOCK_TRIES {
            match Backend::try_open(data).await {
                Err(TryError::Locked(_)) => tokio::time::sleep(LOCK_PAUSE).await,
                Err(TryError::Failed(error)) => return Err(error),
                Ok(backend) => return Ok(backend),
            }
        }
        match Backend::try_open(data).await {
            Ok(backend) => Ok(backend),
            Err(TryError::Locked(error) | TryError::Failed(error)) => Err(error),
        }
    }

    /// Finds the server or opens the store that is there.
    pub async fn open(data: &DataArgs) -> anyhow::Result<Backend> {
        if !data.data.is_dir() {
            bail!(
                "there is no data directory {}; check --data",
                data.data.display()
            );
        }
        Backend::open_or_make(data).await
    }

    async fn try_open(data: &DataArgs) -> Result<Backend, TryError> {
        let ping = request(Method::GET, "/healthz", Vec::new()).map_err(TryError::Failed)?;
        match admin::request(&data.data, ping).await {
            Ok(_) => return Ok(Backend::Server(data.clone())),
            Err(AdminError::NotRunning) => {}
            Err(error) => return Err(TryError::Failed(error.into())),
        }
        match open_offline(data.config()).await {
            Ok(running) => Ok(Backend::Here(Box::new(running))),
            Err(error @ StartError::Store(OpenError::InUse { .. })) => {
                Err(TryError::Locked(error.into()))
            }
            Err(error) => Err(TryError::Failed(error.into())),
        }
    }

    /// Calls the API; a refusal is an error with the API's own words.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Response<Body>> {
        let body = match body {
            Some(json) => serde_json::to_vec(json)?,
            None => Vec::new(),
        };
        self.call_with(request(method, path, body)?).await
    }

    async fn call_with(&self, mut request: Request<Body>) -> anyhow::Result<Response<Body>> {
        let response = match self {
            Backend::Server(data) => admin::request(&data.data, request).await?,
            Backend::Here(running) => {
                request.extensions_mut().insert(Caller::Admin);
                match running.router().oneshot(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
        };
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let bytes = response.into_body().collect().await?.to_bytes();
        match serde_json::from_slice::<ErrorBody>(&bytes) {
            Ok(refusal) => bail!("{}", refusal.message),
            Err(_) => bail!("the server answered {status}"),
        }
    }

    /// Calls the API and reads the JSON answer; null for an empty one.
    pub async fn json(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        read_json(self.call(method, path, body).await?).await
    }

    /// Sends bytes to the API and reads the JSON answer.
    pub async fn send(&self, method: Method, path: &str, bytes: Vec<u8>) -> anyhow::Result<Value> {
        read_json(self.call_with(request(method, path, bytes)?).await?).await
    }

    /// Closes the store, if this process opened it.
    pub async fn close(self) {
        if let Backend::Here(running) = self {
            running.shutdown().await;
        }
    }
}

async fn read_json(response: Response<Body>) -> anyhow::Result<Value> {
    let bytes = response.into_body().collect().await?.to_bytes();
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&bytes).context("the server's answer is no JSON")
}

/// Runs one call between opening and closing.
pub async fn with<T>(
    backend: Backend,
    call: impl AsyncFnOnce(&Backend) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let answer = call(&backend).await;
    backend.close().await;
    answer
}

enum TryError {
    /// Somebody holds the data directory; perhaps only for this moment.
    Locked(anyhow::Error),
    /// Trying again does not help.
    Failed(anyhow::Error),
}

fn request(method: Method, path: &str, body: Vec<u8>) -> anyhow::Result<Request<Body>> {
    Ok(Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "localhost")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body))?)
}
