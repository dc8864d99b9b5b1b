//! An HTTP endpoint in this process that keeps what it was asked and answers as it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Asked {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// The fields of a form.
    pub fn form(&self) -> BTreeMap<String, String> {
        form_urlencoded::parse(&self.body).into_owned().collect()
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub enum Says {
    This(u16, String),
    /// With a header.
    With(u16, &'static str, String, String),
    /// Never.
    Nothing,
}

type Answering = Arc<dyn Fn(&Asked) -> Says + Send + Sync>;

#[derive(Clone)]
struct Shared {
    asked: Arc<Mutex<Vec<Asked>>>,
    answering: Answering,
}

pub struct HttpServer {
    pub port: u16,
    shared: Shared,
    task: JoinHandle<()>,
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl HttpServer {
    pub async fn start(answering: impl Fn(&Asked) -> Says + Send + Sync + 'static) -> HttpServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Shared {
            asked: Arc::default(),
            answering: Arc::new(answering),
        };
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves");
        });
        HttpServer { port, shared, task }
    }

    /// Always the same answer.
    pub async fn saying(status: u16, body: &str) -> HttpServer {
        let body = body.to_owned();
        HttpServer::start(move |_| Says::This(status, body.clone())).await
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What was asked since the last look.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.shared.asked.lock().expect("nobody panicked"))
    }

    /// The only request since the last look.
    pub fn only(&self) -> Asked {
        let mut asked = self.asked();
        assert_eq!(asked.len(), 1, "one request: {asked:?}");
        asked.remove(0)
    }
}

async fn answer(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let query = uri.query().unwrap_or("").as_bytes();
    let text = |value: &axum::http::HeaderValue| value.to_str().unwrap_or("").to_owned();
    let asked = Asked {
        method: method.to_string(),
        path: uri.path().to_owned(),
        query: form_urlencoded::parse(query).into_owned().collect(),
        headers: headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect(),
        body: body.to_vec(),
    };
    let says = (shared.answering)(&asked);
    shared.asked.lock().expect("nobody panicked").push(asked);
    let status = |status| StatusCode::from_u16(status).expect("a status");
    match says {
        Says::This(code, body) => (status(code), body).into_response(),
        Says::With(code, name, value, body) => {
            (status(code), [(name, value)], body).into_response()
        }
        Says::Nothing => std::future::pending().await,
    }
}
