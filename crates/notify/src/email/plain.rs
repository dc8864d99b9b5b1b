//! What is said to a mail server before STARTTLS, in clear: greeting, EHLO, STARTTLS. Nothing of a
//! message, no name and no password.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::answer::{Step, answered};
use crate::{SendError, limits};

/// Brings the connection to the point where TLS begins.
pub(super) async fn until_tls(
    stream: &mut TcpStream,
    host: &str,
    hello: &str,
) -> Result<(), SendError> {
    let mut reader = Reader {
        host,
        buffer: Vec::new(),
    };
    reader.expect(stream, Step::Greeting).await?;
    say(stream, host, &format!("EHLO {hello}\r\n")).await?;
    let offers = reader.expect(stream, Step::Hello).await?;
    let offers_tls = offers
        .lines()
        .any(|line| line.trim().eq_ignore_ascii_case("STARTTLS"));
    if !offers_tls {
        return Err(SendError::broken(
            "tls",
            format!(
                "{host} does not offer STARTTLS; nothing is sent without it. Try tls implicit \
                 (port 465)"
            ),
        ));
    }
    say(stream, host, "STARTTLS\r\n").await?;
    reader.expect(stream, Step::StartTls).await?;
    if !reader.buffer.is_empty() {
        return Err(SendError::broken(
            "protocol",
            format!("{host} said more before TLS began; somebody may be in between"),
        ));
    }
    Ok(())
}

async fn say(stream: &mut TcpStream, host: &str, line: &str) -> Result<(), SendError> {
    let written = stream.write_all(line.as_bytes()).await;
    written.map_err(|error| closed(host, &error.to_string()))
}

fn closed(host: &str, why: &str) -> SendError {
    SendError::temporary(
        "unreachable",
        format!("{host} closed the connection ({why}); it is tried again"),
    )
}

struct Reader<'a> {
    host: &'a str,
    buffer: Vec<u8>,
}

impl Reader<'_> {
    /// Reads one answer; its lines without the code, if it is a good one.
    async fn expect(&mut self, stream: &mut TcpStream, step: Step) -> Result<String, SendError> {
        let mut lines = String::new();
        loop {
            let line = self.line(stream).await?;
            let code: Option<u16> = line.get(..3).and_then(|code| code.parse().ok());
            let Some(code) = code.filter(|code| (200..600).contains(code)) else {
                return Err(SendError::broken(
                    "protocol",
                    format!(
                        "{} does not speak SMTP; check host, port and tls",
                        self.host
                    ),
                ));
            };
            lines.push_str(line.get(4..).unwrap_or(""));
            lines.push('\n');
            let is_last = line.as_bytes().get(3) != Some(&b'-');
            match (is_last, code) {
                (false, _) if lines.len() < limits::REPLY_BYTES => {}
                (true, 200..=299) => return Ok(lines),
                _ => return Err(answered(self.host, step, code, &lines)),
            }
        }
    }

    async fn line(&mut self, stream: &mut TcpStream) -> Result<String, SendError> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.buffer.len() > limits::REPLY_BYTES {
                return Err(closed(self.host, "it said too much"));
            }
            let mut chunk = [0; 1024];
            match stream.read(&mut chunk).await {
                Ok(0) => return Err(closed(self.host, "it hung up")),
                Ok(count) => self.buffer.extend_from_slice(&chunk[..count]),
                Err(error) => return Err(closed(self.host, &error.to_string())),
            }
        }
    }
}
