//! One client: its lines go to the pipeline, and every line gets its answer, in order.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout, timeout_at};

use super::inbox::{Ask, Outcome, Receipt};
use super::lines::{Got, Lines};
use super::protocol::{Answer, Code, LINE_MAX_BYTES, Request, parse};
use super::senders::SenderId;
use super::{DEADLINE, Desk};
use crate::pipeline::Room;

/// Answers of one connection that may wait. The bytes behind them are bounded by the inbox.
const ANSWERS_MAX: usize = 4096;
/// Answers are written together up to this size.
const WRITE_BYTES: usize = 8 * 1024;
/// A client that does not read its answers for so long has no use for them.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);

/// An answer, or where it will come from.
enum Pending {
    Now(Answer),
    Later(Later),
}

struct Later {
    receipt: Receipt,
    n: Option<u64>,
    deadline: Instant,
}

/// Serves the client until it goes or `closing` becomes true. What was handed in before is answered
/// in any case.
pub async fn serve(stream: UnixStream, desk: Arc<Desk>, closing: watch::Receiver<bool>) {
    let (read, write) = stream.into_split();
    let (pending, answers) = mpsc::channel(ANSWERS_MAX);
    let reading = Reading {
        desk: &desk,
        sender: None,
        pending,
    };
    tokio::join!(
        reading.run(read, closing),
        answer_all(write, answers, &desk)
    );
}

/// Says no to a client that is one too many.
pub async fn turn_away(mut stream: UnixStream) {
    let message = "more programs are connected than may be; close one, or try again later";
    let mut out = Vec::new();
    Answer::refusal(Code::TooManyConnections, message).write(&mut out);
    // Closing with bytes unread would take the answer from it.
    let mut unread = [0; 1024];
    let _ = timeout(DEADLINE, async {
        let _ = stream.write_all(&out).await;
        let _ = stream.shutdown().await;
        while stream.read(&mut unread).await.is_ok_and(|got| got > 0) {}
    })
    .await;
}

/// The reading side.
struct Reading<'a> {
    desk: &'a Desk,
    sender: Option<SenderId>,
    pending: mpsc::Sender<Pending>,
}

impl Reading<'_> {
    async fn run(mut self, read: OwnedReadHalf, mut closing: watch::Receiver<bool>) {
        let mut lines = Lines::new(read);
        loop {
            let got = tokio::select! {
                biased;
                _ = closing.wait_for(|closing| *closing) => return,
                got = lines.next() => got,
            };
            let pending = match got {
                Ok(Got::Line(line)) => self.line(line).await,
                Ok(Got::TooLong) => {
                    let message = format!("the line has more than {LINE_MAX_BYTES} bytes");
                    Pending::Now(Answer::refusal(Code::TooLarge, message))
                }
                Ok(Got::End) | Err(_) => return,
            };
            if self.pending.send(pending).await.is_err() {
                return;
            }
        }
    }

    async fn line(&mut self, line: &[u8]) -> Pending {
        let deadline = Instant::now() + DEADLINE;
        let (ask, n) = match parse(line, (self.desk.clock)()) {
            Ok(Request::Status) => return Pending::Now(Answer::status(self.desk.status())),
            Ok(Request::NextDrop) => return Pending::Now(self.desk.next_drop()),
            Ok(Request::DropSent(id, facts)) => {
                return Pending::Now(self.desk.drop_sent(id, *facts));
            }
            Ok(Request::DropFailed(id, reason, facts)) => {
                return Pending::Now(self.desk.drop_failed(id, &reason, *facts));
            }
            Ok(Request::Sync) => (Ask::Sync, None),
            Ok(Request::Hello { sender, next }) => {
                self.sender = Some(sender);
                (Ask::Hello(sender, next), None)
            }
            Ok(Request::Entry(record, None)) => (Ask::Store(record, None), None),
            Ok(Request::Entry(record, Some(n))) => match self.sender {
                Some(sender) => (Ask::Store(record, Some((sender, n))), Some(n)),
                None => {
                    let message = "say hello before numbering entries";
                    let answer = Answer::refusal(Code::BadEntry, message);
                    return Pending::Now(answer.about(Some(n)));
                }
            },
            Err(refusal) => {
                if let (Some(sender), Some(n)) = (self.sender, refusal.number()) {
                    // The answer does not wait for it: should it be lost, the same comes again.
                    let _ = self
                        .hand_in(Ask::UseUp(sender, n), line.len(), deadline)
                        .await;
                }
                return Pending::Now(refusal);
            }
        };
        match self.hand_in(ask, line.len(), deadline).await {
            Ok(receipt) => Pending::Later(Later {
                receipt,
                n,
                deadline,
            }),
            Err(code) => Pending::Now(refusal(code).about(n)),
        }
    }

    async fn hand_in(&self, ask: Ask, bytes: usize, deadline: Instant) -> Result<Receipt, Code> {
        if self.desk.progress.room() != Room::Open {
            return Err(Code::SpoolFull);
        }
        let inbox = &self.desk.inbox;
        let room = timeout_at(deadline, inbox.room(bytes)).await;
        let room = room.map_err(|_| late(self.desk))?;
        inbox.hand_in(ask, room).ok_or(Code::Stopping)
    }
}

