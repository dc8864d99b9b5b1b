//! Sources of drops as an operator sets them up: added by the API, asked now, looked at.

use serde_json::{Value, json};

use crate::api::encoded;
use crate::services::{Dovecot, FtpTls, PASSWORD, Sshd, USER, Vsftpd};
use crate::{Api, wait};

/// The user that USALive's HTTP transport signs in with.
pub const HTTP_USER: &str = "usalive";
/// Its password.
pub const HTTP_PASSWORD: &str = "forwarded, quietly";
/// A poll that ends at all has ended by then; a server that hangs is given up before.
const POLLED_WITHIN: std::time::Duration = wait::seconds(60);

/// A source at the server.
pub struct Source<'a> {
    /// Its id.
    pub id: String,
    api: &'a Api,
}

impl Source<'_> {
    /// Adds one.
    ///
    /// # Panics
    /// The server does not take it.
    pub fn add<'a>(api: &'a Api, name: &str, config: &Value) -> Source<'a> {
        let mut config = config.clone();
        let kind = config["kind"].take();
        config.as_object_mut().expect("an object").remove("kind");
        let body = json!({"name": name, "kind": kind, "enabled": true, "config": config});
        let answer = api.post("/api/sources", body.to_string());
        assert!(
            (200..300).contains(&answer.status),
            "the source {name} is taken: {} {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        );
        let id = answer.json()["id"].as_str().expect("an id").to_owned();
        Source { id, api }
    }

    /// What the list says of it.
    ///
    /// # Panics
    /// It is not in the list.
    pub fn status(&self) -> Value {
        let list = self.api.get("/api/sources").json();
        let sources = list["sources"].as_array().expect("sources");
        let own = sources
            .iter()
            .find(|source| source["id"] == self.id.as_str());
        own.unwrap_or_else(|| panic!("{} is listed", self.id))["status"].clone()
    }

    /// Has it asked now, waits for the end of that, and gives back its status.
    ///
    /// # Panics
    /// The poll does not end.
    pub fn poll(&self) -> Value {
        let before = self.status()["last_poll_at"].clone();
        let path = format!("/api/sources/{}/poll", self.id);
        let answer = self.api.post(&path, "");
        assert!(
            (200..300).contains(&answer.status),
            "{} {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        );
        wait::until("the poll to end", POLLED_WITHIN, || {
            Some(self.status()).filter(|status| status["last_poll_at"] != before)
        })
    }
}

/// The configuration of a folder on this FTP server.
pub fn ftp(server: &Vsftpd, tls: FtpTls) -> Value {
    let tls = match tls {
        FtpTls::None => "none",
        FtpTls::Explicit => "explicit",
        FtpTls::Implicit => "implicit",
    };
    json!({
        "kind": "ftp", "host": "127.0.0.1", "port": server.port, "tls": tls,
        "tls_max_12": true, "ca_pem": server.identity.ca_pem, "user": USER,
        "password": PASSWORD, "after": "delete", "interval_s": 10,
    })
}

/// The configuration of a folder on this SSH server.
pub fn sftp(server: &Sshd) -> Value {
    json!({
        "kind": "sftp", "host": "127.0.0.1", "port": server.port, "host_key": server.host_key,
        "user": USER, "password": PASSWORD, "after": "delete", "interval_s": 10,
    })
}

/// The configuration of this mailbox, over TLS.
pub fn imap(server: &Dovecot) -> Value {
    json!({
        "kind": "imap", "host": "127.0.0.1", "port": server.tls_port, "tls": "implicit",
        "ca_pem": server.identity.ca_pem, "user": USER, "password": PASSWORD,
        "after": "keep", "interval_s": 10,
    })
}

/// The configuration of USALive's HTTP transport.
pub fn http() -> Value {
    json!({"kind": "http", "user": HTTP_USER, "password": HTTP_PASSWORD})
}

/// User, password, host and port as they stand in a URL for `vendlog-sim usalive`.
pub fn url(scheme: &str, port: u16) -> String {
    format!("{scheme}://{USER}:{}@127.0.0.1:{port}", encoded(PASSWORD))
}

/// The URL of the server's HTTP transport, with user and password.
pub fn http_url(server_url: &str) -> String {
    let address = server_url.trim_start_matches("https://");
    let password = encoded(HTTP_PASSWORD);
    format!("https://{HTTP_USER}:{password}@{address}/api/drops")
}
