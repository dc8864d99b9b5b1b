//! Redaction of whole messages and contexts: fields by name, idempotence, bounds.

use std::borrow::Cow;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use wire::redact::{HashKey, Redactor, Rules, cards};

fn redactor() -> Redactor {
    let words = |list: &[&str]| list.iter().map(|word| word.to_string()).collect();
    let rules = Rules {
        hash_fields: words(&["transaction_id", "txn", "txn_id"]),
        drop_fields: words(&["customer", "customer_name", "name", "phone", "email"]),
    };
    Redactor::new(HashKey::new([7; 32]), rules)
}

#[test]
fn pairs_in_messages_are_hashed_and_dropped() {
    let redactor = redactor();
    let hash = redactor.key().hash("1573124782");
    for (text, wanted) in [
        (
            "Transaction ID: 1573124782",
            format!("Transaction ID: {hash}"),
        ),
        ("txn=1573124782, ok", format!("txn={hash}, ok")),
        ("TXN_ID = 1573124782", format!("TXN_ID = {hash}")),
        (
            "{\"transaction_id\": 1573124782}",
            format!("{{\"transaction_id\": \"{hash}\"}}"),
        ),
        (
            "{\"transactionId\":\"1573124782\"}",
            format!("{{\"transactionId\":\"{hash}\"}}"),
        ),
        (
            "{\\\"txn\\\": \\\"1573124782\\\"}",
            format!("{{\\\"txn\\\": \\\"{hash}\\\"}}"),
        ),
        ("{'txn': '1573124782'}", format!("{{'txn': '{hash}'}}")),
        ("name=Jane Doe bought 3", "name=[dropped] bought 3".into()),
        ("name=\"Jane Doe\" x", "name=\"[dropped]\" x".into()),
        (
            "{\"name\": \"Jane\", \"n\": 1}",
            "{\"name\": \"[dropped]\", \"n\": 1}".into(),
        ),
        (
            "{\"customer\": {\"first\": \"J\"}, \"n\": 1}",
            "{\"customer\": \"[dropped]\", \"n\": 1}".into(),
        ),
        ("customer_name: Jane Doe", "customer_name: [dropped]".into()),
        ("email: jane@example.org now", "email: [dropped] now".into()),
        ("Phone: 4155550100", "Phone: [dropped]".into()),
        (
            "?name=Jane&txn=1573124782",
            format!("?name=[dropped]&txn={hash}"),
        ),
        ("txn=4111111111111111", "txn=[card]".into()),
    ] {
        let once = redactor.message(text);
        assert_eq!(once, wanted, "{text}");
        assert_eq!(redactor.message(&once), wanted, "a second time");
    }
}

#[test]
fn prose_is_left_alone() {
    let redactor = redactor();
    for text in [
        "Product name: Cola",
        "Customer: please wait",
        "filename=a.txt username=pi re-name=x",
        "no such name or service",
        "name == 'x'",
        "Transaction complete: 2 items, $0.76 (tax: $0.06, total: $0.82)",
        "txn: failed",
        "name=",
        "name:",
        "txn=null",
    ] {
        assert!(
            matches!(redactor.message(text), Cow::Borrowed(_)),
            "{}",
            redactor.message(text)
        );
    }
}

#[test]
fn contexts_are_redacted_to_their_depth() {
    let redactor = redactor();
    let hash = redactor.key().hash("42");
    let Value::Object(mut context) = json!({
        "txn": 42, "Transaction_ID": "42", "txn_id": ["42", null], "ok": true,
        "customer": {"name": "Jane"},
        "deep": [{"email": "a@b.c", "n": 5, "raw": "pan 4111111111111111"}],
        "number": 4_111_111_111_111_111u64, "float": 4_111_111_111_111_111.0, "time": 1_769_061_495_123u64,
        "4111111111111111": "key",
    }) else {
        unreachable!("a JSON object")
    };
    redactor.context(&mut context);
    let once = context.clone();
    assert_eq!(
        Value::Object(once.clone()),
        json!({
            "txn": hash, "Transaction_ID": hash, "txn_id": [hash, null], "ok": true,
            "customer": "[dropped]",
            "deep": [{"email": "[dropped]", "n": 5, "raw": "pan [card]"}],
            "number": "[card]", "float": "[card]", "time": 1_769_061_495_123u64,
            "[card]": "key",
        })
    );
    redactor.context(&mut context);
    assert_eq!(context, once, "a second time changes nothing");
}

#[test]
fn a_redactor_shows_no_key() {
    assert!(!format!("{:?}", redactor()).contains("7, 7"));
}

#[test]
fn large_messages_are_redacted_in_linear_time() {
    let started = std::time::Instant::now();
    let redactor = redactor();
    for unit in [
        "4111 ", "4", "*", "x", "* ", ";4", "%B4", "name=", "name=\"", "txn:[", "1 2*", "4111-",
    ] {
        redactor.message(&unit.repeat(65_536 / unit.len()));
    }
    let took = started.elapsed();
    assert!(took.as_secs() < 10, "12 messages of 64 KiB took {took:?}");
}

fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("4111111111111111".to_owned()),
        Just("5500 0000 0000 0004".to_owned()),
        "[0-9]{1,20}",
        "[*xX#•]{1,14}",
        "[0-9*#x -]{1,24}",
        "(txn|name|email|customer_name|transaction id|\"txn\"|'name')( ?[=:] ?)",
        "['\"\\\\\\[\\]{}(),;:=%B^?]{1,3}",
        "[a-fA-Z ]{1,6}",
        "\\\\x[0-9a-f]{2}",
        "\\\\u00[23][0-9a-d]",
        "\\PC{0,3}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn redacting_twice_is_redacting_once(parts in prop::collection::vec(fragment(), 0..12)) {
        let text = parts.concat();
        let once = cards(&text).into_owned();
        prop_assert_eq!(cards(&once), once.as_str());
        let redactor = redactor();
        let once = redactor.message(&text).into_owned();
        prop_assert_eq!(redactor.message(&once), once.as_str(), "of {}", text);
        let mut context = Map::new();
        context.insert(text.clone(), Value::String(text));
        redactor.context(&mut context);
        let before = context.clone();
        redactor.context(&mut context);
        prop_assert_eq!(context, before);
    }

    #[test]
    fn any_text_is_redacted_without_a_panic(text in any::<String>()) {
        redactor().message(&text);
    }
}
