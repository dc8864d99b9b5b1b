//! A web server that keeps what it was asked and answers as it is told to: HTTP/1.1, one request a
//! connection.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::wait;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `POST`.
    pub method: String,
    /// With the query.
    pub path: String,
    /// By name in lower case.
    pub headers: BTreeMap<String, String>,
    /// As it came.
    pub body: String,
    /// When it was whole.
    pub at: Instant,
}

impl Asked {
    /// The body as JSON.
    ///
    /// # Panics
    /// It is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    /// The fields of a form, decoded.
    ///
    /// # Panics
    /// It is no form.
    pub fn form(&self) -> BTreeMap<String, String> {
        let url = format!("http://form/?{}", self.body);
        let url = reqwest::Url::parse(&url).expect("a form");
        url.query_pairs().into_owned().collect()
    }
}

/// What is answered, and when.
#[derive(Debug, Clone)]
pub struct Says {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// After this time.
    pub after: Duration,
}

/// A running web server; its threads end with the process that tests.
pub struct WebServer {
    /// `http://127.0.0.1:port`.
    pub url: String,
    state: Arc<State>,
}

struct State {
    asked: Mutex<Vec<Asked>>,
    /// Answers to the next requests; then `usual`.
    next: Mutex<VecDeque<Says>>,
    usual: Box<dyn Fn(&Asked) -> Says + Send + Sync>,
}

/// An answer at once.
pub fn says(status: u16, body: impl Into<String>) -> Says {
    Says {
        status,
        body: body.into(),
        after: Duration::ZERO,
    }
}

impl WebServer {
    /// Starts one that answers so.
    ///
    /// # Panics
    /// There is no port.
    pub fn start(usual: impl Fn(&Asked) -> Says + Send + Sync + 'static) -> WebServer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(State {
            asked: Mutex::default(),
            next: Mutex::default(),
            usual: Box::new(usual),
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                // Who hangs up in the middle has asked nothing.
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        WebServer {
            url: format!("http://127.0.0.1:{port}"),
            state,
        }
    }

    /// The next requests are answered so, before all others.
    pub fn then(&self, says: Says) {
        self.state.next.lock().expect("no panic").push_back(says);
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().expect("no panic").clone()
    }

    /// Waits for a request.
    ///
    /// # Panics
    /// There is none within the limit.
    pub fn wait_for(&self, what: &str, limit: Duration, is_it: impl Fn(&Asked) -> bool) -> Asked {
        wait::until(what, limit, || self.asked().into_iter().find(&is_it))
    }
}

fn serve(stream: TcpStream, state: &State) -> std::io::Result<()> {
    stream.set_read_timeout(Some(wait::seconds(60)))?;
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next(), words.next());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|n| n.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let asked = Asked {
        method: method.unwrap_or_default(),
        path: path.unwrap_or_default(),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
        at: Instant::now(),
    };
    let next = state.next.lock().expect("no panic").pop_front();
    let says = next.unwrap_or_else(|| (state.usual)(&asked));
    state.asked.lock().expect("no panic").push(asked);
    std::thread::sleep(says.after);
    let (status, body) = (says.status, says.body);
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} Told\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    );
    reader.get_mut().write_all(answer.as_bytes())
}
