//! The main job, end to end: a machine is added in the window, a real agent reads a growing file,
//! and a person sees, filters, searches, exports and is told.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tests::binaries::binary;
use tests::{Agent, AgentSetup};

use crate::desk::{Desk, Keys};
use crate::driver::Page;
use crate::notifications::Notifications;

/// What the issue asks: written to the file, seen in the window.
const LIVE_WITHIN: Duration = Duration::from_secs(2);

/// Lines that are timed.
const LIVE_LINES: usize = 10;

/// What else the page does; a busy machine that runs other tests beside needs the room.
const SOON: Duration = Duration::from_secs(20);

/// The zone in which the agents of these tests read times.
const ZONE: &str = "America/Los_Angeles";

/// A vending application's log file.
struct LogFile {
    path: PathBuf,
}

impl LogFile {
    /// Writes a line as Python's logging does, with the time that it is.
    fn write(&self, level: &str, message: &str) -> anyhow::Result<()> {
        let now = Timestamp::now().to_zoned(TimeZone::get(ZONE)?);
        let stamp = now.strftime("%Y-%m-%d %H:%M:%S");
        let mut file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&self.path)?;
        writeln!(file, "{stamp} - app - {level} - {message}")?;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_finds_exports_and_is_told() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    let notifications = Notifications::on_bus(desk.bus_address()).await?;
    let data = desk.path("store");
    let page = Page::open(&desk, &["--data", &data, "--listen", "127.0.0.1:0"]).await?;
    let file = LogFile {
        path: desk.home().join("app.log"),
    };

    let agent = add_machine(&page, &desk, &file.path).await?;
    for n in 0..40 {
        file.write("INFO", &format!("Vending machine heartbeat {n}"))?;
    }
    file.write("WARNING", "Door open for 31 s")?;
    file.write("ERROR", "Motor 3 stalled after 1200 ms")?;
    opens_the_machine(&page).await?;
    sees_lines_as_they_are_written(&page, &file).await?;
    filters_and_searches(&page).await?;
    exports(&page, &desk).await?;
    is_told_of_a_critical(&page, &notifications, &file).await?;

    drop(agent);
    page.close(SOON).await?;
    for kept in ["store", "config", "data", "cache", "state"] {
        ensure!(
            !holds(&desk.home().join(kept), b"Motor 3 stalled")?,
            "{kept} has log lines in clear"
        );
    }
    let mut dump = desk.command(binary("vendlog-server"));
    dump.args(["logs", "dump", "--data", &data]);
    let dump = tests::process::run(dump);
    ensure!(dump.code == Some(0), "{}", dump.stderr);
    ensure!(
        dump.stdout.contains("Motor 3 stalled after 1200 ms"),
        "the store was closed well"
    );
    Ok(())
}

/// Whether a file below the folder has these bytes.
fn holds(folder: &Path, bytes: &[u8]) -> anyhow::Result<bool> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let found = match entry.file_type()? {
            kind if kind.is_dir() => holds(&entry.path(), bytes)?,
            kind if kind.is_file() => {
                let content = std::fs::read(entry.path())?;
                content.windows(bytes.len()).any(|window| window == bytes)
            }
            _ => false,
        };
        if found {
            eprintln!("found in {}", entry.path().display());
            return Ok(true);
        }
    }
    Ok(false)
}

/// The first start: the empty fleet adds a machine and shows what its agent needs.
async fn add_machine(page: &Page, desk: &Desk, log: &Path) -> anyhow::Result<Agent> {
    page.sees("No machines yet", SOON).await?;
    page.fill("form [data-focus]", "VM001").await?;
    page.click("form button", "Add machine").await?;
    page.sees("VM001 is added", SOON).await?;
    let shown = "return [...document.querySelectorAll('pre')].map((pre) => pre.textContent)";
    let shown = page.run(shown, vec![]).await?.to_string();
    let (key, url, pin) = shown_to_copy(&shown).with_context(|| format!("not shown: {shown}"))?;
    page.click("button", "Done").await?;

    let folder = desk.home().join("agent");
    let setup = AgentSetup::of(&folder, "VM001", log, &url, &pin);
    setup.write_key(&key);
    Ok(setup.start())
}

/// Key, URL and pin as they stand in the commands and the `agent.toml` that the page shows.
fn shown_to_copy(shown: &str) -> Option<(String, String, String)> {
    let word_at = |start: &str| {
        let from = shown.find(start)?;
        let word = shown[from..]
            .split(|c: char| c.is_whitespace() || "\"\\'".contains(c))
            .next()?;
        Some(word.to_owned())
    };
    Some((
        word_at("vl_")?,
        word_at("https://127.0.0.1:")?,
        word_at("sha256/")?,
    ))
}

