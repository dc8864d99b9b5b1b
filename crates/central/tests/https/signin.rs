//! A browser: the one-time link, the session, and what a foreign site cannot do with it.

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::support::{Server, answer, batch};

/// The path of a new link.
fn link(server: &Server) -> String {
    let url = server.running.signin_link().unwrap();
    url.strip_prefix(server.running.url().unwrap())
        .unwrap()
        .to_owned()
}

/// Signs in and answers the cookie pair.
async fn cookie(server: &Server) -> String {
    let response = server
        .request(Method::GET, &link(server))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["location"]),
        (303, &"/".parse().unwrap())
    );
    let cookie = response.headers()["set-cookie"]
        .to_str()
        .unwrap()
        .to_owned();
    for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age="] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    cookie.split(';').next().unwrap().to_owned()
}

fn with_cookie(server: &Server, method: Method, path: &str, cookie: &str) -> RequestBuilder {
    server
        .request(method, path)
        .header("cookie", format!("other=1; {cookie}"))
}

#[tokio::test]
async fn a_link_signs_one_browser_in() {
    let server = Server::start().await;
    let link = link(&server);
    let head = server.request(Method::HEAD, &link).send().await.unwrap();
    assert_eq!(head.status(), 204, "looking at a link does not use it up");
    let prefetch = server
        .request(Method::GET, &link)
        .header("sec-purpose", "prefetch");
    assert_eq!(prefetch.send().await.unwrap().status(), 204);
    assert_eq!(
        server
            .request(Method::GET, &link)
            .send()
            .await
            .unwrap()
            .status(),
        303
    );
    let second = server.request(Method::GET, &link).send().await.unwrap();
    assert_eq!(second.status(), 401);
    assert!(second.text().await.unwrap().contains("used up"));
    let guessed = server
        .request(Method::GET, "/signin/guess")
        .send()
        .await
        .unwrap();
    assert_eq!(guessed.status(), 401);
}

#[tokio::test]
async fn signing_out_ends_no_credential_but_ones_own_session() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let session = cookie(&server).await;
    let technician = server.token_with("technician").await;
    let session_id = session.split('_').nth(4).unwrap();
    for forged in [
        format!("vs_{}_x", key.split('_').nth(1).unwrap()),
        format!("vs_{session_id}_x"),
        key.clone(),
    ] {
        let out = server
            .request(Method::DELETE, "/api/session")
            .bearer_auth(&technician)
            .header("cookie", format!("__Host-vendlog_session={forged}"));
        assert_eq!(out.send().await.unwrap().status(), 204);
    }
    server.must_post(&key, &batch("VM001", 1, 1..=1)).await;
    let own = with_cookie(&server, Method::GET, "/api/session", &session);
    assert_eq!(own.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_session_reads_writes_and_ends() {
    let server = Server::start().await;
    let cookie = cookie(&server).await;
    let call = |method, path| with_cookie(&server, method, path, &cookie);
    let (status, who) = answer(call(Method::GET, "/api/session").send().await.unwrap()).await;
    assert_eq!(status, 200);
    assert_eq!(
        who,
        json!({ "name": "operator", "role": "manager", "kind": "person" })
    );
    let page = call(Method::GET, "/fleet")
        .header("accept", "text/html")
        .send()
        .await
        .unwrap();
    assert_eq!(
        page.status(),
        200,
        "every page of the application is the application"
    );
    assert!(
        page.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    let add = call(Method::POST, "/api/machines").body("{\"machine_id\":\"VM001\"}");
    assert_eq!(add.send().await.unwrap().status(), 201);
    let out = call(Method::DELETE, "/api/session").send().await.unwrap();
    assert_eq!(out.status(), 204);
    assert!(
        out.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .contains("Max-Age=0")
    );
    assert_eq!(
        call(Method::GET, "/api/session")
            .send()
            .await
            .unwrap()
            .status(),
        401
    );
}

#[tokio::test]
async fn a_session_survives_a_restart() {
    let server = Server::start().await;
    let cookie = cookie(&server).await;
    let server = server.restarted().await;
    let request = with_cookie(&server, Method::GET, "/api/session", &cookie);
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn another_site_cannot_write_in_the_name_of_a_session() {
    let server = Server::start().await;
    let cookie = cookie(&server).await;
    let own = server.running.url().unwrap().to_owned();
    for (header, value, status) in [
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
        ("origin", own.as_str(), 204),
        ("sec-fetch-site", "cross-site", 403),
    ] {
        let request = with_cookie(&server, Method::DELETE, "/api/machines/VM001", &cookie);
        server.machine("VM001").await;
        let got = request.header(header, value).send().await.unwrap().status();
        assert_eq!(got.as_u16(), status, "{header}: {value}");
        server
            .as_admin("DELETE", "/api/machines/VM001", json!({}))
            .await;
    }
    let read = with_cookie(&server, Method::GET, "/api/session", &cookie);
    let read = read
        .header("sec-fetch-site", "cross-site")
        .send()
        .await
        .unwrap();
    assert_eq!(read.status(), 200, "a link from elsewhere may open a page");
}

#[tokio::test]
async fn a_browser_without_a_session_sees_how_to_get_one() {
    let server = Server::start().await;
    for path in ["/", "/logs", "/machines/VM001"] {
        let request = server
            .request(Method::GET, path)
            .header("accept", "text/html,*/*");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 401, "{path}");
        assert!(response.headers().contains_key("www-authenticate"));
        assert!(
            response.text().await.unwrap().contains("sign-in link"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn every_answer_is_fenced_in() {
    let server = Server::start().await;
    for path in [
        "/",
        "/healthz",
        "/api/logs",
        "/api/nothing",
        "/signin/guess",
    ] {
        let response = server.request(Method::GET, path).send().await.unwrap();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';"),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
    }
}

#[tokio::test]
async fn the_printed_pin_is_of_the_certificate_that_is_shown() {
    use x509_parser::prelude::{FromDer, X509Certificate};
    let server = Server::start().await;
    let response = server
        .request(Method::GET, "/healthz")
        .send()
        .await
        .unwrap();
    let tls = response
        .extensions()
        .get::<reqwest::tls::TlsInfo>()
        .unwrap();
    let der = tls.peer_certificate().unwrap();
    let (_, certificate) = X509Certificate::from_der(der).unwrap();
    let digest = <sha2::Sha256 as sha2::Digest>::digest(certificate.public_key().raw);
    let pin = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, digest);
    assert_eq!(server.running.pin(), Some(format!("sha256/{pin}").as_str()));
    let pin = server.running.pin().unwrap().to_owned();
    let server = server.restarted().await;
    assert_eq!(
        server.running.pin(),
        Some(pin.as_str()),
        "it survives a restart"
    );
}
