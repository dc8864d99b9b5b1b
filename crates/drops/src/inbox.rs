//! What a source hands over, to whom, and what it says of a poll.

use std::future::Future;

use jiff::Timestamp;

use crate::limits;

/// Who takes what a source finds: the store, behind it.
///
/// Keys are a source's own names for a file in one version (its place, name, size and time; or a
/// mail's place, UIDVALIDITY and UID), at most a few hundred characters. The inbox remembers them
/// per source.
pub trait Inbox: Sync {
    /// For each key whether it was taken or passed over before.
    fn seen(&self, keys: &[String]) -> impl Future<Output = Result<Vec<bool>, Stop>> + Send;

    /// Takes a file: [`Kept::Yes`] means that it (or its quarantine) **and its key** are durable.
    /// Only then the source moves or deletes it.
    fn take(&self, found: Found) -> impl Future<Output = Result<Kept, Stop>> + Send;

    /// Why a file that had to wait ([`Stop::This`]) is to be left alone for now: it is not
    /// downloaded then. `None` when it is to be handed over again.
    fn held_back(&self, key: &str) -> Option<String>;

    /// Remembers keys of what is not for us, so that it is not looked at again.
    fn pass_over(&self, keys: &[String]) -> impl Future<Output = Result<(), Stop>> + Send;
}

/// What became of a file that was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// All that matters of it is durable, and so is its key.
    Yes,
    /// It is about something else, and nobody here has a copy: it stays where it is, whatever the
    /// after-action. A mailbox passes it over; files of a folder are all for us, and one that is
    /// answered with this is handed over again at the next poll.
    NotOurs,
}

/// The inbox cannot take what it was given; nothing is moved or deleted for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// It cannot take anything now: the poll ends.
    All(String),
    /// It cannot take this file now: the file stays at its source and is handed over again at a
    /// later poll (see [`Inbox::held_back`]); the others go on.
    This(String),
}

impl From<Stop> for crate::SourceError {
    fn from(stop: Stop) -> crate::SourceError {
        let (Stop::All(why) | Stop::This(why)) = stop;
        crate::SourceError::Stopped(why)
    }
}

/// A file found at a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Known again by this; see [`Inbox`].
    pub key: String,
    /// Its name there (a mail's subject), without folders and control characters.
    pub name: String,
    /// Its content.
    pub raw: Raw,
    /// When the source says that it got it (a file's time, a mail's internal date): a hint.
    pub at_source: Option<Timestamp>,
}

/// What a source has of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raw {
    /// The bytes as they were; see [`crate::unpack`].
    Bytes(Vec<u8>),
    /// It is larger than [`limits::FILE_BYTES`] and was not downloaded. It stays where it is,
    /// whatever the after-action, because nobody else has its bytes.
    TooLarge {
        /// Its size there.
        size_bytes: u64,
    },
}

/// What a poll did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Polled {
    /// Files in the folder that match the pattern, or mails that the search found.
    pub listed: u64,
    /// Handed over and committed.
    pub taken: u64,
    /// Of these: too large to download.
    pub too_large: u64,
    /// Known already.
    pub seen: u64,
    /// Still being written: the next poll looks again.
    pub still_written: u64,
    /// Mails that do not match or are about something else, links, folders, names that cannot be
    /// asked for.
    pub passed_over: u64,
    /// More waits than one poll takes, and this one got on with it: poll again soon.
    pub has_more: bool,
    /// What went wrong with single files; at most [`limits::TROUBLES_NAMED`].
    pub troubles: Vec<Trouble>,
    /// How many troubles there were altogether.
    pub trouble_count: u64,
    /// Up to where a mailbox was looked at; see [`crate::wait_for_new`].
    pub mark: Option<String>,
}

/// Something went wrong with one file; the others went on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The file's name.
    pub name: String,
    /// What happened and what to do.
    pub message: String,
}

impl Polled {
    /// A file that the inbox could not take stays where it is.
    pub(crate) fn waits_there(&mut self, name: &str, why: &str) {
        self.trouble(name, format!("it waits there: {why}"));
    }

    pub(crate) fn trouble(&mut self, name: &str, message: impl Into<String>) {
        self.trouble_count += 1;
        if self.troubles.len() < limits::TROUBLES_NAMED {
            self.troubles.push(Trouble {
                name: name.to_owned(),
                message: message.into(),
            });
        }
    }
}

/// What a test of the connection found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tested {
    /// One sentence for a person.
    pub message: String,
    /// Files or mails there that match.
    pub files: u64,
    /// Some of their names, newest first; at most [`limits::SAMPLE`].
    pub sample: Vec<String>,
}

/// How waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// Something is new: poll.
    New,
    /// Nothing came in that time.
    Nothing,
    /// This source or its server cannot wait; poll by the interval.
    CannotWait,
}
