//! A fleet in the window, and pictures of it for people to look at: `target/window*.png`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};
use tests::binaries::{binary, root};
use tests::process::{self, Process};

use crate::desk::Desk;
use crate::driver::Page;

/// As many as the window shows without scrolling.
const MACHINES: usize = 14;

/// The simulated past of the whole fleet is posted meanwhile.
const SOON: Duration = Duration::from_secs(90);

/// The states of the rows from top to bottom, once every machine was heard of and no count has
/// changed for two seconds.
const STATES: &str = "const rows = [...document.querySelectorAll('tr[data-machine]')];
    const counts = [...document.querySelectorAll('td.n')].map((cell) => cell.textContent).join();
    const settled = window.settled ??= { counts: '', since: 0 };
    if (settled.counts !== counts) Object.assign(settled, { counts, since: Date.now() });
    if (Date.now() - settled.since < 2000) return null;
    const states = rows.map((row) =>
        ['red', 'yellow', 'green', 'grey'].find((state) => row.classList.contains(state)));
    return states.length === arguments[0] && !states.includes('grey') ? states : null";

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_is_sorted_by_trouble_in_light_and_in_dark() -> anyhow::Result<()> {
    let mut desk = Desk::new()?;
    let data = desk.path("store");
    let arguments = ["--data", &data, "--listen", "127.0.0.1:0"];
    let page = Page::open(&desk, &arguments).await?;
    page.sees("No machines yet", SOON).await?;
    let mut fleet = start_fleet(&desk, &page, &data).await?;
    let status = fleet.wait(SOON);
    ensure!(status.success(), "{}", fleet.messages());

    let states = page
        .wait_for("fleet", SOON, STATES, vec![json!(MACHINES)])
        .await?;
    let ranks: Vec<usize> = states
        .as_array()
        .into_iter()
        .flatten()
        .map(|state| {
            ["red", "yellow", "green"]
                .iter()
                .position(|s| state == s)
                .unwrap_or(3)
        })
        .collect();
    // Which machines are in trouble depends on the hour; that some are does not.
    ensure!(ranks.is_sorted() && ranks[0] < 2, "worst first: {states}");
    desk.picture(&picture("window.png"))?;

    page.click("tr[data-machine]", "").await?;
    let lines = "return document.querySelectorAll('[data-entry]').length > 10";
    page.wait_for("log lines", SOON, lines, vec![]).await?;
    desk.picture(&picture("window-machine.png"))?;
    page.close(SOON).await?;

    desk.darken();
    let page = Page::open(&desk, &arguments).await?;
    page.wait_for("fleet", SOON, STATES, vec![json!(MACHINES)])
        .await?;
    desk.picture(&picture("window-dark.png"))?;
    page.click("tr[data-machine]", "").await?;
    page.wait_for("log lines", SOON, lines, vec![]).await?;
    desk.picture(&picture("window-machine-dark.png"))?;
    page.close(SOON).await
}

fn picture(name: &str) -> PathBuf {
    root().join("target").join(name)
}

/// Registers the machines while the window has the store open, and posts their past.
async fn start_fleet(desk: &Desk, page: &Page, data: &str) -> anyhow::Result<Process> {
    let mut keys = String::new();
    for n in 1..=MACHINES {
        let mut add = desk.command(binary("vendlog-server"));
        let (id, name) = (format!("VM{n:03}"), format!("Lobby {n}"));
        add.args(["machine", "add", &id, "--name", &name, "--data", data]);
        let added = process::run(add);
        ensure!(added.code == Some(0), "{}", added.stderr);
        keys += &added.stdout;
    }
    let file = desk.path("keys.ndjson");
    std::fs::write(&file, keys)?;
    let info = page.api("/api/info").await?;
    let word = |name: &str| info[name].as_str().unwrap_or_default().to_owned();
    let mut fleet = desk.command(binary("vendlog-sim"));
    fleet.args([
        "fleet",
        "--url",
        &word("url"),
        "--pin",
        &word("pin"),
        "--keys",
        &file,
    ]);
    fleet.args(["--history", "6h", "--history-only"]);
    Ok(Process::start(fleet, desk.home()))
}

impl Page {
    /// A GET through the shell's command, taken apart as the page does it.
    async fn api(&self, path: &str) -> anyhow::Result<Value> {
        let script = "const [path, done] = arguments;
            window.__TAURI_INTERNALS__.invoke('api', { method: 'GET', path, headers: {}, body: null })
                .then((frame) => {
                    const start = 4 + new DataView(frame).getUint32(0);
                    done(JSON.parse(new TextDecoder().decode(frame.slice(start))));
                }, done)";
        self.run_async(script, vec![json!(path)]).await
    }
}
