//! SFTP against OpenSSH: host keys and private keys.

use serde_json::{Value, json};
use tests::services::{PASSWORD, Sshd};

use crate::kept::{Kept, Server};

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_or_changed_host_key_is_refused_until_a_person_accepts_it() {
    let ssh = Sshd::start();
    let right = ssh.host_key.clone();
    let server = Server::Sftp(ssh);
    server.put("1.txt", b"drop");
    let kept = Kept::default();
    let other = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for (key, words) in [
        (Value::Null, "is not known yet"),
        (json!(other), "another key"),
    ] {
        let config = server.config(json!({"host_key": key}));
        let refused = drops::test(&config).await.unwrap_err();
        assert_eq!(refused.code(), "host_key");
        assert_eq!(refused.fingerprint(), Some(right.as_str()));
        assert!(refused.to_string().contains(words), "{refused}");
    }
    let log = server.log();
    assert!(!log.contains("password for"), "no password was sent: {log}");
    let polled = server
        .poll(&kept, json!({"host_key": right}))
        .await
        .unwrap();
    assert_eq!(polled.taken, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_key_signs_in_and_a_wrong_passphrase_is_said() {
    let ssh = Sshd::start();
    let key = ssh.client_key.clone();
    let server = Server::Sftp(ssh);
    server.put("1.txt", b"drop");
    let kept = Kept::default();
    let with = |key: &str, passphrase: &str| json!({"auth": "key", "private_key": key, "passphrase": passphrase, "password": ""});
    let polled = server.poll(&kept, with(&key, PASSWORD)).await.unwrap();
    assert_eq!(polled.taken, 1);
    for (key, passphrase) in [(key.as_str(), "wrong"), (key.as_str(), ""), ("no key", "")] {
        let refused = server.poll(&kept, with(key, passphrase)).await.unwrap_err();
        assert_eq!(refused.code(), "config", "{refused}");
        assert!(refused.to_string().contains("private_key"), "{refused}");
    }
}
