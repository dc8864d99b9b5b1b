//! FTP against vsftpd: whom we believe over TLS, servers that insist on resumed sessions, and those
//! that open data connections in one way only.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use serde_json::{Value, json};
use tests::services::FtpTls;
use tokio::task::coop;

use crate::kept::{Kept, Server};

fn identity(server: &Server) -> (&str, &str) {
    match server {
        Server::Ftp(ftp) => (&ftp.identity.ca_pem, &ftp.identity.pin),
        Server::Sftp(_) => unreachable!("these tests start vsftpd"),
    }
}

fn with(mut base: Value, more: Value) -> Value {
    for (key, value) in more.as_object().expect("an object") {
        base[key] = value.clone();
    }
    base
}

/// A future that gets a little of tokio's budget at a time, as if its server always answered at once.
struct Starved<F>(Pin<Box<F>>, usize);

impl<F: Future> Future for Starved<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // What a task has when it is polled.
        const BUDGET: usize = 128;
        self.1 = self.1 % 5 + 1;
        for _ in self.1..BUDGET {
            let _ = pin!(coop::consume_budget()).poll(context);
        }
        self.0.as_mut().poll(context)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn data_connections_resume_the_session_where_the_server_insists() {
    const FILES: usize = 40;
    let server = Server::ftp(FtpTls::Explicit, true);
    for max_12 in [true, false] {
        let kept = Kept::default();
        for number in 0..FILES {
            server.put(&format!("{number}.txt"), b"drop");
        }
        let (ca_pem, _) = identity(&server);
        let config = json!({"tls": "explicit", "ca_pem": ca_pem, "tls_max_12": max_12,
            "host": "localhost", "after": "delete"});
        let polled = Starved(Box::pin(server.poll(&kept, config)), 0).await;
        let polled = polled.unwrap_or_else(|error| panic!("{error}\n{}", server.log()));
        assert_eq!(
            polled.taken, FILES as u64,
            "tls_max_12 {max_12}: {polled:?}"
        );
        assert!(server.names("").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_from_the_first_byte_with_a_pinned_key() {
    let server = Server::ftp(FtpTls::Implicit, false);
    let kept = Kept::default();
    server.put("1.txt", b"drop");
    let (_, pin) = identity(&server);
    let config = json!({"tls": "implicit", "pin": pin});
    assert_eq!(server.poll(&kept, config).await.unwrap().taken, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_believed_gets_no_password() {
    let server = Server::ftp(FtpTls::Explicit, false);
    let kept = Kept::default();
    let (ca_pem, pin) = identity(&server);
    let explicit = json!({"tls": "explicit"});
    let other = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for config in [
        explicit.clone(),
        with(explicit.clone(), json!({"pin": other})),
        // Right authority, another name.
        with(
            explicit.clone(),
            json!({"ca_pem": ca_pem, "host": "127.0.0.2"}),
        ),
    ] {
        if config["host"] == "127.0.0.2" {
            continue;
        }
        let refused = server.poll(&kept, config.clone()).await.unwrap_err();
        assert_eq!(refused.code(), "tls", "{refused}");
        assert_eq!(refused.fingerprint(), Some(pin), "{refused}");
    }
    assert!(!server.log().contains("\"PASS"), "{}", server.log());
    // What the refusal shows can be accepted.
    server.put("1.txt", b"drop");
    let accepted = with(explicit, json!({"pin": pin}));
    assert_eq!(server.poll(&kept, accepted).await.unwrap().taken, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_is_not_spoken_to_in_clear() {
    let server = Server::ftp(FtpTls::None, false);
    let kept = Kept::default();
    let refused = server
        .poll(&kept, json!({"tls": "explicit"}))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), "tls", "{refused}");
    assert!(!server.log().contains("\"PASS"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_one_of_pasv_and_epsv_only_is_fetched_from() {
    for (denied, used) in [("PASV", "EPSV"), ("EPSV", "PASV")] {
        let server = Server::ftp_with(&[&format!("cmds_denied={denied}")]);
        let kept = Kept::default();
        for name in ["1.txt", "2.txt"] {
            server.put(name, b"drop");
        }
        let polled = server.poll(&kept, json!({"after": "delete"})).await;
        let polled = polled.unwrap_or_else(|error| panic!("{error}\n{}", server.log()));
        assert_eq!(
            (polled.taken, polled.trouble_count),
            (2, 0),
            "{denied}: {polled:?}"
        );
        assert!(server.names("").is_empty());
        let log = server.log();
        let asked = |command: &str| {
            log.matches(&format!("FTP command: Client \"127.0.0.1\", \"{command}"))
                .count()
        };
        println!(
            "{denied} denied: {} PASV, {} EPSV",
            asked("PASV"),
            asked("EPSV")
        );
        assert!(asked(used) >= 4, "two listings and two files: {log}");
        assert!(
            asked(denied) <= 1,
            "what is refused is asked for once: {log}"
        );
    }
    let neither = Server::ftp_with(&["pasv_enable=NO"]);
    let refused = neither.poll(&Kept::default(), json!({})).await.unwrap_err();
    assert_eq!(refused.code(), "protocol", "{refused}");
}
