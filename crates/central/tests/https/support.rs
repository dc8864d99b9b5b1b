//! A started central in its own directory, and a client that speaks to it.

use std::path::PathBuf;
use std::sync::Once;

use axum::body::Body;
use axum::http::Request;
use central::access::Caller;
use central::{Config, Running};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

static PROVIDER: Once = Once::new();

/// Directories of a central: the data, and apart from it the key.
pub struct Home {
    dir: TempDir,
}

impl Home {
    pub fn new() -> Home {
        Home {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub fn key_file(&self) -> PathBuf {
        self.dir.path().join("store.key")
    }

    pub fn config(&self) -> Config {
        Config {
            key_file: Some(self.key_file()),
            listen: Some("127.0.0.1:0".parse().unwrap()),
            ..Config::new(self.data())
        }
    }
}

/// A central that runs, with a manager's token.
pub struct Server {
    pub home: Home,
    pub running: Running,
    pub client: Client,
    pub token: String,
}

/// A client that takes the server's own certificate and keeps no cookies.
pub fn client() -> Client {
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .tls_info(true)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

impl Server {
    pub async fn start() -> Server {
        Server::start_in(Home::new()).await
    }

    pub async fn start_in(home: Home) -> Server {
        let running = central::start(home.config()).await.unwrap();
        assert_eq!(running.listen_error(), None);
        let mut server = Server {
            home,
            running,
            client: client(),
            token: String::new(),
        };
        server.token = server.token_with("manager").await;
        server
    }

    /// Stops it and starts it again on the same data.
    pub async fn restarted(self) -> Server {
        self.running.shutdown().await;
        Server::start_in(self.home).await
    }

    pub async fn token_with(&self, role: &str) -> String {
        let body = json!({ "name": "test", "role": role });
        let answer = self.as_admin("POST", "/api/tokens", body).await.1;
        answer["token"].as_str().unwrap().to_owned()
    }

    /// Adds a machine and answers its key.
    pub async fn machine(&self, id: &str) -> String {
        let added = self
            .as_admin("POST", "/api/machines", json!({ "machine_id": id }))
            .await
            .1;
        added["api_key"]
            .as_str()
            .unwrap_or_else(|| panic!("{added}"))
            .to_owned()
    }

    /// Calls the router in process, trusted.
    pub async fn as_admin(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .extension(Caller::Admin)
            .body(Body::from(body.to_string()))
            .unwrap();
        let response = self.running.router().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap();
        (
            status,
            serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        )
    }

    /// Calls over HTTPS with a key; status and JSON.
    pub async fn call(&self, method: &str, path: &str, key: &str, body: Value) -> (u16, Value) {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.request(method, path).bearer_auth(key);
        answer(request.body(body.to_string()).send().await.unwrap()).await
    }

    /// A request without any credential.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.running.url().unwrap()))
    }

    /// Reads with the manager's token; the answer must be 200.
    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.try_get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Reads with the manager's token.
    pub async fn try_get(&self, path: &str) -> (u16, Value) {
        let sent = self
            .request(Method::GET, path)
            .bearer_auth(&self.token)
            .send();
        answer(sent.await.unwrap()).await
    }

    /// Sends a batch.
    pub async fn post_logs(&self, key: &str, batch: &Value) -> (u16, Value) {
        let request = self.request(Method::POST, "/api/logs").bearer_auth(key);
        answer(request.body(batch.to_string()).send().await.unwrap()).await
    }

    /// Sends a batch that must be taken.
    pub async fn must_post(&self, key: &str, batch: &Value) -> Value {
        let (status, body) = self.post_logs(key, batch).await;
        assert_eq!(status, 200, "{body}");
        body
    }
}

/// Status and JSON (null when it is none).
pub async fn answer(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    (
        status,
        serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    )
}

/// A time so many seconds ago, RFC 3339.
pub fn ago(seconds: i64) -> String {
    let now = jiff::Timestamp::now().as_millisecond();
    let at = jiff::Timestamp::from_millisecond(now - seconds * 1000).unwrap();
    format!("{at:.3}")
}

/// A good entry.
pub fn entry(seq: u64, level: &str, message: &str) -> Value {
    json!({
        "seq": seq,
        "timestamp": ago(60 - seq.min(59) as i64),
        "level": level,
        "component": "payment",
        "message": message,
    })
}

/// A batch of good INFO entries with these numbers.
pub fn batch(machine: &str, epoch: u64, seqs: std::ops::RangeInclusive<u64>) -> Value {
    let logs: Vec<Value> = seqs
        .map(|seq| entry(seq, "INFO", &format!("Sale {seq} of 3 items")))
        .collect();
    json!({ "machine_id": machine, "epoch": epoch, "logs": logs })
}

/// The messages of a page.
pub fn messages(page: &Value) -> Vec<String> {
    let entries = page["entries"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["message"].as_str().unwrap().to_owned())
        .collect()
}
