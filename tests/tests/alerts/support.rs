//! What providers were asked for, and what every message must carry.

use serde_json::json;
use tests::Desk;
use tests::desk::{ACCOUNT, Machine, OUR_NUMBER, TOKEN};
use tests::providers::{Asked, Mail};
use tests::wait::{self, seconds};
use wire::Micros;

/// Long enough for a busy machine; what is asserted of time is asserted apart.
pub const SOON: std::time::Duration = seconds(20);

/// So many ERROR of a component, so many seconds apart, the last of them now.
pub fn errors(machine: &Machine, component: &str, count: i64, apart_s: i64) {
    let lines: Vec<_> = (0..count)
        .map(|n| {
            (
                n * apart_s,
                "ERROR",
                component,
                "Authorization timeout",
                json!({}),
            )
        })
        .collect();
    machine.post(&lines);
}

/// The text of an SMS with these words in it, asked for as Twilio publishes it
/// (<https://www.twilio.com/docs/messaging/api/message-resource#create-a-message>).
pub fn wait_for_text(desk: &Desk, words: &[&str]) -> (Asked, String) {
    let what = format!("an SMS with {words:?}");
    let (asked, form) = wait::until(&what, SOON, || {
        let texts = desk.texts().into_iter().map(|asked| {
            let form = asked.form();
            (asked, form)
        });
        let has = |body: &str| words.iter().all(|word| body.contains(word));
        texts.into_iter().find(|(_, form)| has(&form["Body"]))
    });
    assert_is_twilios(&asked, "Messages.json");
    assert_eq!(form.keys().collect::<Vec<_>>(), ["Body", "From", "To"]);
    assert_eq!(form["From"], OUR_NUMBER);
    (asked, form["Body"].clone())
}

/// The words of a call to this number, asked for as Twilio publishes it
/// (<https://www.twilio.com/docs/voice/api/call-resource#create-a-call>).
pub fn wait_for_call(desk: &Desk, to: &str, word: &str) -> String {
    let what = format!("a call to {to} about {word}");
    let (asked, form) = wait::until(&what, SOON, || {
        let calls = desk.calls().into_iter().map(|asked| {
            let form = asked.form();
            (asked, form)
        });
        let is_it = |form: &std::collections::BTreeMap<String, String>| {
            form["To"] == to && form["Twiml"].contains(word)
        };
        calls.into_iter().find(|(_, form)| is_it(form))
    });
    assert_is_twilios(&asked, "Calls.json");
    assert_eq!(form["From"], OUR_NUMBER);
    let twiml = form["Twiml"].clone();
    assert!(
        twiml.starts_with("<?xml") && twiml.contains("<Response>"),
        "{twiml}"
    );
    twiml
}

fn assert_is_twilios(asked: &Asked, resource: &str) {
    let path = format!("/2010-04-01/Accounts/{ACCOUNT}/{resource}");
    assert_eq!(asked.path, path);
    let form = "application/x-www-form-urlencoded";
    assert_eq!(asked.headers["content-type"], form);
    let basic = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        format!("{ACCOUNT}:{TOKEN}"),
    );
    assert_eq!(asked.headers["authorization"], format!("Basic {basic}"));
}

/// Machine id, issue type and time, and the machine's name and site.
pub fn assert_carries(text: &str, machine: &str, issue: &str) {
    let year = &Micros::from_timestamp(jiff::Timestamp::now()).to_rfc3339()[..4];
    for word in [machine, issue, "Lobby left", "Main Street", year] {
        assert!(text.contains(word), "{word} is not in {text}");
    }
}

/// A mail's plain words.
pub fn assert_mail(mail: &Mail, to: &str, machine: &str, issue: &str) {
    assert_eq!(mail.to, [to]);
    assert_carries(&mail.text, machine, issue);
    for part in ["text/plain", "text/html"] {
        assert!(mail.text.contains(part), "{part} is not in {}", mail.text);
    }
}
