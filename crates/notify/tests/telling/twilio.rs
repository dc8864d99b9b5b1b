//! SMS and calls against an endpoint that is asked as Twilio publishes it:
//! <https://www.twilio.com/docs/messaging/api/message-resource#create-a-message> and
//! <https://www.twilio.com/docs/voice/api/call-resource#create-a-call>. The answers are the examples of
//! those pages, shortened; the codes are those of <https://www.twilio.com/docs/api/errors>.

use std::time::Duration;

use serde_json::json;
use vendlog_notify::{Kind, Price, SendError, preview, send, voice};

use crate::channels::{
    ACCOUNT, AUTH_TOKEN, OUR_NUMBER, THEIR_NUMBER, basic, config, phone, twilio,
};
use crate::http_server::{HttpServer, Says};
use crate::messages::message;

/// The example answer of "Create a Message".
const MESSAGE: &str = r#"{
    "account_sid": "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "api_version": "2010-04-01",
    "body": "Hi there", "date_created": "Thu, 24 Aug 2023 05:01:45 +0000", "date_sent": null,
    "direction": "outbound-api", "error_code": null, "error_message": null,
    "from": "+14155550100", "num_media": "0", "num_segments": "2", "price": null,
    "price_unit": "USD", "sid": "SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "status": "queued",
    "to": "+14155550199"}"#;

/// The example answer of "Create a Call".
const CALL: &str = r#"{
    "account_sid": "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "answered_by": null,
    "api_version": "2010-04-01", "direction": "outbound-api", "duration": null,
    "from": "+14155550100", "price": "-0.03000", "price_unit": "USD",
    "sid": "CAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "status": "queued", "to": "+14155550199"}"#;

#[tokio::test]
async fn an_sms_is_asked_for_as_published() {
    let server = HttpServer::saying(201, MESSAGE).await;
    let sent = send(
        &twilio("sms", &server.url("")),
        &phone(),
        &message(Kind::First),
    )
    .await;
    let sent = sent.expect("it is taken");
    assert_eq!(
        sent.provider_id.as_deref(),
        Some("SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
    );
    assert_eq!(
        (sent.segments, sent.price),
        (Some(2), None),
        "the price comes later"
    );
    let asked = server.only();
    assert_eq!(asked.method, "POST");
    assert_eq!(
        asked.path,
        format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
    );
    assert!(asked.query.is_empty());
    assert_eq!(
        asked.headers["content-type"],
        "application/x-www-form-urlencoded"
    );
    assert_eq!(asked.headers["authorization"], basic(ACCOUNT, AUTH_TOKEN));
    let form = asked.form();
    assert_eq!(form.keys().collect::<Vec<_>>(), ["Body", "From", "To"]);
    assert_eq!(form["To"], THEIR_NUMBER);
    assert_eq!(form["From"], OUR_NUMBER);
    assert_eq!(
        form["Body"],
        "CRITICAL Payment System Down: VM001 Lobby left, Main Street. 2026-01-22 06:30 PST. \
         Reply ACK 12 https://pc.example/alerts/12?from=mail&x=1 \
         12 payment errors in 5 minutes; the last: Authorization timeout after 30s"
    );
}

#[tokio::test]
async fn an_api_key_and_a_messaging_service_take_their_places() {
    let server = HttpServer::saying(201, MESSAGE).await;
    let channel = config(json!({"kind": "sms", "from": OUR_NUMBER,
        "messaging_service_sid": "MGaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "account": {
        "account_sid": ACCOUNT, "api_key_sid": "SKbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
        "secret": AUTH_TOKEN, "base_url": server.url("")}}));
    send(&channel, &phone(), &message(Kind::First))
        .await
        .expect("it is taken");
    let asked = server.only();
    let user = "SKbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    assert_eq!(asked.headers["authorization"], basic(user, AUTH_TOKEN));
    assert_eq!(
        asked.path,
        format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
    );
    assert!(!asked.form().contains_key("From"));
    assert_eq!(
        asked.form()["MessagingServiceSid"],
        "MGaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    );
}

#[tokio::test]
async fn a_text_keeps_to_its_segments_whatever_it_holds() {
    for (most, issue, name, facts) in [
        (1, "Payment System Down", "Lobby", "x".repeat(900)),
        (
            1,
            "Оплата не работает совсем никак",
            "Вестибюль второго этажа",
            "ж".repeat(900),
        ),
        (
            2,
            "支払いシステムが停止しています",
            "ロビー😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀",
            "😀".repeat(400),
        ),
        (
            3,
            "A very long name of an issue that somebody has thought of",
            "€{}[]",
            "€".repeat(500),
        ),
    ] {
        let mut long = message(Kind::Escalation { step: 1 });
        long.issue = issue.into();
        long.machines[0].name = name.into();
        long.machines[0].site = name.into();
        long.facts = facts.clone();
        let server = HttpServer::saying(201, MESSAGE).await;
        let mut channel = serde_json::to_value(twilio("sms", &server.url(""))).unwrap();
        channel["account"]["secret"] = json!(AUTH_TOKEN);
        channel["max_segments"] = json!(most);
        let shown = preview(&config(channel), &long);
        let start: String = issue.chars().take(10).collect();
        for wanted in [start.as_str(), "VM001", "2026-01-22 06:30 PST"] {
            assert!(shown.text.contains(wanted), "{wanted}: {}", shown.text);
        }
        assert!(
            shown.segments.is_some_and(|segments| segments <= most),
            "{shown:?}"
        );
    }
}

#[tokio::test]
async fn a_call_is_asked_for_as_published() {
    let server = HttpServer::saying(201, CALL).await;
    let sent = send(
        &twilio("voice", &server.url("")),
        &phone(),
        &message(Kind::First),
    )
    .await;
    let sent = sent.expect("it is taken");
    let price = Price {
        millionths: 30_000,
        unit: "USD".into(),
    };
    assert_eq!(sent.price, Some(price));
    let asked = server.only();
    assert_eq!(asked.method, "POST");
    assert_eq!(
        asked.path,
        format!("/2010-04-01/Accounts/{ACCOUNT}/Calls.json")
    );
    assert_eq!(asked.headers["authorization"], basic(ACCOUNT, AUTH_TOKEN));
    let form = asked.form();
    assert_eq!(
        form.keys().collect::<Vec<_>>(),
        ["From", "Timeout", "To", "Twiml"]
    );
    assert_eq!(
        (form["To"].as_str(), form["From"].as_str()),
        (THEIR_NUMBER, OUR_NUMBER)
    );
    assert_eq!(form["Timeout"], "30");
    let said = "Vendlog alert. Critical. Payment System Down. Machine VM001, Lobby left, at Main \
        Street. Time: 06:30, January 22. 12 payment errors in 5 minutes; the last: Authorization \
        timeout after 30s";
    assert_eq!(
        form["Twiml"],
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Say language=\"en-US\">{said}\
             </Say><Pause length=\"1\"/><Say language=\"en-US\">Again. {said}</Say></Response>"
        )
    );
}

