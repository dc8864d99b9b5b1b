//! Servers that hang, dribble, break off and lie. They are ours, for no real one does it on demand.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use drops::{SourceConfig, SourceError};
use serde_json::json;

use crate::kept::Kept;

/// Serves each connection by `serve`, on a thread of its own, until the test's process ends.
fn server(serve: impl Fn(TcpStream) + Clone + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            std::thread::spawn(move || serve(stream));
        }
    });
    port
}

/// One configuration of each kind for that port.
fn configs(port: u16) -> Vec<SourceConfig> {
    let common = json!({"host": "127.0.0.1", "port": port, "user": "vend", "password": "secret",
        "timeout_s": 1});
    let kinds = [
        json!({"kind": "ftp", "tls": "none"}),
        json!({"kind": "ftp", "tls": "explicit"}),
        json!({"kind": "ftp", "tls": "implicit"}),
        json!({"kind": "sftp", "host_key": "SHA256:x"}),
        json!({"kind": "imap", "tls": "none"}),
        json!({"kind": "imap", "tls": "explicit"}),
        json!({"kind": "imap", "tls": "implicit"}),
    ];
    kinds
        .into_iter()
        .map(|mut kind| {
            for (key, value) in common.as_object().expect("an object") {
                kind[key] = value.clone();
            }
            serde_json::from_value(kind).expect("a configuration")
        })
        .collect()
}

/// Polls with each kind; their codes.
async fn codes(port: u16) -> Vec<&'static str> {
    let mut codes = Vec::new();
    for config in configs(port) {
        let began = Instant::now();
        let error: SourceError = drops::poll(&config, &Kept::default())
            .await
            .expect_err("refused");
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{}: {error} after {:?}",
            config.kind(),
            began.elapsed()
        );
        codes.push(error.code());
    }
    codes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_left_in_time() {
    let port = server(|stream| {
        std::thread::sleep(Duration::from_secs(60));
        drop(stream);
    });
    assert_eq!(codes(port).await, ["timed_out"; 7]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dribbles_is_left_in_time() {
    let port = server(|mut stream| {
        while stream.write_all(b"2").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    for code in codes(port).await {
        assert!(["timed_out", "tls"].contains(&code), "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_closes_or_babbles_is_said_to() {
    let closing = server(|stream| drop(stream.shutdown(Shutdown::Both)));
    for code in codes(closing).await {
        assert!(["unreachable", "tls", "protocol"].contains(&code), "{code}");
    }
    let babbling = server(|mut stream| {
        let noise: Vec<u8> = (0..=255).cycle().take(65_536).collect();
        while stream.write_all(&noise).is_ok() {}
    });
    for code in codes(babbling).await {
        assert!(
            ["unreachable", "tls", "protocol", "timed_out"].contains(&code),
            "{code}"
        );
    }
}

/// An FTP server with one file; `listing` is what it says of the folder, and the file breaks off.
fn lying_ftp(listing: &'static [u8]) -> u16 {
    server(move |mut control| {
        let mut data = None;
        let mut say = |text: &str| control.write_all(format!("{text}\r\n").as_bytes());
        let _ = say("220 hello");
        let mut heard = control.try_clone().expect("a second handle");
        let mut say = |text: &str| control.write_all(format!("{text}\r\n").as_bytes());
        while let Some(line) = line(&mut heard) {
            let said = match line.split(' ').next().unwrap_or("") {
                "USER" => say("331 password"),
                "PASS" => say("230 in"),
                "PASV" => {
                    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
                    let port = listener.local_addr().expect("bound").port();
                    data = Some(listener);
                    // An address that leads nowhere: ours must be used instead.
                    say(&format!("227 (192,0,2,1,{},{})", port / 256, port % 256))
                }
                "LIST" => {
                    let _ = say("150 here");
                    let (mut to, _) = data.take().expect("PASV first").accept().expect("data");
                    let _ = to.write_all(listing);
                    drop(to);
                    say("226 done")
                }
                "RETR" => {
                    let _ = say("150 here");
                    let (mut to, _) = data.take().expect("PASV first").accept().expect("data");
                    let _ = to.write_all(b"half of ");
                    drop(to);
                    return;
                }
                "TYPE" => say("200 yes"),
                _ => say("502 no"),
            };
            if said.is_err() {
                return;
            }
        }
    })
}

fn line(stream: &mut TcpStream) -> Option<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while stream.read(&mut byte).ok()? == 1 {
        match byte[0] {
            b'\n' => return String::from_utf8(line).ok(),
            b'\r' => {}
            other => line.push(other),
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_breaks_off_is_no_drop() {
    let port = lying_ftp(b"-rw-r--r-- 1 a b 900 Nov 05 2018 VM001.txt\r\n");
    let kept = Kept::default();
    let error = drops::poll(&configs(port)[0], &kept).await.unwrap_err();
    assert_eq!(error.code(), "unreachable", "{error}");
    assert!(kept.drain().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_lead_out_of_the_folder_are_not_asked_for() {
    let port = lying_ftp(
        b"-rw-r--r-- 1 a b 900 Nov 05 2018 ../../etc/passwd\r\n\
          -rw-r--r-- 1 a b 900 Nov 05 2018 /etc/shadow\r\n\
          -rw-r--r-- 1 a b 900 Nov 05 2018 a\x07b\r\n\
          type=file;size=3; ..\r\n total nonsense\r\n",
    );
    let kept = Kept::default();
    let polled = drops::poll(&configs(port)[0], &kept).await.unwrap();
    assert_eq!((polled.taken, polled.listed), (0, 0), "{polled:?}");
    assert_eq!(polled.passed_over, 3, "{polled:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_a_server_repeats_is_in_no_words() {
    let port = server(|mut control| {
        let _ = control.write_all(b"* OK hello\r\n");
        let mut heard = control.try_clone().expect("a second handle");
        while let Some(line) = line(&mut heard) {
            let tag = line.split(' ').next().unwrap_or("");
            let said = format!("{tag} BAD do you mean it: {line}\r\n");
            if control.write_all(said.as_bytes()).is_err() {
                return;
            }
        }
    });
    let imap = configs(port).remove(4);
    let refused = drops::poll(&imap, &Kept::default()).await.unwrap_err();
    assert_eq!(refused.code(), "refused", "{refused}");
    let words = refused.to_string();
    assert!(
        words.contains("***") && !words.contains("secret"),
        "{words}"
    );
}
