//! A server with a user, a password and a folder, read from a URL.

use anyhow::{Context, Result};
use reqwest::Url;

/// Where and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: String,
    /// Relative to where the user lands, or absolute when two slashes stood after the host; empty
    /// when none is named.
    pub folder: String,
}

impl Place {
    /// # Errors
    /// The URL names no host.
    pub(super) fn of(url: &Url) -> Result<Place> {
        let usual = match url.scheme() {
            "sftp" => 22,
            "imap" => 143,
            "imaps" => 993,
            _ => 21,
        };
        let folder = decoded(url.path());
        Ok(Place {
            host: url.host_str().context("the URL names no host")?.to_owned(),
            port: url.port().unwrap_or(usual),
            user: decoded(url.username()),
            password: decoded(url.password().unwrap_or_default()),
            folder: folder.strip_prefix('/').unwrap_or(&folder).to_owned(),
        })
    }

    pub(super) fn address(&self) -> (&str, u16) {
        (&self.host, self.port)
    }
}

/// Text with its `%XX` resolved.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).filter(|_| *first == b'%');
        let spelled = hex
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(spelled.unwrap_or(*first));
        rest = if spelled.is_some() {
            &after[2..]
        } else {
            after
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_place() {
        let url = Url::parse("ftp://drops:p%40ss@[::1]:2121//srv/in%20box").expect("a URL");
        let place = Place::of(&url).expect("a place");
        assert_eq!((place.port, place.password.as_str()), (2121, "p@ss"));
        assert_eq!(place.folder, "/srv/in box");
        let bare = Url::parse("imap://me@127.0.0.1").expect("a URL");
        let place = Place::of(&bare).expect("a place");
        assert_eq!((place.port, place.folder.as_str()), (143, ""));
    }
}
