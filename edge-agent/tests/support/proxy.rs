//! A small real proxy that takes CONNECT, and can be as slow as a poor link.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What went by a proxy.
#[derive(Debug, Default)]
pub struct Seen {
    /// Whom it was asked to connect to, each time.
    pub asked: Vec<String>,
    /// Every byte from the agent.
    pub up: Vec<u8>,
}

/// The proxy; it takes no new connections once dropped.
pub struct Proxy {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    is_ended: Arc<AtomicBool>,
}

impl Proxy {
    /// `bytes_s`: no more goes up in a second.
    pub fn start(bytes_s: Option<u32>) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Proxy {
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
            is_ended: Arc::default(),
        };
        let (seen, is_ended) = (proxy.seen.clone(), proxy.is_ended.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if is_ended.load(Ordering::Relaxed) {
                    return;
                }
                let seen = seen.clone();
                // A client or a server that goes away in the middle is no fault of the test.
                std::thread::spawn(move || drop(relay(stream, bytes_s, &seen)));
            }
        });
        proxy
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What went by so far is given to `look`.
    pub fn seen<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock().unwrap())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.is_ended.store(true, Ordering::Relaxed);
        // The listener ends when it sees one more connection.
        let _ = TcpStream::connect(self.address);
    }
}

fn relay(client: TcpStream, bytes_s: Option<u32>, seen: &Mutex<Seen>) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let target = first.split(' ').nth(1).unwrap_or_default().to_owned();
    seen.lock().unwrap().asked.push(target.clone());
    let server = TcpStream::connect(&target)?;
    (&client).write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (mut from_server, mut to_client) = (server.try_clone()?, client.try_clone()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    let mut chunk = [0; 256];
    loop {
        let got = reader.read(&mut chunk)?;
        if got == 0 {
            return server.shutdown(Shutdown::Both);
        }
        if let Some(bytes_s) = bytes_s {
            std::thread::sleep(Duration::from_secs_f64(got as f64 / f64::from(bytes_s)));
        }
        seen.lock().unwrap().up.extend_from_slice(&chunk[..got]);
        (&server).write_all(&chunk[..got])?;
    }
}
