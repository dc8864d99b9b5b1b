//! A server that was set back to a backup asks for what it has lost: from the spool, and from the
//! local file when the spool is gone.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tests::wait::{self, seconds};

use crate::site::Site;

impl Site {
    /// Asks for a range and waits for the machine's report.
    fn resend(&self, epoch: &Value, from: u64, to: u64) -> Value {
        let body = json!({ "epoch": epoch, "from": from, "to": to }).to_string();
        let asked = self.api.post("/api/machines/VM001/resend", body);
        assert_eq!(asked.status, 202, "{:?}", asked.json());
        let id = asked.json()["id"].clone();
        wait::until("the machine's report", seconds(40), || {
            std::thread::sleep(Duration::from_millis(100));
            let list = self.api.get("/api/machines/VM001/resend").json();
            let list = list["resends"].as_array().cloned().unwrap_or_default();
            let done = list.into_iter().find(|resend| resend["id"] == id)?;
            done["done_at"].is_string().then_some(done)
        })
    }

    /// Entries of an epoch, by seq.
    fn seqs(&self, epoch: &Value) -> Vec<u64> {
        let entries = self.api.entries("");
        let of_epoch = entries.iter().filter(|entry| entry["epoch"] == *epoch);
        let mut seqs: Vec<u64> = of_epoch.filter_map(|entry| entry["seq"].as_u64()).collect();
        seqs.sort_unstable();
        seqs
    }

    /// Sets the server back to a copy of its data.
    fn set_back(&mut self, copy: &Path) {
        self.server.process.kill();
        fs::remove_dir_all(self.server.data()).expect("removed");
        copy_dir(copy, &self.server.data());
        self.server.kill_and_restart();
    }
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for file in fs::read_dir(from).expect("a directory") {
        let path = file.expect("a file").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_dir(&path, &target);
        } else if path.is_file() {
            fs::copy(&path, &target).expect("copied");
        }
    }
}

#[test]
fn what_a_server_has_lost_is_sent_again_from_the_spool_and_from_the_local_file() {
    let mut site = Site::new("");
    let mut agent = site.setup.start();
    site.write(200);
    site.assert_whole();
    let epoch = site.heartbeat()["epoch"].clone();
    site.server.stop();
    let copy = site.path("copy");
    copy_dir(&site.server.data(), &copy);
    site.server.kill_and_restart();
    site.write(100);
    site.assert_whole();
    let all = site.seqs(&epoch);
    let last = *all.last().expect("entries");

    site.set_back(&copy);
    assert!(site.seqs(&epoch).len() < all.len(), "it has lost some");
    let done = site.resend(&epoch, 1, last + 20);
    assert_eq!(done["found"], json!(last), "{done}");
    assert_eq!(
        done["missing"],
        json!(20),
        "what never was stays a gap: {done}"
    );
    assert_eq!(site.seqs(&epoch), all, "from the spool, each once");

    // The spool is gone; the local file is what is left.
    agent.stop();
    for name in [
        "spool",
        "checkpoint",
        "checkpoint.prev",
        "wifi",
        "wifi.prev",
    ] {
        let path = site.setup.state().join(name);
        let gone = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
        assert!(gone.is_ok() || name.ends_with("prev"), "{name}");
    }
    site.set_back(&copy);
    let had = site.seqs(&epoch).len();
    agent = site.setup.start();
    let done = site.resend(&epoch, 150, last + 20);
    assert_eq!(done["found"], json!(last - 149), "{done}");
    assert_eq!(done["missing"], json!(20), "{done}");
    assert_eq!(site.seqs(&epoch), all, "from the local file, each once");
    agent.stop();
    println!(
        "{} entries sent again from the spool and {} from the local file, {} of them lost by the \
         server each time; 0 twice, 20 reported as missing",
        last,
        last - 149,
        all.len() - had
    );
}
