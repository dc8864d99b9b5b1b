//! An inbox that keeps what it gets, and a folder server of either kind with its configuration.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Mutex;

use drops::{Found, Inbox, Kept as Answer, Polled, Raw, SourceConfig, SourceError, Stop};
use serde_json::{Value, json};
use tests::services::{FtpTls, PASSWORD, Sshd, USER, Vsftpd, VsftpdSetup};

/// What was handed over, in order. Stands where the store stands in the product.
#[derive(Default)]
pub struct Kept {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    keys: HashSet<String>,
    found: Vec<Found>,
    takes_left: Option<usize>,
    holds: Vec<String>,
    held: HashSet<String>,
    left_alone: bool,
    not_ours: Vec<String>,
}

impl Kept {
    /// Says stop after so many files.
    pub fn stop_after(&self, count: Option<usize>) {
        self.inner.lock().unwrap().takes_left = count;
    }

    /// Files of these names have to wait.
    pub fn hold(&self, names: &[&str]) {
        self.inner.lock().unwrap().holds = names.iter().map(|name| (*name).to_owned()).collect();
    }

    /// Files that have had to wait are left alone from here on, or no longer.
    pub fn leave_alone(&self, left_alone: bool) {
        self.inner.lock().unwrap().left_alone = left_alone;
    }

    /// Files of these names are about something else.
    pub fn not_ours(&self, names: &[&str]) {
        self.inner.lock().unwrap().not_ours = names.iter().map(|name| (*name).to_owned()).collect();
    }

    /// What came since the last time this was asked.
    pub fn drain(&self) -> Vec<Found> {
        std::mem::take(&mut self.inner.lock().unwrap().found)
    }

    /// Names of what came since the last time, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.drain().into_iter().map(|found| found.name).collect();
        names.sort();
        names
    }

    /// How many keys are remembered.
    pub fn keys(&self) -> usize {
        self.inner.lock().unwrap().keys.len()
    }
}

impl Inbox for Kept {
    async fn seen(&self, keys: &[String]) -> Result<Vec<bool>, Stop> {
        let inner = self.inner.lock().unwrap();
        Ok(keys.iter().map(|key| inner.keys.contains(key)).collect())
    }

    async fn take(&self, found: Found) -> Result<Answer, Stop> {
        let mut inner = self.inner.lock().unwrap();
        if inner.holds.contains(&found.name) {
            inner.held.insert(found.key);
            return Err(Stop::This("the quarantine is full".into()));
        }
        if inner.not_ours.contains(&found.name) {
            return Ok(Answer::NotOurs);
        }
        match &mut inner.takes_left {
            Some(0) => return Err(Stop::All("the disk is full".into())),
            Some(left) => *left -= 1,
            None => {}
        }
        assert!(inner.keys.insert(found.key.clone()), "{} twice", found.key);
        inner.found.push(found);
        Ok(Answer::Yes)
    }

    fn held_back(&self, key: &str) -> Option<String> {
        let inner = self.inner.lock().unwrap();
        let is_left_alone = inner.left_alone && inner.held.contains(key);
        is_left_alone.then(|| "left alone for now".to_owned())
    }

    async fn pass_over(&self, keys: &[String]) -> Result<(), Stop> {
        self.inner.lock().unwrap().keys.extend(keys.iter().cloned());
        Ok(())
    }
}

/// The bytes of a file that was not too large.
pub fn bytes(found: &Found) -> &[u8] {
    match &found.raw {
        Raw::Bytes(bytes) => bytes,
        Raw::TooLarge { size_bytes } => panic!("{} is too large: {size_bytes}", found.name),
    }
}

/// A server with a folder.
pub enum Server {
    Ftp(Vsftpd),
    Sftp(Sshd),
}

impl Server {
    /// An FTP server in clear, with more lines of its configuration.
    pub fn ftp_with(more: &[&str]) -> Server {
        Server::Ftp(Vsftpd::start(&VsftpdSetup {
            more: more.iter().map(|line| (*line).to_owned()).collect(),
            ..VsftpdSetup::default()
        }))
    }

    pub fn ftp(tls: FtpTls, require_ssl_reuse: bool) -> Server {
        Server::Ftp(Vsftpd::start(&VsftpdSetup {
            tls,
            require_ssl_reuse,
            more: Vec::new(),
        }))
    }

    /// One of each.
    pub fn both() -> [Server; 2] {
        [
            Server::ftp(FtpTls::None, false),
            Server::Sftp(Sshd::start()),
        ]
    }

    /// A configuration that works, changed by `more`.
    pub fn config(&self, more: Value) -> SourceConfig {
        let mut config = match self {
            Server::Ftp(ftp) => json!({"kind": "ftp", "port": ftp.port, "tls": "none"}),
            Server::Sftp(ssh) => {
                json!({"kind": "sftp", "port": ssh.port, "host_key": ssh.host_key})
            }
        };
        let common = json!({"host": "127.0.0.1", "user": USER, "password": PASSWORD});
        for (key, value) in entries(common).chain(entries(more)) {
            config[key] = value;
        }
        serde_json::from_value(config).expect("a configuration")
    }

    pub fn put(&self, name: &str, bytes: &[u8]) {
        match self {
            Server::Ftp(ftp) => ftp.put(name, bytes),
            Server::Sftp(ssh) => ssh.put(name, bytes),
        }
    }

    pub fn make_folder(&self, name: &str) {
        match self {
            Server::Ftp(ftp) => ftp.make_folder(name),
            Server::Sftp(ssh) => ssh.make_folder(name),
        }
    }

    pub fn folder(&self) -> PathBuf {
        match self {
            Server::Ftp(ftp) => ftp.folder(),
            Server::Sftp(ssh) => ssh.folder(),
        }
    }

    pub fn log(&self) -> String {
        match self {
            Server::Ftp(ftp) => ftp.log(),
            Server::Sftp(ssh) => ssh.log(),
        }
    }

    pub fn hang(&self, hangs: bool) {
        match self {
            Server::Ftp(ftp) => ftp.hang(hangs),
            Server::Sftp(ssh) => ssh.hang(hangs),
        }
    }

    /// Names in a folder there, sorted.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let path = self.folder().join(folder);
        let entries = std::fs::read_dir(path).expect("a folder");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    pub async fn poll(&self, kept: &Kept, more: Value) -> Result<Polled, SourceError> {
        drops::poll(&self.config(more), kept).await
    }
}

fn entries(value: Value) -> impl Iterator<Item = (String, Value)> {
    let Value::Object(map) = value else {
        panic!("an object")
    };
    map.into_iter()
}