async fn opens_the_machine(page: &Page) -> anyhow::Result<()> {
    let status = "const row = document.querySelector('[data-machine=VM001]');
        return row && row.className.includes('red') === false && !row.className.includes('grey')
            ? row.innerText : null";
    page.wait_for("fleet row with a status", SOON, status, vec![])
        .await?;
    page.click("[data-machine=VM001]", "").await?;
    page.sees("Motor 3 stalled after 1200 ms", SOON).await?;
    ensure!(page.address().await? == "/machines/VM001");
    Ok(())
}

async fn sees_lines_as_they_are_written(page: &Page, file: &LogFile) -> anyhow::Result<()> {
    let mut taken_ms = Vec::new();
    for n in 0..LIVE_LINES {
        let line = format!("Live line {n} was written");
        let written = Instant::now();
        file.write("INFO", &line)?;
        page.sees(&line, SOON).await?;
        taken_ms.push(written.elapsed().as_millis());
    }
    eprintln!("ms from the file to the window: {taken_ms:?}");
    let slowest = taken_ms.iter().max().copied().unwrap_or_default();
    ensure!(slowest <= LIVE_WITHIN.as_millis(), "{taken_ms:?}");
    Ok(())
}

async fn filters_and_searches(page: &Page) -> anyhow::Result<()> {
    let gone = "return !document.querySelector('.log-list').innerText.includes(arguments[0])";
    page.click("[role=radiogroup] input[value=WARN]", "")
        .await?;
    page.wait_for("end of INFO", SOON, gone, vec![json!("Live line")])
        .await?;
    page.sees("Door open for 31 s", SOON).await?;
    page.fill("[role=search] input", "stalled \"motor 3\"")
        .await?;
    page.wait_for("end of the rest", SOON, gone, vec![json!("Door open")])
        .await?;
    page.sees("Motor 3 stalled after 1200 ms", SOON).await?;
    let address = page.address().await?;
    ensure!(
        address.contains("level=WARN") && address.contains("q="),
        "{address}"
    );
    Ok(())
}

/// Exports the WARN and above through the system's own dialog.
async fn exports(page: &Page, desk: &Desk) -> anyhow::Result<()> {
    page.fill("[role=search] input", "").await?;
    page.sees("Door open for 31 s", SOON).await?;
    page.click(".bar button", "Export").await?;
    page.click(".panel button", "NDJSON").await?;
    let target = desk.path("found.ndjson");
    let keys = [
        Keys::Press("ctrl+a"),
        Keys::Text(&target),
        Keys::Press("Return"),
    ];
    desk.type_into("Export log entries", &keys)?;
    page.sees("Saved 2 lines", SOON).await?;

    let text = std::fs::read_to_string(&target)?;
    let lines: Vec<Value> = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let mut messages: Vec<&str> = lines
        .iter()
        .map(|line| line["message"].as_str().unwrap_or_default())
        .collect();
    messages.sort_unstable();
    ensure!(
        messages == ["Door open for 31 s", "Motor 3 stalled after 1200 ms"],
        "{text}"
    );
    let left = std::fs::read_dir(desk.home())?
        .filter_map(Result::ok)
        .any(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .starts_with(".vendlog-export-")
        });
    ensure!(!left, "a temporary file was left");
    Ok(())
}

async fn is_told_of_a_critical(
    page: &Page,
    notifications: &Notifications,
    file: &LogFile,
) -> anyhow::Result<()> {
    page.click("nav a", "Fleet").await?;
    page.wait_for("fleet", SOON, "return location.pathname === '/'", vec![])
        .await?;
    ensure!(notifications.shown().is_empty(), "only a CRITICAL is told");
    file.write("CRITICAL", "Cabinet <b>opened</b> & \u{202e}lock broken")?;
    file.write("CRITICAL", "Still open")?;
    let shown = notifications.first(SOON).await?;
    ensure!(
        shown.title == "CRITICAL Hardware Failure: VM001",
        "{shown:?}"
    );
    let hostile = "Cabinet &lt;b&gt;opened&lt;/b&gt; &amp; \\u{202e}lock broken";
    ensure!(shown.body.contains(hostile), "{shown:?}");
    let buttons = [
        "default",
        "Open",
        "acknowledge",
        "Acknowledge",
        "open",
        "Open",
    ];
    ensure!(
        shown.urgency == Some(2) && shown.actions == buttons,
        "{shown:?}"
    );

    notifications.click(shown.id, "open").await?;
    let there = "return location.pathname === '/alerts' && location.search.includes('alert=')";
    page.wait_for("the alert after the click", SOON, there, vec![])
        .await?;
    page.sees("Hardware Failure", SOON).await?;
    ensure!(notifications.shown().len() == 1, "one alert, told once");
    notifications.click(shown.id, "acknowledge").await?;
    page.sees("Acknowledged by operator", SOON).await?;
    Ok(())
}
