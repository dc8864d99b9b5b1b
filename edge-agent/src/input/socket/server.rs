//! The thread that serves the socket's clients. It never touches the disk, so that a client hears
//! in time even while the pipeline waits for a slow card.

use std::io;
use std::os::unix::net::UnixListener as StdListener;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Desk;
use super::connection::{serve, turn_away};
use crate::config::input::SocketFile;
use crate::input::listen::{self, Named};

/// Programs on one machine; each takes some memory.
const CONNECTIONS_MAX: usize = 32;
/// Beyond so many, clients are not even told.
const TURNED_AWAY_MAX: usize = 32;
/// The thread's stack; it calls nothing deep.
const STACK_BYTES: usize = 512 * 1024;
/// After an accept failed (no file descriptors left), the next one waits this long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// How long the ending agent waits for the last answers to be written.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// The running server; dropping it ends it.
#[derive(Debug)]
pub struct Server {
    desk: Arc<Desk>,
    closing: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
    _named: Named,
}

impl Server {
    /// Listens, and serves from now on.
    ///
    /// # Errors
    /// The socket or the thread cannot be made; the text says what to do.
    pub fn start(file: &SocketFile, desk: Arc<Desk>) -> io::Result<Server> {
        let (listener, named) = listen::stream(file)?;
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (closing, is_closing) = watch::channel(false);
        let served = desk.clone();
        let thread = thread::Builder::new()
            .name("socket".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                if let Err(error) = runtime.block_on(accept(listener, &served, is_closing)) {
                    tracing::error!(%error, "the socket is not served any more");
                }
            })?;
        Ok(Server {
            desk,
            closing,
            thread: Some(thread),
            _named: named,
        })
    }

    /// Reads nothing more from the clients; what they handed in is still answered.
    pub fn stop_reading(&self) {
        self.closing.send_replace(true);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop_reading();
        self.desk.inbox.close();
        let end = Instant::now() + LAST_ANSWERS;
        let Some(thread) = self.thread.take() else {
            return;
        };
        while !thread.is_finished() && Instant::now() < end {
            thread::sleep(Duration::from_millis(5));
        }
        if thread.is_finished() {
            // A panic was printed already.
            let _ = thread.join();
        }
    }
}

async fn accept(
    listener: StdListener,
    desk: &Arc<Desk>,
    mut closing: watch::Receiver<bool>,
) -> io::Result<()> {
    let listener = UnixListener::from_std(listener)?;
    let mut clients = JoinSet::new();
    let mut turned_away = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => break,
            Some(_) = clients.join_next() => continue,
            Some(_) = turned_away.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) if clients.len() < CONNECTIONS_MAX => {
                clients.spawn(serve(stream, desk.clone(), closing.clone()));
            }
            Ok((stream, _)) if turned_away.len() < TURNED_AWAY_MAX => {
                tracing::warn!(
                    "more than {CONNECTIONS_MAX} programs on the socket; one is refused"
                );
                turned_away.spawn(turn_away(stream));
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "a program cannot be let in");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    while clients.join_next().await.is_some() {}
    Ok(())
}
