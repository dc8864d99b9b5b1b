//! What became of an SMS or a call afterwards, asked for as
//! <https://www.twilio.com/docs/messaging/api/message-resource#fetch-a-message> and
//! <https://www.twilio.com/docs/voice/api/call-resource#fetch-a-call> have it.

use serde_json::json;
use vendlog_notify::twilio::State;
use vendlog_notify::{Price, outcome};

use crate::channels::{ACCOUNT, AUTH_TOKEN, basic, email_to, twilio as channel};
use crate::http_server::HttpServer;

const SMS: &str = "SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const CALL: &str = "CAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

#[tokio::test]
async fn an_sms_and_a_call_are_followed_to_their_end() {
    let failed = |words: &str| State::Failed {
        words: words.into(),
    };
    let cases = [
        ("sms", SMS, "Messages", "queued", None, State::Pending),
        ("sms", SMS, "Messages", "sent", None, State::Pending),
        ("sms", SMS, "Messages", "delivered", None, State::Delivered),
        (
            "sms",
            SMS,
            "Messages",
            "undelivered",
            Some(30_003),
            failed("Twilio says undelivered 30003 words"),
        ),
        ("voice", CALL, "Calls", "ringing", None, State::Pending),
        ("voice", CALL, "Calls", "completed", None, State::Delivered),
        (
            "voice",
            CALL,
            "Calls",
            "no-answer",
            None,
            failed("Twilio says no-answer words"),
        ),
    ];
    for (kind, sid, resource, status, code, expected) in cases {
        let body = json!({"sid": sid, "status": status, "error_code": code,
            "error_message": "words", "price": "-0.00790", "price_unit": "USD"});
        let server = HttpServer::saying(200, &body.to_string()).await;
        let known = outcome(&channel(kind, &server.url("")), sid).await;
        let known = known.expect("an answer").expect("Twilio knows");
        assert_eq!(known.state, expected, "{status}");
        let price = Price {
            millionths: 7_900,
            unit: "USD".into(),
        };
        assert_eq!(known.price, Some(price));
        let asked = server.only();
        assert_eq!(asked.method, "GET");
        let path = format!("/2010-04-01/Accounts/{ACCOUNT}/{resource}/{sid}.json");
        assert_eq!(asked.path, path);
        assert_eq!(asked.headers["authorization"], basic(ACCOUNT, AUTH_TOKEN));
    }
}

#[tokio::test]
async fn only_ids_of_twilios_are_asked_for_and_mails_are_not() {
    let server = HttpServer::saying(200, "{}").await;
    for sid in ["", "../Calls", "SM1", "SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/.."] {
        assert!(
            outcome(&channel("sms", &server.url("")), sid)
                .await
                .is_err(),
            "{sid}"
        );
    }
    assert!(server.asked().is_empty());
    let mail = outcome(&email_to(25, json!({})), "2.0.0 Ok").await;
    assert_eq!(mail.expect("no question"), None);
}
