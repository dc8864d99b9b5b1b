//! The way through an application that owns the reader's port, whole: a real Python that logs, sells
//! and uploads, a real agent in `handoff` mode, simulated reader and USALive, a real server.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tests::binaries::binary;
use tests::sources::{self, Source};
use tests::{Agent, AgentSetup, Api, Server, Usalive, wait};

use crate::support::{PATIENCE, python, socket_input};
use crate::uploads::READER_WITHIN_MS;

const CUSTOMERS: u64 = 12;
/// An application that is left alone has a drop taken now and then.
const EPORT: &str = "[eport]\nenabled = true\nmode = \"handoff\"\nsend_interval_s = 1\n\
                     monthly_budget_bytes = 1000000000\n";

#[test]
fn what_an_application_logs_reaches_the_server_through_its_own_port_while_it_sells() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(folder.path());
    let api = server.api();
    let _source = Source::add(&api, "USALive", &sources::http());
    let uploads = folder.path().join("uploads");
    let to_server = sources::http_url(&server.url);
    let usalive = Usalive::start(folder.path(), &uploads, &["--http", &to_server]);
    let socket = folder.path().join("agent.sock");
    let mut agent = start_agent(&folder.path().join("agent"), &server, &socket);
    wait::until("the agent's socket", PATIENCE, || {
        socket.exists().then_some(())
    });

    let (sim, customers) = (binary("vendlog-sim"), CUSTOMERS.to_string());
    let enough = folder.path().join("enough");
    let paths = [&sim, &uploads, &socket, &enough].map(|path| path.to_str().expect("text"));
    let words = [&paths[..], &[&customers]].concat();
    let mut application = python("handoff.py", &words, folder.path());
    wait::until("everything at the server", PATIENCE, || {
        (counted(&api).len() == expected().len()).then_some(())
    });
    fs::write(&enough, "").expect("a file");
    let line = application.line();
    let ended = application.wait(PATIENCE);
    assert!(ended.success(), "{}", application.messages());
    let measured: Value =
        serde_json::from_str(&line.expect("it says what it measured")).expect("JSON");
    println!("{measured}");
    agent.stop();
    let truth = usalive.finish();

    assert_eq!(measured["sales"], CUSTOMERS, "every customer pays");
    let wait = measured["longest_wait_ms"].as_u64().expect("a number");
    assert!(wait <= READER_WITHIN_MS, "the reader came after {wait} ms");
    // A reader that took a whole file may have had no time to say so: that drop comes again.
    let uploaded = measured["uploaded"].as_u64();
    assert!(
        uploaded >= Some(1) && uploaded <= Some(truth.uploads),
        "what the application believes to have uploaded is with USALive: {truth:?}"
    );
    assert!(truth.failed.is_empty(), "{truth:?}");
    assert_eq!(counted(&api), expected(), "each entry once, by cell");
}

fn start_agent(folder: &Path, server: &Server, socket: &Path) -> Agent {
    let mut setup = AgentSetup::new(folder, server, "VM001", &folder.join("app.log"));
    setup.has_wifi = false;
    setup.timezone = "UTC".to_owned();
    setup.more = socket_input(socket) + EPORT;
    setup.start()
}

/// Level and customer of everything that the application said, with how often it is there.
fn expected() -> BTreeMap<(String, String), u64> {
    let of_customer = |n: u64| {
        [
            ("ERROR", format!("Customer {n}: the transaction timed out")),
            ("CRITICAL", format!("Customer {n}: dispensed and not paid")),
        ]
    };
    let said = (0..CUSTOMERS).flat_map(of_customer);
    said.map(|(level, text)| ((level.to_owned(), text), 1))
        .collect()
}

fn counted(api: &Api) -> BTreeMap<(String, String), u64> {
    let mut counted = BTreeMap::new();
    for entry in api.entries("component=payment&") {
        assert_eq!(entry["path"], "cell", "{entry}");
        let text = |key: &str| entry[key].as_str().expect("text").to_owned();
        *counted.entry((text("level"), text("message"))).or_default() += 1;
    }
    counted
}
