//! A program that hands numbered entries to the agent's socket and keeps each until it is
//! acknowledged, over any number of connections. It is written apart from the Python module.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::numbered;

/// Entries that are sent before an answer is waited for.
const WINDOW: u64 = 40;
/// An agent that is killed does not answer; one that lives does within its own 2 s.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Before a connection is tried again.
const RETRY: Duration = Duration::from_millis(20);

/// A sender of entries `first`, `first` + 1 … of [`numbered`].
pub struct Sender {
    socket: PathBuf,
    first: u64,
    /// How many are acknowledged.
    pub acknowledged: u64,
    /// How often it connected.
    pub connections: u64,
}

impl Sender {
    /// One that has sent nothing yet.
    pub fn new(socket: &Path, first: u64) -> Sender {
        Sender {
            socket: socket.to_owned(),
            first,
            acknowledged: 0,
            connections: 0,
        }
    }

    /// Goes on until `count` entries are acknowledged, however often the agent goes away.
    ///
    /// # Panics
    /// The agent no longer knows what it acknowledged.
    pub fn send_until(&mut self, count: u64) {
        while self.acknowledged < count {
            match UnixStream::connect(&self.socket) {
                Ok(stream) => {
                    self.connections += 1;
                    // Whatever ended it: the next connection says hello first.
                    let _ = self.session(stream, count);
                }
                Err(_) => std::thread::sleep(RETRY),
            }
        }
    }

    fn session(&mut self, mut stream: UnixStream, count: u64) -> std::io::Result<()> {
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        let mut answers = BufReader::new(stream.try_clone()?);
        let next = self.acknowledged + 1;
        writeln!(
            stream,
            "{}",
            json!({"cmd": "hello", "sender": "numbered", "next": next})
        )?;
        let hello = answer(&mut answers)?;
        let Some(last) = hello["last"].as_u64() else {
            return Ok(());
        };
        assert!(
            last >= self.acknowledged,
            "{} entries were acknowledged, and the agent knows {last}",
            self.acknowledged
        );
        self.acknowledged = last;
        while self.acknowledged < count {
            let through = (self.acknowledged + WINDOW).min(count);
            let mut lines = String::new();
            for n in self.acknowledged + 1..=through {
                let number = self.first + n - 1;
                let entry = json!({
                    "n": n, "level": numbered::level(number), "component": "program",
                    "message": numbered::message(number),
                });
                lines.push_str(&format!("{entry}\n"));
            }
            stream.write_all(lines.as_bytes())?;
            while self.acknowledged < through {
                let answer = answer(&mut answers)?;
                if answer["ok"] != true {
                    // It is asked what it has.
                    return Ok(());
                }
                self.acknowledged += 1;
            }
        }
        Ok(())
    }
}

fn answer(answers: &mut BufReader<UnixStream>) -> std::io::Result<Value> {
    let mut line = String::new();
    answers.read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}
