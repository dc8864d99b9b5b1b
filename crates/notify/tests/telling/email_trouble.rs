//! Mail servers in trouble: which refusal may be tried again, which breaks the channel, and that
//! nothing is said to a server that is not believed.

use serde_json::{Value, json};
use vendlog_notify::{ChannelConfig, Kind, SendError, send};

use crate::channels::{email_to, mailbox};
use crate::identity::Identity;
use crate::messages::message;
use crate::smtp_server::{Encryption, PASSWORD, SmtpServer, Trouble, USER};

async fn failure(channel: &ChannelConfig) -> SendError {
    let sent = send(channel, &mailbox(), &message(Kind::First)).await;
    let error = sent.expect_err("it fails");
    assert!(!error.to_string().contains(PASSWORD), "{error}");
    assert!(!error.to_string().chars().any(char::is_control), "{error}");
    error
}

/// A server on loopback in trouble; what a delivery to it ends with, and the server.
async fn in_trouble(trouble: Trouble, more: Value) -> (SendError, SmtpServer) {
    let server = SmtpServer::start(Encryption::None, None, trouble).await;
    let error = failure(&email_to(server.port, more)).await;
    (error, server)
}

#[tokio::test]
async fn refusals_are_told_apart() {
    const TEMPORARY: (bool, bool) = (true, false);
    const BROKEN: (bool, bool) = (false, true);
    const ADDRESS_ONLY: (bool, bool) = (false, false);
    let cases = [
        ("GREETING", "421 4.3.2 come back later", TEMPORARY, "busy"),
        ("GREETING", "554 no mail here", BROKEN, "protocol"),
        ("MAIL", "451 4.7.1 too fast", TEMPORARY, "busy"),
        ("MAIL", "553 5.7.1 not your address", BROKEN, "forbidden"),
        ("MAIL", "530 5.7.0 sign in first", BROKEN, "forbidden"),
        (
            "RCPT",
            "451 4.7.1 greylisted, try again in 5 minutes",
            TEMPORARY,
            "busy",
        ),
        ("RCPT", "452 4.2.2 mailbox full", TEMPORARY, "busy"),
        ("RCPT", "550 5.1.1 no such user", ADDRESS_ONLY, "address"),
        ("RCPT", "554 5.7.1 Relay access denied", BROKEN, "forbidden"),
        ("DATA", "451 not now", TEMPORARY, "busy"),
        (
            "CONTENT",
            "554 5.7.1 looks like spam",
            ADDRESS_ONLY,
            "rejected",
        ),
        ("CONTENT", "452 4.3.1 disk full", TEMPORARY, "busy"),
        ("EHLO", "<html>", TEMPORARY, "unreachable"),
    ];
    for (at, says, (is_temporary, is_broken), code) in cases {
        let (error, _server) = in_trouble(Trouble::Says(at, says), json!({})).await;
        assert_eq!(error.is_temporary(), is_temporary, "{says}: {error}");
        assert_eq!(error.is_channel_broken(), is_broken, "{says}: {error}");
        assert_eq!(error.code(), code, "{says}: {error}");
        assert!(!error.may_have_arrived(), "{says}");
        let said = says.split(' ').next_back().expect("a word");
        assert!(
            code == "unreachable" || error.to_string().contains(said),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_wrong_password_breaks_the_channel_and_is_not_repeated() {
    let wrong = "not the password";
    let more = json!({"user": USER, "password": wrong});
    let (error, server) = in_trouble(Trouble::Nothing, more).await;
    assert_eq!(error.code(), "refused");
    assert!(error.is_channel_broken());
    assert!(
        !error.to_string().contains(wrong),
        "the server said it back: {error}"
    );
    assert!(error.to_string().contains("***"), "{error}");
    assert!(server.seen().mails.is_empty());
    // A server that cannot look passwords up just now is another matter.
    let busy = Trouble::Says("AUTH", "454 4.7.0 temporary authentication failure");
    let (error, _server) = in_trouble(busy, json!({"user": USER, "password": wrong})).await;
    assert!(error.is_temporary(), "{error}");
}

#[tokio::test]
async fn a_server_that_hangs_is_left_at_every_step() {
    let steps = [
        "GREETING", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "CONTENT",
    ];
    let mut trying = tokio::task::JoinSet::new();
    for at in steps {
        let more = json!({"timeout_s": 4, "user": USER, "password": PASSWORD});
        trying.spawn(async move { (at, in_trouble(Trouble::Hangs(at), more).await.0) });
    }
    let tried = trying.join_all().await;
    assert_eq!(tried.len(), steps.len());
    for (at, error) in tried {
        assert_eq!(error.code(), "timed_out", "{at}: {error}");
        assert!(error.is_temporary(), "{at}");
        assert_eq!(error.may_have_arrived(), at == "CONTENT", "{at}");
    }
    let (error, _server) = in_trouble(Trouble::HangsUp("CONTENT"), json!({})).await;
    assert!(error.is_temporary() && error.may_have_arrived(), "{error}");
    let (error, _server) = in_trouble(Trouble::HangsUp("RCPT"), json!({})).await;
    assert!(error.is_temporary() && !error.may_have_arrived(), "{error}");
}

#[tokio::test]
async fn a_server_that_hangs_in_the_middle_of_a_goodbye_has_the_mail() {
    let server = SmtpServer::start(Encryption::None, None, Trouble::Hangs("QUIT")).await;
    let channel = email_to(server.port, json!({}));
    send(&channel, &mailbox(), &message(Kind::First))
        .await
        .expect("it is taken");
    assert_eq!(server.seen().mails.len(), 1);
}

#[tokio::test]
async fn nothing_is_said_to_a_server_that_is_not_believed() {
    let (right, other) = (Identity::new(), Identity::new());
    let elsewhere = Identity::named(&["mail.other.example"]);
    for (encryption, tls) in [
        (Encryption::Starttls, "starttls"),
        (Encryption::Implicit, "implicit"),
    ] {
        // Another pin, another authority, the system's authorities, another name.
        let cases = [
            (&right, json!({"pin": other.pin}), "not the pinned one"),
            (
                &right,
                json!({"ca_pem": other.ca_pem}),
                "no known authority",
            ),
            (&right, json!({}), "no known authority"),
            (
                &elsewhere,
                json!({"ca_pem": elsewhere.ca_pem}),
                "another name",
            ),
        ];
        for (identity, trust, why) in cases {
            let acceptor = Some(identity.acceptor.clone());
            let server = SmtpServer::start(encryption, acceptor, Trouble::Nothing).await;
            let mut more = trust.clone();
            more["tls"] = json!(tls);
            more["user"] = json!(USER);
            more["password"] = json!(PASSWORD);
            let error = failure(&email_to(server.port, more)).await;
            assert_eq!(error.code(), "certificate", "{trust}: {error}");
            assert!(error.is_channel_broken());
            assert!(error.to_string().contains(why), "{error}");
            assert_eq!(
                error.fingerprint(),
                Some(identity.pin.as_str()),
                "ready to be accepted"
            );
            let seen = server.seen();
            assert_eq!(seen.over_tls.len(), 0, "not a byte");
            assert!(seen.mails.is_empty());
            let clear = String::from_utf8_lossy(&seen.clear).into_owned();
            assert!(
                clear
                    .lines()
                    .all(|l| l.starts_with("EHLO ") || l == "STARTTLS"),
                "{clear}"
            );
        }
    }
}

#[tokio::test]
async fn without_starttls_or_with_words_slipped_in_nothing_is_sent() {
    let identity = Identity::new();
    for (trouble, code) in [(Trouble::NoStarttls, "tls"), (Trouble::Injects, "protocol")] {
        let acceptor = Some(identity.acceptor.clone());
        let server = SmtpServer::start(Encryption::Starttls, acceptor, trouble).await;
        let more =
            json!({"tls": "starttls", "pin": identity.pin, "user": USER, "password": PASSWORD});
        let error = failure(&email_to(server.port, more)).await;
        assert_eq!(error.code(), code, "{error}");
        assert!(error.is_channel_broken());
        let seen = server.seen();
        assert_eq!(seen.over_tls.len(), 0);
        assert!(!String::from_utf8_lossy(&seen.clear).contains("AUTH"));
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address").port()
    };
    let error = failure(&email_to(port, json!({}))).await;
    assert_eq!(error.code(), "unreachable");
    assert!(error.is_temporary() && !error.may_have_arrived());
}
