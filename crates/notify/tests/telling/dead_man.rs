//! The dead man's switch, as <https://healthchecks.io/docs/http_api/> has it.

use serde_json::json;
use vendlog_notify::dead_man::{Config, Signal, ping};

use crate::http_server::{HttpServer, Says};

fn config(url: String) -> Config {
    serde_json::from_value(json!({"url": url, "timeout_s": 20})).expect("an address")
}

#[tokio::test]
async fn start_success_and_fail_go_to_their_addresses() {
    let server = HttpServer::saying(200, "OK").await;
    let config = config(server.url("/5f3c-uuid?rid=1"));
    for (signal, path) in [
        (Signal::Start, "/5f3c-uuid/start"),
        (Signal::Success, "/5f3c-uuid"),
        (Signal::Fail, "/5f3c-uuid/fail"),
    ] {
        ping(&config, signal).await.expect("it is heard");
        let asked = server.only();
        assert_eq!((asked.method.as_str(), asked.path.as_str()), ("GET", path));
        assert_eq!(asked.query["rid"], "1");
        assert!(asked.body.is_empty());
    }
}

#[tokio::test]
async fn an_address_that_is_not_known_is_broken_and_trouble_is_not() {
    for (status, body, is_broken) in [
        (404, "not found", true),
        (410, "", true),
        (200, "OK (not found)", true),
        (503, "", false),
        (429, "", false),
    ] {
        let server = HttpServer::saying(status, body).await;
        let pinged = ping(&config(server.url("/s3cr3t-uuid")), Signal::Success).await;
        let error = pinged.expect_err("it is not heard");
        assert_eq!(
            error.is_channel_broken(),
            is_broken,
            "{status} {body}: {error}"
        );
        assert_eq!(error.is_temporary(), !is_broken, "{status} {body}: {error}");
        assert!(!error.to_string().contains("s3cr3t"), "{error}");
    }
    let server = HttpServer::start(|_| Says::Nothing).await;
    let mut hanging = config(server.url("/x"));
    hanging.timeout_s = 1;
    let error = ping(&hanging, Signal::Success).await.expect_err("it hangs");
    assert_eq!(error.code(), "timed_out");
    let shown = serde_json::to_string(&config("https://hc.example/s3cr3t".into())).unwrap();
    assert!(!shown.contains("s3cr3t"), "{shown}");
    assert!(config("http://hc.example/x".into()).validate().is_err());
}
