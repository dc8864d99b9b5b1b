//! The folder on an SSH server, once signed in.

use jiff::Timestamp;
use russh::Disconnect;
use russh::client::Handle;
use russh_sftp::client::RawSftpSession;
use russh_sftp::client::error::Error;
use russh_sftp::protocol::{File, FileAttributes, OpenFlags, StatusCode};
use std::time::Duration;

use super::connect::KnownKey;
use crate::folder::{FileError, Listed, Look, Remote};
use crate::steps::Steps;
use crate::{SourceError, limits};

/// How much one request reads: what every server gives at once.
const PIECE: u32 = 32 * 1024;
/// What an entry of a listing weighs beside its name, about.
const ENTRY_BYTES: u64 = 80;
/// How long to wait for a goodbye: nothing depends on it.
const QUIT: Duration = Duration::from_secs(1);
/// The part of a mode that says what an entry is, and what a plain file has there.
const KIND: u32 = 0o170_000;
const PLAIN: u32 = 0o100_000;

pub(super) struct SftpFolder {
    handle: Handle<KnownKey>,
    session: RawSftpSession,
    steps: Steps,
    /// Absolute, without a slash at its end.
    folder: String,
}

impl SftpFolder {
    pub(super) fn new(
        handle: Handle<KnownKey>,
        session: RawSftpSession,
        steps: Steps,
        folder: String,
    ) -> SftpFolder {
        SftpFolder {
            handle,
            session,
            steps,
            folder,
        }
    }

    /// Says goodbye, if the server listens.
    pub(super) async fn quit(self) {
        let _ = self.session.close_session();
        let bye = self.handle.disconnect(Disconnect::ByApplication, "", "");
        let _ = tokio::time::timeout(QUIT, bye).await;
    }

    fn path(&self, name: &str) -> String {
        if name.starts_with('/') {
            name.to_owned()
        } else {
            format!("{}/{name}", self.folder)
        }
    }

    fn failed(&self, error: Error) -> SourceError {
        failure(&self.steps, error)
    }

    fn file_failed(&self, error: Error) -> FileError {
        match error {
            Error::Status(status) if is_of_file(status.status_code) => {
                FileError::This(words(&status.error_message, status.status_code))
            }
            other => FileError::Source(self.failed(other)),
        }
    }

    async fn read_folder(&self, handle: &str) -> Result<Vec<File>, Error> {
        let mut files = Vec::new();
        let mut bytes = 0;
        loop {
            match self.session.readdir(handle).await {
                Ok(name) => files.extend(name.files.into_iter().inspect(|file| {
                    bytes += file.filename.len() as u64 + ENTRY_BYTES;
                })),
                Err(Error::Status(status)) if status.status_code == StatusCode::Eof => break,
                Err(error) => return Err(error),
            }
            if bytes > limits::LISTING_BYTES {
                return Err(Error::Limited("the folder lists too much".to_owned()));
            }
        }
        Ok(files)
    }

