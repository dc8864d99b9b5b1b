//! What an agent says of a reader's port that cannot be used.

#[path = "support/drops.rs"]
mod drops;
mod support;

use drops::Cellular;
use serde_json::json;

#[test]
fn without_a_handoff_the_socket_says_so_and_check_names_what_is_wrong_with_the_port() {
    let machine = Cellular::new("enabled = false\n", "");
    let agent = machine.machine.spawn();
    let mut client = machine.connect();
    for asked in [
        json!({"cmd": "next_drop"}),
        json!({"cmd": "drop_sent", "id": 1}),
        json!({"cmd": "drop_failed", "id": 1, "reason": "x"}),
    ] {
        let answer = client.ask(&asked);
        assert_eq!(
            (&answer["ok"], &answer["code"]),
            (&false.into(), &"no_handoff".into())
        );
        assert_eq!(answer["retry"], false);
    }
    drop(agent);
    let port = machine.machine.dir.path().join("ttyUSB9");
    let section = format!(
        "[eport]\nport = \"{}\"\ndictionary_file = \"/no/such\"\n",
        port.display()
    );
    machine.machine.configure(&section);
    let (code, _, said) = machine.machine.command("check");
    assert_eq!(code, Some(1));
    assert!(said.contains("is not there; plug the reader in"), "{said}");
    assert!(said.contains("eport.dictionary_file /no/such"), "{said}");
    std::fs::write(&port, "").unwrap();
    let (_, _, said) = machine.machine.command("check");
    assert!(said.contains("is no serial port"), "{said}");
}
