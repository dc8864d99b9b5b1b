//! A client of the agent's socket, as the protocol's rules have it.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

/// An answer must come within the deadline of 2 s, and some time for a busy machine.
const ANSWER: Duration = Duration::from_secs(10);

/// One connection.
pub struct Client {
    write: UnixStream,
    read: BufReader<UnixStream>,
}

impl Client {
    pub fn connect(path: &Path) -> io::Result<Client> {
        let write = UnixStream::connect(path)?;
        write.set_read_timeout(Some(ANSWER))?;
        let read = BufReader::new(write.try_clone()?);
        Ok(Client { write, read })
    }

    pub fn send(&mut self, text: &str) -> io::Result<()> {
        self.write.write_all(text.as_bytes())
    }

    pub fn answer(&mut self) -> io::Result<Value> {
        let mut line = String::new();
        match self.read.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(serde_json::from_str(&line).unwrap()),
        }
    }

    pub fn ask(&mut self, request: &Value) -> Value {
        self.send(&format!("{request}\n")).unwrap();
        self.answer().unwrap()
    }

    /// Sends on a thread of its own while the answers are read: as many lines as one likes.
    pub fn ask_all(self, lines: String, count: usize) -> Vec<Value> {
        let Client { mut write, read } = self;
        let writer = std::thread::spawn(move || write.write_all(lines.as_bytes()));
        let mut read = read;
        let mut answers = Vec::new();
        for _ in 0..count {
            let mut line = String::new();
            assert!(read.read_line(&mut line).unwrap() > 0, "{}", answers.len());
            answers.push(serde_json::from_str(&line).unwrap());
        }
        writer.join().unwrap().unwrap();
        answers
    }
}

pub fn entry(message: &str) -> Value {
    json!({"level": "INFO", "component": "app", "message": message})
}

/// Numbers its entries and sends them until each is known to be durable, over whatever happens to
/// the agent.
pub struct Sender {
    path: PathBuf,
    name: String,
    next: u64,
    unsettled: VecDeque<(u64, String)>,
    client: Option<Client>,
    /// Sent on this connection and not answered.
    in_flight: usize,
    /// How often it had to connect.
    pub connected: usize,
}

impl Sender {
    pub fn new(path: &Path, name: &str) -> Sender {
        Sender {
            path: path.to_owned(),
            name: name.to_owned(),
            next: 1,
            unsettled: VecDeque::new(),
            client: None,
            in_flight: 0,
            connected: 0,
        }
    }

    /// Hands in an entry; reads answers when `window` are without one.
    pub fn log(&mut self, mut entry: Value, window: usize) {
        entry["n"] = self.next.into();
        self.unsettled.push_back((self.next, format!("{entry}\n")));
        self.next += 1;
        let line = self.unsettled.back().unwrap().1.clone();
        if let Some(client) = &mut self.client {
            match client.send(&line) {
                Ok(()) => self.in_flight += 1,
                Err(_) => self.client = None,
            }
        }
        self.settle(window);
    }

    /// Until fewer than `window` entries are without an answer.
    pub fn settle(&mut self, window: usize) {
        while self.unsettled.len() >= window.max(1) {
            if self.try_settle().is_err() {
                self.client = None;
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    fn try_settle(&mut self) -> io::Result<()> {
        if self.client.is_none() {
            self.connect()?;
        }
        let client = self.client.as_mut().unwrap();
        if self.in_flight == 0 {
            return Err(io::ErrorKind::NotConnected.into());
        }
        let answer = client.answer()?;
        self.in_flight -= 1;
        if answer["ok"] == true {
            let (n, _) = self.unsettled.pop_front().unwrap();
            assert_eq!(answer["n"], n, "answers come in order");
            return Ok(());
        }
        assert_eq!(answer["retry"], true, "{answer}");
        Err(io::ErrorKind::NotConnected.into())
    }

    fn connect(&mut self) -> io::Result<()> {
        let mut client = Client::connect(&self.path)?;
        let next = self.unsettled.front().map_or(self.next, |(n, _)| *n);
        let hello = json!({"cmd": "hello", "sender": self.name, "next": next});
        client.send(&format!("{hello}\n"))?;
        let answer = client.answer()?;
        if answer["ok"] != true {
            return Err(io::ErrorKind::NotConnected.into());
        }
        let last = answer["last"].as_u64().unwrap();
        self.unsettled.retain(|(n, _)| *n > last);
        let lines: String = self
            .unsettled
            .iter()
            .map(|(_, line)| line.as_str())
            .collect();
        client.send(&lines)?;
        self.in_flight = self.unsettled.len();
        self.connected += 1;
        self.client = Some(client);
        Ok(())
    }
}
