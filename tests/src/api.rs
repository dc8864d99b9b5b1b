//! The server's API as a script uses it: HTTPS with the pin and a token, answers as JSON.

use std::time::Duration;

use serde_json::Value;
use tokio::runtime::Runtime;

use crate::wait;

/// A client with a credential.
pub struct Api {
    runtime: Runtime,
    client: reqwest::Client,
    url: String,
    bearer: String,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// It is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&self.body)))
    }
}

impl Api {
    /// A client of the server at `url` with this pin and credential.
    ///
    /// # Panics
    /// The pin cannot be read.
    pub fn new(url: &str, pin: &str, bearer: &str) -> Api {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let client = sim::pinned::client(pin).expect("the server's pin can be read");
        Api {
            runtime,
            client,
            url: url.to_owned(),
            bearer: bearer.to_owned(),
        }
    }

    /// A GET; `None` when the server cannot be reached.
    pub fn try_get(&self, path: &str) -> Option<Answer> {
        self.send(self.client.get(self.at(path)))
    }

    /// A GET of a running server.
    ///
    /// # Panics
    /// The server cannot be reached.
    pub fn get(&self, path: &str) -> Answer {
        self.try_get(path)
            .unwrap_or_else(|| panic!("no answer to GET {path}"))
    }

    /// A POST of these bytes as JSON; `None` when the server does not answer or hangs up.
    pub fn try_post(&self, path: &str, body: impl Into<Vec<u8>>) -> Option<Answer> {
        let request = self
            .client
            .post(self.at(path))
            .header("content-type", "application/json");
        self.send(request.body(body.into()))
    }

    /// A POST of these bytes as JSON.
    ///
    /// # Panics
    /// The server cannot be reached.
    pub fn post(&self, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        self.try_post(path, body)
            .unwrap_or_else(|| panic!("no answer to POST {path}"))
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    fn send(&self, request: reqwest::RequestBuilder) -> Option<Answer> {
        let request = request.bearer_auth(&self.bearer);
        self.runtime.block_on(async {
            let answer = request.send().await.ok()?;
            let status = answer.status().as_u16();
            Some(Answer {
                status,
                body: answer.bytes().await.ok()?.to_vec(),
            })
        })
    }

    /// Every entry that the filters let through, page by page, in the API's ascending order.
    ///
    /// # Panics
    /// A page fails.
    pub fn entries(&self, filters: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("/api/logs?order=asc&limit=1000&{filters}{cursor}"));
            assert_eq!(page.status, 200, "{}", String::from_utf8_lossy(&page.body));
            let page = page.json();
            all.extend(page["entries"].as_array().expect("entries").iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={}", encoded(next)),
                None => return all,
            }
        }
    }

    /// How many entries the store has; `None` when the server cannot be reached.
    pub fn total(&self) -> Option<u64> {
        self.try_get("/api/info")?.json()["total_entries"].as_u64()
    }

    /// Waits until the store has at least so many entries.
    ///
    /// # Panics
    /// It has fewer after `limit`.
    pub fn wait_for_total(&self, wanted: u64, limit: Duration) {
        wait::until(&format!("{wanted} entries in the store"), limit, || {
            let total = self.total();
            if total.is_none_or(|total| total < wanted) {
                std::thread::sleep(Duration::from_millis(100));
                return None;
            }
            total
        });
    }

    /// Waits until the store has at least so many entries of applications; what agents say of
    /// themselves is stored too, and is not counted.
    ///
    /// # Panics
    /// It has fewer after `limit`.
    pub fn wait_for_entries(&self, wanted: u64, limit: Duration) {
        let what = format!("{wanted} entries of applications in the store");
        wait::until(&what, limit, || {
            let total = self.total().unwrap_or(0);
            // Their own are asked for only when they can decide.
            let of_agents = || self.entries("component=agent").len() as u64;
            if total >= wanted && total - of_agents() >= wanted {
                return Some(());
            }
            std::thread::sleep(Duration::from_millis(100));
            None
        });
    }

    /// Opens the live stream and hands its lines to `seen` until that has a value.
    ///
    /// # Panics
    /// The stream fails, ends, or brings nothing within `limit`.
    pub fn live<T>(&self, limit: Duration, mut seen: impl FnMut(&str) -> Option<T>) -> T {
        let request = self
            .client
            .get(self.at("/api/live"))
            .bearer_auth(&self.bearer);
        self.runtime.block_on(async {
            let reading = async {
                let mut answer = request.send().await.expect("the live stream opens");
                assert_eq!(answer.status().as_u16(), 200, "the live stream opens");
                let mut rest = String::new();
                while let Some(bytes) = answer.chunk().await.expect("the live stream goes on") {
                    rest.push_str(&String::from_utf8_lossy(&bytes));
                    while let Some((line, after)) = rest.split_once('\n') {
                        if let Some(value) = seen(line) {
                            return value;
                        }
                        rest = after.to_owned();
                    }
                }
                panic!("the live stream ended");
            };
            tokio::time::timeout(limit, reading)
                .await
                .expect("the event comes in time")
        })
    }
}

/// Percent-encodes everything but letters, digits, `-`, `_`, `.`.
pub fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.bytes()
        .map(|b| {
            if plain(b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}
