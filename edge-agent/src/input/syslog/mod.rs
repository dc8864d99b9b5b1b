//! Syslog as Python's `SysLogHandler` and libc send it, over a Unix datagram socket or loopback UDP.
//!
//! Nothing is acknowledged here, and a sender must never be held up for long: a program that logs
//! faster than entries are spooled is slowed down (the kernel blocks it when the Unix socket's queue
//! is full), but when nothing moves for [`PATIENCE`], because the spool or the disk is full, what
//! comes is counted and given up, and a gap record says how much. UDP that the kernel had no room for
//! is counted the same way. A program that must not lose anything uses the agent's own socket.

pub mod datagrams;
pub mod message;
mod queue;

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use wire::Micros;

use crate::config::input::Syslog;
use crate::input::{InputEvent, Next};
use crate::pipeline::Waker;
use datagrams::Sockets;
use message::Reader;
use queue::Queue;

/// How long a sender is held up at most before what it sends is given up.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// So many records are taken in one step, so that other inputs have their turn.
const TAKE_MAX: usize = 512;
/// The thread's stack; it calls nothing deep.
const STACK_BYTES: usize = 512 * 1024;

/// The input behind the sockets.
#[derive(Debug)]
pub struct SyslogInput {
    config: Syslog,
    queue: Arc<Queue>,
    clock: fn() -> Micros,
    receiver: Option<Receiver>,
    is_stopped: bool,
}

/// The receiving thread; dropping it ends it.
#[derive(Debug)]
struct Receiver {
    queue: Arc<Queue>,
    stop: datagrams::Stop,
    thread: Option<JoinHandle<()>>,
}

impl SyslogInput {
    /// Listens from its first step on; `clock` gives the time at which a message came.
    pub fn new(config: Syslog, waker: Waker, clock: fn() -> Micros) -> SyslogInput {
        SyslogInput {
            config,
            queue: Arc::new(Queue::new(waker)),
            clock,
            receiver: None,
            is_stopped: false,
        }
    }

    /// Takes what has come.
    ///
    /// # Errors
    /// A socket cannot be made; the next step tries again.
    pub fn step(&mut self, events: &mut Vec<InputEvent>) -> io::Result<Next> {
        if self.receiver.is_none() && !self.is_stopped {
            self.receiver = Some(self.start()?);
        }
        match self.queue.take_out(TAKE_MAX, events) {
            true => Ok(Next::Now),
            false => Ok(Next::OnChange),
        }
    }

    fn start(&self) -> io::Result<Receiver> {
        let (mut sockets, stop) = Sockets::open(&self.config)?;
        let (queue, clock) = (self.queue.clone(), self.clock);
        let reader = Reader::new(self.config.reading.clone());
        let thread = thread::Builder::new()
            .name("syslog".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                let received = sockets.receive(
                    |bytes| reader.read(bytes, clock(), &mut |record| queue.put(record)),
                    |count| queue.missed("udp_overflow", count),
                );
                if let Err(error) = received {
                    tracing::error!(%error, "syslog is not received any more");
                }
            })?;
        Ok(Receiver {
            queue: self.queue.clone(),
            stop,
            thread: Some(thread),
        })
    }

    /// Receives nothing more; what has come is still taken.
    pub fn stop_reading(&mut self) {
        self.is_stopped = true;
        self.receiver = None;
    }

    /// Bytes of messages that wait.
    pub fn lag_bytes(&self) -> u64 {
        self.queue.bytes()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.stop();
        // It may be waiting for room.
        self.queue.close();
        if let Some(thread) = self.thread.take() {
            // A panic was printed already.
            let _ = thread.join();
        }
    }
}
