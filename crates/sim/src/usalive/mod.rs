//! A simulated USALive: takes the files that the reader has uploaded and forwards each the ways it
//! is told to, badly when asked. Live-only as the real one: what a way does not take is not sent
//! again. What is really done with a file there is known only in part; no part of the product.

pub mod command;
mod dress;
mod events;
mod fate;
mod mail;
mod ways;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use tokio::time::Instant;

pub use dress::Dress;
pub use events::{Event, Total, print};
pub use fate::Fates;
pub use mail::{MailForm, MailLook};
pub use ways::{Way, WaySettings};

use dress::Parcel;

/// How often the folder of uploads is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Deliveries at the same time: one way that hangs must not hold up the others, and a small server
/// takes only a few connections.
const MOST_UNDER_WAY: usize = 8;

/// What to forward, how, and how badly.
pub struct Options {
    /// The folder of finished uploads, one file each.
    pub uploads: PathBuf,
    /// Where each goes afterwards, lost or not; they are removed when absent.
    pub keep: Option<PathBuf>,
    /// Where to.
    pub ways: Vec<Way>,
    /// What becomes of each.
    pub fates: Fates,
    /// What is done to a file on the way.
    pub dress: Vec<Dress>,
}

/// Takes each event as it happens.
pub type Say = Box<dyn FnMut(&Event<'_>) -> Result<()> + Send>;

/// Forwards until `stop`, then what has not been sent yet, and gives back what it did.
///
/// # Errors
/// The folder cannot be read, a file in it not be moved or removed, or an event not be said.
pub async fn run(options: Options, stop: impl Future<Output = ()>, say: Say) -> Result<Total> {
    if let Some(keep) = &options.keep {
        fs::create_dir_all(keep).with_context(|| format!("cannot make {}", keep.display()))?;
    }
    let mut desk = Desk::new(options, say);
    for way in desk.ways.clone() {
        if let Some(outcome) = way.test().await {
            (desk.say)(&Event::tested(way.name(), outcome))?;
        }
    }
    let mut stop = pin!(stop);
    loop {
        desk.take_in()?;
        desk.send(Instant::now());
        tokio::select! {
            () = &mut stop => break,
            Some(sent) = desk.under_way.join_next() => desk.settle(sent?)?,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
    desk.take_in()?;
    let last = desk.last_due();
    desk.send(last);
    while let Some(sent) = desk.under_way.join_next().await {
        desk.settle(sent?)?;
        desk.send(last);
    }
    (desk.say)(&Event::Total(desk.total))?;
    Ok(desk.total)
}

struct Desk {
    options: Options,
    say: Say,
    ways: Vec<Arc<Way>>,
    /// Uploads that are not settled, by name; their files are still there.
    uploads: HashMap<String, Upload>,
    /// Copies to send, by the time they are due and a number that keeps equal times apart.
    waiting: BTreeMap<(Instant, u64), Copy>,
    under_way: JoinSet<Sent>,
    numbered: u64,
    total: Total,
}

struct Upload {
    bytes: Arc<[u8]>,
    copies_left: usize,
    arrived: u64,
}

struct Copy {
    name: String,
    way: Arc<Way>,
    is_again: bool,
}

struct Sent {
    copy: Copy,
    called: String,
    outcome: Result<()>,
}

impl Desk {
    fn new(mut options: Options, say: Say) -> Desk {
        Desk {
            ways: options.ways.drain(..).map(Arc::new).collect(),
            options,
            say,
            uploads: HashMap::new(),
            waiting: BTreeMap::new(),
            under_way: JoinSet::new(),
            numbered: 0,
            total: Total::default(),
        }
    }

    /// Decides over every file that is new.
    fn take_in(&mut self) -> Result<()> {
        for name in names_in(&self.options.uploads)? {
            if self.uploads.contains_key(&name) {
                continue;
            }
            let bytes = fs::read(self.options.uploads.join(&name))
                .with_context(|| format!("cannot read the upload {name}"))?;
            self.take(name, bytes)?;
        }
        Ok(())
    }

    fn take(&mut self, name: String, bytes: Vec<u8>) -> Result<()> {
        self.total.uploaded += 1;
        (self.say)(&Event::Uploaded {
            name: &name,
            size_bytes: bytes.len(),
        })?;
        let copies = self.options.fates.of(self.total.uploaded, self.ways.len());
        if copies.is_empty() {
            self.total.lost += 1;
            (self.say)(&Event::Lost { name: &name })?;
            return self.forget(&name);
        }
        let upload = Upload {
            bytes: bytes.into(),
            copies_left: copies.len(),
            arrived: 0,
        };
        let now = Instant::now();
        for copy in copies {
            self.numbered += 1;
            let at = (now + copy.after, self.numbered);
            let copy = Copy {
                name: name.clone(),
                way: self.ways[copy.way].clone(),
                is_again: copy.is_again,
            };
            self.waiting.insert(at, copy);
        }
        self.uploads.insert(name, upload);
        Ok(())
    }

    fn last_due(&self) -> Instant {
        let last = self.waiting.last_key_value();
        last.map_or_else(Instant::now, |((due, _), _)| *due)
    }

    /// Starts sending what is due at `now`.
    fn send(&mut self, now: Instant) {
        while self.under_way.len() < MOST_UNDER_WAY {
            let Some(first) = self.waiting.first_entry() else {
                return;
            };
            if first.key().0 > now {
                return;
            }
            let copy = first.remove();
            let bytes = &self.uploads[&copy.name].bytes;
            let parcel = Parcel::wrap(&copy.name, bytes, &self.options.dress);
            let called = copy.way.call(&parcel.name, copy.is_again);
            self.under_way.spawn(async move {
                let outcome = copy.way.deliver(&called, &parcel).await;
                Sent {
                    copy,
                    called,
                    outcome,
                }
            });
        }
    }

    fn settle(&mut self, sent: Sent) -> Result<()> {
        let Sent {
            copy,
            called,
            outcome,
        } = sent;
        let way = copy.way.name();
        let upload = self
            .uploads
            .get_mut(&copy.name)
            .context("only what was taken in is sent")?;
        upload.copies_left -= 1;
        match outcome {
            Ok(()) => {
                upload.arrived += 1;
                self.total.copies += 1;
                (self.say)(&Event::Delivered {
                    name: &copy.name,
                    way,
                    called: &called,
                    again: copy.is_again,
                })?;
            }
            Err(error) => (self.say)(&Event::Failed {
                name: &copy.name,
                way,
                reason: format!("{error:#}"),
            })?,
        }
        if upload.copies_left > 0 {
            return Ok(());
        }
        match upload.arrived {
            0 => self.total.failed += 1,
            1 => self.total.delivered += 1,
            _ => {
                self.total.delivered += 1;
                self.total.doubled += 1;
            }
        }
        self.forget(&copy.name)
    }

    /// Only now does the file go: whoever kills us before loses nothing.
    fn forget(&mut self, name: &str) -> Result<()> {
        self.uploads.remove(name);
        let file = self.options.uploads.join(name);
        match &self.options.keep {
            Some(keep) => fs::rename(file, keep.join(name))
                .with_context(|| format!("cannot keep the upload {name} in {}", keep.display())),
            None => {
                fs::remove_file(file).with_context(|| format!("cannot remove the upload {name}"))
            }
        }
    }
}

/// Finished uploads, oldest first; a name that starts with a dot is still being written.
fn names_in(folder: &Path) -> Result<Vec<String>> {
    let read = || format!("cannot read the folder of uploads {}", folder.display());
    let mut found = Vec::new();
    for file in fs::read_dir(folder).with_context(read)? {
        let file = file.with_context(read)?;
        let Ok(name) = file.file_name().into_string() else {
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        // Whoever writes here may rename or take a file between the listing and this look.
        let about = match file.metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            about => about.with_context(read)?,
        };
        if about.is_file() {
            found.push((about.modified().ok(), name));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, name)| name).collect())
}

#[cfg(test)]
mod tests;
