//! Mails that arrive: over STARTTLS, implicit TLS and loopback, with every part as it should be.

use mail_parser::{MessageParser, MimeHeaders as _};
use serde_json::json;
use vendlog_notify::{Address, Kind, Template, preview, send, test_channel};
use wire::Micros;

use crate::channels::{email_to, mailbox};
use crate::identity::Identity;
use crate::messages::message;
use crate::smtp_server::{Encryption, Mail, PASSWORD, SmtpServer, Trouble, USER};

/// Sends one over loopback and answers it as it came.
async fn delivered(message: &vendlog_notify::Message) -> Mail {
    let server = SmtpServer::start(Encryption::None, None, Trouble::Nothing).await;
    let sent = send(&email_to(server.port, json!({})), &mailbox(), message).await;
    let sent = sent.expect("it is taken");
    assert_eq!(
        sent.provider_id.as_deref(),
        Some("2.0.0 Ok: queued as 4ABC")
    );
    let mails = server.seen().mails.clone();
    assert_eq!(mails.len(), 1);
    mails.into_iter().next().expect("a mail")
}

#[tokio::test]
async fn starttls_and_implicit_tls_sign_in_with_a_pin_or_an_authority() {
    let identity = Identity::new();
    for (encryption, tls) in [
        (Encryption::Starttls, "starttls"),
        (Encryption::Implicit, "implicit"),
    ] {
        for trust in [
            json!({"pin": identity.pin}),
            json!({"ca_pem": identity.ca_pem}),
        ] {
            for trouble in [Trouble::Nothing, Trouble::LoginOnly] {
                let acceptor = Some(identity.acceptor.clone());
                let server = SmtpServer::start(encryption, acceptor, trouble).await;
                let mut more = trust.clone();
                more["tls"] = json!(tls);
                more["user"] = json!(USER);
                more["password"] = json!(PASSWORD);
                let channel = email_to(server.port, more);
                send(&channel, &mailbox(), &message(Kind::First))
                    .await
                    .expect("it is taken");
                let seen = server.seen();
                assert_eq!(seen.mails.len(), 1);
                assert_eq!(seen.mails[0].from, "vendlog@example.com");
                assert_eq!(seen.mails[0].to, ["ops@example.org"]);
                let clear = String::from_utf8_lossy(&seen.clear).into_owned();
                let lines: Vec<&str> = clear.lines().collect();
                match encryption {
                    Encryption::Starttls => {
                        assert_eq!(lines.len(), 2, "{clear}");
                        assert!(
                            lines[0].starts_with("EHLO ") && lines[1] == "STARTTLS",
                            "{clear}"
                        );
                    }
                    _ => assert!(clear.is_empty(), "{clear}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn headers_say_who_what_and_that_no_person_wrote_it() {
    let mail = delivered(&message(Kind::First)).await;
    let parsed = MessageParser::default().parse(&mail.bytes).expect("a mail");
    let from = parsed.from().and_then(|from| from.first()).expect("from");
    assert_eq!(from.address(), Some("vendlog@example.com"));
    assert_eq!(from.name(), Some("Vendlog"));
    let subject = "CRITICAL Payment System Down: VM001 Lobby left (Main Street, second floor)";
    assert_eq!(parsed.subject(), Some(subject));
    assert_eq!(
        parsed.header_raw("Auto-Submitted").map(str::trim),
        Some("auto-generated")
    );
    assert_eq!(parsed.header_raw("X-Priority").map(str::trim), Some("1"));
    assert!(parsed.date().is_some());
    let id = parsed.message_id().expect("an id").to_owned();
    let thread = parsed
        .header_raw("References")
        .expect("a thread")
        .trim()
        .to_owned();
    // The same delivery again has the same id; another one of the same alert the same thread.
    let again = delivered(&message(Kind::First)).await;
    let again = MessageParser::default()
        .parse(&again.bytes)
        .expect("a mail")
        .into_owned();
    assert_eq!(again.message_id(), Some(id.as_str()));
    let mut later = message(Kind::Repeat { n: 1 });
    later.id = "another".into();
    let later = delivered(&later).await;
    let later = MessageParser::default()
        .parse(&later.bytes)
        .expect("a mail")
        .into_owned();
    assert_ne!(later.message_id(), Some(id.as_str()));
    assert_eq!(
        later.header_raw("References").map(str::trim),
        Some(thread.as_str())
    );
}

#[tokio::test]
async fn a_digest_has_its_chart_inline_and_its_items_in_both_parts() {
    let mail = delivered(&message(Kind::Digest)).await;
    let parsed = MessageParser::default().parse(&mail.bytes).expect("a mail");
    let html = parsed.body_html(0).expect("HTML").into_owned();
    let text = parsed.body_text(0).expect("text").into_owned();
    for part in [&html, &text] {
        assert!(part.contains("Authorization timeout after 30s"), "{part}");
        assert!(part.contains("Errors an hour"), "{part}");
    }
    let picture = parsed.attachments().next().expect("a picture");
    assert_eq!(picture.content_id(), Some("chart@vendlog"));
    assert!(html.contains("src=\"cid:chart@vendlog\""), "{html}");
    let kind = picture.content_type().expect("a type");
    assert_eq!((kind.ctype(), kind.subtype()), ("image", Some("png")));
    assert!(picture.contents().starts_with(b"\x89PNG\r\n\x1a\n"));
    assert!(
        html.contains("href=\"https://pc.example/alerts/12?from=mail&amp;x=1\""),
        "{html}"
    );
    assert!(
        text.contains("https://pc.example/alerts/12?from=mail&x=1"),
        "{text}"
    );
}

#[tokio::test]
async fn dots_utf8_and_long_lines_arrive_as_they_were() {
    let mut odd = message(Kind::First);
    let lines = "Привет, Grüße, 日本語 😀\n.\n..\n.leading\nFrom here\n";
    let long = "x".repeat(3_000);
    odd.issue = "Zahlungsgerät außer Betrieb – 支払い".into();
    odd.machines[0].name = "Müller & Söhne 😀".into();
    odd.template = Some(Template {
        subject: None,
        body: Some(format!("{lines}{long}")),
    });
    let mail = delivered(&odd).await;
    let parsed = MessageParser::default().parse(&mail.bytes).expect("a mail");
    let text = parsed.body_text(0).expect("text").replace("\r\n", "\n");
    assert!(text.starts_with(&format!("{lines}{long}")), "{text}");
    assert!(text.contains("Müller & Söhne 😀"), "{text}");
    let subject = parsed.subject().expect("a subject");
    assert!(
        subject.contains("Zahlungsgerät außer Betrieb – 支払い"),
        "{subject}"
    );
    assert!(mail.raw.is_ascii(), "every server takes it");
    let has_bare = |at: usize| mail.raw[at] == b'\n' && (at == 0 || mail.raw[at - 1] != b'\r');
    assert!(!(0..mail.raw.len()).any(has_bare), "no bare line feed");
    let longest = mail.raw.split(|byte| *byte == b'\n').map(<[u8]>::len).max();
    assert!(
        longest.is_some_and(|longest| longest <= 1_000),
        "RFC 5321: {longest:?}"
    );
}

#[tokio::test]
async fn a_preview_is_what_is_sent_and_a_test_arrives() {
    let server = SmtpServer::start(Encryption::None, None, Trouble::Nothing).await;
    let channel = email_to(server.port, json!({}));
    let shown = preview(&channel, &message(Kind::First));
    let mail = delivered(&message(Kind::First)).await;
    let parsed = MessageParser::default().parse(&mail.bytes).expect("a mail");
    assert_eq!(parsed.subject(), Some(shown.subject.as_str()));
    let html = parsed.body_html(0).map(|html| html.replace("\r\n", "\n"));
    assert_eq!(
        html.as_deref().map(str::trim),
        shown.html.as_deref().map(str::trim)
    );
    let text = parsed.body_text(0).expect("text").replace("\r\n", "\n");
    assert_eq!(text.trim(), shown.text.trim());
    test_channel(&channel, &mailbox(), None, "t1", Micros(0), "UTC")
        .await
        .expect("it is taken");
    let test = server.seen().mails.remove(0);
    assert!(String::from_utf8_lossy(&test.bytes).contains("Test of this channel"));
    let wrong = send(
        &channel,
        &Address::phone("+14155550100").unwrap(),
        &message(Kind::First),
    )
    .await;
    assert_eq!(wrong.expect_err("no mailbox").code(), "address");
}
