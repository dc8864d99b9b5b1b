//! The agent's own socket: programs hand in entries and are told when each is durable. This module
//! is the input that the pipeline steps; what it says to clients is this protocol.
//!
//! # The protocol
//!
//! A Unix stream socket (`/run/vendlog/agent.sock` unless configured). Both sides write one JSON
//! object a line, UTF-8, ended by LF. A client may send many lines without waiting; **every line gets
//! exactly one answer, in the order of the lines**. A line has at most 256 KiB ([`LINE_MAX_BYTES`]).
//!
//! ```text
//! -> {"level":"ERROR","component":"payment","message":"…"}
//! <- {"ok":true,"seq":812}
//! ```
//!
//! ## Requests
//!
//! - **An entry**: `level` (DEBUG INFO WARN ERROR CRITICAL, WARNING and FATAL too; another word is kept
//!   in `context.logged_level` of an INFO entry), `component` (cut to 50 characters), `message`;
//!   optional `context` (an object), `timestamp` (RFC 3339, or a number: seconds since 1970; absent:
//!   the moment the line is read) and `n` (below). Message, component and context together have at
//!   most 64 KiB. Other fields are ignored.
//! - `{"cmd":"hello","sender":"…","next":N}` begins numbering on this connection (below).
//! - `{"cmd":"sync"}` has everything sent before it synced at once, instead of within half a second
//!   (an entry of ERROR and above never waits), and is answered `{"ok":true}` after that.
//! - `{"cmd":"status"}` -> `{"ok":true,"status":{"version","epoch","last_seq","spool_bytes","accepting"}}`,
//!   `accepting` being `yes`, `spool_full` or `disk_full`.
//!
//! - `{"cmd":"next_drop"}` -> `{"ok":true,"drop":{"id","name","data","urgent"}}` or
//!   `{"ok":true,"drop":null}`: what is to be brought to the card reader, on a machine where the vending
//!   application has its port (`[eport] mode = "handoff"`). A drop is handed out once; the client uploads
//!   it between sales, and says what became of it. Without a word of it for 5 minutes, or after a
//!   failure, it is handed out again, the same byte for byte.
//! - `{"cmd":"drop_sent","id":N}` or `{"cmd":"drop_failed","id":N,"reason":"…"}` -> `{"ok":true}`; with
//!   `"duplicate":true` when no such drop waits any more. Both may carry what the reader said of
//!   itself: `signal_rssi`, `signal_ber` (numbers), `reader_serial`, `reader_state` (texts).
//!
//! ## Answers
//!
//! `{"ok":true,"seq":N}` means that the entry is on disk, after an fdatasync. A refusal is
//! `{"ok":false,"code":"…","retry":true|false,"message":"…"}`, at the latest [`DEADLINE`] (2 s) after the
//! line was read (and after the answers before it):
//!
//! | code | retry | meaning |
//! |---|---|---|
//! | `busy` | yes | not stored: it could not be taken in time |
//! | `spool_full` | yes | not stored: the spool or the disk is full |
//! | `unsure` | yes | taken, but not known to be on disk in time: it will be stored, unless the agent ends before. A numbered entry can be sent again safely, another one may be stored twice by that |
//! | `out_of_order` | yes | not stored: `n` is not the next one; `last` says which was (absent: the sender is not known; say hello again) |
//! | `stopping` | yes | not stored: the agent ends |
//! | `too_many_connections` | yes | said instead of any other answer; the connection is closed |
//! | `bad_entry` | no | no JSON object, or a field is wrong; the message names it |
//! | `too_large` | no | the line or the entry is larger than allowed; nothing is ever cut |
//! | `unknown_command` | no | `cmd` is none of the above |
//! | `no_handoff` | no | drops do not go by the socket on this machine |
//!
//! ## Numbered entries: none lost, none twice
//!
//! Without numbers a client that loses its connection cannot know whether the entries it had no
//! answer for were stored. A client that must know numbers them:
//!
//! 1. Once per process it draws `sender` (1-64 characters of `A-Z a-z 0-9 _ -`, random: 64 bits or
//!    more). A forked process draws its own.
//! 2. On **every** connection, before its first entry, it says hello; `next` is the lowest number
//!    that it has no final answer for (1 at first).
//!    The answer `{"ok":true,"last":M}` means: every entry up to M is durable or was refused for good.
//!    The client forgets those and sends the rest, from M + 1 on.
//! 3. Each entry carries `"n"`: 1, 2, 3 … **without holes, in this order**; a number belongs to one
//!    content for ever. (So a client that drops entries when its queue is full numbers them when it
//!    first sends them, not when they are logged.) The answer repeats `n`.
//! 4. An entry that is known already is answered `{"ok":true,"n":N,"duplicate":true}`, once it is
//!    durable, and not stored again.
//! 5. After a refusal with `"retry":true`, and after the connection ended, the client waits (backing
//!    off), connects anew, says hello and goes on with 2. What it had sent behind the refused entry
//!    is answered `out_of_order` meanwhile; those answers can be skipped.
//! 6. After a refusal with `"retry":false` that repeats `n`, the number is used up: the client drops
//!    the entry, counts it, and goes on. If the refusal does not repeat `n` (the line could not be
//!    read at all), it drops the entry, connects anew and says hello with `next` behind it.
//!
//! The agent keeps the last number of each of the [`senders::SENDERS_MAX`] (64) senders heard last, in the
//! spool, in the same block as the entries: an agent that is killed knows after its restart exactly
//! what it has on disk.

