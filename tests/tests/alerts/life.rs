//! What becomes of an alert that people see: taken by SMS, told again, handed up, silenced, over, back.

use serde_json::{Value, json};
use tests::Desk;
use tests::desk::{BOSS_NUMBER, OPS_NUMBER, OUR_NUMBER};
use tests::providers::web::says;
use tests::wait::{self, seconds};

use super::support::{SOON, wait_for_call, wait_for_text};

fn phase(desk: &Desk, id: u64) -> String {
    let whole = desk.api.get(&format!("/api/alerts/{id}")).json();
    whole["alert"]["phase"]
        .as_str()
        .expect("a phase")
        .to_owned()
}

fn act(desk: &Desk, id: u64, what: &str, body: &Value) {
    let path = format!("/api/alerts/{id}/{what}");
    let answer = desk.api.post(&path, body.to_string());
    assert_eq!(answer.status, 200, "{}", answer.json());
}

fn failure(desk: &Desk) -> u64 {
    desk.wait_for_alert("hardware-failure")["id"]
        .as_u64()
        .expect("a number")
}

#[test]
fn nobody_answers_it_is_told_again_as_a_repeat_and_handed_up_until_somebody_takes_it() {
    let desk = Desk::start();
    let machine = desk.machine("VM001");
    desk.change_rule("hardware-failure", |rule| {
        rule["escalate"] = json!([{"after_s": 900,
            "tell": [{"who": "person:boss", "by": ["voice"]}]}]);
    });
    machine.say("CRITICAL", "motor", "Motor 2 does not turn");
    wait_for_text(&desk, &["Hardware Failure"]);
    let id = failure(&desk);
    desk.move_clock(901);
    let call = wait_for_call(&desk, BOSS_NUMBER, "Hardware Failure");
    assert!(call.contains("nobody has acknowledged"), "{call}");
    desk.move_clock(1_802);
    let (_, text) = wait_for_text(&desk, &["Repeat 1", "Hardware Failure"]);
    assert!(text.contains(&format!("ACK {id}")), "{text}");
    act(&desk, id, "acknowledge", &json!({"note": "on my way"}));
    let sent = (desk.texts().len(), desk.calls().len());
    desk.move_clock(4_000);
    std::thread::sleep(seconds(7));
    assert_eq!((desk.texts().len(), desk.calls().len()), sent, "no repeats");
    let whole = desk.api.get(&format!("/api/alerts/{id}")).json();
    let history = whole["history"].to_string();
    assert!(history.contains("on my way"), "{history}");
}

#[test]
fn an_sms_that_says_ack_acknowledges() {
    let desk = Desk::start();
    let machine = desk.machine("VM001");
    machine.say("CRITICAL", "motor", "Motor 2 does not turn");
    wait_for_text(&desk, &["Hardware Failure"]);
    let id = failure(&desk);
    // As https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources
    // shows the list.
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let sent = now.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
    let reply = json!({"messages": [{"sid": "SMffffffffffffffffffffffffffffffff",
        "body": format!("Ack {id} on my way"), "from": OPS_NUMBER, "to": OUR_NUMBER,
        "direction": "inbound", "status": "received", "date_sent": sent, "date_created": sent,
        "date_updated": sent}], "next_page_uri": null});
    desk.twilio.then(says(200, reply.to_string()));
    wait::until("the acknowledgement", seconds(40), || {
        (phase(&desk, id) == "acknowledged").then_some(())
    });
    let list = desk.twilio.asked();
    let list = list.iter().find(|asked| asked.method == "GET");
    let path = &list.expect("the list was asked for").path;
    assert!(path.contains("/Messages.json?"), "{path}");
    let history = desk.api.get(&format!("/api/alerts/{id}")).json()["history"].to_string();
    assert!(
        history.contains("Ann") && history.contains("on my way"),
        "{history}"
    );
}

