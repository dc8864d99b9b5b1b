//! A file that appears whole or not at all. The writing happens on a thread of its own, because a
//! network drive may take its time.

use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use axum::body::Bytes;
use tempfile::{Builder, NamedTempFile};
use tokio::sync::{mpsc, oneshot};

use crate::system;

/// Pieces on their way to the disk; the router waits when the disk is slower.
const QUEUE: usize = 8;

enum Part {
    Piece(Bytes),
    End,
}

/// A file in the making. Dropped before [`Writer::finish`], it leaves nothing behind.
pub struct Writer {
    /// None once nothing more is to be written.
    parts: Option<mpsc::Sender<Part>>,
    /// How the writing ended.
    ended: oneshot::Receiver<Result<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Makes the temporary file in the target's own folder, so that renaming cannot fail halfway.
    pub async fn beside(target: &Path) -> Result<Self> {
        let (parts, queue) = mpsc::channel(QUEUE);
        let (made, is_made) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let target = target.to_owned();
        let thread = thread::Builder::new()
            .name("export".to_owned())
            .spawn(move || {
                let file = match temporary(&target) {
                    Ok(file) => file,
                    Err(error) => return drop(made.send(Err(error))),
                };
                // Whoever waited may be gone: the queue is closed then, and the file goes below.
                let _ = made.send(Ok(()));
                let _ = end.send(write_all(file, &target, queue));
            })?;
        let writer = Self {
            parts: Some(parts),
            ended,
            thread: Some(thread),
        };
        is_made.await.unwrap_or_else(|_| Err(stopped()))?;
        Ok(writer)
    }

    /// Hands over the next piece.
    pub async fn write(&mut self, piece: Bytes) -> Result<()> {
        self.send(Part::Piece(piece)).await
    }

    /// Makes it durable and gives it its name.
    pub async fn finish(mut self) -> Result<()> {
        self.send(Part::End).await?;
        (&mut self.ended).await.unwrap_or_else(|_| Err(stopped()))
    }

    async fn send(&mut self, part: Part) -> Result<()> {
        let sent = match &self.parts {
            Some(parts) => parts.send(part).await.is_ok(),
            None => false,
        };
        if sent {
            return Ok(());
        }
        // It ended before it was told to, so it says why.
        self.parts = None;
        match (&mut self.ended).await {
            Ok(Err(error)) => Err(error),
            Ok(Ok(())) | Err(_) => Err(stopped()),
        }
    }
}

impl Drop for Writer {
    /// Waits for the thread, so that an export that is over has left no temporary file.
    fn drop(&mut self) {
        self.parts = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn temporary(target: &Path) -> Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(".vendlog-export-");
    system::as_a_persons_file(&mut builder);
    builder.tempfile_in(folder_of(target))
}

/// Writes until the end is said; a queue that closes before is a cancelled export, and the
/// temporary file goes with its handle.
fn write_all(
    mut file: NamedTempFile,
    target: &Path,
    mut queue: mpsc::Receiver<Part>,
) -> Result<()> {
    while let Some(part) = queue.blocking_recv() {
        match part {
            Part::Piece(piece) => file.write_all(&piece)?,
            Part::End => {
                file.as_file().sync_all()?;
                file.persist(target).map_err(|error| error.error)?;
                return system::sync_folder(&folder_of(target));
            }
        }
    }
    Ok(())
}

fn stopped() -> Error {
    Error::new(ErrorKind::BrokenPipe, "the writing thread ended early")
}

fn folder_of(target: &Path) -> PathBuf {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}
