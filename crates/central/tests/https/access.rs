//! Keys in the wrong place open nothing.

use reqwest::Method;

use super::support::Server;

#[tokio::test]
async fn a_session_key_is_no_bearer_and_a_token_is_no_cookie() {
    let server = Server::start().await;
    let link = server.running.signin_link().unwrap();
    let response = server.client.get(link).send().await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
    let as_bearer = server
        .request(Method::GET, "/api/session")
        .bearer_auth(value);
    assert_eq!(as_bearer.send().await.unwrap().status(), 401);
    let token = format!("{name}={}", server.token);
    let as_cookie = server
        .request(Method::GET, "/api/session")
        .header("cookie", token);
    assert_eq!(as_cookie.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn no_header_makes_a_caller_trusted() {
    let server = Server::start().await;
    for header in ["x-caller", "x-forwarded-user", "caller", "x-admin"] {
        let request = server
            .request(Method::GET, "/api/session")
            .header(header, "Admin");
        assert_eq!(request.send().await.unwrap().status(), 401, "{header}");
    }
}

#[tokio::test]
async fn a_key_with_one_letter_changed_is_refused() {
    let server = Server::start().await;
    for place in [server.token.len() - 1, 10, 25] {
        let mut bytes = server.token.clone().into_bytes();
        bytes[place] = if bytes[place] == b'0' { b'1' } else { b'0' };
        let changed = String::from_utf8(bytes).unwrap();
        let request = server
            .request(Method::GET, "/api/info")
            .bearer_auth(changed);
        assert_eq!(
            request.send().await.unwrap().status(),
            401,
            "letter {place}"
        );
    }
    let right = server
        .request(Method::GET, "/api/info")
        .bearer_auth(&server.token);
    assert_eq!(right.send().await.unwrap().status(), 200);
}