#[test]
fn it_ends_by_itself_when_the_reader_speaks_and_begins_anew() {
    let desk = Desk::start();
    let machine = desk.machine("VM001");
    let silent = |ago_s| [(ago_s, "ERROR", "reader", "No poll for 30 s", json!({}))];
    machine.post(&silent(400));
    wait_for_text(&desk, &["Payment System Down"]);
    let first = desk.wait_for_alert("payment-system-down-reader")["id"].as_u64();
    act(&desk, first.expect("a number"), "acknowledge", &json!({}));
    machine.post(&[(390, "INFO", "eport", "[STATUS-7] up", json!({}))]);
    wait::until("the end", SOON, || {
        (phase(&desk, first.expect("a number")) == "resolved").then_some(())
    });
    machine.post(&silent(310));
    let second = desk.wait_for_alert("payment-system-down-reader")["id"].as_u64();
    assert_ne!(first, second, "it was armed again");
    wait::until("a second message", SOON, || {
        let is_it =
            |asked: &tests::providers::Asked| asked.form()["Body"].contains("Payment System");
        (desk.texts().into_iter().filter(is_it).count() == 2).then_some(())
    });
}

#[test]
fn maintenance_and_silence_hold_messages_back_and_a_visit_ends_an_alert() {
    let desk = Desk::start();
    let (one, two) = (desk.machine("VM001"), desk.machine("VM002"));
    let work = json!({"machines": ["VM001"], "for_s": 3_600, "note": "new pump"});
    let begun = desk.api.post("/api/maintenance", work.to_string());
    assert_eq!(begun.status, 201, "{}", begun.json());
    one.say("CRITICAL", "motor", "Motor 2 does not turn");
    two.say("CRITICAL", "motor", "Motor 2 does not turn");
    wait_for_text(&desk, &["VM002"]);
    std::thread::sleep(seconds(2));
    assert_eq!(desk.texts().len(), 1, "VM001 is worked on");
    let two = desk
        .open()
        .into_iter()
        .find(|alert| alert["machine_id"] == "VM002");
    let two = two.expect("an alert")["id"].as_u64().expect("a number");
    act(&desk, two, "silence", &json!({"for_s": 7_200}));
    // The work is over by itself; what still fires is told. The repeat of the other is silenced.
    desk.move_clock(3_700);
    wait_for_text(&desk, &["VM001"]);
    std::thread::sleep(seconds(6));
    assert_eq!(desk.texts().len(), 2);
    act(
        &desk,
        two,
        "resolve",
        &json!({"visit": true, "note": "new motor"}),
    );
    let whole = desk.api.get(&format!("/api/alerts/{two}")).json();
    assert_eq!(whole["alert"]["phase"], "resolved");
    assert!(
        whole["history"].to_string().contains("new motor"),
        "{whole}"
    );
}

#[test]
fn a_channel_that_is_broken_is_shown_and_the_next_one_has_it() {
    let desk = Desk::start();
    let machine = desk.machine("VM001");
    desk.change_rule("hardware-failure", |rule| {
        rule["tell"] = json!([{"who": "person:ann", "by": ["sms"]}]);
    });
    let refused = r#"{"code": 20003, "message": "Authenticate", "status": 401,
        "more_info": "https://www.twilio.com/docs/errors/20003"}"#;
    desk.twilio.then(says(401, refused));
    machine.say("CRITICAL", "motor", "Motor 2 does not turn");
    desk.mail.wait_for(&["Hardware Failure", "VM001"], SOON);
    let channels = desk.api.get("/api/alerts/channels").json();
    let channels = channels["channels"].as_array().expect("channels").clone();
    let sms = channels.into_iter().find(|channel| channel["id"] == "sms");
    let status = &sms.expect("the channel")["status"];
    assert_eq!(status["state"], "failing", "{status}");
    assert_eq!(status["error"]["code"], "refused", "{status}");
    let deliveries = desk.api.get("/api/alerts/deliveries").json().to_string();
    assert!(
        deliveries.contains("failed") && deliveries.contains("sent"),
        "{deliveries}"
    );
}
