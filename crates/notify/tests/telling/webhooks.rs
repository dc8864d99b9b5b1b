//! Webhooks, each against an endpoint that is asked as its provider publishes it (the page is named
//! in the preset's own file).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use vendlog_notify::{
    Address, ChannelConfig, Kind, Secret, SendError, Sent, preview, send, test_channel, webhook,
};
use wire::Micros;

use crate::channels::webhook as channel;
use crate::http_server::{HttpServer, Says};
use crate::identity::Identity;
use crate::messages::message;

async fn sent(channel: &ChannelConfig, kind: Kind) -> Sent {
    let sent = send(channel, &Address::Endpoint, &message(kind)).await;
    sent.expect("it is taken")
}

#[tokio::test]
async fn our_own_json_has_everything_and_is_signed_with_both_secrets() {
    let server = HttpServer::saying(200, r#"{"id": "r-1"}"#).await;
    let (new, old) = (webhook::new_secret(&[1; 32]), webhook::new_secret(&[2; 32]));
    let more = json!({"signing_secret": new.reveal(), "old_signing_secret": old.reveal(),
        "token": "t0ken"});
    let answer = sent(
        &channel("plain", &server.url("/hook?x=1"), more),
        Kind::First,
    )
    .await;
    assert_eq!(answer.provider_id.as_deref(), Some("r-1"));
    let asked = server.only();
    assert_eq!(
        (asked.method.as_str(), asked.path.as_str()),
        ("POST", "/hook")
    );
    assert_eq!(asked.query["x"], "1");
    assert_eq!(asked.headers["content-type"], "application/json");
    assert_eq!(asked.headers["authorization"], "Bearer t0ken");
    assert_eq!(asked.headers["webhook-id"], "delivery-7f3a");
    let seconds: i64 = asked.headers["webhook-timestamp"].parse().expect("seconds");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    assert!(
        (now as i64 - seconds).abs() < 300,
        "a receiver refuses what is older"
    );
    let signatures: Vec<&str> = asked.headers["webhook-signature"].split(' ').collect();
    let sign = |secret: &Secret| webhook::signature(secret, "delivery-7f3a", seconds, &asked.body);
    assert_eq!(signatures, [sign(&new).unwrap(), sign(&old).unwrap()]);
    let body = asked.json();
    for (name, value) in [
        ("version", json!(1)),
        ("kind", json!("first")),
        ("alert", json!({"id": "alert-9c1e", "no": 12})),
        ("severity", json!("CRITICAL")),
        ("issue", json!("Payment System Down")),
        ("machine_id", json!("VM001")),
        ("time", json!("2026-01-22T14:30:15.123Z")),
        (
            "time_local",
            json!("2026-01-22 06:30:15 PST (14:30:15 UTC)"),
        ),
        ("late", json!(false)),
        ("link", json!("https://pc.example/alerts/12?from=mail&x=1")),
    ] {
        assert_eq!(body[name], value, "{name}");
    }
    let machine = json!({"id": "VM001", "name": "Lobby left", "site": "Main Street",
        "location": "second floor"});
    assert_eq!(body["machines"], json!([machine]));
    sent(
        &channel("plain", &server.url("/"), json!({})),
        Kind::Repeat { n: 2 },
    )
    .await;
    let unsigned = server.only();
    assert!(!unsigned.headers.contains_key("webhook-signature"));
    assert_eq!(
        (&unsigned.json()["kind"], &unsigned.json()["number"]),
        (&json!("repeat"), &json!(2))
    );
}

#[tokio::test]
async fn slack_gets_blocks_of_plain_text() {
    let server = HttpServer::saying(200, "ok").await;
    sent(
        &channel("slack", &server.url("/services/T/B/X"), json!({})),
        Kind::First,
    )
    .await;
    let body = server.only().json();
    let subject = "CRITICAL Payment System Down: VM001 Lobby left (Main Street, second floor)";
    assert_eq!(body["text"], subject);
    assert_eq!(
        (&body["unfurl_links"], &body["unfurl_media"]),
        (&json!(false), &json!(false))
    );
    let header = json!({"type": "header",
        "text": {"type": "plain_text", "text": subject, "emoji": false}});
    assert_eq!(body["blocks"][0], header);
    assert_eq!(body["blocks"][1]["text"]["type"], "plain_text");
    let link = "<https://pc.example/alerts/12?from=mail&amp;x=1|Open in Vendlog>";
    assert_eq!(
        body["blocks"][2]["text"],
        json!({"type": "mrkdwn", "text": link})
    );
}

#[tokio::test]
async fn teams_gets_an_adaptive_card() {
    let server = HttpServer::saying(202, "").await;
    sent(
        &channel("teams_workflows", &server.url("/workflows/x"), json!({})),
        Kind::First,
    )
    .await;
    let body = server.only().json();
    assert_eq!(body["type"], "message");
    let attachment = &body["attachments"][0];
    assert_eq!(
        attachment["contentType"],
        "application/vnd.microsoft.card.adaptive"
    );
    let card = &attachment["content"];
    assert_eq!(
        (&card["type"], &card["version"]),
        (&json!("AdaptiveCard"), &json!("1.4"))
    );
    let blocks = card["body"].as_array().expect("blocks");
    assert!(
        blocks.iter().all(|block| block["type"] == "RichTextBlock"),
        "no markdown"
    );
    let link = "https://pc.example/alerts/12?from=mail&x=1";
    assert_eq!(card["actions"][0]["url"], link);
    assert_eq!(card["actions"][0]["type"], "Action.OpenUrl");
}

#[tokio::test]
async fn discord_gets_an_embed_and_pings_nobody() {
    let server = HttpServer::saying(200, r#"{"id": "1234567890"}"#).await;
    let url = server.url("/api/webhooks/1/token?thread_id=5");
    let answer = sent(&channel("discord", &url, json!({})), Kind::First).await;
    assert_eq!(answer.provider_id.as_deref(), Some("1234567890"));
    let asked = server.only();
    assert_eq!(
        (
            asked.query["wait"].as_str(),
            asked.query["thread_id"].as_str()
        ),
        ("true", "5")
    );
    let body = asked.json();
    assert_eq!(body["allowed_mentions"], json!({"parse": []}));
    let embed = &body["embeds"][0];
    assert_eq!(embed["url"], "https://pc.example/alerts/12?from=mail&x=1");
    assert_eq!(embed["timestamp"], "2026-01-22T14:30:15.123Z");
    assert_eq!(embed["color"], 0xbe1e2d);
}

#[tokio::test]
async fn ntfy_gets_the_topic_in_the_body() {
    let server = HttpServer::saying(200, r#"{"id": "hwQ2YpKdmg"}"#).await;
    let more = json!({"token": "tk_1"});
    let answer = sent(
        &channel("ntfy", &server.url("/sub/alerts-42"), more),
        Kind::First,
    )
    .await;
    assert_eq!(answer.provider_id.as_deref(), Some("hwQ2YpKdmg"));
    let asked = server.only();
    assert_eq!(asked.path, "/sub/");
    assert_eq!(asked.headers["authorization"], "Bearer tk_1");
    let body = asked.json();
    assert_eq!(
        (&body["topic"], &body["priority"]),
        (&json!("alerts-42"), &json!(5))
    );
    assert_eq!(body["tags"], json!(["CRITICAL"]));
    assert_eq!(body["click"], "https://pc.example/alerts/12?from=mail&x=1");
    assert!(body.get("markdown").is_none());
}

#[tokio::test]
async fn pagerdutys_incident_is_our_alert_from_trigger_to_resolve() {
    let taken = r#"{"status":"success","message":"Event processed","dedup_key":"alert-9c1e"}"#;
    let server = HttpServer::saying(202, taken).await;
    let more = json!({"routing_key": "R0000000000000000000000000000KEY"});
    let pagerduty = channel("pagerduty", &server.url("/v2/enqueue"), more);
    for (kind, action) in [
        (Kind::First, "trigger"),
        (Kind::Repeat { n: 1 }, "trigger"),
        (Kind::Acknowledged, "acknowledge"),
        (Kind::Resolved, "resolve"),
    ] {
        let answer = sent(&pagerduty, kind).await;
        assert_eq!(answer.provider_id.as_deref(), Some("alert-9c1e"));
        let asked = server.only();
        assert_eq!(asked.path, "/v2/enqueue");
        let body = asked.json();
        assert_eq!(body["routing_key"], "R0000000000000000000000000000KEY");
        assert_eq!(
            (&body["event_action"], &body["dedup_key"]),
            (&json!(action), &json!("alert-9c1e"))
        );
        let payload = &body["payload"];
        assert_eq!(
            (&payload["source"], &payload["severity"]),
            (&json!("VM001"), &json!("critical"))
        );
        assert_eq!(payload["timestamp"], "2026-01-22T14:30:15.123Z");
        assert_eq!(payload["class"], "Payment System Down");
    }
    // A test leaves no incident open.
    let tested = test_channel(
        &pagerduty,
        &Address::Endpoint,
        None,
        "t-1",
        Micros(0),
        "UTC",
    )
    .await;
    tested.expect("it is taken");
    let events: Vec<Value> = server.asked().iter().map(|asked| asked.json()).collect();
    let actions: Vec<&Value> = events.iter().map(|event| &event["event_action"]).collect();
    assert_eq!(actions, ["trigger", "resolve"]);
    assert_eq!(events[0]["dedup_key"], events[1]["dedup_key"]);
    let shown = preview(&pagerduty, &message(Kind::First));
    assert!(!shown.text.contains("KEY"), "{}", shown.text);
}

async fn failure(preset: &str, says: Says) -> SendError {
    let server = HttpServer::start(move |_| says.clone()).await;
    let more = match preset {
        "pagerduty" => json!({"routing_key": "R0KEY"}),
        _ => json!({}),
    };
    let secret = "/services/T000/B000/s3cr3t-in-the-url";
    let channel = channel(preset, &server.url(secret), more);
    let error = send(&channel, &Address::Endpoint, &message(Kind::First)).await;
    let error = error.expect_err("it fails");
    assert!(!error.to_string().contains("s3cr3t"), "{error}");
    error
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let says = |status, body: &str| Says::This(status, body.to_owned());
    let cases = [
        ("plain", says(500, ""), "busy"),
        ("plain", says(400, "no such field"), "rejected"),
        ("plain", says(401, ""), "refused"),
        ("plain", says(410, ""), "refused"),
        ("plain", says(301, ""), "config"),
        ("slack", says(404, "no_service"), "refused"),
        ("slack", says(410, "channel_is_archived"), "refused"),
        ("slack", says(400, "invalid_payload"), "rejected"),
        (
            "discord",
            says(404, r#"{"message": "Unknown Webhook", "code": 10015}"#),
            "refused",
        ),
        ("teams_workflows", says(429, ""), "rate_limited"),
        ("ntfy", says(507, "quota"), "busy"),
        (
            "pagerduty",
            says(
                400,
                r#"{"errors":["Length of 'routing_key' is incorrect"]}"#,
            ),
            "refused",
        ),
        (
            "pagerduty",
            says(400, r#"{"errors":["'summary' is missing"]}"#),
            "rejected",
        ),
    ];
    for (preset, says, code) in cases {
        let error = failure(preset, says.clone()).await;
        assert_eq!(error.code(), code, "{preset} {says:?}: {error}");
        assert_eq!(
            error.is_temporary(),
            ["busy", "rate_limited"].contains(&code)
        );
        assert_eq!(
            error.is_channel_broken(),
            ["refused", "config"].contains(&code)
        );
    }
    let limited = Says::With(
        429,
        "retry-after",
        "65".into(),
        r#"{"retry_after": 64.5}"#.into(),
    );
    let error = failure("discord", limited).await;
    assert_eq!(error.retry_after(), Some(Duration::from_secs(65)));
}

/// A server with TLS that counts what it is told.
#[tokio::test]
async fn an_endpoint_that_is_not_believed_gets_not_a_byte() {
    use tokio::io::AsyncReadExt as _;
    let (identity, other) = (Identity::new(), Identity::new());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let acceptor = identity.acceptor.clone();
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let task = tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let mut bytes = Vec::new();
            if let Ok(mut tls) = acceptor.accept(tcp).await {
                let mut chunk = [0; 4096];
                while let Ok(count @ 1..) = tls.read(&mut chunk).await {
                    bytes.extend_from_slice(&chunk[..count]);
                }
            }
            told.send(bytes).expect("the test listens");
        }
    });
    let url = format!("https://127.0.0.1:{port}/hook");
    for trust in [
        json!({"pin": other.pin}),
        json!({"ca_pem": other.ca_pem}),
        json!({}),
    ] {
        let channel = channel("plain", &url, trust);
        let error = send(&channel, &Address::Endpoint, &message(Kind::First)).await;
        let error = error.expect_err("it is not believed");
        assert_eq!(error.code(), "certificate", "{error}");
        assert_eq!(error.fingerprint(), Some(identity.pin.as_str()));
        let bytes = heard.recv().await.expect("a connection");
        assert!(bytes.is_empty(), "{}", String::from_utf8_lossy(&bytes));
    }
    task.abort();
}
