//! A person sets up where drops are fetched, in the window, from a real SSH server: tries it,
//! accepts its key, sees what came, and what could not be read.

use std::time::Duration;

use anyhow::ensure;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tests::DropFile;
use tests::binaries::{binary, root};
use tests::process;
use tests::services::{PASSWORD, Sshd, USER};
use wire::Level;

use crate::desk::Desk;
use crate::driver::Page;

/// A connection, a poll and a page; a busy machine that runs other tests beside needs the room.
const SOON: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn drops_come_from_a_source_that_a_person_set_up() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    let data = desk.path("store");
    let page = Page::open(&desk, &["--data", &data, "--listen", "127.0.0.1:0"]).await?;
    let mut add = desk.command(binary("vendlog-server"));
    add.args(["machine", "add", "VM001", "--data", &data]);
    let added = process::run(add);
    ensure!(added.code == Some(0), "{}", added.stderr);

    let sshd = Sshd::start();
    let made = (Timestamp::now() - SignedDuration::from_mins(4)).to_string();
    let drop = |machine: &str, number: u64| {
        DropFile::new(machine, number, &made).with(Level::Error, &made, "Motor 3 stalled by cell")
    };
    for drop in [drop("VM001", 1), drop("VM001", 4), drop("VM009", 1)] {
        sshd.put(&drop.name(), drop.text().as_bytes());
    }

    adds_the_source(&page, &sshd).await?;
    page.sees("1 file waits in quarantine", SOON).await?;
    desk.picture(&root().join("target/window-sources.png"))?;
    sees_what_waits(&page, &desk).await?;
    sees_what_came(&page, &desk).await?;
    page.close(SOON).await
}

async fn adds_the_source(page: &Page, sshd: &Sshd) -> anyhow::Result<()> {
    page.click("nav a", "Sources").await?;
    page.sees("No source of drops yet", SOON).await?;
    page.click("main a", "SFTP").await?;
    page.fill("[name=name]", "Seed Live").await?;
    page.fill("[name=host]", "127.0.0.1").await?;
    page.fill("[name=port]", &sshd.port.to_string()).await?;
    page.fill("[name=user]", USER).await?;
    page.fill("[name=password]", PASSWORD).await?;
    page.click("dialog button", "Test connection").await?;
    page.sees(&sshd.host_key, SOON).await?;
    page.click("dialog button", "It is the right one").await?;
    page.sees("It works.", SOON).await?;
    page.sees("VM001-7-1.txt", SOON).await?;
    page.click("dialog button", "Add source").await?;
    page.sees("Seed Live is added.", SOON).await?;
    ensure!(page.address().await? == "/sources");
    ensure!(!page.shows(PASSWORD).await?, "the password is shown");
    Ok(())
}

/// The drop of a machine that nobody added.
async fn sees_what_waits(page: &Page, desk: &Desk) -> anyhow::Result<()> {
    page.click("main nav a", "Quarantine").await?;
    page.click("[data-item] button", "").await?;
    page.sees("Add VM009", SOON).await?;
    page.sees("Motor 3 stalled by cell", SOON).await?;
    desk.picture(&root().join("target/window-quarantine.png"))?;
    page.click("main a", "Add VM009").await?;
    page.sees("Add a machine", SOON).await?;
    page.click("form button", "Add machine").await?;
    page.click("dialog button", "Done").await?;
    // It is read by itself once its machine is there.
    page.click("nav a", "Sources").await?;
    page.sees("The source is well", SOON).await
}

/// The entries, by which way they came, and the drops that never did.
async fn sees_what_came(page: &Page, desk: &Desk) -> anyhow::Result<()> {
    page.click("main nav a", "Recent drops").await?;
    let rows = "return document.querySelectorAll('tbody tr').length === arguments[0]";
    page.wait_for("the drops", SOON, rows, vec![json!(3)])
        .await?;
    page.click("tbody a", "VM001").await?;
    page.sees("Motor 3 stalled by cell", SOON).await?;
    let by = "return document.querySelectorAll('[data-entry] .path.cell').length === 2";
    page.wait_for("entries that came by cell", SOON, by, vec![])
        .await?;
    page.sees("Drops 2–3 missing", SOON).await?;
    desk.picture(&root().join("target/window-cellular.png"))
}
