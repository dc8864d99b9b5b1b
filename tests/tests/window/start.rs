//! How the desktop app starts, and how it refuses to.

use std::net::TcpListener;
use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};
use tests::binaries::binary;
use tests::process::{self, Process};
use tests::wait;

use crate::desk::{Desk, Keys};
use crate::driver::Page;

/// A start, an end, an answer of the page.
const SOON: Duration = Duration::from_secs(20);

/// Any free port, on this machine only.
const ANY_PORT: [&str; 2] = ["--listen", "127.0.0.1:0"];

/// `vendlog` on the desk, without a driver.
fn vendlog(desk: &Desk, data: &str) -> std::process::Command {
    let mut command = desk.command(binary("vendlog"));
    command.args(["--data", data]).args(ANY_PORT);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_shows_the_first_window_and_another_directory_has_its_own()
-> anyhow::Result<()> {
    let desk = Desk::new()?;
    let (one, two) = (desk.path("one"), desk.path("two"));
    let mut hidden = vendlog(&desk, &one);
    hidden.arg("--hidden");
    let mut first = Process::start(hidden, desk.home());
    let socket = desk.home().join("one/admin.sock");
    wait::until("the first instance", SOON, || socket.exists().then_some(()));
    std::thread::sleep(Duration::from_secs(1));
    ensure!(
        desk.windows_titled("^Vendlog$|Vendlog$")?.is_empty(),
        "hidden is hidden"
    );

    let second = process::run(vendlog(&desk, &one));
    ensure!(second.code == Some(0), "{second:?}");
    desk.window_titled("Vendlog$")?;

    let mut other = Process::start(vendlog(&desk, &two), desk.home());
    wait::until("two windows", SOON, || {
        (desk.windows_titled("Vendlog$").unwrap_or_default().len() == 2).then_some(())
    });
    ensure!(first.is_running() && other.is_running());
    asked_to_stop(&mut other)?;
    asked_to_stop(&mut first)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_the_window_ends_the_app_and_frees_the_store() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    let data = desk.path("store");
    for _ in 0..2 {
        let mut app = Process::start(vendlog(&desk, &data), desk.home());
        desk.close_window("Vendlog$")?;
        ensure!(app.wait(SOON).success(), "{}", app.messages());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_be_opened_is_told_in_a_dialog() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    let data = desk.path("store");
    let mut server = desk.command(binary("vendlog-server"));
    server.args(["--data", &data]).args(ANY_PORT);
    let mut server = Process::start(server, desk.home());
    ensure!(server.line().is_some(), "{}", server.messages());

    let told = refused_start(&desk, &data, &[])?;
    ensure!(
        told.contains("already") && told.lines().count() == 1,
        "{told}"
    );
    ensure!(server.terminate(SOON).success());

    let other_key = desk.path("other.key");
    let told = refused_start(&desk, &data, &["--key-file", &other_key])?;
    ensure!(told.contains("key") && told.lines().count() == 1, "{told}");
    ensure!(
        !std::path::Path::new(&other_key).exists(),
        "no key is made over an existing store"
    );
    Ok(())
}

/// SIGTERM to the app alone: its browser processes are its own to end.
fn asked_to_stop(app: &mut Process) -> anyhow::Result<()> {
    // SAFETY: kill takes two integers; the process is our child and was not waited for yet.
    unsafe { libc::kill(app.id() as i32, libc::SIGTERM) };
    let status = app.wait(SOON);
    ensure!(status.success(), "{status}: {}", app.messages());
    Ok(())
}

/// Starts, waits for the dialog, dismisses it; answers what was said on stderr.
fn refused_start(desk: &Desk, data: &str, more: &[&str]) -> anyhow::Result<String> {
    let mut command = vendlog(desk, data);
    command.args(more);
    let folder = tempfile::tempdir()?;
    let mut app = Process::start(command, folder.path());
    desk.type_into("Vendlog cannot start", &[Keys::Press("Return")])?;
    let status = app.wait(SOON);
    ensure!(status.code() == Some(1), "{status}: {}", app.messages());
    let messages = app.messages();
    Ok(messages
        .lines()
        .filter(|line| line.starts_with("vendlog: "))
        .collect::<Vec<_>>()
        .join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_said_in_the_window_and_the_rest_works() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    let data = desk.path("store");
    let page = Page::open(&desk, &["--data", &data, "--listen", &address]).await?;
    page.sees("Machines cannot deliver", SOON).await?;
    let port = address.rsplit(':').next().unwrap_or_default();
    ensure!(page.shows(port).await?, "the port is named");
    page.sees("No machines yet", SOON).await?;
    page.close(SOON).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_can_do_what_it_is_for_and_nothing_else() -> anyhow::Result<()> {
    let mut desk = Desk::new()?;
    desk.darken();
    let data = desk.path("store");
    let page = Page::open(&desk, &["--data", &data, ANY_PORT[0], ANY_PORT[1]]).await?;
    page.sees("No machines yet", SOON).await?;

    let dark = "return matchMedia('(prefers-color-scheme: dark)').matches";
    ensure!(
        page.run(dark, vec![]).await? == json!(true),
        "the theme follows the system"
    );
    let refused = page
        .invoke("plugin:dialog|message", json!({ "message": "x" }))
        .await?;
    ensure!(refused[1].to_string().contains("not allowed"), "{refused}");
    let refused = page.invoke("unsubscribe_all", json!({})).await?;
    ensure!(refused[1] != Value::Null, "{refused}");

    page.run("location.href = 'https://example.org/'", vec![])
        .await?;
    page.run("window.open('https://example.org/')", vec![])
        .await?;
    std::thread::sleep(Duration::from_millis(500));
    ensure!(
        page.address().await? == "/",
        "nothing but the page is shown"
    );

    // An address that is no file is the page's own, also after a reload.
    page.run(
        "history.pushState({}, '', '/logs?level=WARN'); location.reload()",
        vec![],
    )
    .await?;
    page.sees("Wrap", SOON).await?;
    ensure!(page.address().await? == "/logs?level=WARN");
    page.close(SOON).await
}

#[test]
fn without_a_display_or_with_a_wrong_word_one_line_says_what_to_do() {
    let home = tempfile::tempdir().expect("a home");
    let vendlog = |words: &[&str]| {
        let mut command = std::process::Command::new(binary("vendlog"));
        command.env_clear().env("HOME", home.path()).args(words);
        process::run(command)
    };
    let no_display = vendlog(&[]);
    assert!(
        no_display.refusal(1).contains("vendlog-server"),
        "{no_display:?}"
    );
    let wrong_display = process::run({
        let mut command = std::process::Command::new(binary("vendlog"));
        command
            .env_clear()
            .env("HOME", home.path())
            .env("DISPLAY", "none:7");
        command
    });
    assert!(
        wrong_display.refusal(1).contains("none:7"),
        "{wrong_display:?}"
    );
    let connect = vendlog(&["--connect", "https://ops-pc:4433"]);
    assert!(connect.refusal(2).contains("sign-in link"), "{connect:?}");
    assert_eq!(vendlog(&["--listen", "4433"]).code, Some(2));
}
