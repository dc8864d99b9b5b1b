//! Machines, their keys, tokens, sessions, settings.

mod support;

use store::{Credential, Holder, StoreError};
use support::{NOON, Place, add_machine, id, key_of, machine};

#[test]
fn a_machine_comes_back_as_it_was_added_and_only_once() {
    let place = Place::new();
    let store = place.with_machines(&["VM002", "VM001"]);
    assert_eq!(
        store.machines().unwrap(),
        [machine("VM001"), machine("VM002")],
        "by id"
    );
    assert_eq!(store.machine(&id("VM002")).unwrap(), Some(machine("VM002")));
    assert_eq!(store.machine(&id("VM003")).unwrap(), None);
    let again = store.add_machine(&machine("VM001"), &key_of("VM001", "other", NOON));
    assert_eq!(again, Err(StoreError::MachineExists(id("VM001"))));
    assert_eq!(
        store.credential("other").unwrap(),
        None,
        "nothing of it is kept"
    );
    assert_eq!(
        store.remove_machine(&id("VM009")),
        Err(StoreError::NoSuchMachine(id("VM009")))
    );
}

#[test]
fn a_machine_has_at_most_two_keys_and_the_oldest_goes() {
    let place = Place::new();
    let store = place.open();
    add_machine(&store, "VM001");
    add_machine(&store, "VM002");
    for (n, key_id) in ["second", "third"].into_iter().enumerate() {
        let at = NOON.plus_us(n as i64 + 1);
        store.add_credential(&key_of("VM001", key_id, at)).unwrap();
    }
    let live = |key_id: &str| store.credential(key_id).unwrap().is_some();
    assert_eq!(
        (
            live("key-VM001"),
            live("second"),
            live("third"),
            live("key-VM002")
        ),
        (false, true, true, true)
    );
    let nobody = store.add_credential(&key_of("VM009", "x", NOON));
    assert_eq!(nobody, Err(StoreError::NoSuchMachine(id("VM009"))));
}

#[test]
fn tokens_and_sessions_come_back_and_can_be_taken_back() {
    let place = Place::new();
    let store = place.open();
    let token = Credential {
        key_id: "t1".to_owned(),
        sha256: [3; 32],
        holder: Holder::Token {
            name: "backup".to_owned(),
            role: "technician".to_owned(),
        },
        created_at: NOON,
        expires_at: None,
        state: store::KeyState::InUse,
    };
    let session = Credential {
        key_id: "s1".to_owned(),
        holder: Holder::Session {
            name: "Ada".to_owned(),
            role: "owner".to_owned(),
        },
        expires_at: Some(NOON.plus_us(1_000)),
        ..token.clone()
    };
    store.add_credential(&token).unwrap();
    store.add_credential(&session).unwrap();
    assert_eq!(store.credential("t1").unwrap(), Some(token.clone()));
    assert_eq!(store.credential("s1").unwrap(), Some(session));
    let later = Credential {
        key_id: "t2".to_owned(),
        created_at: NOON.plus_us(5_000),
        ..token
    };
    store.add_credential(&later).unwrap();
    assert_eq!(
        store.credential("s1").unwrap(),
        None,
        "what has expired is cleared away"
    );
    assert_eq!(store.remove_credential("t1"), Ok(true));
    assert_eq!(store.remove_credential("t1"), Ok(false));
    assert_eq!(store.credential("t1").unwrap(), None);
}

#[test]
fn a_setting_is_replaced_whole() {
    let place = Place::new();
    let store = place.open();
    assert_eq!(store.setting("cert").unwrap(), None);
    store.set_setting("cert", &[0, 255, 3]).unwrap();
    store.set_setting("cert", b"new").unwrap();
    assert_eq!(store.setting("cert").unwrap().as_deref(), Some(&b"new"[..]));
}
