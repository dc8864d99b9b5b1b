//! Drops that no agent would send on demand: of another year, another age, another machine, or
//! changed on the way. Each is posted as USALive's HTTP transport would post it.

use serde_json::Value;
use tests::{Answer, Api, DropFile, Server};
use wire::{ClockState, Level};

/// A server with machine VM001, a manager and a forwarder.
struct Office {
    server: Server,
    api: Api,
    forwarder: Api,
    _folder: tempfile::TempDir,
}

impl Office {
    fn open() -> Office {
        Office::with(Server::start)
    }

    /// Its clock starts at this time.
    fn open_on(time: &str) -> Office {
        Office::with(|folder| Server::start_on(folder, time))
    }

    fn with(start: impl FnOnce(&std::path::Path) -> Server) -> Office {
        let folder = tempfile::tempdir().expect("a folder");
        let server = start(folder.path());
        server.add_machine("VM001");
        Office {
            api: server.api(),
            forwarder: server.api_as(&server.token("source")),
            server,
            _folder: folder,
        }
    }

    fn post(&self, name: &str, text: &str) -> Answer {
        let answer = self.forwarder.post(&format!("/api/drops/{name}"), text);
        assert_eq!(
            answer.status,
            200,
            "anything else would shut the transport: {}",
            String::from_utf8_lossy(&answer.body)
        );
        answer
    }

    fn take(&self, drop: &DropFile) {
        self.post(&drop.name(), &drop.text());
    }

    /// Time and message of every entry, in the store's order.
    fn entries(&self) -> Vec<(String, String)> {
        let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        let entries = self.api.entries("");
        let pairs = entries.iter();
        pairs
            .map(|entry| (text(entry, "timestamp"), text(entry, "message")))
            .collect()
    }

    fn quarantine(&self) -> Vec<Value> {
        let list = self.api.get("/api/quarantine").json();
        list["items"].as_array().expect("items").clone()
    }

    fn gaps(&self) -> Value {
        self.api.get("/api/machines/VM001/cell").json()["gaps"].clone()
    }
}

fn pair(time: &str, message: &str) -> (String, String) {
    (time.to_owned(), message.to_owned())
}

#[test]
fn an_entry_of_the_old_year_keeps_its_year_when_it_comes_in_the_new_one() {
    let office = Office::open_on("2027-01-01 00:10:00");
    office.post(
        "report.txt",
        "VM001|1231-2358|E|motor|Row 3 stuck|\nVM001|0101-0003|W|app|hm|\n",
    );
    let drop = DropFile::new("VM001", 1, "2027-01-01T00:05:00Z")
        .with(Level::Error, "2026-12-31T23:59:58Z", "the last of the year")
        .with(
            Level::Error,
            "2027-01-01T00:00:01Z",
            "the first of the year",
        );
    office.take(&drop);
    assert_eq!(
        office.entries(),
        [
            pair("2026-12-31T23:58:00.000Z", "Row 3 stuck"),
            pair("2026-12-31T23:59:58.000Z", "the last of the year"),
            pair("2027-01-01T00:00:01.000Z", "the first of the year"),
            pair("2027-01-01T00:03:00.000Z", "hm"),
        ]
    );
}

#[test]
fn an_entry_of_the_leap_day_is_of_the_leap_day() {
    let office = Office::open_on("2028-03-01 00:10:00");
    office.post("report.txt", "VM001|0229-2330|E|motor|Row 3 stuck|\n");
    let drop = DropFile::new("VM001", 1, "2028-02-29T23:59:00Z").with(
        Level::Error,
        "2028-02-29T23:58:59Z",
        "leap",
    );
    office.take(&drop);
    assert_eq!(
        office.entries(),
        [
            pair("2028-02-29T23:30:00.000Z", "Row 3 stuck"),
            pair("2028-02-29T23:58:59.000Z", "leap"),
        ]
    );
}

