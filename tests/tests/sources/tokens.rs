//! XOAUTH2 with a refresh token over the whole product: our server asks a provider over HTTPS, signs
//! in to a real Dovecot with what it got, and Dovecot asks the provider whether that is good.

use serde_json::{Value, json};
use tests::services::{CLIENT_ID, CLIENT_SECRET, Dovecot, DovecotSetup, REFRESH_TOKEN, Tokens};
use tests::sources::{self, Source};
use tests::wait::{self, seconds};
use tests::{Api, DropFile, Server};
use wire::Level;

fn mail(number: u64) -> Vec<u8> {
    let now = jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    let drop = DropFile::new("VM001", number, &now)
        .with(Level::Error, &now, &format!("drop {number}"))
        .text()
        .replace('\n', "\r\n");
    format!("From: reports@usalive.example\r\nSubject: Kiosk File\r\n\r\n{drop}").into_bytes()
}

fn config(mailbox: &Dovecot, tokens: &Tokens) -> Value {
    let mut config = sources::imap(mailbox);
    let more = json!({"auth": "xoauth2", "password": "", "refresh_token": REFRESH_TOKEN,
        "token_url": tokens.token_url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET});
    for (key, value) in more.as_object().expect("an object") {
        config[key] = value.clone();
    }
    config
}

/// Polls until it fails with this code; the words.
fn failure(source: &Source<'_>, code: &str) -> String {
    let status = wait::until(code, seconds(60), || {
        let status = source.poll();
        (status["error"]["code"] == code).then_some(status)
    });
    status["error"]["message"]
        .as_str()
        .expect("words")
        .to_owned()
}

fn wait_for_entries(api: &Api, source: &Source<'_>, count: usize) {
    wait::until("the drop in the mailbox", seconds(60), || {
        source.poll();
        (api.entries("").len() == count).then_some(())
    });
}

#[test]
fn a_refresh_token_gets_access_tokens_that_a_mail_server_believes() {
    let folder = tempfile::tempdir().expect("a folder");
    let tokens = Tokens::start();
    let mailbox = Dovecot::start_as(&DovecotSetup {
        introspection_url: Some(tokens.introspection_url.clone()),
        ..DovecotSetup::default()
    });
    let server = Server::start_trusting(folder.path(), &tokens.identity.ca_pem);
    server.add_machine("VM001");
    let api = server.api();
    mailbox.deliver(&mail(1));
    let source = Source::add(&api, "mailbox", &config(&mailbox, &tokens));
    wait_for_entries(&api, &source, 1);
    let asked = tokens.asked();
    let form = &asked[0];
    assert_eq!(form.len(), 4, "{form:?}");
    assert_eq!(form["grant_type"], "refresh_token");
    assert!(!mailbox.log().contains("auth failed"), "{}", mailbox.log());

    // The provider's trouble is none of the account's: no word of a refusal.
    tokens.set_down(true);
    assert!(failure(&source, "unreachable").contains("503"));
    tokens.set_down(false);
    mailbox.deliver(&mail(2));
    wait_for_entries(&api, &source, 2);

    // The mail server does not believe the token.
    tokens.expire_all();
    assert!(failure(&source, "refused").contains("user and token"));

    // The owner took the refresh token back.
    tokens.revoke();
    let words = wait::until("the provider's refusal", seconds(60), || {
        let words = failure(&source, "refused");
        words.contains("invalid_grant").then_some(words)
    });
    assert!(words.contains("set the new refresh_token"), "{words}");

    let shown = String::from_utf8_lossy(&api.get("/api/sources").body).into_owned();
    let logged = server.process.messages();
    assert!(logged.contains("a source fails"), "{logged}");
    for secret in [
        REFRESH_TOKEN,
        CLIENT_SECRET,
        "ya29.",
        "refresh+token",
        "refresh%2Btoken",
    ] {
        assert!(
            !shown.contains(secret) && !logged.contains(secret),
            "{secret}"
        );
    }
}

#[test]
fn a_provider_that_the_system_does_not_trust_gets_no_refresh_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let tokens = Tokens::start();
    let mailbox = Dovecot::start();
    let server = Server::start_trusting(folder.path(), &mailbox.identity.ca_pem);
    let api = server.api();
    let source = Source::add(&api, "mailbox", &config(&mailbox, &tokens));
    assert!(failure(&source, "unreachable").contains("no access token"));
    assert!(tokens.asked().is_empty());
}