/// Why something was not taken in time.
fn late(desk: &Desk) -> Code {
    match desk.progress.room() {
        Room::Open => Code::Busy,
        Room::SpoolFull | Room::DiskFull => Code::SpoolFull,
    }
}

fn refusal(code: Code) -> Answer {
    let message = match code {
        Code::SpoolFull => "not stored: the spool or the disk is full; try again later",
        Code::Stopping => "not stored: the agent ends; connect again later",
        Code::Unsure => "not known to be on disk yet; send it again only if it is numbered",
        _ => "not stored: the agent could not take it in time; try again later",
    };
    Answer::refusal(code, message)
}

async fn answer_all(write: OwnedWriteHalf, mut answers: mpsc::Receiver<Pending>, desk: &Desk) {
    if let Err(error) = write_answers(write, &mut answers, desk).await {
        tracing::debug!(%error, "a client went before it had its answers");
        // What it had sent is stored all the same.
        while answers.recv().await.is_some() {}
    }
}

async fn write_answers(
    mut write: OwnedWriteHalf,
    answers: &mut mpsc::Receiver<Pending>,
    desk: &Desk,
) -> io::Result<()> {
    let mut out = Vec::new();
    loop {
        let pending = match answers.try_recv() {
            Ok(pending) => pending,
            Err(_) => {
                flush(&mut write, &mut out).await?;
                match answers.recv().await {
                    Some(pending) => pending,
                    None => return Ok(()),
                }
            }
        };
        let answer = match pending {
            Pending::Now(answer) => answer,
            Pending::Later(mut later) => match later.receipt.outcome.try_recv() {
                Ok(outcome) => answer(outcome).about(later.n),
                Err(TryRecvError::Empty) => {
                    flush(&mut write, &mut out).await?;
                    later.wait(desk).await
                }
                Err(TryRecvError::Closed) => later.given_up(Code::Stopping),
            },
        };
        answer.write(&mut out);
        if out.len() >= WRITE_BYTES {
            flush(&mut write, &mut out).await?;
        }
    }
}

async fn flush(write: &mut OwnedWriteHalf, out: &mut Vec<u8>) -> io::Result<()> {
    if out.is_empty() {
        return Ok(());
    }
    let written = timeout(WRITE_PATIENCE, write.write_all(out)).await;
    out.clear();
    written.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

impl Later {
    async fn wait(mut self, desk: &Desk) -> Answer {
        match timeout_at(self.deadline, &mut self.receipt.outcome).await {
            Ok(Ok(outcome)) => answer(outcome).about(self.n),
            Ok(Err(_)) => self.given_up(Code::Stopping),
            Err(_) => self.given_up(late(desk)),
        }
    }

    /// The answer to something that was either not taken, or is not known to be durable.
    fn given_up(&self, code: Code) -> Answer {
        let code = match self.receipt.withdraw() {
            true => code,
            false => Code::Unsure,
        };
        refusal(code).about(self.n)
    }
}

fn answer(outcome: Outcome) -> Answer {
    match outcome {
        Outcome::Stored(seq) => Answer::stored(seq),
        Outcome::Duplicate => Answer::duplicate(),
        Outcome::OutOfOrder(last) => Answer::out_of_order(last),
        Outcome::Last(last) => Answer::last(last),
        Outcome::Synced => Answer::done(),
    }
}