#[test]
fn a_machine_whose_clock_is_at_1970_is_filed_by_arrival_and_keeps_what_it_said() {
    let office = Office::open();
    let drop = DropFile::new("VM001", 1, "1970-01-01T00:02:00Z").with_clock(
        Level::Critical,
        "1970-01-01T00:01:30Z",
        "Hardware initialization error",
        ClockState::Unsynced,
    );
    office.take(&drop);
    let entries = office.api.entries("level=CRITICAL");
    assert_eq!(entries.len(), 1, "{entries:?}");
    let entry = &entries[0];
    assert_eq!(entry["timestamp"], "1970-01-01T00:01:30.000Z");
    assert_eq!(entry["clock"], "unsynced");
    assert_eq!(
        entry["filed_at"], entry["received_at"],
        "by arrival: {entry}"
    );
    assert_eq!(office.quarantine(), [] as [Value; 0]);
}

#[test]
fn a_drop_that_is_two_weeks_late_lands_in_its_day_and_closes_its_gap() {
    let office = Office::open();
    let ago = |days: i64| {
        let day = jiff::SignedDuration::from_hours(24 * days);
        (jiff::Timestamp::now() - day)
            .strftime("%Y-%m-%dT%H:%M:%SZ")
            .to_string()
    };
    let drop = |number: u64, days: i64| {
        let at = ago(days);
        DropFile::new("VM001", number, &at).with(Level::Warn, &at, &format!("drop {number}"))
    };
    for (number, days) in [(1, 16), (2, 15), (4, 13), (5, 12)] {
        office.take(&drop(number, days));
    }
    let gaps = office.gaps();
    assert_eq!(
        (&gaps[0]["first"], &gaps[0]["last"]),
        (&3.into(), &3.into()),
        "{gaps}"
    );
    let late = drop(3, 14);
    office.take(&late);
    assert_eq!(office.gaps(), serde_json::json!([]), "the gap is closed");
    let messages: Vec<_> = office
        .entries()
        .into_iter()
        .map(|(_, message)| message)
        .collect();
    assert_eq!(messages, ["drop 1", "drop 2", "drop 3", "drop 4", "drop 5"]);
    office.take(&late);
    assert_eq!(office.entries().len(), 5, "once more is not counted");
}

#[test]
fn a_drop_of_an_unknown_machine_waits_until_the_machine_is_added() {
    let office = Office::open();
    let now = jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    let drop = DropFile::new("VM077", 1, &now).with(Level::Error, &now, "hello");
    office.take(&drop);
    assert_eq!(office.entries(), []);
    let waiting = office.quarantine();
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert_eq!(waiting[0]["machine_id"], "VM077");
    let reason = waiting[0]["reason"].as_str().expect("a reason");
    assert!(reason.contains("VM077"), "{reason}");
    let preview = waiting[0]["preview"].as_str().expect("a preview");
    assert!(preview.contains("hello"), "{preview}");
    office.server.add_machine("VM077");
    tests::wait::until("it is read by itself", tests::wait::seconds(20), || {
        (office.entries().len() == 1).then_some(())
    });
    assert_eq!(office.quarantine(), [] as [Value; 0]);
}

#[test]
fn a_drop_that_was_edited_by_hand_is_not_believed() {
    let office = Office::open();
    let now = jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    let drop = DropFile::new("VM001", 1, &now).with(Level::Error, &now, "total: $0.82");
    office.post(&drop.name(), &drop.text().replace("$0.82", "$9.82"));
    assert_eq!(office.entries(), [], "nothing of it is taken");
    let waiting = office.quarantine();
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert_eq!(waiting[0]["code"], "damaged");
    let reason = waiting[0]["reason"].as_str().expect("a reason");
    assert!(
        reason.contains("changed") && reason.contains("hand"),
        "{reason}"
    );
    office.take(&drop);
    assert_eq!(
        office.entries().len(),
        1,
        "the right one is taken beside it"
    );
}
