//! Replies are found in Twilio's list of messages, asked for as
//! <https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources> has it.

use serde_json::{Value, json};
use vendlog_notify::ChannelConfig;
use vendlog_notify::sms::{self, replies};
use wire::Micros;

use crate::channels::{ACCOUNT, AUTH_TOKEN, OUR_NUMBER, THEIR_NUMBER, basic, twilio};
use crate::http_server::{HttpServer, Says};

const STRANGER: &str = "+14155550666";

fn sms_config(server: &HttpServer) -> sms::Config {
    match twilio("sms", &server.url("")) {
        ChannelConfig::Sms(config) => config,
        _ => panic!("an SMS channel"),
    }
}

fn inbound(sid: &str, from: &str, body: &str, sent: &str) -> Value {
    json!({"sid": sid, "direction": "inbound", "from": from, "to": OUR_NUMBER, "body": body,
        "date_sent": sent, "status": "received", "account_sid": ACCOUNT, "num_segments": "1",
        "price": null, "price_unit": "USD"})
}

fn page(messages: &[Value], next: Option<&str>) -> String {
    json!({"messages": messages, "next_page_uri": next, "page": 0, "page_size": 100, "start": 0,
        "end": 0, "previous_page_uri": null})
    .to_string()
}

fn start() -> Micros {
    Micros::parse_rfc3339("2026-01-22T14:00:00Z").expect("an instant")
}

#[tokio::test]
async fn replies_of_known_people_are_taken_once_oldest_first_over_all_pages() {
    let list = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json");
    let next = format!("{list}?To=x&PageSize=100&Page=1&PageToken=PASM1");
    let server = HttpServer::start(move |asked| {
        let at = |minute: u8| format!("Thu, 22 Jan 2026 14:{minute:02}:00 +0000");
        let mine = |sid: &str, body: &str, minute| inbound(sid, THEIR_NUMBER, body, &at(minute));
        Says::This(
            200,
            match asked.query.get("Page") {
                None => page(
                    &[
                        mine("SM5", "ack 14 on my way", 50),
                        mine("SM4", "thanks!", 40),
                        inbound("SM3", STRANGER, "ACK 12", &at(30)),
                    ],
                    Some(&next),
                ),
                Some(_) => page(
                    &[
                        json!({"sid": "SM2", "direction": "outbound-api", "from": THEIR_NUMBER,
                        "body": "ACK 99", "date_sent": at(20)}),
                        mine("SM1", "ACK 12", 10),
                    ],
                    None,
                ),
            },
        )
    })
    .await;
    let config = sms_config(&server);
    let mut cursor = replies::Cursor::new(start());
    let found = replies::poll(&config, &[THEIR_NUMBER], &mut cursor)
        .await
        .expect("a list");
    let short: Vec<(&str, u64, &str)> = found
        .iter()
        .map(|r| (r.sid.as_str(), r.alert_no, r.note.as_str()))
        .collect();
    assert_eq!(short, [("SM1", 12, ""), ("SM5", 14, "on my way")]);
    assert_eq!(found[1].at.to_rfc3339(), "2026-01-22T14:50:00.000Z");
    assert!(found.iter().all(|reply| reply.from == THEIR_NUMBER));

    let asked = server.asked();
    assert_eq!(asked.len(), 2, "two pages");
    for one in &asked {
        assert_eq!((one.method.as_str(), &one.path), ("GET", &list));
        assert_eq!(one.headers["authorization"], basic(ACCOUNT, AUTH_TOKEN));
    }
    assert_eq!(asked[0].query["To"], OUR_NUMBER);
    assert_eq!(asked[0].query["DateSent>"], "2026-01-22T14:00:00Z");
    assert_eq!(asked[0].query["PageSize"], "100");
    assert_eq!(asked[1].query["PageToken"], "PASM1");

    // The list is asked for again from a little before the newest, and gives nothing twice, even
    // when the cursor was kept in between.
    let kept = serde_json::to_string(&cursor).expect("it can be kept");
    let mut cursor = serde_json::from_str(&kept).expect("a cursor");
    let found = replies::poll(&config, &[THEIR_NUMBER], &mut cursor)
        .await
        .expect("a list");
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(server.asked()[0].query["DateSent>"], "2026-01-22T14:20:00Z");
}

#[tokio::test]
async fn the_secret_follows_no_page_to_another_server() {
    let evil = HttpServer::saying(200, &page(&[], None)).await;
    let elsewhere = evil.url(&format!(
        "/2010-04-01/Accounts/{ACCOUNT}/Messages.json?Page=1"
    ));
    for next in [
        elsewhere.as_str(),
        "//127.0.0.1:1/",
        "/2010-04-01/Accounts/ACother/Messages.json",
    ] {
        let body = page(&[], Some(next));
        let server = HttpServer::saying(200, &body).await;
        let mut cursor = replies::Cursor::new(start());
        let config = sms_config(&server);
        replies::poll(&config, &[THEIR_NUMBER], &mut cursor)
            .await
            .expect("a list");
        assert_eq!(server.asked().len(), 1);
        assert!(evil.asked().is_empty());
    }
}

#[tokio::test]
async fn a_list_without_an_end_is_left_and_a_refusal_moves_nothing() {
    let list = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json?Page=1");
    let server = HttpServer::saying(200, &page(&[], Some(&list))).await;
    let mut cursor = replies::Cursor::new(start());
    let config = sms_config(&server);
    replies::poll(&config, &[THEIR_NUMBER], &mut cursor)
        .await
        .expect("a list");
    assert_eq!(server.asked().len(), 10, "ten pages are enough");

    let body = json!({"code": 20003, "message": "Authenticate", "status": 401}).to_string();
    let server = HttpServer::saying(401, &body).await;
    let before = cursor.clone();
    let refused = replies::poll(&sms_config(&server), &[THEIR_NUMBER], &mut cursor).await;
    let error = refused.expect_err("refused");
    assert!(error.is_channel_broken(), "{error}");
    assert_eq!(cursor, before);
    let server = HttpServer::saying(200, "<html>").await;
    let refused = replies::poll(&sms_config(&server), &[THEIR_NUMBER], &mut cursor).await;
    assert!(refused.expect_err("no list").is_temporary());
}

/// A duty runs on any thread: what does not compile here cannot be spawned.
#[tokio::test]
async fn everything_that_waits_can_be_spawned() {
    let server = HttpServer::saying(200, &page(&[], None)).await;
    let (config, channel) = (sms_config(&server), twilio("sms", &server.url("")));
    let asked = tokio::spawn(async move {
        let mut cursor = replies::Cursor::new(start());
        let known = vendlog_notify::outcome(&channel, "SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").await;
        known.expect("an answer");
        replies::poll(&config, &[THEIR_NUMBER], &mut cursor).await
    });
    assert_eq!(asked.await.expect("no panic").expect("a list"), []);
}