mod connection;
mod inbox;
mod lines;
pub mod protocol;
pub mod senders;
mod server;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use wire::Micros;

pub use inbox::{Ask, Outcome, Submission, Ticket};
pub use protocol::LINE_MAX_BYTES;
pub use senders::{Senders, Verdict};

use crate::clock;
use crate::config::input::SocketFile;
use crate::eport::{Outbox, ReaderFacts};
use crate::input::{InputEvent, Next};
use crate::pipeline::{Progress, Room, Waker};
use crate::spool::Shared;
use inbox::Inbox;
use protocol::{Answer, Code, Status};
use server::Server;

/// An answer comes at the latest this long after the line was read.
pub const DEADLINE: Duration = Duration::from_secs(2);
/// So many submissions are taken in one step, so that other inputs have their turn.
const TAKE_MAX: usize = 512;

/// What the connections and the pipeline share.
#[derive(Debug)]
pub struct Desk {
    inbox: Inbox,
    /// Drops for the card reader, when the vending application has its port.
    outbox: Option<Arc<Outbox>>,
    progress: Arc<Progress>,
    spool: Arc<Shared>,
    clock: fn() -> Micros,
}

impl Desk {
    fn status(&self) -> Status {
        let synced = self.spool.synced();
        Status {
            version: env!("CARGO_PKG_VERSION"),
            epoch: self.spool.epoch(),
            last_seq: synced.last_seq,
            spool_bytes: synced.bytes,
            accepting: match self.progress.room() {
                Room::Open => "yes",
                Room::SpoolFull => "spool_full",
                Room::DiskFull => "disk_full",
            },
        }
    }

    fn next_drop(&self) -> Answer {
        let next = |outbox: &Outbox| Answer::drop(outbox.next(clock::since_boot_us()));
        self.handoff(next)
    }

    fn drop_sent(&self, id: u64, facts: ReaderFacts) -> Answer {
        self.handoff(|outbox| told(outbox.sent(id, facts)))
    }

    fn drop_failed(&self, id: u64, reason: &str, facts: ReaderFacts) -> Answer {
        let now_us = clock::since_boot_us();
        self.handoff(|outbox| told(outbox.failed(id, reason, facts, now_us)))
    }

    fn handoff(&self, answer: impl FnOnce(&Outbox) -> Answer) -> Answer {
        match &self.outbox {
            Some(outbox) => answer(outbox),
            None => Answer::refusal(
                Code::NoHandoff,
                "drops are not handed out here; set mode = \"handoff\" in [eport] of agent.toml",
            ),
        }
    }
}

/// What was said of a drop; of one that does not wait any more it was said before.
fn told(is_known: bool) -> Answer {
    match is_known {
        true => Answer::done(),
        false => Answer::duplicate(),
    }
}

/// The input behind the socket.
#[derive(Debug)]
pub struct SocketInput {
    file: SocketFile,
    desk: Arc<Desk>,
    server: Option<Server>,
    is_stopped: bool,
}

impl SocketInput {
    /// Listens from its first step on; `clock` gives the time of entries that carry none. Drops are
    /// handed out from `outbox`, if there is one.
    pub fn new(
        file: SocketFile,
        waker: Waker,
        (progress, outbox): (Arc<Progress>, Option<Arc<Outbox>>),
        spool: Arc<Shared>,
        clock: fn() -> Micros,
    ) -> SocketInput {
        let inbox = Inbox::new(waker);
        let desk = Arc::new(Desk {
            inbox,
            outbox,
            progress,
            spool,
            clock,
        });
        SocketInput {
            file,
            desk,
            server: None,
            is_stopped: false,
        }
    }

    /// Takes what the clients have handed in.
    ///
    /// # Errors
    /// The socket cannot be made; the next step tries again.
    pub fn step(&mut self, events: &mut Vec<InputEvent>) -> io::Result<Next> {
        if self.server.is_none() && !self.is_stopped {
            self.server = Some(Server::start(&self.file, self.desk.clone())?);
        }
        match self.desk.inbox.take_out(TAKE_MAX, events) {
            true => Ok(Next::Now),
            false => Ok(Next::OnChange),
        }
    }

    /// Reads nothing more; what was handed in is still taken and answered.
    pub fn stop_reading(&mut self) {
        self.is_stopped = true;
        if let Some(server) = &self.server {
            server.stop_reading();
        }
    }

    /// Bytes of lines that wait for their answer.
    pub fn lag_bytes(&self) -> u64 {
        self.desk.inbox.bytes()
    }
}
