//! The folder on an FTP server, once signed in.

use std::time::Duration;

use jiff::Timestamp;
use suppaftp::tokio::AsyncRustlsFtpStream;
use suppaftp::{Encoding, FtpError, FtpResult, Mode, Status};
use tokio::io::AsyncReadExt;

use super::connect::{failure, words};
use super::encoding::Names;
use super::listing;
use crate::folder::{FileError, Listed, Look, Remote};
use crate::steps::Steps;
use crate::tls::Client;
use crate::{SourceError, limits};

/// How long to wait for a goodbye: nothing depends on it.
const QUIT: Duration = Duration::from_secs(1);

pub(super) struct FtpFolder {
    stream: AsyncRustlsFtpStream,
    steps: Steps,
    client: Option<Client>,
    has_mlsd: bool,
    may_change_mode: bool,
}

impl FtpFolder {
    pub(super) fn new(
        stream: AsyncRustlsFtpStream,
        steps: Steps,
        client: Option<Client>,
        has_mlsd: bool,
    ) -> FtpFolder {
        FtpFolder {
            stream,
            steps,
            client,
            has_mlsd,
            may_change_mode: true,
        }
    }

    /// Says goodbye, if the server listens.
    pub(super) async fn quit(mut self) {
        let _ = tokio::time::timeout(QUIT, self.stream.quit()).await;
    }

    fn failed(&self, error: FtpError) -> SourceError {
        failure(&self.steps, self.client.as_ref(), error)
    }

    /// A refused request is the file's own trouble; anything else is the connection's.
    fn file_failed(&self, error: FtpError) -> FileError {
        match error {
            FtpError::UnexpectedResponse(said)
                if said.status != Status::NotAvailable && !words(&said).starts_with("522") =>
            {
                FileError::This(words(&said))
            }
            other => FileError::Source(self.failed(other)),
        }
    }

    async fn data(&mut self, command: &str, at_most: u64) -> FtpResult<Vec<u8>> {
        let opened = [Status::AboutToSend, Status::AlreadyOpen];
        let (_, mut data) = self.stream.custom_data_command(command, &opened).await?;
        let mut bytes = Vec::new();
        (&mut data)
            .take(at_most)
            .read_to_end(&mut bytes)
            .await
            .map_err(FtpError::ConnectionError)?;
        data.finish().await?;
        Ok(bytes)
    }

    async fn listing(&mut self) -> Result<FtpResult<Vec<u8>>, SourceError> {
        let command = if self.has_mlsd { "MLSD" } else { "LIST" };
        let steps = self.steps.clone();
        let listing = self.data(command, limits::LISTING_BYTES + 1);
        steps.within(command, listing).await
    }
}

impl Remote for FtpFolder {
    async fn list(&mut self) -> Result<Vec<Listed>, SourceError> {
        let mut listed = self.listing().await?;
        if self.may_change_mode && matches!(&listed, Err(FtpError::UnexpectedResponse(_))) {
            // Some firewalls and servers do one of PASV and EPSV only.
            self.stream.set_mode(Mode::ExtendedPassive);
            listed = self.listing().await?;
        }
        self.may_change_mode = false;
        let bytes = listed.map_err(|error| self.failed(error))?;
        if bytes.len() as u64 > limits::LISTING_BYTES {
            return Err(SourceError::Protocol(format!(
                "the folder on {} lists more than {} bytes; move old files elsewhere",
                self.steps.host(),
                limits::LISTING_BYTES
            )));
        }
        Ok(listing::parse(&Names.decode(&bytes), self.has_mlsd))
    }

    async fn read(&mut self, name: &str, at_most: u64) -> Result<Vec<u8>, FileError> {
        let steps = self.steps.clone();
        let command = format!("RETR {name}");
        let reading = self.data(&command, at_most);
        let read = steps.within("RETR", reading).await?;
        read.map_err(|error| self.file_failed(error))
    }

    async fn look(&mut self, name: &str) -> Result<Option<Look>, FileError> {
        let steps = self.steps.clone();
        let asking = self.stream.size(name);
        let size_bytes = match steps.within("SIZE", asking).await? {
            Ok(size) => Some(size as u64),
            Err(FtpError::UnexpectedResponse(said)) if said.status == Status::FileUnavailable => {
                return Ok(None);
            }
            // A server without SIZE.
            Err(FtpError::UnexpectedResponse(_) | FtpError::BadResponse) => None,
            Err(other) => return Err(FileError::Source(self.failed(other))),
        };
        let asking = self.stream.mdtm(name);
        let modified = match steps.within("MDTM", asking).await? {
            Ok(time) => Timestamp::from_second(time.and_utc().timestamp()).ok(),
            Err(FtpError::UnexpectedResponse(_) | FtpError::BadResponse) => None,
            Err(other) => return Err(FileError::Source(self.failed(other))),
        };
        Ok(Some(Look {
            size_bytes,
            modified,
        }))
    }

    async fn remove(&mut self, name: &str) -> Result<(), FileError> {
        let steps = self.steps.clone();
        let removing = self.stream.rm(name);
        let removed = steps.within("DELE", removing).await?;
        removed.map_err(|error| self.file_failed(error))
    }

    async fn rename(&mut self, name: &str, to: &str) -> Result<(), FileError> {
        let steps = self.steps.clone();
        let renaming = self.stream.rename(name, to);
        let renamed = steps.within("RNTO", renaming).await?;
        renamed.map_err(|error| self.file_failed(error))
    }
}
