//! Keys on their way to a machine, pairing codes, configurations, requests to send again.

mod support;

use std::sync::{Arc, Mutex};

use store::{
    Credential, DesiredConfig, KEY_OVERLAP_US, KeyState, Store, StoreError, StoredPairing,
};
use support::{NOON, Place, id, key_of};
use wire::Micros;
use wire::care::Resent;

const LATER: Micros = Micros(NOON.0 + 1_000_000);

fn handed_out(key_id: &str, state: KeyState, at: Micros) -> Credential {
    Credential {
        state,
        ..key_of("VM001", key_id, at)
    }
}

fn live(store: &Store, key_id: &str) -> bool {
    store.credential(key_id).unwrap().is_some()
}

#[test]
fn a_handed_out_key_puts_none_in_use_at_risk_and_its_first_use_ends_them_later() {
    let place = Place::new();
    let store = place.with_machines(&["VM001", "VM002"]);
    store
        .add_credential(&key_of("VM001", "by-hand", LATER))
        .unwrap();
    store.ask_rotation(&id("VM001"), LATER).unwrap();
    for key_id in ["lost", "new"] {
        let key = handed_out(key_id, KeyState::ByHeartbeat, LATER);
        store.add_credential(&key).unwrap();
    }
    assert!(!live(&store, "lost"), "a later one makes it void");
    assert!(live(&store, "key-VM001") && live(&store, "by-hand") && live(&store, "new"));

    let used = LATER.plus_us(60_000_000);
    for _ in 0..2 {
        store.key_used("new", used).unwrap();
    }
    let ends = |key_id: &str| store.credential(key_id).unwrap().unwrap().expires_at;
    assert_eq!(ends("new"), None);
    for old in ["key-VM001", "by-hand"] {
        assert_eq!(ends(old), Some(used.plus_us(KEY_OVERLAP_US)), "{old}");
    }
    assert_eq!(ends("key-VM002"), None, "another machine's");
    let new = store.credential("new").unwrap().unwrap();
    assert_eq!(new.state, KeyState::InUse);
    assert_eq!(store.care(&id("VM001")).unwrap().rotation_asked_at, None);
    store.key_used("by-hand", used).unwrap();
    assert_eq!(ends("new"), None, "an old key's use is no first use");
}

#[test]
fn a_key_made_by_hand_crosses_no_rotation() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    store.ask_rotation(&id("VM001"), LATER).unwrap();
    let paired = handed_out("paired", KeyState::ByPairing, LATER);
    store.add_credential(&paired).unwrap();
    let offered = handed_out("offered", KeyState::ByHeartbeat, LATER);
    store.add_credential(&offered).unwrap();
    store
        .add_credential(&key_of("VM001", "by-hand", LATER))
        .unwrap();
    assert!(live(&store, "key-VM001"), "the one before stays good");
    assert!(!live(&store, "offered") && live(&store, "paired"));
    assert_eq!(store.care(&id("VM001")).unwrap().rotation_asked_at, None);
}

fn pairing(sha256: u8) -> StoredPairing {
    StoredPairing {
        machine: id("VM001"),
        sha256: [sha256; 32],
        created_at: NOON,
        expires_at: NOON.plus_us(1_000),
        used: None,
    }
}

/// Uses a code with a key of this id; what the store knew of the code.
fn use_code(store: &Store, sha256: u8, key_id: &str, at: Micros) -> Option<StoredPairing> {
    let seen = Arc::new(Mutex::new(None));
    let key = handed_out(key_id, KeyState::ByPairing, at);
    let noted = seen.clone();
    store
        .use_pairing_code([sha256; 32], at, move |code| {
            *noted.lock().unwrap() = code.cloned();
            code.map(|_| key)
        })
        .unwrap();
    seen.lock().unwrap().take()
}

#[test]
fn a_pairing_code_remembers_its_first_use_and_whether_its_key_waits() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    assert_eq!(use_code(&store, 1, "k", NOON), None);
    store.set_pairing_code(&pairing(1)).unwrap();
    store.set_pairing_code(&pairing(2)).unwrap();
    assert_eq!(
        use_code(&store, 1, "k", NOON),
        None,
        "a new one replaced it"
    );
    assert_eq!(use_code(&store, 2, "first", NOON), Some(pairing(2)));
    let again = use_code(&store, 2, "second", LATER).unwrap().used.unwrap();
    assert_eq!((again.at, again.key_waits), (NOON, true));
    assert!(!live(&store, "first") && live(&store, "second"));
    store.key_used("second", LATER).unwrap();
    let third = use_code(&store, 2, "third", LATER).unwrap().used.unwrap();
    assert_eq!((third.at, third.key_waits), (NOON, false));
    let nobody = StoredPairing {
        machine: id("VM009"),
        ..pairing(3)
    };
    assert_eq!(
        store.set_pairing_code(&nobody),
        Err(StoreError::NoSuchMachine(id("VM009")))
    );
}

#[test]
fn a_configuration_is_set_replaced_and_withdrawn() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    let config = |version: &str| DesiredConfig {
        version: version.to_owned(),
        toml: format!("# {version}"),
        set_at: NOON,
    };
    for version in ["v1", "v2"] {
        let wanted = config(version);
        store.set_agent_config(&id("VM001"), Some(&wanted)).unwrap();
        assert_eq!(store.care(&id("VM001")).unwrap().config, Some(wanted));
    }
    store.ask_rotation(&id("VM001"), NOON).unwrap();
    store.set_agent_config(&id("VM001"), None).unwrap();
    let care = store.care(&id("VM001")).unwrap();
    assert_eq!((care.config, care.rotation_asked_at), (None, Some(NOON)));
    assert_eq!(
        store.care(&id("VM009")),
        Err(StoreError::NoSuchMachine(id("VM009")))
    );
}

#[test]
fn a_request_to_send_again_waits_until_its_machine_reports() {
    let place = Place::new();
    let store = place.with_machines(&["VM001", "VM002"]);
    let (one, two) = (id("VM001"), id("VM002"));
    let first = store.ask_resend(&one, (7, 1, 100), NOON).unwrap();
    let second = store.ask_resend(&one, (7, 200, 201), NOON).unwrap();
    assert!(second.id > first.id);
    let done = Resent {
        id: first.id,
        found: 98,
        missing: 2,
    };
    store.record_resent(&two, &[done], NOON).unwrap();
    assert_eq!(store.care(&one).unwrap().resends.len(), 2, "not another's");
    store.record_resent(&one, &[done], LATER).unwrap();
    let again = Resent { found: 0, ..done };
    store.record_resent(&one, &[again], LATER).unwrap();
    let waiting = store.care(&one).unwrap().resends;
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].request, second);
    assert_eq!(store.resends(&one).unwrap()[0].done, Some((LATER, done)));
    assert_eq!(
        store.ask_resend(&one, (u64::MAX, 1, 1), NOON),
        Err(StoreError::BadNumber)
    );
    for n in 1..=150 {
        store.ask_resend(&two, (7, n, n), NOON).unwrap();
    }
    assert_eq!(store.resends(&two).unwrap().len(), 100, "the oldest went");
    store.remove_machine(&one).unwrap();
    assert_eq!(store.resends(&two).unwrap().len(), 100);
}