#[tokio::test]
async fn a_key_is_asked_for_only_where_it_reaches_us_and_nobody_else_can_press_it() {
    let server = HttpServer::saying(201, CALL).await;
    let channel = config(json!({"kind": "voice", "from": OUR_NUMBER,
        "public_url": "https://relay.example/press", "account": {
        "account_sid": ACCOUNT, "secret": AUTH_TOKEN, "base_url": server.url("")}}));
    send(&channel, &phone(), &message(Kind::First))
        .await
        .expect("it is taken");
    let twiml = server.only().form()["Twiml"].clone();
    let action = twiml
        .split("action=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let action = crate::channels::unescaped(action.expect("an action"));
    assert!(twiml.contains("<Gather numDigits=\"1\""), "{twiml}");
    let (page, query) = action.split_once('?').expect("a query");
    assert_eq!(page, "https://relay.example/press");
    let query: std::collections::BTreeMap<String, String> =
        form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
    assert_eq!(query["alert"], "12");
    let vendlog_notify::ChannelConfig::Voice(config) = &channel else {
        panic!("a voice channel")
    };
    let (message_id, token) = (query["message"].as_str(), query["token"].as_str());
    assert!(voice::is_press_valid(config, 12, message_id, token));
    assert!(!voice::is_press_valid(config, 13, message_id, token));
    assert!(!voice::is_press_valid(config, 12, "another", token));
    for bad in [
        "",
        "00",
        "zz",
        "ü",
        &token[1..],
        &token.replace('0', "1").replace('a', "b"),
    ] {
        assert!(!voice::is_press_valid(config, 12, message_id, bad), "{bad}");
    }
    // What is over needs no key.
    send(&channel, &phone(), &message(Kind::Resolved))
        .await
        .expect("it is taken");
    assert!(!server.only().form()["Twiml"].contains("Gather"));
}

async fn failure(kind: &str, says: Says) -> SendError {
    let server = HttpServer::start(move |_| says.clone()).await;
    let sent = send(
        &twilio(kind, &server.url("")),
        &phone(),
        &message(Kind::First),
    )
    .await;
    assert_eq!(
        server.asked().len(),
        1,
        "a POST is never repeated by itself"
    );
    let error = sent.expect_err("it fails");
    assert!(!error.to_string().contains(AUTH_TOKEN), "{error}");
    error
}

/// Twilio's errors: `{"code", "message", "more_info", "status"}`
/// (<https://www.twilio.com/docs/usage/twilios-response#response-formats-exceptions>).
fn problem(status: u16, code: u64, words: &str) -> Says {
    let info = format!("https://www.twilio.com/docs/errors/{code}");
    let body = json!({"code": code, "message": words, "more_info": info, "status": status});
    Says::This(status, body.to_string())
}

#[tokio::test]
async fn refusals_are_told_apart() {
    const TEMPORARY: (bool, bool) = (true, false);
    const BROKEN: (bool, bool) = (false, true);
    const ADDRESS_ONLY: (bool, bool) = (false, false);
    let cases = [
        (
            400,
            21_211,
            "The 'To' number is not valid",
            ADDRESS_ONLY,
            "address",
        ),
        (
            400,
            21_610,
            "Attempt to send to unsubscribed recipient",
            ADDRESS_ONLY,
            "address",
        ),
        (
            400,
            21_614,
            "'To' number is not a mobile",
            ADDRESS_ONLY,
            "address",
        ),
        (
            400,
            21_606,
            "The 'From' number is not ours",
            BROKEN,
            "forbidden",
        ),
        (
            400,
            21_617,
            "The message body exceeds 1600",
            ADDRESS_ONLY,
            "rejected",
        ),
        (401, 20_003, "Authenticate", BROKEN, "refused"),
        (403, 20_005, "Account not active", BROKEN, "refused"),
        (
            404,
            20_404,
            "The requested resource was not found",
            BROKEN,
            "refused",
        ),
        (429, 20_429, "Too Many Requests", TEMPORARY, "rate_limited"),
        (500, 20_500, "Internal Server Error", TEMPORARY, "busy"),
        (503, 20_503, "Service unavailable", TEMPORARY, "busy"),
    ];
    for kind in ["sms", "voice"] {
        for (status, code, words, (is_temporary, is_broken), expected) in cases {
            let error = failure(kind, problem(status, code, words)).await;
            assert_eq!(error.is_temporary(), is_temporary, "{code}: {error}");
            assert_eq!(error.is_channel_broken(), is_broken, "{code}: {error}");
            assert_eq!(error.code(), expected, "{code}: {error}");
            assert!(error.to_string().contains(&code.to_string()), "{error}");
        }
    }
}

#[tokio::test]
async fn twilio_says_how_long_to_wait() {
    let body = json!({"code": 20_429, "message": "Too Many Requests", "status": 429}).to_string();
    let says = Says::With(429, "retry-after", "7".into(), body);
    let error = failure("sms", says).await;
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    let error = failure(
        "sms",
        Says::With(503, "retry-after", "30".into(), "<html>".into()),
    )
    .await;
    assert_eq!(error.retry_after(), Some(Duration::from_secs(30)));
}

#[tokio::test]
async fn what_may_have_been_taken_is_said_to_be() {
    // A gateway gave up, and an answer that cannot be read.
    let error = failure("sms", Says::This(504, "<html>gateway".into())).await;
    assert!(error.is_temporary() && error.may_have_arrived(), "{error}");
    let error = failure("sms", Says::This(201, "<html>welcome to the hotel".into())).await;
    assert_eq!(error.code(), "protocol");
    assert!(error.may_have_arrived());
    // A redirect is not followed: it would carry the secret elsewhere.
    let to = "http://127.0.0.1:1/".to_owned();
    let error = failure("sms", Says::With(307, "location", to, String::new())).await;
    assert!(error.is_channel_broken(), "{error}");
}

#[tokio::test]
async fn a_server_that_hangs_or_is_not_there_is_tried_again() {
    let server = HttpServer::start(|_| Says::Nothing).await;
    let mut channel = twilio("sms", &server.url("")).to_stored();
    channel["account"]["timeout_s"] = json!(1);
    let sent = send(&config(channel), &phone(), &message(Kind::First)).await;
    let error = sent.expect_err("it hangs");
    assert_eq!(error.code(), "timed_out");
    assert!(error.is_temporary() && error.may_have_arrived(), "{error}");
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        format!("http://{}", listener.local_addr().expect("an address"))
    };
    let sent = send(&twilio("voice", &gone), &phone(), &message(Kind::First)).await;
    let error = sent.expect_err("nobody is there");
    assert_eq!(error.code(), "unreachable");
    assert!(error.is_temporary() && !error.may_have_arrived(), "{error}");
}