    async fn read_file(&self, handle: &str, at_most: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < at_most {
            let want = (at_most - bytes.len() as u64).min(PIECE.into()) as u32;
            match self.session.read(handle, bytes.len() as u64, want).await {
                Ok(data) if data.data.is_empty() => break,
                Ok(data) => bytes.extend_from_slice(&data.data),
                Err(Error::Status(status)) if status.status_code == StatusCode::Eof => break,
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(at_most as usize);
        Ok(bytes)
    }
}

impl Remote for SftpFolder {
    async fn list(&mut self) -> Result<Vec<Listed>, SourceError> {
        let opening = self.session.opendir(self.folder.clone() + "/.");
        let opened = self.steps.within("OPENDIR", opening).await?;
        let opened = opened.map_err(|error| match error {
            Error::Status(status) if is_of_file(status.status_code) => {
                SourceError::NoFolder(format!(
                    "the folder {} on {} cannot be read ({}); check its name and the account's \
                     rights",
                    self.folder,
                    self.steps.host(),
                    words(&status.error_message, status.status_code)
                ))
            }
            other => self.failed(other),
        })?;
        let reading = self.read_folder(&opened.handle);
        let read = self.steps.within("READDIR", reading).await?;
        let closing = self.session.close(opened.handle.as_str());
        let _ = self.steps.within("CLOSE", closing).await?;
        let files = read.map_err(|error| self.failed(error))?;
        Ok(files.into_iter().map(listed).collect())
    }

    async fn read(&mut self, name: &str, at_most: u64) -> Result<Vec<u8>, FileError> {
        let path = self.path(name);
        let opening = self
            .session
            .open(path, OpenFlags::READ, FileAttributes::empty());
        let opened = self.steps.within("OPEN", opening).await?;
        let handle = opened.map_err(|error| self.file_failed(error))?.handle;
        let reading = self.read_file(&handle, at_most);
        let read = self.steps.within("READ", reading).await?;
        let closing = self.session.close(handle.as_str());
        let _ = self.steps.within("CLOSE", closing).await?;
        read.map_err(|error| self.file_failed(error))
    }

    async fn look(&mut self, name: &str) -> Result<Option<Look>, FileError> {
        let asking = self.session.lstat(self.path(name));
        match self.steps.within("LSTAT", asking).await? {
            Ok(found) => Ok(Some(Look {
                size_bytes: found.attrs.size,
                modified: time(&found.attrs),
            })),
            Err(Error::Status(status)) if status.status_code == StatusCode::NoSuchFile => Ok(None),
            Err(error) => Err(self.file_failed(error)),
        }
    }

    async fn remove(&mut self, name: &str) -> Result<(), FileError> {
        let removing = self.session.remove(self.path(name));
        let removed = self.steps.within("REMOVE", removing).await?;
        removed.map(drop).map_err(|error| self.file_failed(error))
    }

    async fn rename(&mut self, name: &str, to: &str) -> Result<(), FileError> {
        let renaming = self.session.rename(self.path(name), self.path(to));
        let renamed = self.steps.within("RENAME", renaming).await?;
        renamed.map(drop).map_err(|error| self.file_failed(error))
    }
}

fn listed(file: File) -> Listed {
    let modified = time(&file.attrs);
    // Servers that give no mode write the kind in front of the long form, as `ls -l` does.
    let is_plain = match file.attrs.permissions {
        Some(mode) => mode & KIND == PLAIN,
        None => file.longname.starts_with('-'),
    };
    Listed {
        // A name that is no UTF-8 came with replacements, and cannot be asked for.
        is_file: is_plain && !file.filename.contains(char::REPLACEMENT_CHARACTER),
        size_bytes: file.attrs.size.unwrap_or(0),
        stamp: modified.map_or(0, Timestamp::as_second).to_string(),
        is_exact: true,
        modified,
        name: file.filename,
    }
}

fn time(attributes: &FileAttributes) -> Option<Timestamp> {
    Timestamp::from_second(attributes.mtime?.into()).ok()
}

/// Whether a status is about the file asked for rather than about the connection.
fn is_of_file(code: StatusCode) -> bool {
    !matches!(
        code,
        StatusCode::NoConnection | StatusCode::ConnectionLost | StatusCode::BadMessage
    )
}

fn words(message: &str, code: StatusCode) -> String {
    const MOST: usize = 200;
    if message.is_empty() {
        return code.to_string();
    }
    message
        .chars()
        .filter(|c| !c.is_control())
        .take(MOST)
        .collect()
}

/// What a failure of the session means.
pub(super) fn failure(steps: &Steps, error: Error) -> SourceError {
    let host = steps.host();
    match error {
        Error::Limited(_) => SourceError::Protocol(format!(
            "the folder on {host} lists more than {} bytes; move old files elsewhere",
            limits::LISTING_BYTES
        )),
        Error::IO(_) | Error::Timeout | Error::UnexpectedBehavior(_) => {
            SourceError::Unreachable(format!("the connection to {host} broke off"))
        }
        other => SourceError::Protocol(format!("{host} refused a request: {other}")),
    }
}
